import ChainRule

/// Σ over the wrong classes of max(0, margin − x[t] + x[i])^p / C, averaged over the rows: (N, C) or (C), int64 targets.
public struct MultiMarginLoss: Loss {
    public let p: Int
    public let margin: Double
    public let weight: Tensor?
    public let reduction: Reduction

    /// - Parameter weight: a factor for each class.
    public init(p: Int = 1, margin: Double = 1, weight: Tensor? = nil, reduction: Reduction = .mean) {
        self.p = p
        self.margin = margin
        self.weight = weight
        self.reduction = reduction
        if p != 1 && p != 2 { fail("MultiMarginLoss", "p must be 1 or 2, not \(p)") }
    }

    public var description: String { described("MultiMarginLoss", ["p: \(p)", "margin: \(margin)"], reduction) }

    public func callAsFunction(_ prediction: Tensor, _ target: Tensor) -> Tensor {
        prediction.multiMarginLoss(target, p: p, margin: margin, weight: weight, reduction: reduction)
    }
}

/// Σ over the targets j and the other classes i of max(0, 1 − x[j] + x[i]) / C, averaged over the rows: (N, C) or (C). The target has the shape
/// of the scores; the classes before its first negative number are meant.
public struct MultiLabelMarginLoss: Loss {
    public let reduction: Reduction

    public init(reduction: Reduction = .mean) {
        self.reduction = reduction
    }

    public var description: String { described("MultiLabelMarginLoss", [], reduction) }

    public func callAsFunction(_ prediction: Tensor, _ target: Tensor) -> Tensor {
        prediction.multilabelMarginLoss(target, reduction: reduction)
    }
}

/// −(t log σ(x) + (1 − t) log σ(−x)), averaged over the classes (the last axis) and the rows.
public struct MultiLabelSoftMarginLoss: Loss {
    public let weight: Tensor?
    public let reduction: Reduction

    /// - Parameter weight: a factor for each class.
    public init(weight: Tensor? = nil, reduction: Reduction = .mean) {
        self.weight = weight
        self.reduction = reduction
    }

    public var description: String { described("MultiLabelSoftMarginLoss", [], reduction) }

    public func callAsFunction(_ prediction: Tensor, _ target: Tensor) -> Tensor {
        prediction.multilabelSoftMarginLoss(target, weight: weight, reduction: reduction)
    }
}

/// log(1 + e^(−t x)) for targets 1 and −1, averaged.
public struct SoftMarginLoss: Loss {
    public let reduction: Reduction

    public init(reduction: Reduction = .mean) {
        self.reduction = reduction
    }

    public var description: String { described("SoftMarginLoss", [], reduction) }

    public func callAsFunction(_ prediction: Tensor, _ target: Tensor) -> Tensor {
        prediction.softMarginLoss(target, reduction: reduction)
    }
}

/// x where t = 1, max(0, margin − x) where t = −1, averaged: for distances x of pairs that are similar (1) or not.
public struct HingeEmbeddingLoss: Loss {
    public let margin: Double
    public let reduction: Reduction

    public init(margin: Double = 1, reduction: Reduction = .mean) {
        self.margin = margin
        self.reduction = reduction
    }

    public var description: String { described("HingeEmbeddingLoss", ["margin: \(margin)"], reduction) }

    public func callAsFunction(_ prediction: Tensor, _ target: Tensor) -> Tensor {
        prediction.hingeEmbeddingLoss(target, margin: margin, reduction: reduction)
    }
}

/// max(0, margin − t (x₁ − x₂)), averaged: t = 1 asks the first to be the larger one, −1 the second.
public struct MarginRankingLoss: PairLoss {
    public let margin: Double
    public let reduction: Reduction

    public init(margin: Double = 0, reduction: Reduction = .mean) {
        self.margin = margin
        self.reduction = reduction
    }

    public var description: String { described("MarginRankingLoss", ["margin: \(margin)"], reduction) }

    public func callAsFunction(_ first: Tensor, _ second: Tensor, _ target: Tensor) -> Tensor {
        first.marginRankingLoss(second, target, margin: margin, reduction: reduction)
    }
}

/// 1 − cos(x₁, x₂) where t = 1, max(0, cos(x₁, x₂) − margin) where t = −1, averaged: for pairs (N, D) and targets (N), or one pair (D) and a
/// number.
public struct CosineEmbeddingLoss: PairLoss {
    public let margin: Double
    public let reduction: Reduction

    public init(margin: Double = 0, reduction: Reduction = .mean) {
        self.margin = margin
        self.reduction = reduction
    }

    public var description: String { described("CosineEmbeddingLoss", ["margin: \(margin)"], reduction) }

    public func callAsFunction(_ first: Tensor, _ second: Tensor, _ target: Tensor) -> Tensor {
        first.cosineEmbeddingLoss(second, target, margin: margin, reduction: reduction)
    }
}

/// max(0, |a − p| − |a − n| + margin) with vectors along the last axis, averaged: an anchor a is to be nearer to p than to n
/// (Balntas et al. 2016).
public struct TripletMarginLoss: TripletLoss {
    public let margin: Double
    public let p: Double
    public let eps: Double
    /// Whether |p − n| stands in for |a − n| where it is smaller.
    public let swap: Bool
    public let reduction: Reduction

    public init(margin: Double = 1, p: Double = 2, eps: Double = 1e-6, swap: Bool = false, reduction: Reduction = .mean)
    {
        self.margin = margin
        self.p = p
        self.eps = eps
        self.swap = swap
        self.reduction = reduction
    }

    public var description: String {
        described("TripletMarginLoss", ["margin: \(margin)", "p: \(p)", "swap: \(swap)"], reduction)
    }

    /// - Parameters:
    ///   - anchor: a.
    ///   - positive: p.
    ///   - negative: n.
    public func callAsFunction(_ anchor: Tensor, _ positive: Tensor, _ negative: Tensor) -> Tensor {
        anchor.tripletMarginLoss(
            positive: positive, negative: negative, margin: margin, p: p, eps: eps, swap: swap, reduction: reduction)
    }
}

/// `TripletMarginLoss` with a distance of one's own: max(0, d(a, p) − d(a, n) + margin), averaged.
public struct TripletMarginWithDistanceLoss: TripletLoss {
    public let distance: @Sendable (Tensor, Tensor) -> Tensor
    public let margin: Double
    /// Whether d(p, n) stands in for d(a, n) where it is smaller.
    public let swap: Bool
    public let reduction: Reduction

    /// - Parameter distance: One number for each pair of vectors; `pairwiseDistance` unless given.
    public init(
        distance: @escaping @Sendable (Tensor, Tensor) -> Tensor = { $0.pairwiseDistance($1) }, margin: Double = 1,
        swap: Bool = false, reduction: Reduction = .mean
    ) {
        self.distance = distance
        self.margin = margin
        self.swap = swap
        self.reduction = reduction
    }

    public var description: String {
        described("TripletMarginWithDistanceLoss", ["margin: \(margin)", "swap: \(swap)"], reduction)
    }

    public func callAsFunction(_ anchor: Tensor, _ positive: Tensor, _ negative: Tensor) -> Tensor {
        anchor.tripletMarginLoss(
            positive: positive, negative: negative, margin: margin, swap: swap, reduction: reduction, distance: distance
        )
    }
}

/// A criterion on three inputs: an anchor, what it is to be near to, and what it is to be far from.
public protocol TripletLoss: Sendable, CustomStringConvertible {
    func callAsFunction(_ anchor: Tensor, _ positive: Tensor, _ negative: Tensor) -> Tensor
}

extension TripletLoss {
    /// The loss, not recorded.
    public func forward(_ anchor: Tensor, _ positive: Tensor, _ negative: Tensor) -> Tensor {
        withoutGradient { self(anchor.detach(), positive.detach(), negative.detach()) }
    }

    /// The gradients with respect to all three.
    public func backward(
        _ anchor: Tensor, _ positive: Tensor, _ negative: Tensor
    ) -> (anchor: Tensor, positive: Tensor, negative: Tensor) {
        let found = gradients(ofLossOf: [anchor, positive, negative]) { self($0[0], $0[1], $0[2]) }
        return (found[0], found[1], found[2])
    }
}
