import CKernels

/// Y = A⁺, with singular values up to a cutoff counted as 0. Inputs: A, and for each matrix (..., 1) the cutoff, as a number and as a part
/// of the largest singular value; the larger one counts.
struct PseudoInverse: VariadicOperation {
    static let name = "pinv"
    static let formula = Formula(
        "A⁺",
        gradient: "∂L/∂A = −Yᵀ G Yᵀ + (I − A Y) Gᵀ Y Yᵀ + Yᵀ Y Gᵀ (I − Y A), G = ∂L/∂Y")
    static let dtypes: DTypes = .fullPrecision
    static let keeps: Keeps = [.input, .output]
    static func keptInputs(_ inputs: [Tensor]) -> [Tensor] { [inputs[0]] }
    func forward(_ inputs: [Tensor]) -> [Tensor] {
        let (a, absolute, relative) = (inputs[0], inputs[1], inputs[2])
        if a.count == 0 { return [CPU.contiguous(CPU.transposed(a))] }
        guard let (u, s, vh) = CPU.singularValues(a) else {
            return [fail(Self.name, "has no result for matrices with elements that are not finite")]
        }
        let largest = CPU.reduce(CK_MAX, s, over: [s.rank - 1])
        let cutoff = CPU.binary(
            CK_MAXIMUM, absolute, CPU.binary(CK_MUL, relative, largest, name: Self.name), name: Self.name)
        let counts = CPU.compare(CK_GT, s, cutoff, name: Self.name)
        let inverted = CPU.select(
            counts, CPU.unary(CK_RECIPROCAL, s), Tensor.zeros([], dtype: s.dtype), name: Self.name)
        let scale = inverted.contiguousView(inverted.shape.appending([1]))
        let left = CPU.binary(CK_MUL, vh, scale, name: Self.name)
        return [CPU.matrixProduct(CPU.transposed(left), CPU.transposed(u))]
    }
    /// Golub and Pereyra, The differentiation of pseudo-inverses (1973). Products are taken on the shorter side.
    func gradients(_ dy: [Tensor?], _ kept: KeptList, needs: [Bool]) -> [Tensor?] {
        guard let dy = dy[0] else { return [nil] }
        let (a, y) = (kept.inputs[0], kept.outputs[0])
        let (g, transpose) = (dy.mT, y.mT)
        let outside = transpose.matmul(dy).matmul(transpose)
        let rows = (g - a.matmul(y.matmul(g))).matmul(y).matmul(transpose)
        let columns = transpose.matmul(y.matmul(g - g.matmul(y).matmul(a)))
        return [rows + columns - outside]
    }
    static let samples =
        [
            [2, 3, 2], [2, 3],
        ].map { (shape: Shape) in
            Sample([Sample.Input(.uniform(-1...1), shape: shape)]) {
                let (rows, columns) = (shape[shape.count - 2], shape[shape.count - 1])
                return [LinearAlgebra.pinv($0[0] + Tensor.eye(rows, columns, dtype: $0[0].dtype) * 2)]
            }
        } + [
            // Rank 2, whatever is drawn.
            Sample([Sample.Input(.uniform(0...1), shape: [4, 2]), Sample.Input(.uniform(0...1), shape: [2, 3])]) {
                let (tall, wide) = (Tensor.eye(4, 2, dtype: $0[0].dtype), Tensor.eye(2, 3, dtype: $0[0].dtype))
                return [LinearAlgebra.pinv(($0[0] + tall * 2).matmul($0[1] + wide * 2), rtol: 1e-8)]
            }
        ]
}

extension LinearAlgebra {
    /// The pseudo-inverse (Moore–Penrose) of matrices (..., m, n): (..., n, m). Singular values up to the larger of `atol` and `rtol` times
    /// the largest one count as 0. `rtol` is max(m, n) times the dtype's epsilon unless it or a positive `atol` is given. With `hermitian`
    /// the matrices are taken as symmetric.
    public static func pinv(
        _ a: Tensor, atol: Double? = nil, rtol: Double? = nil, hermitian: Bool = false
    ) -> Tensor {
        pinv(
            a, atol: atol.map { Tensor($0, dtype: .float64) }, rtol: rtol.map { Tensor($0, dtype: .float64) },
            hermitian: hermitian)
    }

    /// `pinv` with a cutoff for each matrix of the batch.
    public static func pinv(_ a: Tensor, atol: Tensor?, rtol: Tensor?, hermitian: Bool = false) -> Tensor {
        guard isFactorable(a, square: hermitian, in: "pinv") else { return .placeholderAfterError }
        let epsilon = a.dtype == .float32 ? Double(Float.ulpOfOne) : Double.ulpOfOne
        let natural = Tensor(
            epsilon * Double(Swift.max(a.shape[a.rank - 2], a.shape[a.rank - 1])), dtype: a.dtype)
        let absolute = atol.map { $0.detach().to(a.dtype) } ?? Tensor.zeros([], dtype: a.dtype)
        let relative = rtol.map { $0.detach().to(a.dtype) } ?? Tensor.where(absolute .> 0, 0, natural)
        let batch = Shape(a.shape.dropLast(2))
        guard Shape.broadcast(batch, absolute.shape) == batch, Shape.broadcast(batch, relative.shape) == batch else {
            return fail(
                "pinv",
                "the tolerances of shapes \(absolute.shape) and \(relative.shape) do not fit the batch of shape \(batch)"
            )
        }
        let matrices = hermitian ? (a + a.mT) * 0.5 : a
        return applyOne(PseudoInverse(), to: [matrices, absolute.asColumn(), relative.asColumn()])
    }
}
