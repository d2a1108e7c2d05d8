// Shapes with axes added, taken away, merged, cut up and moved: all of them `Reshape` and `Permute`.

extension Tensor {
    /// Without the axes of size 1. A view.
    public func squeeze() -> Tensor { reshape(Shape(shape.filter { $0 != 1 })) }

    /// Without the axis `dim` if its size is 1, else unchanged. A view.
    public func squeeze(dim: Int) -> Tensor { squeeze(dim: [dim]) }

    /// Without those of the axes `dim` whose size is 1. A view.
    public func squeeze(dim: [Int]) -> Tensor {
        if dim.isEmpty { return self }
        guard let axes = axisSet(dim, in: "squeeze") else { return .placeholderAfterError }
        var target = Shape()
        for axis in 0..<rank where !(axes.contains(axis) && shape[axis] == 1) { target.append(shape[axis]) }
        return reshape(target)
    }

    /// With a new axis of size 1 at `dim`; -1 puts it last. A view.
    public func unsqueeze(dim: Int) -> Tensor {
        let axis = dim < 0 ? dim + rank + 1 : dim
        guard axis >= 0 && axis <= rank else {
            return fail(
                "unsqueeze", "dimension \(dim) is out of range for shape \(shape) (expected \(-rank - 1) to \(rank))")
        }
        var target = shape
        target.insert(1, at: axis)
        return reshape(target)
    }

    /// The axes from `startDim` to `endDim` as one. A view where the memory allows it.
    public func flatten(startDim: Int = 0, endDim: Int = -1) -> Tensor {
        guard let first = axis(startDim, in: "flatten"), let last = axis(endDim, in: "flatten") else {
            return .placeholderAfterError
        }
        if rank == 0 { return reshape([1]) }
        guard first <= last else {
            return fail("flatten", "startDim \(startDim) comes after endDim \(endDim) in shape \(shape)")
        }
        return reshape(shape.merging(first...last))
    }

    /// The axis `dim` cut into axes of these sizes; one may be -1 and follows from the others. A view.
    public func unflatten(dim: Int, _ sizes: Shape) -> Tensor {
        guard let axis = existingAxis(dim, in: "unflatten") else { return .placeholderAfterError }
        var sizes = sizes
        if let unknown = sizes.firstIndex(of: -1) {
            let known = sizes.reduce(1) { $1 == -1 ? $0 : $0 * $1 }
            if known > 0 && shape[axis] % known == 0 { sizes[unknown] = shape[axis] / known }
        }
        guard !sizes.isEmpty, !sizes.contains(where: { $0 < 0 }), sizes.elementCount == shape[axis] else {
            return fail("unflatten", "the sizes \(sizes) do not make up axis \(axis) of shape \(shape)")
        }
        return reshape(Shape(shape[..<axis]).appending(sizes).appending(shape[(axis + 1)...]))
    }

    /// The axis `source` at the place `destination`, the others in their order. A view.
    public func movedim(_ source: Int, _ destination: Int) -> Tensor { movedim([source], [destination]) }

    /// Each axis of `source` at its place of `destination`, the others in their order. A view.
    public func movedim(_ source: [Int], _ destination: [Int]) -> Tensor {
        let from = source.compactMap { axis($0, in: "movedim") }
        let to = destination.compactMap { axis($0, in: "movedim") }
        guard from.count == source.count && to.count == destination.count else { return .placeholderAfterError }
        guard from.count == to.count, Set(from).count == from.count, Set(to).count == to.count else {
            return fail("movedim", "\(source) and \(destination) must name as many axes, each once")
        }
        if rank == 0 { return self }
        var order = Shape(repeating: -1, count: rank)
        for (place, axis) in zip(to, from) { order[place] = axis }
        var others = (0..<rank).filter { !from.contains($0) }.makeIterator()
        for place in 0..<rank where order[place] < 0 { order[place] = others.next() ?? 0 }
        return permute(order)
    }

    /// The transpose of a matrix; vectors and numbers are their own. A view.
    public func t() -> Tensor {
        rank <= 2 ? T : fail("t", "expects at most two axes, the shape is \(shape); use mT or transpose(_:_:)")
    }

    /// The axes in reverse order. A view.
    public var T: Tensor { rank < 2 ? self : permute(Shape((0..<rank).reversed())) }

    /// The shape of `other`, filled with these elements.
    public func reshape(as other: Tensor) -> Tensor { reshape(other.shape) }

    /// Expanded to the shape of `other`.
    public func expand(as other: Tensor) -> Tensor { expand(other.shape) }

    /// With at least one axis: a number becomes a vector of one element.
    public func atLeast1D() -> Tensor { rank >= 1 ? self : reshape([1]) }

    /// With at least two axes: a vector becomes a row.
    public func atLeast2D() -> Tensor { rank >= 2 ? self : rank == 1 ? unsqueeze(dim: 0) : reshape([1, 1]) }

    /// With at least three axes: a vector becomes [1, n, 1], a matrix [m, n, 1].
    public func atLeast3D() -> Tensor {
        switch rank {
        case 0: reshape([1, 1, 1])
        case 1: reshape([1, count, 1])
        case 2: unsqueeze(dim: -1)
        default: self
        }
    }
}

extension Shape {
    /// The sizes of the axes in `range` multiplied into one.
    func merging(_ range: ClosedRange<Int>) -> Shape {
        Shape(self[..<range.lowerBound]).appending([self[range].reduce(1, *)])
            .appending(self[(range.upperBound + 1)...])
    }

    @inline(__always)
    func appending(_ sizes: some Sequence<Int>) -> Shape {
        var result = self
        for size in sizes { result.append(size) }
        return result
    }

    func appending(_ size: Int) -> Shape {
        var result = self
        result.append(size)
        return result
    }
}

/// The tensors expanded to the shape they have in common. Views.
public func broadcast(_ tensors: [Tensor]) -> [Tensor] {
    var common = Shape()
    for tensor in tensors {
        guard let next = Shape.broadcast(common, tensor.shape) else {
            let error = fail("broadcast", "shapes \(tensors.map(\.shape)) do not broadcast")
            return tensors.map { _ in error }
        }
        common = next
    }
    return tensors.map { $0.expand(common) }
}
