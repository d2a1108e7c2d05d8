let diagonalOperations: [any Operation.Type] = [Diagonal.self, DiagonalEmbed.self, Triangle.self]

/// Where a diagonal lies: in the planes of two axes, `offset` places above the main one.
struct DiagonalPlace: Hashable, Sendable {
    let from: Shape
    let offset: Int
    let first: Int
    let second: Int

    /// The number of its elements.
    var length: Int {
        let (rows, columns) = (from[first] + Swift.min(offset, 0), from[second] - Swift.max(offset, 0))
        return Swift.max(Swift.min(rows, columns), 0)
    }

    /// The other axes, and the diagonal last.
    var shape: Shape { Shape(others.map { from[$0] }).appending([length]) }

    private var others: [Int] { (0..<from.count).filter { $0 != first && $0 != second } }

    func layout(in layout: Layout) -> Layout {
        let (down, right) = (layout.strides[first], layout.strides[second])
        let start = length == 0 ? 0 : offset >= 0 ? offset * right : -offset * down
        return Layout(
            shape: shape, strides: Shape(others.map { layout.strides[$0] }).appending([down + right]),
            offset: layout.offset + start)
    }
}

/// y = a diagonal of x, as a view.
struct Diagonal: UnaryOperation {
    let place: DiagonalPlace
    static let name = "diagonal"
    static let formula = Formula("diagonal of x", gradient: "∂L/∂x = ∂L/∂y on the diagonal, 0 elsewhere")
    static let dtypes: DTypes = .all
    static let keeps: Keeps = []
    func forward(_ x: Tensor) -> Tensor { x.view(place.layout(in: x.layout)) }
    func gradient(_ dy: Tensor, _ kept: Kept) -> Tensor { apply(DiagonalEmbed(place: place), to: dy) }
    static let samples = [
        Sample([Sample.Input(.uniform(-3...3), shape: [2, 3, 4])]) { [$0[0].diagonal(offset: 1, dim1: 2, dim2: 0)] }
    ]
}

/// y = zeros with x on a diagonal: the transpose of `Diagonal`.
struct DiagonalEmbed: UnaryOperation {
    let place: DiagonalPlace
    static let name = "diag_embed"
    static let formula = Formula("x on a diagonal, 0 elsewhere", gradient: "∂L/∂x = diagonal of ∂L/∂y")
    static let dtypes: DTypes = .all
    static let keeps: Keeps = []
    func forward(_ x: Tensor) -> Tensor {
        let y = Tensor.zeros(place.from, dtype: x.dtype)
        CPU.copy(x, into: y, layout: place.layout(in: y.layout))
        return y
    }
    func gradient(_ dy: Tensor, _ kept: Kept) -> Tensor { apply(Diagonal(place: place), to: dy) }
    static let samples = [Sample([Sample.Input(.uniform(-3...3), shape: [2, 3])]) { [$0[0].diagEmbed(offset: -1)] }]
}

/// y = x with zeros below (`keepsUpper`) or above a diagonal.
struct Triangle: UnaryOperation {
    let keepsUpper: Bool
    let diagonal: Int
    static let name = "triangle"
    static let formula = Formula("x in a triangle, 0 elsewhere", gradient: "∂L/∂x = ∂L/∂y in the triangle, 0 elsewhere")
    static let dtypes: DTypes = .all
    static let keeps: Keeps = []
    func forward(_ x: Tensor) -> Tensor { CPU.triangle(x, keepsUpper: keepsUpper, diagonal: diagonal) }
    func gradient(_ dy: Tensor, _ kept: Kept) -> Tensor { apply(self, to: dy) }
    static let samples = [
        Sample([Sample.Input(.uniform(-3...3), shape: [2, 3, 4])]) { [$0[0].tril(1)] },
        Sample([Sample.Input(.uniform(-3...3), shape: [3, 3])]) { [$0[0].triu()] },
    ]
}

extension Tensor {
    /// The diagonals of the matrices in the plane of two axes, `offset` places above the main one; they become the last
    /// axis. A view.
    public func diagonal(offset: Int = 0, dim1: Int = 0, dim2: Int = 1) -> Tensor {
        guard let place = diagonalPlace(offset, dim1, dim2, in: "diagonal") else { return .placeholderAfterError }
        return apply(Diagonal(place: place), to: self)
    }

    /// This tensor with `source` in place of `diagonal(offset:dim1:dim2:)`.
    public func diagonalScatter(_ source: Tensor, offset: Int = 0, dim1: Int = 0, dim2: Int = 1) -> Tensor {
        guard let place = diagonalPlace(offset, dim1, dim2, in: "diagonalScatter") else {
            return .placeholderAfterError
        }
        guard source.shape == place.shape else {
            return fail("diagonalScatter", "the diagonal has shape \(place.shape), its replacement \(source.shape)")
        }
        let isDiagonal = apply(DiagonalEmbed(place: place), to: Tensor.ones(place.shape, dtype: .bool))
        return .where(isDiagonal, apply(DiagonalEmbed(place: place), to: source.to(dtype)), self)
    }

    /// Matrices with the last axis of this tensor on a diagonal and zeros elsewhere, in the plane of two axes of the result.
    public func diagEmbed(offset: Int = 0, dim1: Int = -2, dim2: Int = -1) -> Tensor {
        guard let last = shape.last else { return fail("diagEmbed", "a single number (shape []) has no axis to place") }
        let square = Shape(repeating: 0, count: rank + 1)
        guard let first = square.axis(dim1, in: "diagEmbed"), let second = square.axis(dim2, in: "diagEmbed") else {
            return .placeholderAfterError
        }
        guard first != second else { return fail("diagEmbed", "the two dimensions must differ, both are \(first)") }
        let size = last + Swift.abs(offset)
        var target = Shape(shape.dropLast())
        target.insert(size, at: Swift.min(first, second))
        target.insert(size, at: Swift.max(first, second))
        return apply(
            DiagonalEmbed(place: DiagonalPlace(from: target, offset: offset, first: first, second: second)), to: self)
    }

    /// Of a vector the matrix with it on a diagonal, of a matrix that diagonal.
    public func diag(_ diagonal: Int = 0) -> Tensor {
        switch rank {
        case 1: diagEmbed(offset: diagonal)
        case 2: self.diagonal(offset: diagonal)
        default: fail("diag", "expects a vector or a matrix, the shape is \(shape)")
        }
    }

    /// The matrix with all elements of this tensor on a diagonal.
    public func diagflat(_ offset: Int = 0) -> Tensor { reshape([count]).diagEmbed(offset: offset) }

    /// The lower triangles of the matrices in the last two axes, up to a diagonal; zeros above it.
    public func tril(_ diagonal: Int = 0) -> Tensor { triangle(false, diagonal, in: "tril") }

    /// The upper triangles of the matrices in the last two axes, from a diagonal on; zeros below it.
    public func triu(_ diagonal: Int = 0) -> Tensor { triangle(true, diagonal, in: "triu") }

    private func triangle(_ keepsUpper: Bool, _ diagonal: Int, in operation: String) -> Tensor {
        guard rank >= 2 else { return fail(operation, "needs at least two axes, the shape is \(shape)") }
        return apply(Triangle(keepsUpper: keepsUpper, diagonal: diagonal), to: self)
    }

    private func diagonalPlace(_ offset: Int, _ dim1: Int, _ dim2: Int, in operation: String) -> DiagonalPlace? {
        guard rank >= 2 else {
            fail(operation, "needs at least two axes, the shape is \(shape)")
            return nil
        }
        guard let first = axis(dim1, in: operation), let second = axis(dim2, in: operation) else { return nil }
        guard first != second else {
            fail(operation, "the two dimensions must differ, both are \(first)")
            return nil
        }
        return DiagonalPlace(from: shape, offset: offset, first: first, second: second)
    }
}
