// Losses that ask for a margin: between classes, between similar and dissimilar pairs.

extension Tensor {
    /// x where t = 1, max(0, margin − x) where t = −1: for distances x of pairs that are similar (1) or not; broadcasts.
    public func hingeEmbeddingLoss(_ target: Tensor, margin: Double = 1, reduction: Reduction = .mean) -> Tensor {
        guard requireFloating("hingeEmbeddingLoss") else { return .placeholderAfterError }
        let near = wide.maskedFill(target.detach() .== -1, 0)
        let far = (margin - wide).clamp(min: 0).maskedFill(target.detach() .== 1, 0)
        return (near + far).reduced(reduction).rounded(to: dtype)
    }

    /// max(0, margin − t (x − other)): t = 1 asks this tensor x to be the larger one, −1 the other; broadcasts.
    public func marginRankingLoss(
        _ other: Tensor, _ target: Tensor, margin: Double = 0, reduction: Reduction = .mean
    ) -> Tensor {
        (-target.wide * (wide - other.wide) + margin).clamp(min: 0).reduced(reduction).rounded(to: dtype)
    }

    /// log(1 + e^(−t x)) for targets 1 and −1.
    public func softMarginLoss(_ target: Tensor, reduction: Reduction = .mean) -> Tensor {
        guard matches(target, "softMarginLoss") else { return .placeholderAfterError }
        return (-(target.wide * wide).logSigmoid()).reduced(reduction).rounded(to: dtype)
    }

    /// 1 − cos(x, other) where t = 1, max(0, cos(x, other) − margin) where t = −1, along the last axis.
    ///
    /// - Parameter target: (N) for pairs (N, D), a number for (D).
    public func cosineEmbeddingLoss(
        _ other: Tensor, _ target: Tensor, margin: Double = 0, reduction: Reduction = .mean
    ) -> Tensor {
        guard rank == target.rank + 1, rank == 1 || rank == 2, shape == other.shape,
            target.rank == 0 || target.count == shape[0]
        else {
            return fail(
                "cosineEmbeddingLoss",
                "needs pairs (N, D) with targets (N), or (D) with a number; the shapes are \(shape), \(other.shape) and \(target.shape)"
            )
        }
        let (x, other) = (wide, other.wide)
        let norms = (x.squared().sum(dim: -1) + 1e-12) * (other.squared().sum(dim: -1) + 1e-12)
        let cosine = (x * other).sum(dim: -1) / norms.sqrt()
        let near = (1 - cosine).maskedFill(target.detach() .!= 1, 0)
        let far = (cosine - margin).clamp(min: 0).maskedFill(target.detach() .!= -1, 0)
        return (near + far).reduced(reduction).rounded(to: dtype)
    }

    /// max(0, |a − p| − |a − n| + margin) with this tensor as the anchors a: they are to be nearer to `positive` p than to `negative` n
    /// (Balntas et al. 2016).
    ///
    /// - Parameters:
    ///   - p: The order of the norm.
    ///   - swap: Whether |p − n| stands in for |a − n| where it is smaller.
    public func tripletMarginLoss(
        positive: Tensor, negative: Tensor, margin: Double = 1, p: Double = 2, eps: Double = 1e-6, swap: Bool = false,
        reduction: Reduction = .mean
    ) -> Tensor {
        tripletMarginLoss(positive: positive, negative: negative, margin: margin, swap: swap, reduction: reduction) {
            $0.pairwiseDistance($1, p: p, eps: eps)
        }
    }

    /// `tripletMarginLoss` with a distance of one's own in place of the norm.
    public func tripletMarginLoss(
        positive: Tensor, negative: Tensor, margin: Double = 1, swap: Bool = false, reduction: Reduction = .mean,
        distance: (Tensor, Tensor) -> Tensor
    ) -> Tensor {
        let (anchor, positive, negative) = (wide, positive.wide, negative.wide)
        let (near, far) = (distance(anchor, positive), distance(anchor, negative))
        let nearest = swap ? far.minimum(distance(positive, negative)) : far
        return (near - nearest + margin).clamp(min: 0).reduced(reduction).rounded(to: dtype)
    }

    /// Σ over the wrong classes i of max(0, margin − x[t] + x[i])ᵖ / C, for scores (N, C) or (C).
    ///
    /// - Parameters:
    ///   - target: Classes t: (N), or one number.
    ///   - p: 1 or 2.
    ///   - weight: A factor (C) for the class t.
    public func multiMarginLoss(
        _ target: Tensor, p: Int = 1, margin: Double = 1, weight: Tensor? = nil, reduction: Reduction = .mean
    ) -> Tensor {
        let name = "multiMarginLoss"
        guard p == 1 || p == 2 else { return fail(name, "p must be 1 or 2, not \(p)") }
        guard let (rows, classes) = scoreRows(target.reshape([target.count]), name) else {
            return .placeholderAfterError
        }
        let index = classes.unsqueeze(dim: 1)
        let distances = (margin - rows.gather(dim: 1, index) + rows).relu()
        var powers = p == 1 ? distances : distances.squared()
        if let weight { powers = powers * weight.wide.indexSelect(dim: 0, classes).unsqueeze(dim: 1) }
        // The right class is at distance `margin` from itself and does not count.
        let isRight = index .== Tensor.arange(rows.shape[1]).unsqueeze(dim: 0)
        let losses = powers.maskedFill(isRight, 0).sum(dim: 1) / rows.shape[1]
        return losses.reshape(target.shape).reduced(reduction).rounded(to: dtype)
    }

    /// Σ over the targets j and the other classes i of max(0, 1 − (x[j] − x[i])) / C, for scores (N, C) or (C).
    ///
    /// - Parameter target: Classes of the scores' shape; those before the first negative number are the targets.
    public func multilabelMarginLoss(_ target: Tensor, reduction: Reduction = .mean) -> Tensor {
        let name = "multilabelMarginLoss"
        guard target.shape == shape, let (rows, classes) = scoreRows(target.reshape(rowShape), name) else {
            return fail(name, "targets of shape \(target.shape) do not fit scores of shape \(shape)")
        }
        let isTarget = (classes .>= 0).to(.int64).cumprod(dim: 1)
        let places = classes.to(.int64) * isTarget
        let named = Tensor.zeros(rows.shape, dtype: .int64).scatterAdd(dim: 1, places, isTarget)
        let gaps = (1 - rows.gather(dim: 1, places).unsqueeze(dim: 2) + rows.unsqueeze(dim: 1)).relu()
        let counts = isTarget.unsqueeze(dim: 2).to(.bool).logicalAnd((named .== 0).unsqueeze(dim: 1))
        let losses = gaps.maskedFill(counts.logicalNot(), 0).sum(dim: [1, 2]) / Swift.max(rows.shape[1], 1)
        return (rank < 2 ? losses.reshape([]) : losses).reduced(reduction).rounded(to: dtype)
    }

    /// The average over the classes (the last axis) of −(t log σ(x) + (1 − t) log σ(−x)).
    ///
    /// - Parameter weight: A factor for each class.
    public func multilabelSoftMarginLoss(
        _ target: Tensor, weight: Tensor? = nil, reduction: Reduction = .mean
    ) -> Tensor {
        guard matches(target, "multilabelSoftMarginLoss"), rank > 0 else {
            return fail("multilabelSoftMarginLoss", "scores of shape \(shape) need an axis of classes")
        }
        let (x, target) = (wide, target.wide)
        let losses = -(target * x.logSigmoid() + (1 - target) * (-x).logSigmoid())
        return (weight.map { losses * $0.wide } ?? losses).mean(dim: -1).reduced(reduction).rounded(to: dtype)
    }

    private var rowShape: Shape { rank == 2 ? shape : [1, count] }

    /// Scores as (N, C), 16-bit ones as float32.
    private func scoreRows(_ classes: Tensor, _ name: String) -> (rows: Tensor, classes: Tensor)? {
        guard requireFloating(name) else { return nil }
        let rows = rank <= 2 ? wide.reshape(rowShape) : self
        guard rows.rank == 2, classes.dtype.isInteger, classes.shape[0] == rows.shape[0] else {
            fail(name, "scores of shape \(shape) do not fit \(classes.dtype) targets of shape \(classes.shape)")
            return nil
        }
        return (rows, classes)
    }
}
