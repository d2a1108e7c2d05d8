import CKernels

let extremumOperations: [any Operation.Type] = [Extremum.self, ArgExtremum.self]

/// y = max x or min x over some axes, which keep size 1. Equal extremes share the gradient evenly.
struct Extremum: UnaryOperation, RowOperation {
    let axes: AxisSet
    let minimum: Bool
    static let name = "amax"
    static let formula = Formula("max x, or min x", gradient: "∂L/∂x = ∂L/∂y where x = y, divided among equals; else 0")
    static let dtypes: DTypes = .all
    static let keeps: Keeps = [.input, .output]
    var rowKernel: RowKernel { .reduction(minimum ? CK_MIN : CK_MAX) }
    func rowAxes(rank: Int) -> AxisSet { axes }
    func forward(_ x: Tensor) -> Tensor {
        if x.dtype.isFloatingPoint { return CPU.reduce(minimum ? CK_MIN : CK_MAX, x, over: axes) }
        let numbers = CPU.convert(x, to: .int64)
        return CPU.convert(
            CPU.reduceIntegers(minimum ? CK_INTEGER_SMALLEST : CK_INTEGER_LARGEST, numbers, over: axes), to: x.dtype)
    }
    func gradient(_ dy: Tensor, _ kept: Kept) -> Tensor {
        // Which elements are extreme does not change with small changes of x: the shares are constants.
        let isExtreme = (kept.input .== kept.output).to(dy.dtype)
        return dy * (isExtreme / apply(Sum(axes: axes, from: isExtreme.shape), to: isExtreme))
    }
    static let samples = [
        distinctSample { [$0.amax(dim: 1)] }, distinctSample { [$0.amin(dim: [0, 2])] },
        distinctSample { [$0.max(dim: -1).values, $0.min(dim: 0).values] },
        distinctSample { [$0.max()] }, distinctSample { [$0.min()] },
    ]
}

private func distinctSample(_ call: @escaping @Sendable (Tensor) -> [Tensor]) -> Sample {
    Sample([Sample.Input(.distinct, shape: [2, 3, 4])]) { call($0[0]) }
}

/// Where the first maximum or minimum lies, as int64: row-major over some axes, which keep size 1.
struct ArgExtremum: UnaryOperation, NotDifferentiable {
    let axes: AxisSet
    let minimum: Bool
    static let name = "argmax"
    static let dtypes: DTypes = .all
    static let reason = "its values are positions"
    func forward(_ x: Tensor) -> Tensor { CPU.argExtremum(minimum: minimum, x, over: axes) }
}

extension Tensor {
    /// The largest element; NaN when there is one. Equal ones share the gradient evenly.
    public func max() -> Tensor { extremum(.all(rank), minimum: false, keepDim: false, "max") }
    /// The smallest element; NaN when there is one. Equal ones share the gradient evenly.
    public func min() -> Tensor { extremum(.all(rank), minimum: true, keepDim: false, "min") }

    /// The largest elements along an axis, and where each lies (int64; the first of equal ones, which gets the gradient).
    public func max(dim: Int, keepDim: Bool = false) -> (values: Tensor, indices: Tensor) {
        extremumWithIndices(dim, minimum: false, keepDim: keepDim, "max")
    }

    /// The smallest elements along an axis, and where each lies (int64; the first of equal ones, which gets the gradient).
    public func min(dim: Int, keepDim: Bool = false) -> (values: Tensor, indices: Tensor) {
        extremumWithIndices(dim, minimum: true, keepDim: keepDim, "min")
    }

    /// The largest elements over an axis. Equal ones share the gradient evenly.
    public func amax(dim: Int, keepDim: Bool = false) -> Tensor { amax(dim: [dim], keepDim: keepDim) }
    /// The largest elements over several axes, all for none named.
    public func amax(dim: [Int] = [], keepDim: Bool = false) -> Tensor {
        guard let axes = axisSet(dim, in: "amax") else { return .placeholderAfterError }
        return extremum(axes, minimum: false, keepDim: keepDim, "amax")
    }

    /// The smallest elements over an axis. Equal ones share the gradient evenly.
    public func amin(dim: Int, keepDim: Bool = false) -> Tensor { amin(dim: [dim], keepDim: keepDim) }
    /// The smallest elements over several axes, all for none named.
    public func amin(dim: [Int] = [], keepDim: Bool = false) -> Tensor {
        guard let axes = axisSet(dim, in: "amin") else { return .placeholderAfterError }
        return extremum(axes, minimum: true, keepDim: keepDim, "amin")
    }

    /// Both extremes along an axis, or of all elements.
    public func aminmax(dim: Int? = nil, keepDim: Bool = false) -> (min: Tensor, max: Tensor) {
        let dims = dim.map { [$0] } ?? []
        return (amin(dim: dims, keepDim: keepDim), amax(dim: dims, keepDim: keepDim))
    }

    /// Where the largest element lies along an axis, or among all elements in row-major order: int64, the first of equal ones; a NaN
    /// counts as the largest.
    public func argmax(dim: Int? = nil, keepDim: Bool = false) -> Tensor {
        argExtremum(dim, minimum: false, keepDim: keepDim, "argmax")
    }

    /// Where the smallest element lies along an axis, or among all elements in row-major order: int64, the first of equal ones; a NaN
    /// counts as the smallest.
    public func argmin(dim: Int? = nil, keepDim: Bool = false) -> Tensor {
        argExtremum(dim, minimum: true, keepDim: keepDim, "argmin")
    }

    private func extremum(_ axes: AxisSet, minimum: Bool, keepDim: Bool, _ name: String) -> Tensor {
        guard hasElements(along: axes, name) else { return .placeholderAfterError }
        return apply(Extremum(axes: axes, minimum: minimum), to: self).dropping(axes, unless: keepDim)
    }

    private func argExtremum(_ dim: Int?, minimum: Bool, keepDim: Bool, _ name: String) -> Tensor {
        guard let axes = axisSet(dim.map { [$0] } ?? [], in: name), hasElements(along: axes, name) else {
            return .placeholderAfterError
        }
        return apply(ArgExtremum(axes: axes, minimum: minimum), to: self).dropping(axes, unless: keepDim)
    }

    private func extremumWithIndices(
        _ dim: Int, minimum: Bool, keepDim: Bool, _ name: String
    ) -> (values: Tensor, indices: Tensor) {
        guard let axes = axisSet([dim], in: name), hasElements(along: axes, name) else {
            return (.placeholderAfterError, .placeholderAfterError)
        }
        let places = apply(ArgExtremum(axes: axes, minimum: minimum), to: self)
        let values = gather(dim: dim, places)
        return (values.dropping(axes, unless: keepDim), places.dropping(axes, unless: keepDim))
    }

    private func hasElements(along axes: AxisSet, _ name: String) -> Bool {
        if axes.elementCount(of: shape) > 0 || axes.reduced(shape).elementCount == 0 { return true }
        fail(name, "has no value over axes of size 0, the shape is \(shape)")
        return false
    }
}
