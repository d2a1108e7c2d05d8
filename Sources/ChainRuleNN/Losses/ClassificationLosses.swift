import ChainRule

/// −x[t]: the negative log-likelihood of classes, for log-probabilities (N, C) or (C), or (N, C, d...), and int64 targets.
public struct NLLLoss: Loss {
    public let weight: Tensor?
    public let ignoreIndex: Int
    public let reduction: Reduction

    /// - Parameter weight: a factor for each class; the mean is then weighted.
    public init(weight: Tensor? = nil, ignoreIndex: Int = -100, reduction: Reduction = .mean) {
        self.weight = weight
        self.ignoreIndex = ignoreIndex
        self.reduction = reduction
    }

    public var description: String { described("NLLLoss", [], reduction) }

    public func callAsFunction(_ prediction: Tensor, _ target: Tensor) -> Tensor {
        prediction.nllLoss(target, weight: weight, ignoreIndex: ignoreIndex, reduction: reduction)
    }
}

/// −log softmax(x)[t]: `LogSoftmax` and `NLLLoss` in one, for scores of any size. The target holds classes (int64) or probabilities.
public struct CrossEntropyLoss: Loss {
    public let weight: Tensor?
    public let ignoreIndex: Int
    public let labelSmoothing: Double
    public let reduction: Reduction

    public init(
        weight: Tensor? = nil, ignoreIndex: Int = -100, labelSmoothing: Double = 0, reduction: Reduction = .mean
    ) {
        self.weight = weight
        self.ignoreIndex = ignoreIndex
        self.labelSmoothing = labelSmoothing
        self.reduction = reduction
    }

    public var description: String { described("CrossEntropyLoss", ["labelSmoothing: \(labelSmoothing)"], reduction) }

    public func callAsFunction(_ prediction: Tensor, _ target: Tensor) -> Tensor {
        prediction.crossEntropy(
            target, weight: weight, ignoreIndex: ignoreIndex, reduction: reduction, labelSmoothing: labelSmoothing)
    }
}

/// −(t log x + (1 − t) log(1 − x)) for probabilities x and targets t from 0 to 1, averaged. The logarithms stop at −100, as in PyTorch.
public struct BCELoss: Loss {
    public let weight: Tensor?
    public let reduction: Reduction

    /// - Parameter weight: a factor for each element; broadcasts.
    public init(weight: Tensor? = nil, reduction: Reduction = .mean) {
        self.weight = weight
        self.reduction = reduction
    }

    public var description: String { described("BCELoss", [], reduction) }

    public func callAsFunction(_ prediction: Tensor, _ target: Tensor) -> Tensor {
        prediction.binaryCrossEntropy(target, weight: weight, reduction: reduction)
    }
}

/// `BCELoss` of sigmoid(x), without overflow: max(x, 0) − x t + log(1 + e^−|x|).
public struct BCEWithLogitsLoss: Loss {
    public let weight: Tensor?
    /// A factor for the positive class.
    public let positiveWeight: Tensor?
    public let reduction: Reduction

    public init(weight: Tensor? = nil, positiveWeight: Tensor? = nil, reduction: Reduction = .mean) {
        self.weight = weight
        self.positiveWeight = positiveWeight
        self.reduction = reduction
    }

    public var description: String { described("BCEWithLogitsLoss", [], reduction) }

    public func callAsFunction(_ prediction: Tensor, _ target: Tensor) -> Tensor {
        prediction.binaryCrossEntropyWithLogits(
            target, weight: weight, positiveWeight: positiveWeight, reduction: reduction)
    }
}
