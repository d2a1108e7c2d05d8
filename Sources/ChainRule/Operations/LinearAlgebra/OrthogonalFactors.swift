/// Q R = A for matrices with at least as many rows as columns.
struct OrthogonalFactors: VariadicOperation {
    static let name = "qr"
    static let formula = Formula(
        "Q, R with Q R = A",
        gradient: "∂L/∂A = (∂L/∂Q + Q M) R⁻ᵀ, M = the symmetric matrix with the lower triangle of R ∂L/∂Rᵀ − ∂L/∂Qᵀ Q")
    static let dtypes: DTypes = .fullPrecision
    static let keeps: Keeps = .output
    func forward(_ inputs: [Tensor]) -> [Tensor] {
        let (q, r) = CPU.orthogonalize(inputs[0], complete: false)
        return [q, r]
    }
    /// Walter and Lehmann, Algorithmic differentiation of linear algebra functions (2010).
    func gradients(_ dy: [Tensor?], _ kept: KeptList, needs: [Bool]) -> [Tensor?] {
        let (q, r) = (kept.outputs[0], kept.outputs[1])
        let (dq, dr) = (dy[0], dy[1])
        guard let lower = sum(dr.map { r.matmul($0.mT) }, dq.map { -$0.mT.matmul(q) }) else { return [nil] }
        let symmetric = lower.tril() + lower.tril(-1).mT
        guard let left = sum(dq, q.matmul(symmetric)) else { return [nil] }
        return [LinearAlgebra.solveTriangular(r.mT, left, upper: false, left: false)]
    }

    private func sum(_ a: Tensor?, _ b: Tensor?) -> Tensor? {
        guard let a, let b else { return a ?? b }
        return a + b
    }

    static let samples = [
        Sample([Sample.Input(.uniform(-1...1), shape: [2, 4, 3])]) {
            let (q, r) = LinearAlgebra.qr($0[0] + Tensor.eye(4, 3, dtype: $0[0].dtype) * 2)
            return [q, r]
        },
        Sample([Sample.Input(.uniform(-1...1), shape: [2, 4])]) {
            let (q, r) = LinearAlgebra.qr($0[0] + Tensor.eye(2, 4, dtype: $0[0].dtype) * 2)
            return [q, r]
        },
    ]
}

/// Q R = A with all columns of Q, for matrices with more rows than columns.
struct CompleteOrthogonalFactors: VariadicOperation, NotDifferentiable {
    static let name = "qr_complete"
    static let reason = "the columns of Q beyond those of A are free to turn"
    func forward(_ inputs: [Tensor]) -> [Tensor] {
        let (q, r) = CPU.orthogonalize(inputs[0], complete: true)
        return [q, r]
    }
}

extension LinearAlgebra {
    /// Which columns of Q `qr` gives.
    public enum QRMode: Sendable {
        /// min(m, n) columns.
        case reduced
        /// All m of them; not differentiable when m > n.
        case complete
        /// None: Q is an empty tensor of shape [0].
        case r
    }

    /// Q with orthonormal columns and R upper triangular with Q R = A, for matrices (..., m, n). The diagonal of R has the signs that
    /// Householder reflections give it, as LAPACK's. The gradient needs min(m, n) first columns of A that are independent.
    public static func qr(_ a: Tensor, mode: QRMode = .reduced) -> (q: Tensor, r: Tensor) {
        guard isFactorable(a, in: "qr") else { return (.placeholderAfterError, .placeholderAfterError) }
        let (rows, columns) = (a.shape[a.rank - 2], a.shape[a.rank - 1])
        if rows > columns && mode == .complete {
            let outputs = apply(CompleteOrthogonalFactors(), to: [a])
            return (outputs[0], outputs[1])
        }
        // The first columns make Q; the others follow from it.
        let outputs = apply(OrthogonalFactors(), to: [a.narrow(dim: -1, start: 0, length: Swift.min(rows, columns))])
        let (q, first) = (outputs[0], outputs[1])
        let rest = columns > rows ? q.mT.matmul(a.narrow(dim: -1, start: rows, length: columns - rows)) : nil
        let r = rest.map { cat([first, $0], dim: -1) } ?? first
        return (mode == .r ? Tensor.zeros([0], dtype: a.dtype) : q, r)
    }
}
