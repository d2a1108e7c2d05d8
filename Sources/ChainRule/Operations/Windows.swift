let windowOperations: [any Operation.Type] = [Unfold.self, Fold.self]

/// Windows of `size` places along an axis, `step` places apart.
struct WindowPlaces: Hashable, Sendable {
    let from: Shape
    let axis: Int
    let size: Int
    let step: Int

    /// The windows in place of the axis, and the places in a window last.
    var shape: Shape {
        var shape = from
        shape[axis] = (from[axis] - size) / step + 1
        return shape.appending([size])
    }

    func strides(in strides: Shape) -> Shape {
        var result = strides
        result[axis] *= step
        return result.appending([strides[axis]])
    }
}

/// y = sliding windows over x, as a view in which they overlap.
struct Unfold: UnaryOperation {
    let windows: WindowPlaces
    static let name = "unfold"
    static let formula = Formula("windows of x", gradient: "∂L/∂x = the windows of ∂L/∂y added up where they lie")
    static let dtypes: DTypes = .all
    static let keeps: Keeps = []
    func forward(_ x: Tensor) -> Tensor {
        x.view(Layout(shape: windows.shape, strides: windows.strides(in: x.strides), offset: x.layout.offset))
    }
    func gradient(_ dy: Tensor, _ kept: Kept) -> Tensor { apply(Fold(windows: windows), to: dy) }
    static let samples = [
        Sample([Sample.Input(.uniform(-3...3), shape: [2, 7, 2])]) { [$0[0].unfold(dim: 1, size: 3, step: 2)] }
    ]
}

/// y = windows added up where they lie: the transpose of `Unfold`.
struct Fold: UnaryOperation {
    let windows: WindowPlaces
    static let name = "unfold_backward"
    static let formula = Formula("windows added up", gradient: "∂L/∂x = windows of ∂L/∂y")
    static let keeps: Keeps = []
    func forward(_ x: Tensor) -> Tensor { CPU.addWindows(x, windows) }
    func gradient(_ dy: Tensor, _ kept: Kept) -> Tensor { apply(Unfold(windows: windows), to: dy) }
    static let samples = [
        Sample([Sample.Input(.uniform(-3...3), shape: [2, 5, 3])]) {
            [apply(Fold(windows: WindowPlaces(from: [2, 7], axis: 1, size: 3, step: 1)), to: $0[0])]
        }
    ]
}

extension Tensor {
    /// All windows of `size` places along `dim`, `step` apart: they stand along `dim`, their places along a new last axis.
    /// A view.
    public func unfold(dim: Int, size: Int, step: Int) -> Tensor {
        guard let axis = axis(dim, in: "unfold") else { return .placeholderAfterError }
        guard step > 0 else { return fail("unfold", "the step must be 1 or more, not \(step)") }
        let length = rank == 0 ? 1 : shape[axis]
        guard size >= 0 && size <= length else {
            return fail("unfold", "windows of \(size) places do not fit the \(length) of axis \(axis) of \(shape)")
        }
        if rank == 0 { return reshape([1]).narrowed(0, 0, size) }
        return apply(Unfold(windows: WindowPlaces(from: shape, axis: axis, size: size, step: step)), to: self)
    }
}
