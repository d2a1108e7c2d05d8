// How near vectors are to each other.

extension Tensor {
    /// (Σ |x − y + ε|ᵖ)^(1/p) along the last axis; the others broadcast. ε keeps the gradient of equal vectors finite.
    public func pairwiseDistance(_ other: Tensor, p: Double = 2, eps: Double = 1e-6, keepDim: Bool = false) -> Tensor {
        guard Swift.max(rank, other.rank) > 0 else {
            return fail("pairwiseDistance", "needs vectors, the shapes are \(shape) and \(other.shape)")
        }
        return (wide - other.wide + eps).norm(p, dim: -1, keepDim: keepDim).rounded(to: dtype)
    }

    /// x · y / (max(|x|, ε) max(|y|, ε)) along an axis; the others broadcast. The gradient passes through the bound ε.
    public func cosineSimilarity(_ other: Tensor, dim: Int = 1, eps: Double = 1e-8) -> Tensor {
        guard requireFloating("cosineSimilarity") else { return .placeholderAfterError }
        let pair = broadcast([wide, other.to(dtype).wide])
        let units = pair.map { $0 / $0.norm(2, dim: dim, keepDim: true).atLeast(eps) }
        return (units[0] * units[1]).sum(dim: dim).rounded(to: dtype)
    }

    /// x / max((Σ |x|ᵖ)^(1/p), ε) along an axis: vectors of length 1.
    public func normalize(p: Double = 2, dim: Int = 1, eps: Double = 1e-12) -> Tensor {
        (wide / wide.norm(p, dim: dim, keepDim: true).clamp(min: eps)).rounded(to: dtype)
    }

    /// x / (k + α mean x²)^β, the mean over `size` neighbouring channels (axis 1), zeros beyond the first and the last
    /// (Krizhevsky et al. 2012). (N, C, places...).
    public func localResponseNorm(size: Int, alpha: Double = 1e-4, beta: Double = 0.75, k: Double = 1) -> Tensor {
        guard rank >= 3, size > 0 else {
            return fail(
                "localResponseNorm", "needs (N, C, places...) and a size of 1 or more, got \(shape) and \(size)")
        }
        guard requireFloating("localResponseNorm") else { return .placeholderAfterError }
        if count == 0 { return self }
        let squares = wide.squared().transpose(1, -1).pad([size / 2, (size - 1) / 2]).transpose(1, -1)
        let mean = squares.unfold(dim: 1, size: size, step: 1).mean(dim: -1)
        return (wide / (mean * alpha + k).pow(beta)).rounded(to: dtype)
    }

    /// t (log t − x): how far targets t diverge from log-probabilities x, after Kullback and Leibler.
    ///
    /// - Parameters:
    ///   - logTarget: Whether the targets are log-probabilities too.
    ///   - perBatch: With `.sum`, divides by the size of the first axis: PyTorch's "batchmean".
    public func klDiv(
        _ target: Tensor, logTarget: Bool = false, reduction: Reduction = .mean, perBatch: Bool = false
    ) -> Tensor {
        guard requireFloating("klDiv") else { return .placeholderAfterError }
        let target = target.wide
        let terms = logTarget ? target.exp() * (target - wide) : target.xlogy(target) - target * wide
        let loss = terms.reduced(reduction)
        return (perBatch && rank > 0 ? loss / shape[0] : loss).rounded(to: dtype)
    }
}
