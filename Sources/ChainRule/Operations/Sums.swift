import CKernels

let sumOperations: [any Operation.Type] = [Sum.self, NumberSum.self]

/// y = Σ x over some axes, which keep size 1.
struct Sum: UnaryOperation, RowOperation {
    let axes: AxisSet
    let from: Shape
    static let name = "sum"
    static let formula = Formula("Σ x", gradient: "∂L/∂x = ∂L/∂y, repeated over the summed axes")
    static let dtypes: DTypes = .all
    static let keeps: Keeps = []
    var rowKernel: RowKernel { .reduction(CK_SUM) }
    func rowAxes(rank: Int) -> AxisSet { axes }
    func forward(_ x: Tensor) -> Tensor {
        x.dtype.isFloatingPoint
            ? CPU.reduce(CK_SUM, x, over: axes)
            : CPU.reduceIntegers(CK_INTEGER_SUM, CPU.convert(x, to: .int64), over: axes)
    }
    func gradient(_ dy: Tensor, _ kept: Kept) -> Tensor { dy.expand(from) }
    static let samples = [
        Sample([Sample.Input(.uniform(-3...3), shape: [2, 3, 4])]) { [$0[0].sum(dim: 1)] },
        Sample([Sample.Input(.uniform(-3...3), shape: [2, 3, 4])]) { [$0[0].sum()] },
    ]
}

/// y = Σ x over some axes, which keep size 1, NaN as 0.
struct NumberSum: UnaryOperation {
    let axes: AxisSet
    let from: Shape
    static let name = "nansum"
    static let formula = Formula("Σ x, NaN as 0", gradient: "∂L/∂x = ∂L/∂y where x is no NaN, else 0")
    static let keeps: Keeps = .input
    func forward(_ x: Tensor) -> Tensor { CPU.reduce(CK_SUM_NUMBERS, x, over: axes) }
    func gradient(_ dy: Tensor, _ kept: Kept) -> Tensor { dy.expand(from).maskedFill(kept.input.isnan(), 0) }
    static let samples = [
        Sample([Sample.Input(.uniform(-3...3), shape: [2, 3])]) {
            [$0[0].maskedFill($0[0].detach() .< 0, Double.nan).nansum(dim: 1)]
        },
        Sample([Sample.Input(.uniform(-3...3), shape: [2, 3])]) { [$0[0].nansum()] },
    ]
}

extension Tensor {
    /// The sum of all elements. Integers and booleans give int64.
    public func sum() -> Tensor { sum(over: .all(rank), keepDim: false) }

    /// The sum over one axis.
    public func sum(dim: Int, keepDim: Bool = false) -> Tensor { sum(dim: [dim], keepDim: keepDim) }

    /// The sum over several axes.
    public func sum(dim: [Int], keepDim: Bool = false) -> Tensor {
        guard let axes = axisSet(dim, in: "sum") else { return .placeholderAfterError }
        return sum(over: axes, keepDim: keepDim)
    }

    private func sum(over axes: AxisSet, keepDim: Bool) -> Tensor {
        apply(Sum(axes: axes, from: shape), to: self).dropping(axes, unless: keepDim)
    }

    /// The sum of the elements that are not NaN.
    public func nansum() -> Tensor { nansum(dim: []) }
    /// The sum over one axis of the elements that are not NaN.
    public func nansum(dim: Int, keepDim: Bool = false) -> Tensor { nansum(dim: [dim], keepDim: keepDim) }
    /// The sum over several axes of the elements that are not NaN.
    public func nansum(dim: [Int], keepDim: Bool = false) -> Tensor {
        guard dtype.isFloatingPoint else { return sum(dim: dim, keepDim: keepDim) }
        guard let axes = axisSet(dim, in: "nansum") else { return .placeholderAfterError }
        return apply(NumberSum(axes: axes, from: shape), to: self).dropping(axes, unless: keepDim)
    }

    /// The sum over the axes that broadcasting from `shape` would expand: the transpose of `expand`.
    public func sum(toShape target: Shape) -> Tensor {
        if shape == target { return self }
        guard Shape.broadcast(target, shape) == shape else {
            return fail("sum", "shape \(shape) is no broadcast of \(target)")
        }
        var axes = AxisSet()
        let lead = rank - target.count
        for axis in 0..<rank where axis < lead || (target[axis - lead] == 1 && shape[axis] != 1) { axes.insert(axis) }
        return apply(Sum(axes: axes, from: shape), to: self).reshape(target)
    }

    /// The set of axes that `dims` name; no axis may be named twice.
    func axisSet(_ dims: [Int], in operation: String) -> AxisSet? {
        if dims.isEmpty { return .all(rank) }
        var axes = AxisSet()
        for dim in dims {
            guard let axis = axis(dim, in: operation) else { return nil }
            guard !axes.contains(axis) else {
                fail(operation, "dimension \(dim) is named twice in \(dims)")
                return nil
            }
            axes.insert(axis)
        }
        return axes
    }
}
