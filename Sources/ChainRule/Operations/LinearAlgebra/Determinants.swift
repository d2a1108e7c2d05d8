/// y = det A
struct Determinant: UnaryOperation {
    static let name = "det"
    static let formula = Formula("det A", gradient: "∂L/∂A = ∂L/∂y · cofactors of A = ∂L/∂y · y A⁻ᵀ")
    static let dtypes: DTypes = .fullPrecision
    static let keeps: Keeps = [.input, .output]
    func forward(_ a: Tensor) -> Tensor { CPU.determinants(a).determinant }
    func gradient(_ dy: Tensor, _ kept: Kept) -> Tensor {
        cofactors(kept.input, kept.output) * dy.asColumn().asColumn()
    }

    /// ∂ det A / ∂A. Singular matrices have cofactors too: with A = U S Vᵀ they are det U det V · U S′ Vᵀ, where S′ has the products of
    /// the other singular values (Giles, Collected matrix derivative results, 2008, for the regular ones).
    private func cofactors(_ a: Tensor, _ y: Tensor) -> Tensor {
        if a.count == 0 { return a }
        Recorder.noteReading("the gradient of det looks whether a matrix is singular")
        guard CPU.hasZero(y) else { return LinearAlgebra.inv(a).mT * y.asColumn().asColumn() }
        let (u, s, vh) = LinearAlgebra.svd(a)
        let sign = LinearAlgebra.slogdet(u.detach()).sign * LinearAlgebra.slogdet(vh.detach()).sign
        let others = productsOfOthers(s) * sign.asColumn()
        return (u * others.unsqueeze(dim: -2)).matmul(vh)
    }

    static let samples = [
        Sample([Sample.Input(.uniform(-1...1), shape: [2, 3, 3])]) {
            [LinearAlgebra.det($0[0] + Tensor.eye(3, dtype: $0[0].dtype) * 2)]
        }
    ]
}

/// ln |det A|, and the sign of det A, which is constant where it is not 0.
struct LogDeterminant: VariadicOperation {
    static let name = "slogdet"
    static let formula = Formula("ln |det A|", gradient: "∂L/∂A = ∂L/∂y · A⁻ᵀ")
    static let dtypes: DTypes = .fullPrecision
    static let keeps: Keeps = .input
    func forward(_ inputs: [Tensor]) -> [Tensor] {
        let results = CPU.determinants(inputs[0])
        return [results.logarithm, results.sign]
    }
    func gradients(_ dy: [Tensor?], _ kept: KeptList, needs: [Bool]) -> [Tensor?] {
        guard let dy = dy[0] else { return [nil] }
        return [LinearAlgebra.invEx(kept.inputs[0]).inverse.mT * dy.asColumn().asColumn()]
    }
    static let samples = [
        Sample([Sample.Input(.uniform(-1...1), shape: [2, 3, 3])]) {
            [LinearAlgebra.slogdet($0[0] - Tensor.eye(3, dtype: $0[0].dtype) * 3).logabsdet]
        }
    ]
}

extension LinearAlgebra {
    /// The determinants of square matrices; 1 for empty ones. Singular matrices have a gradient too, the cofactors.
    public static func det(_ a: Tensor) -> Tensor {
        guard isFactorable(a, square: true, in: "det") else { return .placeholderAfterError }
        return apply(Determinant(), to: a)
    }

    /// The signs (−1, 0 or 1) of the determinants and the logarithms of their magnitudes, which do not overflow. The signs are constants.
    public static func slogdet(_ a: Tensor) -> (sign: Tensor, logabsdet: Tensor) {
        guard isFactorable(a, square: true, in: "slogdet") else {
            return (.placeholderAfterError, .placeholderAfterError)
        }
        let outputs = apply(LogDeterminant(), to: [a])
        return (outputs[1], outputs[0])
    }

    /// The logarithms of the determinants: −∞ for a determinant of 0, NaN for a negative one.
    public static func logdet(_ a: Tensor) -> Tensor {
        let (sign, logarithm) = slogdet(a)
        return logarithm.maskedFill(sign.detach() .< 0, Double.nan)
    }
}
