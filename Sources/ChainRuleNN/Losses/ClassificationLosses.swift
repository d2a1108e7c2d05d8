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

    public var description: String { "NLLLoss()" }

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

    public var description: String { "CrossEntropyLoss()" }

    public func callAsFunction(_ prediction: Tensor, _ target: Tensor) -> Tensor {
        prediction.crossEntropy(
            target, weight: weight, ignoreIndex: ignoreIndex, reduction: reduction, labelSmoothing: labelSmoothing)
    }
}

/// −(t log x + (1 − t) log(1 − x)) for probabilities x and targets t from 0 to 1. The logarithms stop at −100, as in PyTorch.
public struct BCELoss: Loss {
    public let weight: Tensor?
    public let reduction: Reduction

    public init(weight: Tensor? = nil, reduction: Reduction = .mean) {
        self.weight = weight
        self.reduction = reduction
    }

    public var description: String { "BCELoss()" }

    public func callAsFunction(_ prediction: Tensor, _ target: Tensor) -> Tensor {
        guard haveEqualShapes(prediction, target, "BCELoss") else { return prediction }
        return prediction.binaryCrossEntropy(target, weight: weight, reduction: reduction)
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

    public var description: String { "BCEWithLogitsLoss()" }

    public func callAsFunction(_ prediction: Tensor, _ target: Tensor) -> Tensor {
        guard haveEqualShapes(prediction, target, "BCEWithLogitsLoss") else { return prediction }
        // (1 − t) x + (1 + (p − 1) t) · log(1 + e^−x), with p the positive weight.
        let logTerm = (-prediction).softplus()
        let scaled = positiveWeight.map { (1 + ($0 - 1) * target) * logTerm } ?? logTerm
        let losses = (1 - target) * prediction + scaled
        return reduce(weight.map { losses * $0 } ?? losses, reduction)
    }
}

/// Σ over the wrong classes of max(0, margin − x[t] + x[i])^p / C, averaged over the rows: (N, C) or (C), int64 targets.
public struct MultiMarginLoss: Loss {
    public let p: Int
    public let margin: Double
    public let weight: Tensor?
    public let reduction: Reduction

    public init(p: Int = 1, margin: Double = 1, weight: Tensor? = nil, reduction: Reduction = .mean) {
        self.p = p
        self.margin = margin
        self.weight = weight
        self.reduction = reduction
        if p != 1 && p != 2 { fail("MultiMarginLoss", "p must be 1 or 2, not \(p)") }
    }

    public var description: String { "MultiMarginLoss()" }

    public func callAsFunction(_ prediction: Tensor, _ target: Tensor) -> Tensor {
        let rows = prediction.rank == 1 ? prediction.unsqueeze(dim: 0) : prediction
        let classes = target.reshape(-1)
        guard rows.rank == 2, classes.count == rows.shape[0] else {
            return fail(
                "MultiMarginLoss", "scores of shape \(prediction.shape) do not fit targets of shape \(target.shape)")
        }
        let index = classes.unsqueeze(dim: 1)
        let distances = (margin - rows.gather(dim: 1, index) + rows).relu()
        var powers = p == 1 ? distances : distances.squared()
        if let weight { powers = powers * weight.indexSelect(dim: 0, classes).unsqueeze(dim: 1) }
        // The right class is at distance `margin` from itself and does not count.
        let isWrong = index .!= Tensor.arange(rows.shape[1]).unsqueeze(dim: 0)
        let losses = (powers * isWrong.to(rows.dtype)).sum(dim: 1) / rows.shape[1]
        return reduce(prediction.rank == 1 ? losses.reshape([]) : losses, reduction)
    }
}
