import CKernels

let averageOperations: [any Operation.Type] = [Variance.self, StandardDeviation.self, TruthReduction.self]

/// y = Σ (x − mean x)² / (n − c) over some axes, which keep size 1. Two passes, so that a large mean costs no digits.
struct Variance: UnaryOperation {
    let axes: AxisSet
    let correction: Double
    static let name = "var"
    static let formula = Formula("Σ (x − mean x)² / (n − c)", gradient: "∂L/∂x = ∂L/∂y · 2 (x − mean x) / (n − c)")
    static let keeps: Keeps = .input
    func forward(_ x: Tensor) -> Tensor { CPU.variance(x, over: axes, correction: correction) }
    func gradient(_ dy: Tensor, _ kept: Kept) -> Tensor { varianceGradient(dy, kept.input, axes, correction) }
    static let samples = [
        Sample(Variance(axes: [1], correction: 1), -3...3, shape: [2, 4, 2]),
        Sample(Variance(axes: [0, 2], correction: 0), -3...3, shape: [2, 2, 3]),
    ]
}

/// y = √variance. Where it is 0 the gradient is taken as 0, as in PyTorch.
struct StandardDeviation: UnaryOperation {
    let axes: AxisSet
    let correction: Double
    static let name = "std"
    static let formula = Formula(
        "√(Σ (x − mean x)² / (n − c))", gradient: "∂L/∂x = ∂L/∂y · (x − mean x) / ((n − c) y), 0 where y = 0")
    static let keeps: Keeps = [.input, .output]
    func forward(_ x: Tensor) -> Tensor {
        CPU.rounded(x) { CPU.unary(CK_SQRT, CPU.variance($0, over: axes, correction: correction)) }
    }
    func gradient(_ dy: Tensor, _ kept: Kept) -> Tensor {
        let y = kept.output
        let isZero = y .== 0
        // The zeros are filled before dividing too: 0 · ∞ would come back as NaN in the second order.
        let dVariance = (dy / (y.maskedFill(isZero, 1) * 2)).maskedFill(isZero, 0)
        return varianceGradient(dVariance, kept.input, axes, correction)
    }
    static let samples = [
        Sample(StandardDeviation(axes: [1], correction: 1), -3...3, shape: [2, 4, 2]),
        Sample(StandardDeviation(axes: [0, 2], correction: 0), -3...3, shape: [2, 2, 3]),
    ]
}

private func varianceGradient(_ dy: Tensor, _ x: Tensor, _ axes: AxisSet, _ correction: Double) -> Tensor {
    let degrees = Swift.max(Double(axes.elementCount(of: x.shape)) - correction, 0)
    return (x - x.mean(over: axes, keepDim: true)) * (dy * (2 / degrees))
}

/// Whether any element, or every one, is not zero; NaN is not zero.
struct TruthReduction: UnaryOperation, NotDifferentiable {
    let axes: AxisSet
    let every: Bool
    static let name = "any"
    static let dtypes: DTypes = .all
    static let reason = "its values are true and false"
    func forward(_ x: Tensor) -> Tensor {
        let bytes = CPU.convert(CPU.convert(x, to: .bool), to: .uint8)
        let y = CPU.reduceIntegers(every ? CK_INTEGER_SMALLEST : CK_INTEGER_LARGEST, bytes, over: axes)
        // The smallest of no bytes is 255.
        let holds = CPU.convert(y, to: .bool)
        return x.dtype == .uint8 ? CPU.convert(holds, to: .uint8) : holds
    }
}

extension CPU {
    fileprivate static func variance(_ x: Tensor, over axes: AxisSet, correction: Double) -> Tensor {
        rounded(x) { x in
            let count = Double(axes.elementCount(of: x.shape))
            let center = binary(CK_DIV, reduce(CK_SUM, x, over: axes), .floating(count), name: Variance.name)
            let degrees = Swift.max(count - correction, 0)
            let squares = squaredDeviations(x, from: center, over: axes)
            return binary(CK_DIV, squares, .floating(degrees), name: Variance.name)
        }
    }
}

extension AxisSet: ExpressibleByArrayLiteral {
    init(arrayLiteral axes: Int...) {
        self.init()
        for axis in axes { insert(axis) }
    }

    /// How many elements of a tensor of this shape meet in one element of the reduction.
    func elementCount(of shape: Shape) -> Int {
        var product = 1
        for axis in 0..<shape.count where contains(axis) { product *= shape[axis] }
        return product
    }
}

// MARK: - Mean

extension Tensor {
    /// The average of all elements. Floating dtypes; of no elements NaN.
    public func mean() -> Tensor { mean(over: .all(rank), keepDim: false) }

    /// The average over one axis.
    public func mean(dim: Int, keepDim: Bool = false) -> Tensor { mean(dim: [dim], keepDim: keepDim) }

    /// The average over several axes.
    public func mean(dim: [Int], keepDim: Bool = false) -> Tensor {
        guard let axes = axisSet(dim, in: "mean") else { return .placeholderAfterError }
        return mean(over: axes, keepDim: keepDim)
    }

    func mean(over axes: AxisSet, keepDim: Bool) -> Tensor {
        guard requireFloating("mean") else { return .placeholderAfterError }
        // A sum of 16-bit floats overflows long before their mean does.
        let sum = apply(Sum(axes: axes, from: shape), to: wide)
        return (sum.dropping(axes, unless: keepDim) / axes.elementCount(of: shape)).rounded(to: dtype)
    }

    // MARK: - Variance

    /// Σ (x − mean)² / (n − correction) over all elements; correction 1 makes it unbiased. Floating dtypes.
    public func variance(correction: Double = 1, keepDim: Bool = false) -> Tensor {
        variance(over: .all(rank), correction: correction, keepDim: keepDim)
    }

    /// The variance over one axis.
    public func variance(dim: Int, correction: Double = 1, keepDim: Bool = false) -> Tensor {
        variance(dim: [dim], correction: correction, keepDim: keepDim)
    }

    /// The variance over several axes.
    public func variance(dim: [Int], correction: Double = 1, keepDim: Bool = false) -> Tensor {
        guard let axes = axisSet(dim, in: "variance") else { return .placeholderAfterError }
        return variance(over: axes, correction: correction, keepDim: keepDim)
    }

    private func variance(over axes: AxisSet, correction: Double, keepDim: Bool) -> Tensor {
        guard requireFloating("variance") else { return .placeholderAfterError }
        return apply(Variance(axes: axes, correction: correction), to: self).dropping(axes, unless: keepDim)
    }

    /// The square root of the variance of all elements. Floating dtypes.
    public func std(correction: Double = 1, keepDim: Bool = false) -> Tensor {
        std(over: .all(rank), correction: correction, keepDim: keepDim)
    }

    /// The standard deviation over one axis.
    public func std(dim: Int, correction: Double = 1, keepDim: Bool = false) -> Tensor {
        std(dim: [dim], correction: correction, keepDim: keepDim)
    }

    /// The standard deviation over several axes.
    public func std(dim: [Int], correction: Double = 1, keepDim: Bool = false) -> Tensor {
        guard let axes = axisSet(dim, in: "std") else { return .placeholderAfterError }
        return std(over: axes, correction: correction, keepDim: keepDim)
    }

    private func std(over axes: AxisSet, correction: Double, keepDim: Bool) -> Tensor {
        guard requireFloating("std") else { return .placeholderAfterError }
        return apply(StandardDeviation(axes: axes, correction: correction), to: self).dropping(axes, unless: keepDim)
    }

    // MARK: - Counting

    /// Whether any element is not zero: bool, for uint8 uint8. Without elements false.
    public func any() -> Tensor { truth(over: .all(rank), every: false, keepDim: false) }
    /// Whether any element along an axis is not zero.
    public func any(dim: Int, keepDim: Bool = false) -> Tensor { any(dim: [dim], keepDim: keepDim) }
    public func any(dim: [Int], keepDim: Bool = false) -> Tensor {
        guard let axes = axisSet(dim, in: "any") else { return .placeholderAfterError }
        return truth(over: axes, every: false, keepDim: keepDim)
    }

    /// Whether every element is not zero: bool, for uint8 uint8. Without elements true.
    public func all() -> Tensor { truth(over: .all(rank), every: true, keepDim: false) }
    /// Whether every element along an axis is not zero.
    public func all(dim: Int, keepDim: Bool = false) -> Tensor { all(dim: [dim], keepDim: keepDim) }
    public func all(dim: [Int], keepDim: Bool = false) -> Tensor {
        guard let axes = axisSet(dim, in: "all") else { return .placeholderAfterError }
        return truth(over: axes, every: true, keepDim: keepDim)
    }

    private func truth(over axes: AxisSet, every: Bool, keepDim: Bool) -> Tensor {
        apply(TruthReduction(axes: axes, every: every), to: self).dropping(axes, unless: keepDim)
    }

    /// How many elements are not zero, as int64.
    public func countNonzero() -> Tensor { (self .!= 0).sum() }
    public func countNonzero(dim: Int) -> Tensor { (self .!= 0).sum(dim: dim) }
    public func countNonzero(dim: [Int]) -> Tensor { (self .!= 0).sum(dim: dim) }

    /// The average of the elements that are not NaN; NaN where there are none. Floating dtypes.
    public func nanmean() -> Tensor { nanmean(dim: []) }
    public func nanmean(dim: Int, keepDim: Bool = false) -> Tensor { nanmean(dim: [dim], keepDim: keepDim) }
    public func nanmean(dim: [Int], keepDim: Bool = false) -> Tensor {
        guard requireFloating("nanmean") else { return .placeholderAfterError }
        let count = isnan().logicalNot().sum(dim: dim, keepDim: keepDim)
        return nansum(dim: dim, keepDim: keepDim) / count.to(dtype)
    }

    // MARK: - Helpers

    /// The reduced axes, which have size 1, taken away unless they are to be kept.
    func dropping(_ axes: AxisSet, unless keepDim: Bool) -> Tensor {
        keepDim ? self : reshape(axes.removed(from: shape))
    }

    /// 16-bit floats as float32: what takes several steps is computed so, and `rounded` once at the end. Other dtypes as they are.
    var wide: Tensor { dtype.isHalf ? to(.float32) : self }

    /// What was computed from `wide` operands, in the 16-bit dtype they had; as it is for other dtypes.
    func rounded(to dtype: DType) -> Tensor { dtype.isHalf ? to(dtype) : self }

    /// Integers as float64, for what is computed in floats and converted back: exact up to 2⁵³.
    var integersAsFloats: Tensor { dtype.isInteger ? to(.float64) : self }

    /// Whether the dtype is floating; reports it when it isn't.
    func requireFloating(_ operation: String) -> Bool {
        if dtype.isFloatingPoint { return true }
        fail(operation, "needs a floating dtype, this tensor is \(dtype); convert with .to(.float32) first")
        return false
    }
}
