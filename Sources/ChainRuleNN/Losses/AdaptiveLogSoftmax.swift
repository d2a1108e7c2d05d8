import ChainRule

/// log-softmax over very many classes, numbered from the most frequent one: the head tells the first `cutoffs[0]` classes and the clusters of the
/// others apart; each cluster tells its own classes from features divided by a further `divisor`, and is computed for the rows alone whose
/// target it holds (Grave et al. 2017, arXiv 1609.04309). The weights and their names are PyTorch's.
public final class AdaptiveLogSoftmaxWithLoss: Module {
    public let head: Linear
    /// One pair of linear layers for each cluster.
    public let tail: [Sequential]
    public let inFeatures, classCount: Int
    /// Where each cluster begins, and the number of classes.
    public let cutoffs: [Int]

    /// - Parameter cutoffs: Rising, between 1 and `classCount` − 1.
    public init(
        _ inFeatures: Int, _ classCount: Int, cutoffs: [Int], divisor: Double = 4, headBias: Bool = false,
        dtype: DType = .float32
    ) {
        let bounds = cutoffs + [classCount]
        if cutoffs.isEmpty || cutoffs[0] < 1 || zip(bounds, bounds.dropFirst()).contains(where: { $0 >= $1 }) {
            fail("AdaptiveLogSoftmaxWithLoss", "the cutoffs \(cutoffs) must rise, from 1 to \(classCount - 1) at most")
        }
        self.inFeatures = inFeatures
        self.classCount = classCount
        self.cutoffs = bounds
        head = Linear(inFeatures, bounds[0] + cutoffs.count, bias: headBias, dtype: dtype)
        var width = Double(inFeatures)
        tail = zip(bounds, bounds.dropFirst()).map { start, end in
            width /= divisor
            return Sequential {
                Linear(inFeatures, Int(width), bias: false, dtype: dtype)
                Linear(Int(width), end - start, bias: false, dtype: dtype)
            }
        }
        super.init()
    }

    public override var summary: String {
        "AdaptiveLogSoftmaxWithLoss(\(inFeatures), \(classCount), cutoffs: \(Array(cutoffs.dropLast())))"
    }

    /// - Parameters:
    ///   - input: (N, inFeatures), or (inFeatures).
    ///   - target: Classes (N), or a number.
    /// - Returns: The log-probability of each target, and the average of their negatives.
    public func callAsFunction(_ input: Tensor, _ target: Tensor) -> (output: Tensor, loss: Tensor) {
        scope {
            guard input.rank == target.rank + 1, target.rank <= 1, input.shape.last == inFeatures,
                input.shape.dropLast().elementsEqual(target.shape), target.dtype.isInteger
            else {
                let wrong = fail(
                    "AdaptiveLogSoftmaxWithLoss",
                    "\(target.dtype) classes of shape \(target.shape) do not fit an input of shape \(input.shape)")
                return (wrong, wrong)
            }
            let rows = input.reshape([-1, inFeatures])
            let output = logProbabilities(of: target.reshape([-1]).to(.int64), rows).reshape(target.shape)
            return (output, -output.mean())
        }
    }

    private func logProbabilities(of classes: Tensor, _ input: Tensor) -> Tensor {
        guard classes.toArray(of: Int.self).allSatisfy({ 0..<classCount ~= $0 }) else {
            return fail("AdaptiveLogSoftmaxWithLoss", "a target is none of the \(classCount) classes")
        }
        // The class itself, or behind the shortlist that of its cluster.
        var places = classes
        var terms: [(rows: Tensor, values: Tensor)] = []
        for (cluster, layers) in tail.enumerated() {
            let isMember = (classes .>= cutoffs[cluster]).logicalAnd(classes .< cutoffs[cluster + 1])
            places = places.maskedFill(isMember, cutoffs[0] + cluster)
            let rows = isMember.nonzero().reshape([-1])
            if rows.count == 0 { continue }
            let own = classes.indexSelect(dim: 0, rows) - cutoffs[cluster]
            let values = layers(input.indexSelect(dim: 0, rows)).logSoftmax(dim: 1)
            terms.append((rows, values.gather(dim: 1, own.unsqueeze(dim: 1)).squeeze(dim: 1)))
        }
        let output = head(input).logSoftmax(dim: 1).gather(dim: 1, places.unsqueeze(dim: 1)).squeeze(dim: 1)
        return terms.reduce(output) { $0.indexAdd(dim: 0, $1.rows, $1.values) }
    }

    /// The log-probabilities of all classes: (N, inFeatures) gives (N, classCount).
    public func logProbabilities(_ input: Tensor) -> Tensor {
        scope {
            let logarithms = head(input).logSoftmax(dim: 1)
            let clusters = tail.enumerated().map { cluster, layers in
                let place = cutoffs[0] + cluster
                return layers(input).logSoftmax(dim: 1) + logarithms[0..., place..<(place + 1)]
            }
            return cat([logarithms[0..., 0..<cutoffs[0]]] + clusters, dim: 1)
        }
    }

    /// The most probable class of each row.
    public func predict(_ input: Tensor) -> Tensor { logProbabilities(input).argmax(dim: 1) }
}
