/// What the indices of a subscript select, worked out for one shape: first a region (a view), then new axes, then what index tensors
/// pick out of the result.
struct IndexSelection {
    /// The places, ranges and slices.
    var region: Region
    /// The shape of the region with the new axes.
    var shape = Shape()
    /// The index tensors, or nil when there are none.
    var picks: Picks?

    /// Integer tensors that pick elements along some axes, brought to one index along one axis.
    struct Picks {
        /// The region's shape with the axes that a mask covers merged into one.
        var merged = Shape()
        /// The axes of `merged` that are picked from.
        var axes: [Int] = []
        /// One for each of `axes`: int64, from 0 on.
        var indices: [Tensor] = []
        /// The indices broadcast.
        var common = Shape()
    }

    /// Nil after an error.
    init?(_ terms: [any TensorIndex], in source: Shape) {
        guard let kinds = IndexSelection.expanded(terms.map(\.term.kind), to: source) else { return nil }
        region = Region(whole: source)
        var builder = Builder(region: region)
        for kind in kinds {
            guard builder.add(kind) else { return nil }
        }
        guard builder.finish() else { return nil }
        region = builder.region
        shape = builder.shape
        if !builder.picks.indices.isEmpty { picks = builder.picks }
    }

    /// The kinds with the ellipsis, or what is left over at the end, written out.
    private static func expanded(_ kinds: [IndexTerm.Kind], to source: Shape) -> [IndexTerm.Kind]? {
        var used = 0
        var ellipses = 0
        for kind in kinds {
            switch kind {
            case .place, .range: used += 1
            case .tensor(let index): used += index.dtype == .bool ? index.rank : 1
            case .ellipsis: ellipses += 1
            case .newAxis: break
            }
        }
        guard used <= source.count else {
            fail(
                "subscript",
                "too many indices for shape \(source): it has \(source.count) axes, the indices take \(used)")
            return nil
        }
        guard ellipses <= 1 else {
            fail("subscript", "only one .ellipsis can be filled in")
            return nil
        }
        let rest = [IndexTerm.Kind](repeating: .range(start: nil, stop: nil, step: 1), count: source.count - used)
        guard ellipses == 1 else { return kinds + rest }
        return kinds.flatMap { kind in
            if case .ellipsis = kind { rest } else { [kind] }
        }
    }
}

/// Goes through the indices from left to right, and through the axes with them.
private struct Builder {
    var region: Region
    var shape = Shape()
    var picks = IndexSelection.Picks()
    private var axis = 0

    init(region: Region) { self.region = region }

    /// False after an error.
    mutating func add(_ kind: IndexTerm.Kind) -> Bool {
        switch kind {
        case .place(let index):
            guard region.select(axis, index, in: "subscript") else { return false }
            axis += 1
        case .range(let start, let stop, let step):
            guard region.slice(axis, start, stop, step, in: "subscript") else { return false }
            keep(region.sizes[axis], merged: region.sizes[axis])
            axis += 1
        case .newAxis: keep(1, merged: 1)
        case .tensor(let index): return add(index)
        case .ellipsis: break
        }
        return true
    }

    private mutating func keep(_ size: Int, merged: Int?) {
        shape.append(size)
        if let merged { picks.merged.append(merged) }
    }

    private mutating func add(_ index: Tensor) -> Bool {
        if index.dtype == .bool { return addMask(index) }
        guard index.dtype.isInteger && index.dtype != .uint8 else {
            fail(
                "subscript",
                "an index tensor must be integer or boolean, this one is \(index.dtype); convert it with .to(.int64) or .to(.bool)"
            )
            return false
        }
        if index.rank == 0 { return add(.place(index.item(Int.self))) }
        guard let wrapped = index.wrapped(for: axis, of: region.from, in: "subscript") else { return false }
        pick(wrapped, size: region.from[axis])
        keep(region.from[axis], merged: nil)
        axis += 1
        return true
    }

    /// A mask is an index into the axes it covers, taken as one.
    private mutating func addMask(_ mask: Tensor) -> Bool {
        let covered = Shape(region.from[axis..<(axis + mask.rank)])
        guard mask.shape == covered else {
            fail(
                "subscript",
                "a mask of shape \(mask.shape) does not fit the sizes \(covered) of the axes from \(axis) on")
            return false
        }
        pick(mask.truePlaces(), size: mask.count)
        // A mask of no axes counts as one on a new axis of size 1.
        for size in mask.rank == 0 ? [1] : covered { keep(size, merged: nil) }
        axis += mask.rank
        return true
    }

    private mutating func pick(_ index: Tensor, size: Int) {
        picks.axes.append(picks.merged.count)
        picks.indices.append(index)
        picks.merged.append(size)
    }

    /// Broadcasts the index tensors. False after an error.
    mutating func finish() -> Bool {
        for index in picks.indices {
            guard let common = Shape.broadcast(picks.common, index.shape) else {
                let shapes = picks.indices.map { $0.shape.description }.joined(separator: ", ")
                fail("subscript", "the index tensors have shapes \(shapes), which do not broadcast")
                return false
            }
            picks.common = common
        }
        return true
    }
}

extension IndexSelection.Picks {
    /// Whether the axes follow each other, so that the picked elements stay in their place.
    var areNeighbours: Bool { zip(axes, axes.dropFirst()).allSatisfy { $0 + 1 == $1 } }

    /// The order of `merged`'s axes that brings the picked ones together: as it is, or with them in front.
    var order: Shape {
        areNeighbours ? Shape(0..<merged.count) : Shape(axes + (0..<merged.count).filter { !axes.contains($0) })
    }

    /// The first picked axis in that order.
    var firstAxis: Int { areNeighbours ? axes[0] : 0 }

    /// The sizes in that order.
    var ordered: Shape { Shape(order.map { merged[$0] }) }

    /// `ordered` with the picked axes as one: what rows are picked from.
    var rows: Shape { ordered.merging(firstAxis...(firstAxis + axes.count - 1)) }

    /// The shape of what is picked.
    var result: Shape { rows.replacing(firstAxis, by: common) }

    /// The number of each picked element along the one axis of `rows`.
    var index: Tensor {
        var sum = indices[0]
        for (index, axis) in zip(indices, axes).dropFirst() { sum = sum * merged[axis] + index }
        return sum
    }
}
