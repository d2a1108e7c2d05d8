// Functions of matrices, composed of products.

extension LinearAlgebra {
    /// The nth power of square matrices of any dtype but bool; of the inverse for n < 0, which takes float32 or float64, and the identity
    /// for n = 0.
    public static func matrixPower(_ a: Tensor, _ n: Int) -> Tensor {
        guard n < 0 ? isFactorable(a, square: true, in: "matrixPower") : areMatrices(a, square: true, in: "matrixPower")
        else { return .placeholderAfterError }
        if n == 0 {
            // A constant that still belongs to the graph: its gradient is 0.
            return a.maskedFill(Tensor.ones([], dtype: .bool), 0) + Tensor.eye(a.shape[a.rank - 1], dtype: a.dtype)
        }
        var base = n < 0 ? inv(a) : a.wide
        var (rest, product) = (n.magnitude, Tensor?.none)
        while true {
            if rest & 1 == 1 { product = product.map { $0.matmul(base) } ?? base }
            rest >>= 1
            if rest == 0 { return (product ?? base).rounded(to: a.dtype) }
            base = base.matmul(base)
        }
    }

    /// The exponential I + A + A²/2! + … of square matrices.
    ///
    /// Each matrix is halved until its 1-norm is at most ½, where 15 terms are exact to rounding, and the result squared as often
    /// (Higham, Functions of Matrices, 10.3, with the Taylor series for the Padé approximant).
    public static func matrixExp(_ a: Tensor) -> Tensor {
        if a.dtype.isHalf { return matrixExp(a.wide).rounded(to: a.dtype) }
        guard isFactorable(a, square: true, in: "matrixExp") else { return .placeholderAfterError }
        if a.count == 0 { return a }
        let norms = a.detach().to(.float64).abs().sum(dim: -2).amax(dim: -1)
        guard norms.isfinite().all().item() != 0 else {
            return fail("matrixExp", "has no result for matrices with elements that are not finite")
        }
        let halvings = (norms * 2).log2().ceil().clamp(min: 0)
        let scale = Tensor.pow(0.5, halvings).to(a.dtype).asColumn().asColumn()
        var result = series(a * scale)
        for step in 0..<Int(halvings.max().item()) {
            let isUnfinished = (halvings .> step).asColumn().asColumn()
            result = .where(isUnfinished, result.matmul(result), result)
        }
        return result
    }

    /// Σ Aᵏ / k! for k < 16, as a polynomial in A⁴ whose coefficients are polynomials in A (Paterson and Stockmeyer 1973).
    private static func series(_ a: Tensor) -> Tensor {
        let square = a.matmul(a)
        let powers = [Tensor.eye(a.shape[a.rank - 1], dtype: a.dtype), a, square, square.matmul(a)]
        let fourth = square.matmul(square)
        var result: Tensor?
        for block in stride(from: 12, through: 0, by: -4) {
            let terms = powers.enumerated().map { $1 * reciprocalFactorial(block + $0) }
            let sum = terms.dropFirst().reduce(terms[0], +)
            result = result.map { $0.matmul(fourth) + sum } ?? sum
        }
        return result ?? a
    }

    private static func reciprocalFactorial(_ n: Int) -> Double {
        (1...Swift.max(n, 1)).reduce(1.0) { $0 / Double($1) }
    }
}
