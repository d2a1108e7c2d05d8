// How variables, one to a row, vary together over observations, one to a column.

extension Tensor {
    /// The covariances of the rows: (variables, observations) gives (variables, variables); a vector gives a number.
    ///
    /// - Parameters:
    ///   - correction: what is taken off the number of observations before dividing by it.
    ///   - frequencies: how often each observation was made, integers.
    ///   - weights: how much each observation counts.
    public func cov(correction: Int = 1, frequencies: Tensor? = nil, weights: Tensor? = nil) -> Tensor {
        guard rank <= 2, dtype != .bool else {
            return fail("cov", "takes a matrix or a vector of numbers, this is \(dtype) of shape \(shape)")
        }
        let rows = rank == 2 ? self : reshape([1, count])
        let observations = rows.shape[1]
        for part in [frequencies, weights] {
            guard part == nil || part?.shape == [observations] else {
                return fail("cov", "\(observations) observations do not fit weights of shape \(part?.shape ?? [])")
            }
        }
        guard frequencies.map({ $0.dtype.isInteger }) ?? true else {
            return fail("cov", "frequencies must be integers; other weights go into `weights`")
        }
        return rows.covariance(correction, frequencies, weights)
    }

    private func covariance(_ correction: Int, _ frequencies: Tensor?, _ weights: Tensor?) -> Tensor {
        var combined = frequencies ?? weights
        if let frequencies, let weights { combined = frequencies * weights }
        let x = dtype.isFloatingPoint ? self : to(.float32)
        guard let combined else {
            let centered = x - x.mean(dim: 1, keepDim: true)
            let degrees = Swift.max(shape[1] - correction, 0)
            return (centered.matmul(centered.mT) / degrees).squeeze()
        }
        let total = combined.sum()
        let centered = x - (x * combined).sum(dim: 1, keepDim: true) / total
        var degrees = total - correction
        if let weights, correction != 0 { degrees = total - (combined * weights).sum() * correction / total }
        let product = (centered * combined).matmul(centered.to(Tensor.resultType(centered, combined)).mT)
        return (product / degrees.maskedFill(degrees.detach() .< 0, 0)).squeeze()
    }

    /// Pearson's correlation coefficients of the rows, between −1 and 1: the covariances divided by both standard deviations.
    public func corrcoef() -> Tensor {
        let covariances = cov()
        if covariances.rank == 0 { return covariances / covariances }
        let deviations = covariances.diagonal().sqrt()
        return (covariances / deviations.unsqueeze(dim: 1) / deviations).clamp(min: -1, max: 1)
    }
}
