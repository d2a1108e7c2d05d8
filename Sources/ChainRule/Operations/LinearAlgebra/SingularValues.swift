/// S, U and Vᵀ with U diag S Vᵀ = A.
struct SingularValues: VariadicOperation {
    static let name = "svd"
    static let formula = Formula(
        "S, U, Vᵀ with U diag S Vᵀ = A",
        gradient:
            "∂L/∂A = U (F ∘ skew(Uᵀ ∂L/∂U) S + S F ∘ skew(Vᵀ ∂L/∂V) + diag ∂L/∂S) Vᵀ, and (I − U Uᵀ) ∂L/∂U S⁻¹ Vᵀ, U S⁻¹ ∂L/∂Vᵀ (I − V Vᵀ); Fᵢⱼ = 1 / (Sⱼ² − Sᵢ²), skew X = X − Xᵀ"
    )
    static let dtypes: DTypes = .fullPrecision
    static let keeps: Keeps = .output
    func forward(_ inputs: [Tensor]) -> [Tensor] {
        guard let (u, s, vh) = CPU.singularValues(inputs[0]) else {
            let error = fail(Self.name, "has no result for matrices with elements that are not finite")
            return [error, error, error]
        }
        return [s, u, vh]
    }
    /// Townsend, Differentiating the singular value decomposition (2016).
    func gradients(_ dy: [Tensor?], _ kept: KeptList, needs: [Bool]) -> [Tensor?] {
        let (s, u, vh) = (kept.outputs[0], kept.outputs[1], kept.outputs[2])
        let (row, column) = (s.unsqueeze(dim: -2), s.asColumn())
        var terms: [Tensor] = dy[0].map { [(u * $0.unsqueeze(dim: -2)).matmul(vh)] } ?? []
        let gaps = (row - column) * (row + column) + Tensor.eye(s.shape[s.rank - 1], dtype: s.dtype)
        if let du = dy[1] {
            let turn = u.mT.matmul(du)
            terms.append(u.matmul((turn - turn.mT) / gaps * row).matmul(vh))
            if u.shape[u.rank - 2] > u.shape[u.rank - 1] { terms.append(((du - u.matmul(turn)) / row).matmul(vh)) }
        }
        if let dvh = dy[2] {
            let turn = vh.matmul(dvh.mT)
            terms.append(u.matmul(column * (turn - turn.mT) / gaps).matmul(vh))
            if vh.shape[vh.rank - 1] > vh.shape[vh.rank - 2] {
                terms.append(u.matmul((dvh - turn.mT.matmul(vh)) / column))
            }
        }
        guard let first = terms.first else { return [nil] }
        return [terms.dropFirst().reduce(first, +)]
    }
    static let samples = [
        [3, 2], [2, 3], [3, 3],
    ].map { (shape: Shape) in
        Sample([Sample.Input(.uniform(-1...1), shape: shape)]) {
            let spread = Tensor([6.0, 3, 1]).diag()[..<shape[0], ..<shape[1]]
            // Signs of singular vectors are free; their squares and products are not.
            let (u, s, vh) = LinearAlgebra.svd($0[0] + spread)
            return [s, u.squared(), vh.squared(), u.matmul(vh)]
        }
    }
}

extension LinearAlgebra {
    /// U (..., m, k) and V (..., n, k) with orthonormal columns and S (..., k), in descending order, with U diag S Vᵀ = A; k = min(m, n).
    /// `vh` is Vᵀ. The signs of the vectors are free. Errors are roundings of the largest value, in double precision. The gradient of the vectors needs singular values that differ.
    public static func svd(_ a: Tensor) -> (u: Tensor, s: Tensor, vh: Tensor) {
        guard isFactorable(a, in: "svd") else {
            return (.placeholderAfterError, .placeholderAfterError, .placeholderAfterError)
        }
        let outputs = apply(SingularValues(), to: [a])
        return (outputs[1], outputs[0], outputs[2])
    }

    /// The singular values in descending order; see `svd`.
    public static func svdvals(_ a: Tensor) -> Tensor { svd(a).s }
}
