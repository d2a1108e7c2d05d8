import ChainRule

/// Inputs with their classes, in memory.
public struct LabeledData: Dataset {
    /// float32 (N, ...), one input a row.
    public var inputs: Tensor
    /// int64 (N), from 0 to the number of classes − 1.
    public var targets: Tensor

    public init(inputs: Tensor, targets: Tensor) {
        self.inputs = inputs
        self.targets = targets
    }

    public var count: Int { targets.count }

    public func batch(at indices: [Int]) -> (input: Tensor, target: Tensor) {
        guard let first = indices.first else { return (inputs[0..<0], targets[0..<0]) }
        // Neighbours in order need no copy.
        if indices.indices.allSatisfy({ indices[$0] == first + $0 }) {
            let range = first..<(first + indices.count)
            return (inputs[range], targets[range])
        }
        let rows = Tensor(indices)
        return (inputs.indexSelect(dim: 0, rows), targets.indexSelect(dim: 0, rows))
    }
}

/// A classification problem: what every source of data comes to.
public struct ClassificationData: Sendable {
    public var train, test: LabeledData
    public let classNames: [String]
    /// What it is, in words: "MNIST".
    public let name: String

    public init(train: LabeledData, test: LabeledData, classNames: [String], name: String) {
        self.train = train
        self.test = test
        self.classNames = classNames
        self.name = name
    }

    /// The shape of one input: (channels, height, width) of an image, or (features).
    public var inputShape: [Int] { Array(train.inputs.shape.dropFirst()) }

    /// Both parts with inputs scaled as `normalization` says.
    public func normalized(by normalization: Normalization) -> ClassificationData {
        var result = self
        result.train.inputs = normalization.apply(to: train.inputs)
        result.test.inputs = normalization.apply(to: test.inputs)
        return result
    }
}
