/// L with A = L Lᵀ, from the lower triangle of A; and for each matrix 0, or the order of the first leading minor that is not positive.
struct Cholesky: VariadicOperation {
    static let name = "cholesky"
    static let formula = Formula(
        "L with L Lᵀ = A",
        gradient: "∂L/∂A = L⁻ᵀ ½(P + Pᵀ) L⁻¹, P = the lower triangle of Lᵀ ∂L/∂L with half its diagonal")
    static let dtypes: DTypes = .fullPrecision
    static let keeps: Keeps = .output
    func forward(_ inputs: [Tensor]) -> [Tensor] {
        let (factor, info) = CPU.cholesky(inputs[0])
        return [factor, info]
    }
    /// Murray, Differentiation of the Cholesky decomposition (2016). Symmetric, as A is.
    func gradients(_ dy: [Tensor?], _ kept: KeptList, needs: [Bool]) -> [Tensor?] {
        guard let dy = dy[0] else { return [] }
        let factor = kept.outputs[0]
        let product = factor.mT.matmul(dy)
        let symmetric = (product.tril(-1) + product.tril().mT) * 0.5
        let half = LinearAlgebra.solveTriangular(factor.mT, symmetric, upper: true)
        return [LinearAlgebra.solveTriangular(factor, half, upper: false, left: false)]
    }
    static let samples = [
        Sample([Sample.Input(.uniform(-1...1), shape: [2, 3, 3])]) {
            [LinearAlgebra.cholesky($0[0].matmul($0[0].mT) + Tensor.eye(3, dtype: $0[0].dtype))]
        }
    ]
}

extension LinearAlgebra {
    /// L, lower triangular, with L Lᵀ = A for symmetric positive definite matrices; with `upper` its transpose. Only that triangle of A is
    /// read; the gradient is symmetric. Traps when a matrix is not positive definite.
    public static func cholesky(_ a: Tensor, upper: Bool = false) -> Tensor {
        let (factor, info) = choleskyEx(a, upper: upper)
        if let (matrix, order) = firstFlag(info) {
            return fail("cholesky", "\(matrix) is not positive definite: its leading minor of order \(order) isn't")
        }
        return factor
    }

    /// `cholesky` that reports instead of trapping: `info` (int32, one for each matrix) is 0, or the order of the first leading minor that
    /// is not positive definite, and the factor is then unfinished.
    public static func choleskyEx(_ a: Tensor, upper: Bool = false) -> (factor: Tensor, info: Tensor) {
        guard isFactorable(a, square: true, in: "cholesky") else {
            return (.placeholderAfterError, .zeros([], dtype: .int32))
        }
        let outputs = apply(Cholesky(), to: [upper ? a.mT : a])
        return (upper ? outputs[0].mT : outputs[0], outputs[1])
    }
}
