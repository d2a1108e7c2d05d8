extension LinearAlgebra {
    /// The Vandermonde matrices with rows 1, x, x², … of the elements of vectors (..., n): (..., n, columns), square unless `columns`
    /// is given.
    public static func vander(_ x: Tensor, columns: Int? = nil) -> Tensor {
        let vectors = x.atLeast1D()
        let width = columns ?? vectors.shape[vectors.rank - 1]
        guard width > 0 else { return fail("vander", "the number of columns must be positive, it is \(width)") }
        let numbers = vectors.dtype == .bool || vectors.dtype.isInteger ? vectors.to(.int64) : vectors
        let base = numbers.asColumn().expand(vectors.shape.appending([width - 1]))
        let ones = Tensor.ones(vectors.shape.appending([1]), dtype: numbers.dtype)
        return cat([ones, base], dim: -1).cumprod(dim: -1)
    }

    /// Σ x y along an axis; x and y broadcast.
    public static func vecdot(_ x: Tensor, _ y: Tensor, dim: Int = -1) -> Tensor { (x * y).sum(dim: dim) }
}
