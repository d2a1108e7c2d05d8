let orderStatisticOperations: [any Operation.Type] = [Median.self]

/// The middle one of all elements in order, the lower one of two. Elements that equal it share the gradient evenly.
struct Median: UnaryOperation {
    /// Whether NaNs don't count; else one makes the result NaN.
    let ignoresNaN: Bool
    static let name = "median"
    static let formula = Formula(
        "the middle element in order", gradient: "∂L/∂x = ∂L/∂y where x = y, divided among equals; else 0")
    static let keeps: Keeps = [.input, .output]
    func forward(_ x: Tensor) -> Tensor {
        if x.count == 0 { return Tensor.full([], Scalar.floating(.nan), dtype: x.dtype) }
        let line = CPU.contiguous(x).contiguousView([x.count])
        let numbers = line.count - CPU.nanCount(line)
        let place = ignoresNaN ? Swift.max(numbers - 1, 0) / 2 : numbers < line.count ? numbers : (numbers - 1) / 2
        let order = CPU.sortedPlaces(line, axis: 0, descending: false, limit: place + 1, name: Self.name)
        let last = CPU.contiguousCopy(order.view(Layout(shape: [1], strides: [1], offset: order.layout.offset + place)))
        return CPU.gather(line, axis: 0, last).contiguousView([])
    }
    func gradient(_ dy: Tensor, _ kept: Kept) -> Tensor {
        // Which elements are the median does not change with small changes of x: the shares are constants.
        let (x, y) = (kept.input.detach(), kept.output.detach())
        let isMedian = Tensor.where(y.isnan(), x.isnan(), x .== y).to(dy.dtype)
        return dy * (isMedian / isMedian.sum())
    }
    static let samples = [
        Sample([Sample.Input(.distinct, shape: [3, 3])]) { [$0[0].median()] },
        Sample([Sample.Input(.distinct, shape: [2, 3])]) { [$0[0].nanmedian()] },
    ]
}

extension Tensor {
    /// The median of all elements: the lower one of the two in the middle. NaN when there is a NaN, or nothing. Equal ones share the
    /// gradient evenly.
    public func median() -> Tensor { apply(Median(ignoresNaN: false), to: self) }

    /// The median of all elements but the NaNs.
    public func nanmedian() -> Tensor { apply(Median(ignoresNaN: true), to: self) }

    /// The medians along an axis, the lower one of the two in the middle, and where each stands (int64). NaN where there is one. The
    /// gradient goes to that place.
    public func median(dim: Int, keepDim: Bool = false) -> (values: Tensor, indices: Tensor) {
        median(dim, keepDim, ignoringNaN: false, in: "median")
    }

    /// The medians along an axis of all elements but the NaNs, and where each stands.
    public func nanmedian(dim: Int, keepDim: Bool = false) -> (values: Tensor, indices: Tensor) {
        median(dim, keepDim, ignoringNaN: true, in: "nanmedian")
    }

    private func median(
        _ dim: Int, _ keepDim: Bool, ignoringNaN: Bool, in name: String
    ) -> (values: Tensor, indices: Tensor) {
        picked(dim, keepDim, in: name) { line, axis in
            let order = line.argsort(dim: axis)
            // NaNs come last in order.
            let nans = line.isnan().sum(dim: axis, keepDim: true)
            let numbers = line.shape[axis] - nans
            let middle = ((numbers - 1).clamp(min: 0)).floorDivide(2)
            return order.gather(dim: axis, ignoringNaN ? middle : .where(nans .> 0, numbers, middle))
        }
    }

    /// The most frequent elements along an axis, the smallest one of several, and the last place where each stands (int64). The gradient
    /// goes to that place.
    public func mode(dim: Int = -1, keepDim: Bool = false) -> (values: Tensor, indices: Tensor) {
        picked(dim, keepDim, in: "mode") { line, axis in
            let order = line.argsort(dim: axis)
            let sorted = line.gather(dim: axis, order)
            let size = line.shape[axis]
            var along = Shape(repeating: 1, count: line.rank)
            along[axis] = size
            let places = Tensor(Array(0..<size), shape: along).expand(line.shape)
            let previous = sorted.gather(dim: axis, (places - 1).clamp(min: 0))
            // How long the run of equal elements is up to each place; the first longest one ends at the mode.
            let starts = Tensor.where(sorted .!= previous, places, 0).cummax(dim: axis).values
            return order.gather(dim: axis, (places - starts).argmax(dim: axis, keepDim: true))
        }
    }

    /// The elements at places that `find` names along an axis (which it keeps with size 1), and the places.
    private func picked(
        _ dim: Int, _ keepDim: Bool, in name: String, _ find: (_ line: Tensor, _ axis: Int) -> Tensor
    ) -> (values: Tensor, indices: Tensor) {
        guard let axis = axis(dim, in: name) else { return (.placeholderAfterError, .placeholderAfterError) }
        let line = atLeast1D()
        guard line.shape[axis] > 0 else {
            let error = fail(name, "has no value over an axis of size 0, the shape is \(shape)")
            return (error, error)
        }
        let indices = find(line.detach(), axis)
        let values = line.gather(dim: axis, indices)
        let isKept = keepDim && rank > 0
        return isKept ? (values, indices) : (values.squeeze(dim: axis), indices.squeeze(dim: axis))
    }
}
