import CKernels

let normOperations: [any Operation.Type] = [LogSumExp.self, VectorNorm.self]

/// y = log Σ eˣ over some axes, which keep size 1; the maximum is taken out first, so that nothing overflows.
struct LogSumExp: UnaryOperation {
    let axes: AxisSet
    static let name = "logsumexp"
    static let formula = Formula("log Σ eˣ", gradient: "∂L/∂x = ∂L/∂y · eˣ⁻ʸ")
    static let keeps: Keeps = [.input, .output]
    func forward(_ x: Tensor) -> Tensor {
        CPU.rounded(x) { x in
            let zero = Tensor.zeros([], dtype: x.dtype)
            let top = CPU.reduce(CK_MAX, x, over: axes)
            // ∞ − ∞ is NaN: a row of −∞, or with an ∞ in it, is summed as it is.
            let infinity = Tensor.full([], .floating(.infinity), dtype: x.dtype)
            let isFinite = CPU.compare(CK_LT, CPU.unary(CK_ABS, top), infinity, name: Self.name)
            let shift = CPU.select(isFinite, top, zero, name: Self.name)
            let terms = CPU.unary(CK_EXP, CPU.binary(CK_SUB, x, shift, name: Self.name))
            let logarithm = CPU.unary(CK_LOG, CPU.reduce(CK_SUM, terms, over: axes))
            return CPU.binary(CK_ADD, logarithm, shift, name: Self.name)
        }
    }
    func gradient(_ dy: Tensor, _ kept: Kept) -> Tensor { dy * (kept.input - kept.output).exp() }
    static let samples = [
        Sample(LogSumExp(axes: [1]), -3...3, shape: [2, 3, 2]),
        Sample(LogSumExp(axes: [0, 1]), -3...3, shape: [2, 3]),
    ]
}

/// y = (Σ |x|ᵖ)^(1/p) over some axes, which keep size 1; p = ±∞ is the largest or smallest |x|, p = 0 the number of elements that are
/// not 0. Where y = 0 the gradient is taken as 0.
struct VectorNorm: UnaryOperation {
    let p: Double
    let axes: AxisSet
    static let name = "norm"
    static let formula = Formula("(Σ |x|ᵖ)^(1/p)", gradient: "∂L/∂x = ∂L/∂y · sign x · (|x| / y)^(p−1)")
    static let keeps: Keeps = [.input, .output]
    func forward(_ x: Tensor) -> Tensor { CPU.rounded(x, norm) }

    private func norm(_ x: Tensor) -> Tensor {
        if p == 2 { return CPU.unary(CK_SQRT, CPU.reduce(CK_SUM_SQUARES, x, over: axes)) }
        let size = CPU.unary(CK_ABS, x)
        if p.isInfinite { return CPU.reduce(p > 0 ? CK_MAX : CK_MIN, size, over: axes) }
        if p == 1 { return CPU.reduce(CK_SUM, size, over: axes) }
        if p == 0 {
            let zero = Tensor.zeros([], dtype: x.dtype)
            let counts = CPU.convert(CPU.compare(CK_NE, x, zero, name: Self.name), to: x.dtype)
            return CPU.reduce(CK_SUM, counts, over: axes)
        }
        let powers = CPU.binary(CK_POW, size, .floating(p), name: Self.name)
        return CPU.binary(CK_POW, CPU.reduce(CK_SUM, powers, over: axes), .floating(1 / p), name: Self.name)
    }

    func gradient(_ dy: Tensor, _ kept: Kept) -> Tensor {
        let (x, y) = (kept.input, kept.output)
        if p == 0 { return Tensor.zeros(like: x) }
        if p == 1 { return dy * x.sign() }
        if p.isInfinite {
            let ones = (x.abs() .== y).to(x.dtype)
            let shares = ones / apply(Sum(axes: axes, from: ones.shape), to: ones)
            return dy * x.sign() * shares
        }
        let isZero = y .== 0
        let divisor = y.maskedFill(isZero, 1)
        if p == 2 { return x * (dy / divisor).maskedFill(isZero, 0) }
        if p < 2 {
            // |x|^(p−2) has a pole at 0 where the gradient itself is 0 (p > 1) or counts as 0.
            let isNothing = x .== 0
            let powers = x.abs().maskedFill(isNothing, 1).pow(p - 1).maskedFill(isNothing, 0)
            return x.sign() * powers * (dy / divisor.pow(p - 1)).maskedFill(isZero, 0)
        }
        return x * x.abs().pow(p - 2) * (dy / divisor.pow(p - 1)).maskedFill(isZero, 0)
    }

    static let samples = [
        Sample(VectorNorm(p: 2, axes: [1]), 0.3...3, shape: [2, 3]),
        Sample(VectorNorm(p: 1, axes: [0]), -3 ... -0.3, shape: [2, 3]),
        Sample(VectorNorm(p: 3, axes: [0, 1]), -3 ... -0.3, shape: [2, 3]),
        Sample(VectorNorm(p: 0.5, axes: [1]), 0.3...3, shape: [2, 3]),
        Sample([Sample.Input(.distinct, shape: [2, 3])]) { [$0[0].exp().norm(.infinity, dim: 1)] },
    ]
}

extension Tensor {
    /// log Σ eˣ over an axis, without overflow. Integers become float32.
    public func logsumexp(dim: Int, keepDim: Bool = false) -> Tensor { logsumexp(dim: [dim], keepDim: keepDim) }

    /// log Σ eˣ over several axes.
    public func logsumexp(dim: [Int], keepDim: Bool = false) -> Tensor {
        guard let axes = axisSet(dim, in: "logsumexp") else { return .placeholderAfterError }
        return apply(LogSumExp(axes: axes), to: to(dtype.asFloatingPoint)).dropping(axes, unless: keepDim)
    }

    /// (Σ |x|ᵖ)^(1/p) of all elements: the Euclidean length for p = 2. Infinite p take the largest or smallest |x|, p = 0 counts what is
    /// not 0. Floating dtypes.
    public func norm(_ p: Double = 2) -> Tensor { norm(p, dim: []) }

    /// The norm over one axis.
    public func norm(_ p: Double = 2, dim: Int, keepDim: Bool = false) -> Tensor {
        norm(p, dim: [dim], keepDim: keepDim)
    }

    /// The norm over several axes, all for none named.
    public func norm(_ p: Double = 2, dim: [Int], keepDim: Bool = false) -> Tensor {
        guard requireFloating("norm"), let axes = axisSet(dim, in: "norm") else { return .placeholderAfterError }
        let isEmpty = axes.elementCount(of: shape) == 0 && axes.reduced(shape).elementCount > 0
        if isEmpty && (p < 0 || p == .infinity) {
            return fail("norm", "of order \(p) has no value over axes of size 0, the shape is \(shape)")
        }
        return apply(VectorNorm(p: p, axes: axes), to: self).dropping(axes, unless: keepDim)
    }
}
