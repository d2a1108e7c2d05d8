let repeatingOperations: [any Operation.Type] = [Flip.self]

/// y = x with some axes turned around.
struct Flip: UnaryOperation {
    let axes: AxisSet
    static let name = "flip"
    static let formula = Formula("x turned around", gradient: "∂L/∂x = ∂L/∂y turned around")
    static let dtypes: DTypes = .all
    static let keeps: Keeps = []
    func forward(_ x: Tensor) -> Tensor {
        if x.count == 0 { return CPU.contiguousCopy(x) }
        var layout = x.layout
        var strides = layout.strides
        for axis in 0..<x.rank where axes.contains(axis) {
            layout.offset += layout.strides[axis] * (layout.shape[axis] - 1)
            strides[axis] = -strides[axis]
        }
        return CPU.contiguousCopy(x.view(Layout(shape: x.shape, strides: strides, offset: layout.offset)))
    }
    func gradient(_ dy: Tensor, _ kept: Kept) -> Tensor { apply(self, to: dy) }
    static let samples = [Sample([Sample.Input(.uniform(-3...3), shape: [2, 3, 4])]) { [$0[0].flip(0, -1)] }]
}

extension Tensor {
    /// With the axes `dims` turned around. A copy.
    public func flip(_ dims: Int...) -> Tensor { flip(dims) }

    public func flip(_ dims: [Int]) -> Tensor {
        if dims.isEmpty || rank == 0 { return self }
        guard let axes = axisSet(dims, in: "flip") else { return .placeholderAfterError }
        return apply(Flip(axes: axes), to: self)
    }

    /// With its rows in reverse order.
    public func flipud() -> Tensor {
        rank >= 1 ? flip(0) : fail("flipud", "a single number (shape []) has no axis to turn around")
    }

    /// With its columns in reverse order.
    public func fliplr() -> Tensor {
        rank >= 2 ? flip(1) : fail("fliplr", "needs at least two axes, the shape is \(shape)")
    }

    /// Moved by `shift` places along `dim`; what leaves at one end comes in at the other. Without `dim` the flattened elements move.
    public func roll(_ shift: Int, dim: Int? = nil) -> Tensor {
        guard let dim else { return reshape([count]).roll(shift, dim: 0).reshape(shape) }
        guard let axis = existingAxis(dim, in: "roll") else { return .placeholderAfterError }
        let size = shape[axis]
        let places = size == 0 ? 0 : ((shift % size) + size) % size
        if places == 0 { return self }
        return cat([narrowed(axis, size - places, places), narrowed(axis, 0, size - places)], dim: axis)
    }

    /// Moved along several axes.
    public func roll(_ shifts: [Int], dim: [Int]) -> Tensor {
        guard shifts.count == dim.count else {
            return fail("roll", "\(shifts.count) shifts for \(dim.count) dimensions")
        }
        return zip(shifts, dim).reduce(self) { $0.roll($1.0, dim: $1.1) }
    }

    /// Turned `k` times by 90 degrees in the plane of two axes, from the first towards the second.
    public func rot90(_ k: Int = 1, dims: (Int, Int) = (0, 1)) -> Tensor {
        guard let first = existingAxis(dims.0, in: "rot90"), let second = existingAxis(dims.1, in: "rot90") else {
            return .placeholderAfterError
        }
        guard first != second else { return fail("rot90", "the two dimensions must differ, both are \(first)") }
        switch ((k % 4) + 4) % 4 {
        case 1: return flip(second).transpose(first, second)
        case 2: return flip(first, second)
        case 3: return flip(first).transpose(first, second)
        default: return self
        }
    }

    /// The whole repeated along each axis as often as `counts` says; further axes come in front.
    public func `repeat`(_ counts: Int...) -> Tensor { `repeat`(counts) }

    public func `repeat`(_ counts: [Int]) -> Tensor {
        guard counts.count >= rank else {
            return fail("repeat", "\(counts.count) counts for the \(rank) axes of shape \(shape)")
        }
        guard !counts.contains(where: { $0 < 0 }) else {
            return fail("repeat", "the counts \(counts) must not be negative")
        }
        let lead = counts.count - rank
        let whole = Shape(repeating: 1, count: lead).appending(shape)
        guard zip(whole, counts).allSatisfy({ !$0.multipliedReportingOverflow(by: $1).overflow }) else {
            return fail("repeat", "shape \(shape), \(counts) times, is larger than any memory")
        }
        var result = reshape(whole)
        // One axis after the other, from the last: the rank stays small, and the copies grow as late as they can.
        for axis in stride(from: counts.count - 1, through: 0, by: -1) where counts[axis] != 1 {
            var target = result.shape
            target[axis] *= counts[axis]
            let space = RowSpace(result.shape, axis: axis)
            let rows = result.reshape([space.outer, 1, space.size * space.inner])
            result = rows.expand([space.outer, counts[axis], space.size * space.inner]).reshape(target)
        }
        return result
    }

    /// The same as `repeat`; counts that are missing are 1, in front.
    public func tile(_ counts: Int...) -> Tensor { tile(counts) }

    public func tile(_ counts: [Int]) -> Tensor {
        `repeat`([Int](repeating: 1, count: Swift.max(rank - counts.count, 0)) + counts)
    }

    /// Each element `repeats` times in a row along `dim`; without `dim` the flattened elements.
    public func repeatInterleave(_ repeats: Int, dim: Int? = nil) -> Tensor {
        guard let dim, rank > 0 else { return reshape([count]).repeatInterleave(repeats, dim: 0) }
        guard let axis = axis(dim, in: "repeatInterleave") else { return .placeholderAfterError }
        guard repeats >= 0 else { return fail("repeatInterleave", "the count must not be negative, it is \(repeats)") }
        let space = RowSpace(shape, axis: axis)
        var target = shape
        target[axis] *= repeats
        let rows = reshape([space.outer * space.size, 1, space.inner])
        return rows.expand([space.outer * space.size, repeats, space.inner]).reshape(target)
    }

    /// Each element along `dim` as often as its place in `repeats` says.
    public func repeatInterleave(_ repeats: Tensor, dim: Int? = nil) -> Tensor {
        guard let dim, rank > 0 else { return reshape([count]).repeatInterleave(repeats, dim: 0) }
        guard let axis = axis(dim, in: "repeatInterleave") else { return .placeholderAfterError }
        guard repeats.dtype.isInteger, repeats.rank <= 1, repeats.count == 1 || repeats.count == shape[axis] else {
            return fail(
                "repeatInterleave",
                "the counts must be integers, one for each of the \(shape[axis]) places, they are \(repeats.dtype) of shape \(repeats.shape)"
            )
        }
        let counts = repeats.toArray(of: Int.self)
        if counts.count == 1 && shape[axis] != 1 { return repeatInterleave(counts[0], dim: axis) }
        guard !counts.contains(where: { $0 < 0 }) else {
            return fail("repeatInterleave", "the counts must not be negative")
        }
        let places = counts.enumerated().flatMap { [Int](repeating: $0.offset, count: $0.element) }
        return indexSelect(dim: axis, Tensor(places))
    }
}

/// How `meshgrid` orders the axes.
public enum MeshIndexing: Sendable {
    /// The first tensor varies along the first axis.
    case ij
    /// The first tensor varies along the second axis, the second along the first: x and y of a picture.
    case xy
}

/// For vectors of n, m, ... elements one grid of shape [n, m, ...] each, in which the vector varies along its axis. Views.
public func meshgrid(_ tensors: [Tensor], indexing: MeshIndexing = .ij) -> [Tensor] {
    guard !tensors.isEmpty, !tensors.contains(where: { $0.rank > 1 }) else {
        fail("meshgrid", "expects vectors, got shapes \(tensors.map(\.shape))")
        return []
    }
    if indexing == .xy && tensors.count >= 2 { return meshgrid(tensors).map { $0.transpose(0, 1) } }
    let grid = Shape(tensors.map(\.count))
    return tensors.enumerated().map { axis, vector in
        var shape = Shape(repeating: 1, count: grid.count)
        shape[axis] = vector.count
        return vector.reshape(shape).expand(grid)
    }
}
