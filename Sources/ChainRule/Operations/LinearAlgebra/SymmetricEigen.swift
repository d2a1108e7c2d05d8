/// λ and V with A V = V diag λ for a symmetric A, of which one triangle is read.
struct SymmetricEigen: VariadicOperation {
    let upper: Bool
    static let name = "eigh"
    static let formula = Formula(
        "λ, V with A V = V diag λ",
        gradient: "∂L/∂A = V (diag ∂L/∂λ + F ∘ skew Vᵀ ∂L/∂V) Vᵀ, Fᵢⱼ = 1 / (λⱼ − λᵢ), skew X = ½(X − Xᵀ)")
    static let dtypes: DTypes = .fullPrecision
    static let keeps: Keeps = .output
    func forward(_ inputs: [Tensor]) -> [Tensor] {
        guard let (values, vectors) = CPU.diagonalize(inputs[0], upper: upper) else {
            let error = fail(Self.name, "has no result for matrices with elements that are not finite")
            return [error, error]
        }
        return [values, vectors]
    }
    /// Giles (2008). Symmetric, as A is.
    func gradients(_ dy: [Tensor?], _ kept: KeptList, needs: [Bool]) -> [Tensor?] {
        let (values, vectors) = (kept.outputs[0], kept.outputs[1])
        var inner = dy[0].map { $0.diagEmbed() }
        if let dv = dy[1] {
            let turn = vectors.mT.matmul(dv)
            let gaps =
                values.unsqueeze(dim: -2) - values.asColumn()
                + Tensor.eye(values.shape[values.rank - 1], dtype: values.dtype)
            let term = (turn - turn.mT) / (gaps * 2)
            inner = inner.map { $0 + term } ?? term
        }
        return [inner.map { vectors.matmul($0).matmul(vectors.mT) }]
    }
    static let samples = [
        Sample([Sample.Input(.uniform(-1...1), shape: [2, 3, 3])]) {
            let gaps = Tensor([0.0, 4, 8]).diag()
            // Signs of eigenvectors are free; their squares and projections are not.
            let (values, vectors) = LinearAlgebra.eigh($0[0] + $0[0].mT + gaps)
            return [values, vectors.squared(), (vectors * Tensor([1.0, -2, 3])).matmul(vectors.mT)]
        }
    ]
}

extension LinearAlgebra {
    /// The eigenvalues of symmetric matrices (..., n, n) in ascending order, and eigenvectors as columns, with signs that are free. Only
    /// the lower triangle is read, or the upper one; the gradient is symmetric. That of the vectors needs eigenvalues that differ.
    public static func eigh(_ a: Tensor, upper: Bool = false) -> (values: Tensor, vectors: Tensor) {
        guard isFactorable(a, square: true, in: "eigh") else { return (.placeholderAfterError, .placeholderAfterError) }
        let outputs = apply(SymmetricEigen(upper: upper), to: [a])
        return (outputs[0], outputs[1])
    }

    /// The eigenvalues of symmetric matrices in ascending order; see `eigh`.
    public static func eigvalsh(_ a: Tensor, upper: Bool = false) -> Tensor { eigh(a, upper: upper).values }
}
