/// X with A X = B, and for each A 0 or the place of its first pivot that is 0.
struct LinearSolve: VariadicOperation {
    static let name = "solve"
    static let formula = Formula("A⁻¹ B", gradient: "∂L/∂B = A⁻ᵀ ∂L/∂X, ∂L/∂A = −∂L/∂B Xᵀ")
    static let dtypes: DTypes = .fullPrecision
    static let keeps: Keeps = [.input, .output]
    func forward(_ inputs: [Tensor]) -> [Tensor] {
        let (solution, info) = CPU.solve(inputs[0], inputs[1])
        return [solution, info]
    }
    func gradients(_ dy: [Tensor?], _ kept: KeptList, needs: [Bool]) -> [Tensor?] {
        guard let dy = dy[0] else { return [] }
        let (a, b, x) = (kept.inputs[0], kept.inputs[1], kept.outputs[0])
        let db = apply(LinearSolve(), to: [a.mT, dy])[0]
        return [
            needs[0] ? -(db.matmul(x.mT)).sum(toShape: a.shape) : nil, needs[1] ? db.sum(toShape: b.shape) : nil,
        ]
    }
    static let samples = [
        Sample([Sample.Input(.uniform(-1...1), shape: [2, 3, 3]), Sample.Input(.uniform(-1...1), shape: [3, 2])]) {
            [LinearAlgebra.solve($0[0] + Tensor.eye(3, dtype: $0[0].dtype) * 3, $0[1])]
        },
        Sample([Sample.Input(.uniform(-1...1), shape: [2, 2]), Sample.Input(.uniform(-1...1), shape: [3, 2])]) {
            [LinearAlgebra.solve($0[0] + Tensor.eye(2, dtype: $0[0].dtype) * 3, $0[1], left: false)]
        },
    ]
}

/// X with T X = B for a triangle T of A.
struct TriangularSolve: VariadicOperation {
    let upper: Bool
    /// Whether the diagonal counts as ones.
    let unit: Bool
    static let name = "solve_triangular"
    static let formula = Formula("T⁻¹ B", gradient: "∂L/∂B = T⁻ᵀ ∂L/∂X, ∂L/∂T = the triangle of −∂L/∂B Xᵀ")
    static let dtypes: DTypes = .fullPrecision
    static let keeps: Keeps = [.input, .output]
    func forward(_ inputs: [Tensor]) -> [Tensor] {
        [CPU.solveTriangle(inputs[0], inputs[1], upper: upper, unit: unit)]
    }
    func gradients(_ dy: [Tensor?], _ kept: KeptList, needs: [Bool]) -> [Tensor?] {
        guard let dy = dy[0] else { return [] }
        let (a, b, x) = (kept.inputs[0], kept.inputs[1], kept.outputs[0])
        let db = applyOne(TriangularSolve(upper: !upper, unit: unit), to: [a.mT, dy])
        return [
            needs[0] ? triangle(-db.matmul(x.mT)).sum(toShape: a.shape) : nil,
            needs[1] ? db.sum(toShape: b.shape) : nil,
        ]
    }
    private func triangle(_ x: Tensor) -> Tensor { upper ? x.triu(unit ? 1 : 0) : x.tril(unit ? -1 : 0) }
    static let samples = [
        Sample([Sample.Input(.uniform(1...2), shape: [2, 3, 3]), Sample.Input(.uniform(-1...1), shape: [3, 2])]) {
            [LinearAlgebra.solveTriangular($0[0], $0[1], upper: true)]
        },
        Sample([Sample.Input(.uniform(-1...1), shape: [3, 3]), Sample.Input(.uniform(-1...1), shape: [2, 3])]) {
            [LinearAlgebra.solveTriangular($0[0], $0[1], upper: false, left: false, unitriangular: true)]
        },
    ]
}

/// A⁻¹, and for each matrix 0 or the place of its first pivot that is 0.
struct Inverse: VariadicOperation {
    static let name = "inv"
    static let formula = Formula("A⁻¹", gradient: "∂L/∂A = −Yᵀ ∂L/∂Y Yᵀ")
    static let dtypes: DTypes = .fullPrecision
    static let keeps: Keeps = .output
    func forward(_ inputs: [Tensor]) -> [Tensor] {
        let a = inputs[0]
        let (inverse, info) = CPU.solve(a, Tensor.eye(a.shape[a.rank - 1], dtype: a.dtype))
        return [inverse, info]
    }
    func gradients(_ dy: [Tensor?], _ kept: KeptList, needs: [Bool]) -> [Tensor?] {
        guard let dy = dy[0] else { return [] }
        let transpose = kept.outputs[0].mT
        return [-transpose.matmul(dy).matmul(transpose)]
    }
    static let samples = [
        Sample([Sample.Input(.uniform(-1...1), shape: [2, 3, 3])]) {
            [LinearAlgebra.inv($0[0] + Tensor.eye(3, dtype: $0[0].dtype) * 3)]
        }
    ]
}

extension LinearAlgebra {
    /// X with A X = B, or X A = B with `left` false, by elimination with pivots. A is (..., n, n), B (..., n, k), or (..., n) with as many
    /// batch axes as A, or (n), for single right-hand sides. The batches broadcast. Traps when a matrix is singular.
    public static func solve(_ a: Tensor, _ b: Tensor, left: Bool = true) -> Tensor {
        let (solution, info) = solveEx(a, b, left: left)
        if let (matrix, place) = firstFlag(info) { return singular("solve", matrix, place) }
        return solution
    }

    /// `solve` that reports instead of trapping: `info` (int32, one for each A) is 0, or the place, counted from 1, of the first pivot that
    /// is 0.
    public static func solveEx(_ a: Tensor, _ b: Tensor, left: Bool = true) -> (solution: Tensor, info: Tensor) {
        let isVector = b.rank == 1 || (b.rank == a.rank - 1 && b.shape.elementsEqual(a.shape.dropLast()))
        if isVector && !left {
            return nothing("solve", "a single right-hand side of shape \(b.shape) needs left: true")
        }
        let sides = isVector ? b.asColumn() : b
        guard isFactorable(a, square: true, in: "solve"), fits(a, sides, left: left, "solve") else { return nothing }
        let outputs = apply(LinearSolve(), to: left ? [a, sides] : [a.mT, sides.mT])
        let solution = left ? outputs[0] : outputs[0].mT
        return (isVector ? solution.squeeze(dim: -1) : solution, outputs[1])
    }

    /// The inverses of square matrices. Traps when one is singular.
    public static func inv(_ a: Tensor) -> Tensor {
        let (inverse, info) = invEx(a)
        if let (matrix, place) = firstFlag(info) { return singular("inv", matrix, place) }
        return inverse
    }

    /// `inv` that reports instead of trapping; see `solveEx`.
    public static func invEx(_ a: Tensor) -> (inverse: Tensor, info: Tensor) {
        guard isFactorable(a, square: true, in: "inv") else { return nothing }
        let outputs = apply(Inverse(), to: [a])
        return (outputs[0], outputs[1])
    }

    /// X with T X = B, or X T = B with `left` false, where T is the upper or lower triangle of A: the other one is not read, nor,
    /// with `unitriangular`, the diagonal, which counts as ones. The batches of A (..., n, n) and B broadcast. A zero on the diagonal gives
    /// infinities and NaN.
    public static func solveTriangular(
        _ a: Tensor, _ b: Tensor, upper: Bool, left: Bool = true, unitriangular: Bool = false
    ) -> Tensor {
        guard isFactorable(a, square: true, in: "solveTriangular"), fits(a, b, left: left, "solveTriangular") else {
            return .placeholderAfterError
        }
        // X T = B is Tᵀ Xᵀ = Bᵀ.
        if left { return applyOne(TriangularSolve(upper: upper, unit: unitriangular), to: [a, b]) }
        return applyOne(TriangularSolve(upper: !upper, unit: unitriangular), to: [a.mT, b.mT]).mT
    }

    private static var nothing: (Tensor, Tensor) { (.placeholderAfterError, .zeros([], dtype: .int32)) }

    private static func nothing(_ name: String, _ message: String) -> (Tensor, Tensor) {
        fail(name, message)
        return nothing
    }

    private static func singular(_ name: String, _ matrix: String, _ place: Int) -> Tensor {
        fail(name, "\(matrix) is singular: pivot \(place) is 0")
    }

    /// Whether A and B are matrices of one dtype that can be solved; reports what can't.
    private static func fits(_ a: Tensor, _ b: Tensor, left: Bool, _ name: String) -> Bool {
        guard isFactorable(b, in: name) else { return false }
        let size = b.shape[b.rank - (left ? 2 : 1)]
        guard a.dtype == b.dtype else {
            fail(name, "the dtypes \(a.dtype) and \(b.dtype) differ; convert one with .to(...)")
            return false
        }
        guard size == a.shape[a.rank - 1],
            Shape.broadcast(Shape(a.shape.dropLast(2)), Shape(b.shape.dropLast(2))) != nil
        else {
            fail(name, "the matrices of shape \(a.shape) do not fit the right-hand sides of shape \(b.shape)")
            return false
        }
        return true
    }
}
