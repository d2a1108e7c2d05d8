let joiningOperations: [any Operation.Type] = [Cat.self, Split.self]

/// y = the inputs one after the other along an axis.
struct Cat: VariadicOperation {
    let axis: Int
    let sizes: [Int]
    /// Whether inputs that already lie side by side need not be copied: for gradients, which nobody changes.
    var mayBeView = false
    static let name = "cat"
    static let formula = Formula("[x₁, x₂, …] along an axis", gradient: "∂L/∂xᵢ = the part of ∂L/∂y that came from xᵢ")
    static let dtypes: DTypes = .all
    static let keeps: Keeps = []
    func forward(_ inputs: [Tensor]) -> [Tensor] {
        var shape = inputs[0].shape
        shape[axis] = sizes.reduce(0, +)
        if mayBeView, let whole = whole(of: inputs, shape) { return Tensor.list(whole) }
        let y = Tensor(uninitialized: shape, dtype: inputs[0].dtype)
        var region = Region(whole: shape)
        for (x, size) in zip(inputs, sizes) {
            region.sizes[axis] = size
            CPU.copy(x, into: y, layout: region.layout(in: y.layout))
            region.starts[axis] += size
        }
        return Tensor.list(y)
    }
    /// The tensor that the inputs are cuts of, in their order.
    private func whole(of inputs: [Tensor], _ shape: Shape) -> Tensor? {
        let layout = inputs[0].layout
        var offset = layout.offset
        for (x, size) in zip(inputs, sizes) {
            guard x.body.storage === inputs[0].body.storage, x.strides == layout.strides, x.layout.offset == offset
            else {
                return nil
            }
            offset += size * layout.strides[axis]
        }
        return inputs[0].view(Layout(shape: shape, strides: layout.strides, offset: layout.offset))
    }
    func gradients(_ dy: [Tensor?], _ kept: KeptList, needs: [Bool]) -> [Tensor?] {
        guard let dy = dy[0] else { return [] }
        var start = 0
        return zip(sizes, needs).map { size, isNeeded in
            defer { start += size }
            return isNeeded ? dy.narrowed(axis, start, size) : nil
        }
    }
    static let samples = [
        Sample([Sample.Input(.uniform(-3...3), shape: [2, 3]), Sample.Input(.uniform(-3...3), shape: [2, 1])]) {
            [cat($0, dim: 1)]
        },
        Sample([Sample.Input(.uniform(-3...3), shape: [2, 3]), Sample.Input(.uniform(-3...3), shape: [2, 3])]) {
            [stack($0, dim: 1)]
        },
    ]
}

/// (y₁, y₂, …) = x cut along an axis: views. One node for all, so that the gradient is put together once.
struct Split: VariadicOperation {
    let axis: Int
    let sizes: [Int]
    let from: Shape
    static let name = "split"
    static let formula = Formula("x cut along an axis", gradient: "∂L/∂x = [∂L/∂y₁, ∂L/∂y₂, …]")
    static let dtypes: DTypes = .all
    static let keeps: Keeps = []
    func forward(_ inputs: [Tensor]) -> [Tensor] {
        var region = Region(whole: from)
        var parts = Tensor.list()
        for size in sizes {
            region.sizes[axis] = size
            parts.append(inputs[0].view(region.layout(in: inputs[0].layout)))
            region.starts[axis] += size
        }
        return parts
    }
    func gradients(_ dy: [Tensor?], _ kept: KeptList, needs: [Bool]) -> [Tensor?] {
        guard let dtype = dy.lazy.compactMap({ $0?.dtype }).first else { return [nil] }
        var shape = from
        let parts = zip(dy, sizes).map { part, size in
            shape[axis] = size
            return part ?? Tensor.zeros(shape, dtype: dtype)
        }
        return [applyOne(Cat(axis: axis, sizes: sizes, mayBeView: true), to: parts)]
    }
    static let samples = [
        Sample([Sample.Input(.uniform(-3...3), shape: [2, 5])]) { $0[0].split([1, 3, 1], dim: 1) },
        Sample([Sample.Input(.uniform(-3...3), shape: [2, 5])]) { [$0[0].split(2, dim: 1)[1]] },
    ]
}

/// The tensors one after the other along `dim`; the other sizes must agree. The dtype is their common one.
public func cat(_ tensors: [Tensor], dim: Int = 0) -> Tensor { join(tensors, dim, name: "cat") }

/// The tensors side by side along a new axis at `dim`. All shapes must agree.
public func stack(_ tensors: [Tensor], dim: Int = 0) -> Tensor {
    guard let first = tensors.first else { return fail("stack", "needs at least one tensor") }
    if let other = tensors.first(where: { $0.shape != first.shape }) {
        return fail("stack", "all shapes must agree, got \(first.shape) and \(other.shape)")
    }
    let rank = first.rank + 1
    let axis = dim < 0 ? dim + rank : dim
    guard axis >= 0 && axis < rank else {
        return fail(
            "stack", "dimension \(dim) is out of range for a result of \(rank) axes (expected \(-rank) to \(rank - 1))")
    }
    return join(tensors.map { $0.unsqueeze(dim: axis) }, axis, name: "stack")
}

/// The tensors one after the other along the second axis (vectors: along the first).
public func hstack(_ tensors: [Tensor]) -> Tensor {
    let tensors = tensors.map { $0.atLeast1D() }
    return join(tensors, tensors.first?.rank == 1 ? 0 : 1, name: "hstack")
}

/// The tensors one below the other along the first axis; vectors are rows.
public func vstack(_ tensors: [Tensor]) -> Tensor { join(tensors.map { $0.atLeast2D() }, 0, name: "vstack") }

/// The tensors one behind the other along the third axis.
public func dstack(_ tensors: [Tensor]) -> Tensor { join(tensors.map { $0.atLeast3D() }, 2, name: "dstack") }

/// The tensors side by side as columns; vectors are columns.
public func columnStack(_ tensors: [Tensor]) -> Tensor {
    join(tensors.map { $0.rank <= 1 ? $0.reshape([$0.count, 1]) : $0 }, 1, name: "columnStack")
}

private func join(_ tensors: [Tensor], _ dim: Int, name: String) -> Tensor {
    // As in PyTorch a tensor of shape [0] joins with anything.
    let parts = tensors.filter { $0.shape != [0] }
    guard let shape = (parts.first ?? tensors.first)?.shape else { return fail(name, "needs at least one tensor") }
    guard !tensors.contains(where: { $0.rank == 0 }) else {
        return fail(name, "a single number (shape []) has no axis to join along; use stack")
    }
    guard let axis = shape.axis(dim, in: name) else { return .placeholderAfterError }
    let dtype = tensors.dropFirst().reduce(tensors[0].dtype) { DType.promote($0, $1.dtype) }
    if parts.isEmpty { return tensors[0].to(dtype) }
    for part in parts {
        var expected = part.shape
        if part.rank == shape.count { expected[axis] = shape[axis] }
        guard expected == shape else {
            return fail(name, "shapes \(shape) and \(part.shape) differ elsewhere than along axis \(axis)")
        }
    }
    let converted = parts.map { $0.to(dtype) }
    return applyOne(Cat(axis: axis, sizes: parts.map { $0.shape[axis] }), to: converted)
}

extension Tensor {
    /// Pieces of these sizes along `dim`; together they must make up the axis. Views.
    public func split(_ sizes: [Int], dim: Int = 0) -> [Tensor] {
        guard let axis = existingAxis(dim, in: "split") else { return [] }
        guard !sizes.contains(where: { $0 < 0 }), sizes.reduce(0, +) == shape[axis] else {
            fail("split", "the sizes \(sizes) do not make up axis \(axis) of shape \(shape)")
            return []
        }
        return apply(Split(axis: axis, sizes: sizes, from: shape), to: [self])
    }

    /// Pieces of `size` places along `dim`; the last may be smaller. Views.
    public func split(_ size: Int, dim: Int = 0) -> [Tensor] {
        guard let axis = existingAxis(dim, in: "split") else { return [] }
        guard size > 0 || (size == 0 && shape[axis] == 0) else {
            fail("split", "the size of a piece must be 1 or more, not \(size)")
            return []
        }
        let total = shape[axis]
        if total == 0 { return split([0], dim: axis) }
        return split(stride(from: 0, to: total, by: size).map { Swift.min(size, total - $0) }, dim: axis)
    }

    /// At most `chunks` pieces of equal size along `dim`; the last may be smaller. Views.
    public func chunk(_ chunks: Int, dim: Int = 0) -> [Tensor] {
        guard let axis = existingAxis(dim, in: "chunk") else { return [] }
        guard chunks > 0 else {
            fail("chunk", "expects 1 piece or more, not \(chunks)")
            return []
        }
        let total = shape[axis]
        if total == 0 { return split([Int](repeating: 0, count: chunks), dim: axis) }
        return split((total + chunks - 1) / chunks, dim: axis)
    }

    /// Exactly `sections` pieces along `dim`, sizes as equal as can be, the larger first. Views.
    public func tensorSplit(_ sections: Int, dim: Int = 0) -> [Tensor] {
        guard let axis = existingAxis(dim, in: "tensorSplit") else { return [] }
        guard sections > 0 else {
            fail("tensorSplit", "expects 1 piece or more, not \(sections)")
            return []
        }
        let (size, larger) = shape[axis].quotientAndRemainder(dividingBy: sections)
        return split((0..<sections).map { $0 < larger ? size + 1 : size }, dim: axis)
    }

    /// The pieces between these places along `dim`, as slices: negative ones count from the end. Views.
    public func tensorSplit(at places: [Int], dim: Int = 0) -> [Tensor] {
        guard let axis = existingAxis(dim, in: "tensorSplit") else { return [] }
        let bounds: [Int?] = [nil] + places + [nil]
        return zip(bounds, bounds.dropFirst()).map { slice(dim: axis, from: $0, to: $1) }
    }

    /// The parts along `dim`, which they lack. Views.
    public func unbind(dim: Int = 0) -> [Tensor] {
        guard let axis = existingAxis(dim, in: "unbind") else { return [] }
        var part = shape
        part.remove(at: axis)
        if shape[axis] == 0 { return [] }
        return split([Int](repeating: 1, count: shape[axis]), dim: axis).map { $0.reshape(part) }
    }
}

extension Tensor {
    /// `sections` equal pieces along the second axis (vectors: the first). Views.
    public func hsplit(_ sections: Int) -> [Tensor] { equalPieces(sections, dim: rank == 1 ? 0 : 1, in: "hsplit") }

    /// The pieces between these places along the second axis (vectors: the first). Views.
    public func hsplit(at places: [Int]) -> [Tensor] { tensorSplit(at: places, dim: rank == 1 ? 0 : 1) }

    /// `sections` equal pieces along the first of at least two axes. Views.
    public func vsplit(_ sections: Int) -> [Tensor] { equalPieces(sections, dim: 0, in: "vsplit") }

    /// The pieces between these places along the first axis. Views.
    public func vsplit(at places: [Int]) -> [Tensor] { tensorSplit(at: places, dim: 0) }

    /// `sections` equal pieces along the third axis. Views.
    public func dsplit(_ sections: Int) -> [Tensor] { equalPieces(sections, dim: 2, in: "dsplit") }

    /// The pieces between these places along the third axis. Views.
    public func dsplit(at places: [Int]) -> [Tensor] { tensorSplit(at: places, dim: 2) }

    private func equalPieces(_ sections: Int, dim: Int, in operation: String) -> [Tensor] {
        guard let axis = existingAxis(dim, in: operation) else { return [] }
        guard sections > 0 && shape[axis] % sections == 0 else {
            fail(operation, "axis \(axis) of shape \(shape) does not fall into \(sections) equal pieces")
            return []
        }
        return split([Int](repeating: shape[axis] / sections, count: sections), dim: axis)
    }
}
