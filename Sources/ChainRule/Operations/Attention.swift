// softmax(q kᵀ) v: each query takes a weighted average of the values, by how well their keys fit it.

extension Tensor {
    /// Attention with this tensor as the queries q (..., L, E): softmax(q kᵀ · scale + mask) v (Vaswani et al. 2017, arXiv 1706.03762).
    ///
    /// - Parameters:
    ///   - key: k (..., S, E).
    ///   - value: v (..., S, D).
    ///   - mask: Broadcasts to (..., L, S): booleans, true where a query may look, or numbers that are added to the scores. A query
    ///     that may look nowhere gets zeros.
    ///   - dropout: The probability with which a weight is dropped.
    ///   - isCausal: Query i may look at the keys up to i. Not together with a mask.
    ///   - scale: 1 / √E unless given.
    ///   - groupedHeads: Whether fewer heads of keys and values (the third axis from the end) each serve several heads of queries.
    /// - Returns: (..., L, D) in the queries' dtype; the axes before the last two broadcast.
    public func scaledDotProductAttention(
        key: Tensor, value: Tensor, mask: Tensor? = nil, dropout: Double = 0, isCausal: Bool = false,
        scale: Double? = nil, groupedHeads: Bool = false, generator: Generator = .default
    ) -> Tensor {
        guard isAttention(on: key, value, mask, isCausal) else { return .placeholderAfterError }
        if dtype.isHalf {
            return to(.float32).scaledDotProductAttention(
                key: key.to(.float32), value: value.to(.float32),
                mask: mask.map { $0.dtype.isHalf ? $0.to(.float32) : $0 },
                dropout: dropout, isCausal: isCausal, scale: scale, groupedHeads: groupedHeads, generator: generator
            ).to(dtype)
        }
        if groupedHeads, rank >= 3, key.rank >= 3, key.shape[key.rank - 3] != shape[rank - 3] {
            let (own, served) = (key.shape[key.rank - 3], shape[rank - 3])
            guard own > 0 && served % own == 0 else {
                return fail(
                    "scaledDotProductAttention",
                    "\(own) heads of keys or values do not divide the \(served) heads of queries")
            }
            return inGroups(own).scaledDotProductAttention(
                key: key.inGroups(own), value: value.inGroups(own), mask: mask?.inGroups(own), dropout: dropout,
                isCausal: isCausal, scale: scale, generator: generator
            ).flatten(startDim: -4, endDim: -3)
        }
        let factor = scale ?? 1 / Double(shape[rank - 1]).squareRoot()
        // For a few queries packing the keys would cost more than it saves.
        let isInBlocks =
            dropout == 0 && shape[rank - 2] >= 8 && !(mask?.requiresGrad ?? false)
            && ![self, key, value].contains { $0.count == 0 }
        return isInBlocks
            ? attentionInBlocks(key, value, mask, scale: factor, isCausal: isCausal)
            : composedAttention(
                key, value, mask, scale: factor, isCausal: isCausal, dropout: dropout, generator: generator)
    }

    /// Attention by products and a softmax, which keeps its scores.
    func composedAttention(
        _ key: Tensor, _ value: Tensor, _ mask: Tensor?, scale: Double, isCausal: Bool, dropout: Double = 0,
        generator: Generator = .default
    ) -> Tensor {
        let scores = (self * scale).matmul(key.mT)
        // A causal mask hides no row as a whole: the first key is always seen.
        let weights =
            isCausal
            ? Tensor.where(scores.causalMask, scores, -Double.infinity).softmax(dim: -1)
            : scores.attentionWeights(mask)
        return weights.dropout(p: dropout, generator: generator).matmul(value)
    }

    /// softmax along the last axis, of the scores that the mask lets through.
    private func attentionWeights(_ mask: Tensor?) -> Tensor {
        guard let mask else { return softmax(dim: -1) }
        let hidden = -Double.infinity
        let scores = mask.dtype == .bool ? .where(mask, self, hidden) : self + mask
        guard scores.count > 0 else { return scores }
        // A row of −∞ has no softmax. It is taken out before, too: NaN times a gradient of 0 would be NaN.
        let isBlind = scores.detach().amax(dim: -1, keepDim: true) .== hidden
        return scores.maskedFill(isBlind, 0).softmax(dim: -1).maskedFill(isBlind, 0)
    }

    /// True where the column is not beyond the row, for scores (..., L, S).
    private var causalMask: Tensor {
        Tensor.ones([shape[rank - 2], shape[rank - 1]], dtype: .bool).tril()
    }

    /// (..., heads, rows, columns) as (..., groups, heads of a group, rows, columns); what has one head for each group gets an axis of size 1.
    private func inGroups(_ groups: Int) -> Tensor {
        if rank < 3 { return self }
        let heads = shape[rank - 3]
        return heads == groups || heads == 1 ? unsqueeze(dim: -3) : unflatten(dim: -3, [groups, -1])
    }

    private func isAttention(on key: Tensor, _ value: Tensor, _ mask: Tensor?, _ isCausal: Bool) -> Bool {
        let name = "scaledDotProductAttention"
        guard requireFloating(name) else { return false }
        guard rank >= 2, key.rank >= 2, value.rank >= 2, shape[rank - 1] == key.shape[key.rank - 1],
            key.shape[key.rank - 2] == value.shape[value.rank - 2]
        else {
            fail(
                name,
                "queries (..., L, E), keys (..., S, E) and values (..., S, D) do not fit: their shapes are \(shape), \(key.shape) and \(value.shape)"
            )
            return false
        }
        guard key.dtype == dtype, value.dtype == dtype else {
            fail(name, "needs one dtype; queries, keys and values are \(dtype), \(key.dtype) and \(value.dtype)")
            return false
        }
        guard mask == nil || !isCausal else {
            fail(name, "takes a mask or isCausal, not both")
            return false
        }
        if let mask, mask.dtype.isInteger {
            fail(name, "the mask must be booleans or floating numbers, it is \(mask.dtype)")
            return false
        }
        return true
    }
}
