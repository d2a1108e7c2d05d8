extension LinearAlgebra {
    /// The norms of matrices.
    public enum MatrixNorm: Sendable, Hashable {
        /// √Σ aᵢⱼ²
        case frobenius
        /// The sum of the singular values.
        case nuclear
        /// The largest singular value, or the smallest one.
        case spectral, smallestSingularValue
        /// The largest sum of magnitudes of a column, or the smallest one.
        case one, minusOne
        /// The largest sum of magnitudes of a row, or the smallest one.
        case infinity, minusInfinity
    }

    /// A norm of the matrices in the axes `dims` (rows, columns). The largest of nothing is 0; the smallest of nothing traps.
    public static func matrixNorm(
        _ a: Tensor, _ norm: MatrixNorm = .frobenius, dims: (Int, Int) = (-2, -1), keepDim: Bool = false
    ) -> Tensor {
        guard a.rank >= 2 else { return fail("matrixNorm", "takes matrices, the shape is \(a.shape)") }
        guard let rows = a.axis(dims.0, in: "matrixNorm"), let columns = a.axis(dims.1, in: "matrixNorm") else {
            return .placeholderAfterError
        }
        guard rows != columns else {
            return fail("matrixNorm", "the two dimensions must differ, both are \(rows) of shape \(a.shape)")
        }
        if norm == .frobenius { return a.norm(2, dim: [rows, columns], keepDim: keepDim) }
        let matrices = a.movedim([rows, columns], [-2, -1])
        let result: Tensor
        switch norm {
        case .frobenius, .one: result = largest(matrices.norm(1, dim: -2))
        case .minusOne: result = matrices.norm(1, dim: -2).amin(dim: -1)
        case .infinity: result = largest(matrices.norm(1, dim: -1))
        case .minusInfinity: result = matrices.norm(1, dim: -1).amin(dim: -1)
        case .nuclear: result = svdvals(matrices).sum(dim: -1)
        case .spectral: result = largest(svdvals(matrices))
        case .smallestSingularValue: result = svdvals(matrices).amin(dim: -1)
        }
        if !keepDim { return result }
        return result.asColumn().asColumn().movedim([-2, -1], [rows, columns])
    }

    /// The largest number of each line; 0 for an empty one, since no norm is less.
    private static func largest(_ x: Tensor) -> Tensor {
        x.shape[x.rank - 1] == 0 ? x.sum(dim: -1) : x.amax(dim: -1)
    }
}
