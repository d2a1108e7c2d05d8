let viewOperations: [any Operation.Type] = [
    Reshape.self, Permute.self, Expand.self, Contiguous.self,
]

/// The same elements in another shape.
struct Reshape: UnaryOperation {
    let from: Shape
    let to: Shape
    static let name = "reshape"
    static let formula = Formula("x in another shape", gradient: "∂L/∂x = ∂L/∂y in the shape of x")
    static let dtypes: DTypes = .all
    static let keeps: Keeps = []
    func forward(_ x: Tensor) -> Tensor {
        if let strides = x.layout.stridesForReshape(to: to) {
            return x.view(Layout(shape: to, strides: strides, offset: x.layout.offset))
        }
        return CPU.contiguousCopy(x).contiguousView(to)
    }
    func gradient(_ dy: Tensor, _ kept: Kept) -> Tensor { dy.reshape(from) }
    static let samples = [Sample(Reshape(from: [2, 3], to: [3, 2]), -3...3)]
}

/// The axes in another order.
struct Permute: UnaryOperation {
    /// `order[i]` is the input axis that becomes axis i.
    let order: Shape
    static let name = "permute"
    static let formula = Formula("x with its axes reordered", gradient: "∂L/∂x = ∂L/∂y with its axes put back")
    static let dtypes: DTypes = .all
    static let keeps: Keeps = []
    func forward(_ x: Tensor) -> Tensor {
        x.view(
            Layout(
                shape: x.shape.reordered(by: order), strides: x.strides.reordered(by: order),
                offset: x.layout.offset))
    }
    func gradient(_ dy: Tensor, _ kept: Kept) -> Tensor {
        var inverse = order
        for (axis, source) in order.enumerated() { inverse[source] = axis }
        return apply(Permute(order: inverse), to: dy)
    }
    static let samples = [Sample(Permute(order: [2, 0, 1]), -3...3, shape: [2, 3, 4])]
}

/// Axes of size 1 repeated without copying.
struct Expand: UnaryOperation {
    let from: Shape
    let to: Shape
    static let name = "expand"
    static let formula = Formula("x repeated along axes of size 1", gradient: "∂L/∂x = Σ ∂L/∂y over those axes")
    static let dtypes: DTypes = .all
    static let keeps: Keeps = []
    func forward(_ x: Tensor) -> Tensor {
        x.view(Layout(shape: to, strides: x.layout.broadcastStrides(to: to), offset: x.layout.offset))
    }
    func gradient(_ dy: Tensor, _ kept: Kept) -> Tensor { dy.sum(toShape: from) }
    static let samples = [Sample(Expand(from: [2, 1], to: [3, 2, 4]), -3...3, shape: [2, 1])]
}

extension Tensor {
    /// The same elements, row-major, in another shape; one size may be -1 and follows from the others. A view where the memory allows it, else a copy.
    public func reshape(_ shape: Shape) -> Tensor {
        guard let target = resolvedShape(shape) else { return .placeholderAfterError }
        return target == self.shape ? self : apply(Reshape(from: self.shape, to: target), to: self)
    }

    public func reshape(_ sizes: Int...) -> Tensor { reshape(Shape(sizes)) }

    private func resolvedShape(_ shape: Shape) -> Shape? {
        var target = shape
        if let unknown = shape.firstIndex(of: -1) {
            let known = shape.reduce(1) { $1 == -1 ? $0 : $0.multipliedReportingOverflow(by: $1).partialValue }
            if known > 0 && count % known == 0 { target[unknown] = count / known }
        }
        guard target.flaw == nil, target.elementCount == count else {
            fail("reshape", "\(count) elements of shape \(self.shape) do not fill shape \(shape)")
            return nil
        }
        return target
    }

    /// The axes in the order given: `permute(1, 0)` is a transpose. A view.
    public func permute(_ dims: Int...) -> Tensor { permute(Shape(dims)) }

    public func permute(_ dims: Shape) -> Tensor {
        let axes = dims.compactMap { axis($0, in: "permute") }
        guard axes.count == rank && Set(axes).count == rank else {
            return fail("permute", "\(dims) does not name each axis of shape \(shape) once")
        }
        return apply(Permute(order: Shape(axes)), to: self)
    }

    /// Two axes exchanged. A view.
    public func transpose(_ first: Int, _ second: Int) -> Tensor {
        guard let a = axis(first, in: "transpose"), let b = axis(second, in: "transpose") else {
            return .placeholderAfterError
        }
        if a == b { return self }
        var order = Shape(0..<rank)
        order[a] = b
        order[b] = a
        return apply(Permute(order: order), to: self)
    }

    /// The matrix transpose: the last two axes exchanged.
    public var mT: Tensor {
        rank >= 2 ? transpose(-2, -1) : fail("mT", "needs at least two axes, the shape is \(shape)")
    }

    /// Axes of size 1 repeated to the sizes of `shape` without copying; -1 keeps a size. New axes come in front.
    public func expand(_ shape: Shape) -> Tensor {
        var target = shape
        let lead = shape.count - rank
        for axis in 0..<Swift.max(lead, 0) where shape[axis] < 0 {
            return fail("expand", "a new axis of \(shape) needs a size, -1 keeps that of an axis that exists")
        }
        for axis in 0..<rank where lead >= 0 && shape[lead + axis] == -1 { target[lead + axis] = self.shape[axis] }
        guard lead >= 0, Shape.broadcast(self.shape, target) == target else {
            return fail("expand", "shape \(self.shape) does not expand to \(shape)")
        }
        if let flaw = target.flaw { return fail("expand", "shape \(target) \(flaw)") }
        return target == self.shape ? self : apply(Expand(from: self.shape, to: target), to: self)
    }

    /// Row-major memory: itself when it has it, else a copy.
    public func contiguous() -> Tensor { isContiguous ? self : reshapedCopy() }

    private func reshapedCopy() -> Tensor { apply(Contiguous(), to: self) }
}

/// A row-major copy.
struct Contiguous: UnaryOperation {
    static let name = "contiguous"
    static let formula = Formula("x", gradient: "∂L/∂x = ∂L/∂y")
    static let dtypes: DTypes = .all
    static let keeps: Keeps = []
    func forward(_ x: Tensor) -> Tensor { CPU.contiguousCopy(x) }
    func gradient(_ dy: Tensor, _ kept: Kept) -> Tensor { dy }
    static let samples = [Sample(Contiguous(), -3...3)]
}
