let slicingOperations: [any Operation.Type] = [Slice.self, SliceScatter.self, SliceAssign.self]

/// A box of elements: along each axis `sizes` places from `starts` on, `steps` apart. Axes in `dropped` have one place there
/// and are gone from the result.
struct Region: Hashable, Sendable {
    let from: Shape
    var starts: Shape
    var sizes: Shape
    var steps: Shape
    var dropped = AxisSet()

    /// The whole of a tensor of this shape.
    init(whole shape: Shape) {
        from = shape
        starts = Shape(repeating: 0, count: shape.count)
        sizes = shape
        steps = Shape(repeating: 1, count: shape.count)
    }

    /// The shape of the elements in the region.
    var shape: Shape { dropped.isEmpty ? sizes : dropped.removed(from: sizes) }

    /// Where the region lies in the memory of a tensor of shape `from`.
    func layout(in layout: Layout) -> Layout {
        var strides = Shape()
        var shape = Shape()
        var offset = layout.offset
        for axis in 0..<from.count {
            offset += starts[axis] * layout.strides[axis]
            if dropped.contains(axis) { continue }
            shape.append(sizes[axis])
            strides.append(layout.strides[axis] * steps[axis])
        }
        return Layout(shape: shape, strides: strides, offset: offset)
    }
}

/// The elements of a region, as a view.
struct Slice: UnaryOperation {
    let region: Region
    static let name = "slice"
    static let formula = Formula("x[region]", gradient: "∂L/∂x = ∂L/∂y in the region, 0 elsewhere")
    static let dtypes: DTypes = .all
    static let keeps: Keeps = []
    func forward(_ x: Tensor) -> Tensor { x.view(region.layout(in: x.layout)) }
    func gradient(_ dy: Tensor, _ kept: Kept) -> Tensor { apply(SliceScatter(region: region), to: dy) }
    static let samples = [
        Sample([Sample.Input(.uniform(-3...3), shape: [3, 5, 2])]) { [$0[0].slice(dim: 1, from: 1, by: 2)] },
        Sample([Sample.Input(.uniform(-3...3), shape: [3, 4])]) { [$0[0].select(dim: 0, index: 1)] },
    ]
}

/// A region's elements in the midst of zeros: the transpose of `Slice`.
struct SliceScatter: UnaryOperation {
    let region: Region
    static let name = "slice_backward"
    static let formula = Formula("x in a region, 0 elsewhere", gradient: "∂L/∂x = ∂L/∂y[region]")
    static let dtypes: DTypes = .all
    static let keeps: Keeps = []
    func forward(_ x: Tensor) -> Tensor {
        let y = Tensor.zeros(region.from, dtype: x.dtype)
        CPU.copy(x, into: y, layout: region.layout(in: y.layout))
        return y
    }
    func gradient(_ dy: Tensor, _ kept: Kept) -> Tensor { apply(Slice(region: region), to: dy) }
    static let samples = [
        Sample([Sample.Input(.uniform(-3...3), shape: [2, 2])]) { inputs in
            var region = Region(whole: [2, 5])
            (region.starts[1], region.sizes[1], region.steps[1]) = (1, 2, 3)
            return [apply(SliceScatter(region: region), to: inputs[0])]
        }
    ]
}

/// x with the elements of a region replaced by v, which broadcasts to it.
struct SliceAssign: BinaryOperation {
    let region: Region
    static let name = "slice_assign"
    static let formula = Formula(
        "x with x[region] = v", gradient: "∂L/∂x = ∂L/∂y with 0 in the region, ∂L/∂v = ∂L/∂y[region]")
    static let dtypes: DTypes = .all
    static let keeps: Keeps = []
    func forward(_ x: Tensor, _ v: Tensor) -> Tensor {
        let y = CPU.contiguousCopy(x)
        CPU.copy(v, into: y, layout: region.layout(in: y.layout))
        return y
    }
    func gradientLeft(_ dy: Tensor, _ kept: Kept) -> Tensor {
        apply(self, to: dy, Tensor.zeros([], dtype: dy.dtype))
    }
    func gradientRight(_ dy: Tensor, _ kept: Kept) -> Tensor { apply(Slice(region: region), to: dy) }
    static let samples = [
        Sample([Sample.Input(.uniform(-3...3), shape: [3, 4]), Sample.Input(.uniform(-3...3), shape: [3, 1])]) {
            [$0[0].sliceScatter($0[1].expand([3, 2]), dim: 1, from: 1, to: 3)]
        },
        Sample([Sample.Input(.uniform(-3...3), shape: [3, 4]), Sample.Input(.uniform(-3...3), shape: [4])]) {
            [$0[0].selectScatter($0[1], dim: 0, index: -1)]
        },
    ]
}

extension Tensor {
    /// `length` places along `dim`, from `start` on (negative: counted from the end). A view.
    public func narrow(dim: Int, start: Int, length: Int) -> Tensor {
        guard let axis = existingAxis(dim, in: "narrow") else { return .placeholderAfterError }
        let size = shape[axis]
        let first = start < 0 ? start + size : start
        guard first >= 0 && length >= 0 && first <= size - length else {
            return fail(
                "narrow", "\(length) places from \(start) on do not lie within the \(size) of axis \(axis) of \(shape)")
        }
        return narrowed(axis, first, length)
    }

    /// The part at `index` of `dim`, which is dropped; negative ones count from the end. A view.
    public func select(dim: Int, index: Int) -> Tensor {
        guard let region = selectRegion(dim, index, in: "select") else { return .placeholderAfterError }
        return apply(Slice(region: region), to: self)
    }

    /// Every `step`-th place along `dim` from `start` up to, not including, `stop`. Negative bounds count from the end,
    /// bounds beyond the ends mean the ends. A view.
    public func slice(dim: Int, from start: Int? = nil, to stop: Int? = nil, by step: Int = 1) -> Tensor {
        guard let region = sliceRegion(dim, start, stop, step, in: "slice") else { return .placeholderAfterError }
        return apply(Slice(region: region), to: self)
    }

    /// This tensor with `source` in place of `slice(dim:from:to:by:)`.
    public func sliceScatter(
        _ source: Tensor, dim: Int, from start: Int? = nil, to stop: Int? = nil, by step: Int = 1
    ) -> Tensor {
        guard let region = sliceRegion(dim, start, stop, step, in: "sliceScatter") else {
            return .placeholderAfterError
        }
        return replacing(region, with: source, in: "sliceScatter")
    }

    /// This tensor with `source` in place of `select(dim:index:)`.
    public func selectScatter(_ source: Tensor, dim: Int, index: Int) -> Tensor {
        guard let region = selectRegion(dim, index, in: "selectScatter") else { return .placeholderAfterError }
        return replacing(region, with: source, in: "selectScatter")
    }

    private func replacing(_ region: Region, with source: Tensor, in operation: String) -> Tensor {
        guard source.shape == region.shape else {
            return fail(operation, "the part has shape \(region.shape), its replacement \(source.shape)")
        }
        return apply(SliceAssign(region: region), to: self, source.to(dtype))
    }

    /// `narrow` with bounds that are known to be right.
    func narrowed(_ axis: Int, _ start: Int, _ length: Int) -> Tensor {
        if start == 0 && length == shape[axis] { return self }
        var region = Region(whole: shape)
        region.starts[axis] = start
        region.sizes[axis] = length
        return apply(Slice(region: region), to: self)
    }

    private func selectRegion(_ dim: Int, _ index: Int, in operation: String) -> Region? {
        guard let axis = existingAxis(dim, in: operation) else { return nil }
        var region = Region(whole: shape)
        return region.select(axis, index, in: operation) ? region : nil
    }

    private func sliceRegion(
        _ dim: Int, _ start: Int?, _ stop: Int?, _ step: Int, in operation: String
    ) -> Region? {
        guard let axis = existingAxis(dim, in: operation) else { return nil }
        var region = Region(whole: shape)
        return region.slice(axis, start, stop, step, in: operation) ? region : nil
    }

    /// The axis that `dim` means, which a single number does not have.
    func existingAxis(_ dim: Int, in operation: String) -> Int? {
        guard rank > 0 else {
            fail(operation, "a single number (shape []) has no axis to cut")
            return nil
        }
        return axis(dim, in: operation)
    }
}

extension Region {
    /// Keeps the place `index` of `axis` and drops the axis. False after an error.
    mutating func select(_ axis: Int, _ index: Int, in operation: String) -> Bool {
        let size = from[axis]
        let place = index < 0 ? index + size : index
        guard place >= 0 && place < size else {
            let valid = size == 0 ? "the axis is empty" : "expected \(-size) to \(size - 1)"
            fail(operation, "index \(index) is out of range for axis \(axis) of shape \(from) (\(valid))")
            return false
        }
        starts[axis] = place
        sizes[axis] = 1
        dropped.insert(axis)
        return true
    }

    /// Keeps every `step`-th place of `axis` from `start` up to `stop`. False after an error.
    mutating func slice(_ axis: Int, _ start: Int?, _ stop: Int?, _ step: Int, in operation: String) -> Bool {
        guard step > 0 else {
            fail(operation, "the step must be 1 or more, not \(step); flip(_:) turns an axis around")
            return false
        }
        let size = from[axis]
        func bounded(_ bound: Int) -> Int { Swift.min(Swift.max(bound < 0 ? bound + size : bound, 0), size) }
        let first = bounded(start ?? 0)
        let end = Swift.max(bounded(stop ?? size), first)
        starts[axis] = first
        sizes[axis] = (end - first + step - 1) / step
        steps[axis] = step
        return true
    }
}
