let scanOperations: [any Operation.Type] = [
    Cumsum.self, Cumprod.self, LogCumsumExp.self, LinearRecurrence.self, RunningExtremum.self,
]

/// y_i = x_0 + … + x_i along an axis, or the sum from i to the end.
struct Cumsum: UnaryOperation {
    let axis: Int
    var reverse = false
    static let name = "cumsum"
    static let formula = Formula("yᵢ = Σ xⱼ, j ≤ i", gradient: "∂L/∂xⱼ = Σ ∂L/∂yᵢ, i ≥ j")
    static let keeps: Keeps = []
    func forward(_ x: Tensor) -> Tensor { CPU.scan(.sum, x, axis: axis, reverse: reverse) }
    func gradient(_ dy: Tensor, _ kept: Kept) -> Tensor { apply(Cumsum(axis: axis, reverse: !reverse), to: dy) }
    static let samples = [
        Sample(Cumsum(axis: 1), -3...3, shape: [2, 4, 2]), Sample(Cumsum(axis: 0, reverse: true), -3...3, shape: [4]),
    ]
}

/// y_i = x_0 · … · x_i along an axis.
struct Cumprod: UnaryOperation {
    let axis: Int
    static let name = "cumprod"
    static let formula = Formula(
        "yᵢ = Π xⱼ, j ≤ i", gradient: "∂L/∂xⱼ = yⱼ₋₁ · rⱼ, rⱼ = ∂L/∂yⱼ + xⱼ₊₁ · rⱼ₊₁")
    static let keeps: Keeps = [.input, .output]
    func forward(_ x: Tensor) -> Tensor { CPU.scan(.product, x, axis: axis, reverse: false) }
    /// Nothing is divided, so that zeros are elements like any other.
    func gradient(_ dy: Tensor, _ kept: Kept) -> Tensor {
        let before = kept.output.moved(back: axis, filling: 1)
        let factors = kept.input.moved(forth: axis)
        return before * apply(LinearRecurrence(axis: axis, reverse: true), to: factors, dy)
    }
    static let samples = [
        Sample(Cumprod(axis: 1), -2...2, shape: [2, 4]),
        Sample([Sample.Input(.uniform(-2...2), shape: [4])]) { [cat([$0[0], $0[0] * 0, $0[0]]).cumprod(dim: 0)] },
    ]
}

/// y_i = log(e^{x_0} + … + e^{x_i}) along an axis.
struct LogCumsumExp: UnaryOperation {
    let axis: Int
    static let name = "logcumsumexp"
    static let formula = Formula(
        "yᵢ = log Σ exp xⱼ, j ≤ i", gradient: "∂L/∂xⱼ = exp(xⱼ − yⱼ) · rⱼ, rⱼ = ∂L/∂yⱼ + exp(yⱼ − yⱼ₊₁) · rⱼ₊₁")
    static let keeps: Keeps = [.input, .output]
    func forward(_ x: Tensor) -> Tensor { CPU.scan(.logSumExp, x, axis: axis, reverse: false) }
    /// No exponent is above zero, so nothing overflows. Where y is still −∞, so is x, and the gradient is 0.
    func gradient(_ dy: Tensor, _ kept: Kept) -> Tensor {
        let (x, y) = (kept.input, kept.output)
        let isEmpty = y.detach() .== -Double.infinity
        let level = y.maskedFill(isEmpty, 0)
        let factors = (level - level.moved(forth: axis)).exp().maskedFill(isEmpty, 0)
        return (x - level).exp() * apply(LinearRecurrence(axis: axis, reverse: true), to: factors, dy)
    }
    static let samples = [Sample(LogCumsumExp(axis: 1), -3...3, shape: [2, 4])]
}

/// r_i = b_i + a_i · r_{i−1} along an axis, from nothing; or r_i = b_i + a_i · r_{i+1} from the end.
struct LinearRecurrence: BinaryOperation {
    let axis: Int
    let reverse: Bool
    static let name = "linear_recurrence"
    static let formula = Formula(
        "rᵢ = bᵢ + aᵢ · rᵢ₋₁", gradient: "gᵢ = ∂L/∂rᵢ + aᵢ₊₁ · gᵢ₊₁, ∂L/∂bᵢ = gᵢ, ∂L/∂aᵢ = gᵢ · rᵢ₋₁")
    static let keeps: Keeps = [.left, .output]
    func forward(_ a: Tensor, _ b: Tensor) -> Tensor { CPU.recurrence(a, b, axis: axis, reverse: reverse) }
    func gradientLeft(_ dr: Tensor, _ kept: Kept) -> Tensor {
        let before = reverse ? kept.output.moved(forth: axis) : kept.output.moved(back: axis, filling: 0)
        return gradientRight(dr, kept) * before
    }
    func gradientRight(_ dr: Tensor, _ kept: Kept) -> Tensor {
        let a = kept.leftInput
        let next = reverse ? a.moved(back: axis, filling: 0) : a.moved(forth: axis)
        return apply(LinearRecurrence(axis: axis, reverse: !reverse), to: next, dr)
    }
    static let samples = [
        Sample(LinearRecurrence(axis: 1, reverse: false), -1...1, -3...3, shapes: ([2, 4], [2, 4])),
        Sample(LinearRecurrence(axis: 0, reverse: true), -1...1, -3...3, shapes: ([4, 2], [4, 2])),
    ]
}

/// The largest (or smallest) element so far along an axis, and its place, int64.
struct RunningExtremum: VariadicOperation {
    let axis: Int
    let minimum: Bool
    static let name = "cummax"
    static let formula = Formula("yᵢ = max xⱼ, j ≤ i", gradient: "∂L/∂xⱼ = Σ ∂L/∂yᵢ where xⱼ is the largest")
    static let dtypes: DTypes = .all
    static let keeps: Keeps = .otherOutputs
    func forward(_ inputs: [Tensor]) -> [Tensor] { CPU.runningExtremum(inputs[0], axis: axis, minimum: minimum) }
    func gradients(_ dy: [Tensor?], _ kept: KeptList, needs: [Bool]) -> [Tensor?] {
        guard let dy = dy[0] else { return [] }
        return [apply(ScatterAdd(axis: axis, shape: dy.shape), to: dy, kept.outputs[1])]
    }
    static let samples = [
        Sample([Sample.Input(.distinct, shape: [2, 5])]) { [$0[0].cummax(dim: 1).values] },
        Sample([Sample.Input(.distinct, shape: [5, 2])]) { [$0[0].cummin(dim: 0).values] },
    ]
}

extension Tensor {
    /// The running sum along `dim`. Integers and booleans give int64.
    public func cumsum(dim: Int) -> Tensor { scanned(dim, in: "cumsum") { Cumsum(axis: $0) } }

    /// The running product along `dim`. Integers and booleans give int64.
    public func cumprod(dim: Int) -> Tensor { scanned(dim, in: "cumprod") { Cumprod(axis: $0) } }

    /// log(e^x₀ + … + e^xᵢ) along `dim`, without overflow.
    public func logcumsumexp(dim: Int) -> Tensor {
        to(dtype.asFloatingPoint).scanned(dim, in: "logcumsumexp") { LogCumsumExp(axis: $0) }
    }

    /// The largest element so far along `dim` and its place (the last one of equals). NaN stays. The values are differentiable.
    public func cummax(dim: Int) -> (values: Tensor, indices: Tensor) { running(dim, minimum: false, in: "cummax") }

    /// The smallest element so far along `dim` and its place (the last one of equals). NaN stays. The values are differentiable.
    public func cummin(dim: Int) -> (values: Tensor, indices: Tensor) { running(dim, minimum: true, in: "cummin") }

    private func scanned<O: UnaryOperation>(_ dim: Int, in operation: String, _ make: (Int) -> O) -> Tensor {
        guard let axis = axis(dim, in: operation) else { return .placeholderAfterError }
        return apply(make(axis), to: dtype.isFloatingPoint ? self : to(.int64))
    }

    private func running(_ dim: Int, minimum: Bool, in operation: String) -> (values: Tensor, indices: Tensor) {
        guard let axis = axis(dim, in: operation) else { return (.placeholderAfterError, .placeholderAfterError) }
        let results = apply(RunningExtremum(axis: axis, minimum: minimum), to: [self])
        return (results[0], results[1])
    }

    /// The differences of neighbours along `dim`, `n` times over, after `prepend` and `append` were joined to the ends.
    public func diff(n: Int = 1, dim: Int = -1, prepend: Tensor? = nil, append: Tensor? = nil) -> Tensor {
        guard let axis = existingAxis(dim, in: "diff") else { return .placeholderAfterError }
        guard n >= 0 else { return fail("diff", "n must not be negative, it is \(n)") }
        if n == 0 { return self }
        var result = self
        if prepend != nil || append != nil {
            result = cat([prepend, self, append].compactMap { $0 }, dim: axis)
        }
        for _ in 0..<n where result.shape[axis] > 0 {
            let size = result.shape[axis] - 1
            let (upper, lower) = (result.narrowed(axis, 1, size), result.narrowed(axis, 0, size))
            result = dtype == .bool ? upper.logicalXor(lower) : upper - lower
        }
        return result
    }

    /// y_i = x_{i−1} along an axis, with `first` at the beginning.
    fileprivate func moved(back axis: Int, filling first: Int) -> Tensor { moved(axis, forth: false, filling: first) }

    /// y_i = x_{i+1} along an axis, with 0 at the end.
    fileprivate func moved(forth axis: Int) -> Tensor { moved(axis, forth: true, filling: 0) }

    private func moved(_ axis: Int, forth: Bool, filling: Int) -> Tensor {
        if rank == 0 { return Tensor.full([], filling, dtype: dtype) }
        if shape[axis] == 0 { return self }
        var edge = shape
        edge[axis] = 1
        let fill = Tensor.full(edge, filling, dtype: dtype)
        let rest = narrowed(axis, forth ? 1 : 0, shape[axis] - 1)
        return cat(forth ? [rest, fill] : [fill, rest], dim: axis)
    }
}
