let selectionOperations: [any Operation.Type] = [
    Where.self, MaskedFill.self, Clamp.self, ClampGradient.self, AddProduct.self, NanToNum.self,
]

/// y = a where the condition holds, else b. Inputs: condition, a, b
struct Where: VariadicOperation, FusableOperation {
    static let name = "where"
    static let formula = Formula(
        "a where c, else b", gradient: "∂L/∂a = ∂L/∂y where c, else 0; ∂L/∂b = 0 where c, else ∂L/∂y")
    static let dtypes: DTypes = .all
    static let keeps: Keeps = .input
    var kernel: ElementwiseKernel { .select }
    func forward(_ inputs: [Tensor]) -> [Tensor] {
        Tensor.list(CPU.select(inputs[0], inputs[1], inputs[2], name: Self.name))
    }
    func gradients(_ dy: [Tensor?], _ kept: KeptList, needs: [Bool]) -> [Tensor?] {
        guard let dy = dy[0] else { return [nil, nil, nil] }
        let condition = kept.inputs[0]
        let zero = Tensor.zeros([], dtype: dy.dtype)
        return [
            nil,
            needs[1] ? Tensor.where(condition, dy, zero).sum(toShape: kept.inputs[1].shape) : nil,
            needs[2] ? Tensor.where(condition, zero, dy).sum(toShape: kept.inputs[2].shape) : nil,
        ]
    }
    static let samples = [
        Sample(
            Where(),
            [
                Sample.Input(.booleans, shape: [2, 3]), Sample.Input(.uniform(-3...3), shape: [2, 3]),
                Sample.Input(.uniform(-3...3), shape: [3]),
            ])
    ]
}

/// y = a number where the mask holds, else x
struct MaskedFill: BinaryOperation, FusableOperation {
    let value: Scalar
    static let name = "masked_fill"
    static let formula = Formula("c where m, else x", gradient: "∂L/∂x = 0 where m, else ∂L/∂y")
    static let dtypes: DTypes = .all
    static let keeps: Keeps = .right
    var kernel: ElementwiseKernel { .fill(value) }
    func forward(_ x: Tensor, _ mask: Tensor) -> Tensor {
        CPU.maskedFill(x, mask, value, name: Self.name)
    }
    func gradientLeft(_ dy: Tensor, _ kept: Kept) -> Tensor { dy.maskedFill(kept.rightInput, 0) }
    func gradientRight(_ dy: Tensor, _ kept: Kept) -> Tensor { fail(Self.name, "a mask has no gradient") }
    static let samples = [
        Sample([Sample.Input(.uniform(-3...3), shape: [2, 3]), Sample.Input(.booleans, shape: [3])]) {
            [$0[0].maskedFill($0[1], 0.5)]
        }
    ]
}

/// y = x brought between two bounds; infinite bounds stand for none
struct Clamp: UnaryOperation, ElementwiseOperation, FusableOperation {
    let lower: Double
    let upper: Double
    static let name = "clamp"
    static let formula = Formula("min(max(x, a), b)", gradient: "∂L/∂x = ∂L/∂y where a < x < b, else 0")
    static let keeps: Keeps = .input
    var kernel: ElementwiseKernel { .clamp(lower, upper) }
    func forward(_ x: Tensor) -> Tensor { CPU.clamp(x, lower, upper) }
    func gradient(_ dy: Tensor, _ kept: Kept) -> Tensor {
        apply(ClampGradient(lower: lower, upper: upper), to: dy, kept.input)
    }
    static let samples = [
        Sample(Clamp(lower: -1, upper: 1), -0.8...0.8), Sample(Clamp(lower: -1, upper: 1), 1.2...3),
        Sample(Clamp(lower: -1, upper: .infinity), -3 ... -1.2),
    ]
}

/// g = dy where a < x < b, else 0
struct ClampGradient: BinaryOperation, ElementwiseOperation, FusableOperation {
    let lower: Double
    let upper: Double
    static let name = "clamp_gradient"
    static let formula = Formula(
        "dy where a < x < b, else 0", gradient: "∂L/∂dy = ∂L/∂g where a < x < b, else 0; ∂L/∂x = 0")
    static let keeps: Keeps = .right
    var kernel: ElementwiseKernel { .clampGradient(lower, upper) }
    func forward(_ dy: Tensor, _ x: Tensor) -> Tensor { CPU.clampGradient(dy, x, lower, upper, name: Self.name) }
    func gradientLeft(_ dg: Tensor, _ kept: Kept) -> Tensor { apply(self, to: dg, kept.rightInput) }
    func gradientRight(_ dg: Tensor, _ kept: Kept) -> Tensor { dg.zeroGradient() }
    static let samples = [
        Sample(ClampGradient(lower: -1, upper: 1), -3...3, -0.8...0.8),
        Sample(ClampGradient(lower: -1, upper: 1), -3...3, 1.2...3),
    ]
}

/// y = a + scale · b · c
struct AddProduct: VariadicOperation, FusableOperation {
    let scale: Double
    static let name = "addcmul"
    static let formula = Formula("a + s b c", gradient: "∂L/∂a = ∂L/∂y, ∂L/∂b = ∂L/∂y · s c, ∂L/∂c = ∂L/∂y · s b")
    static let keeps: Keeps = .input
    var kernel: ElementwiseKernel { .multiplyAdd(scale) }
    func forward(_ inputs: [Tensor]) -> [Tensor] {
        Tensor.list(CPU.multiplyAdd(inputs[0], inputs[1], inputs[2], scale: scale, name: Self.name))
    }
    func gradients(_ dy: [Tensor?], _ kept: KeptList, needs: [Bool]) -> [Tensor?] {
        guard let dy = dy[0] else { return [nil, nil, nil] }
        let (a, b, c) = (kept.inputs[0], kept.inputs[1], kept.inputs[2])
        let scaled = scale == 1 || !(needs[1] || needs[2]) ? dy : dy * scale
        return [
            needs[0] ? dy.sum(toShape: a.shape) : nil,
            needs[1] ? (scaled * c).sum(toShape: b.shape) : nil,
            needs[2] ? (scaled * b).sum(toShape: c.shape) : nil,
        ]
    }
    static let samples = [
        Sample(
            AddProduct(scale: 1.5),
            [
                Sample.Input(.uniform(-3...3), shape: [2, 3]), Sample.Input(.uniform(-3...3), shape: [3]),
                Sample.Input(.uniform(-3...3), shape: [2, 1]),
            ])
    ]
}

/// y = x, with numbers in place of NaN, ∞ and −∞
struct NanToNum: UnaryOperation, ElementwiseOperation {
    let fromNaN, posinf, neginf: Double
    static let name = "nan_to_num"
    static let formula = Formula("x where finite, else a number", gradient: "∂L/∂x = ∂L/∂y where x is finite, else 0")
    static let keeps: Keeps = .input
    func forward(_ x: Tensor) -> Tensor { CPU.nanToNum(x, [fromNaN, posinf, neginf]) }
    func gradient(_ dy: Tensor, _ kept: Kept) -> Tensor { dy.maskedFill(kept.input.isfinite().logicalNot(), 0) }
    static let samples = [Sample(NanToNum(fromNaN: 1, posinf: 2, neginf: 3), -3...3)]
}

extension Tensor {
    /// The elements of `a` where `condition` (booleans) holds, else those of `b`; all three broadcast.
    public static func `where`(_ condition: Tensor, _ a: Tensor, _ b: Tensor) -> Tensor {
        guard condition.dtype == .bool else {
            return fail("where", "the condition must be bool, it is \(condition.dtype); compare it first: x .!= 0")
        }
        let common = resultType(a, b)
        return applyOne(Where(), to: [condition, a.to(common), b.to(common)])
    }

    /// The elements of `a` where `condition` holds, else the number `b`.
    public static func `where`(_ condition: Tensor, _ a: Tensor, _ b: some ScalarOperand) -> Tensor {
        .where(condition, a, a.number(b.scalar))
    }

    /// The number `a` where `condition` holds, else the elements of `b`.
    public static func `where`(_ condition: Tensor, _ a: some ScalarOperand, _ b: Tensor) -> Tensor {
        .where(condition, b.number(a.scalar), b)
    }

    /// A single number in the dtype it takes beside this tensor.
    func number(_ scalar: Scalar) -> Tensor { Tensor.full([], scalar, dtype: scalar.promoted(with: dtype)) }

    /// `value` where `mask` (booleans, broadcast) holds, else the elements of this tensor. Keeps the dtype.
    public func maskedFill(_ mask: Tensor, _ value: some ScalarOperand) -> Tensor {
        guard mask.dtype == .bool else { return fail("maskedFill", "the mask must be bool, it is \(mask.dtype)") }
        return apply(MaskedFill(value: value.scalar), to: self, mask)
    }

    /// Each element brought between the bounds; NaN stays NaN. The gradient is 0 at a bound and beyond it.
    public func clamp(min: some ScalarOperand, max: some ScalarOperand) -> Tensor { clamped(min.scalar, max.scalar) }
    /// Each element raised to at least `min`.
    public func clamp(min: some ScalarOperand) -> Tensor { clamped(min.scalar, nil) }
    /// Each element lowered to at most `max`.
    public func clamp(max: some ScalarOperand) -> Tensor { clamped(nil, max.scalar) }

    private func clamped(_ min: Scalar?, _ max: Scalar?) -> Tensor {
        guard dtype != .bool else { return fail("clamp", "not defined for booleans") }
        let lower = min?.promoted(with: dtype) ?? dtype
        let upper = max?.promoted(with: dtype) ?? dtype
        if lower.isFloatingPoint || upper.isFloatingPoint {
            let clamp = Clamp(lower: min?.double ?? -.infinity, upper: max?.double ?? .infinity)
            return apply(clamp, to: to(lower.isFloatingPoint ? lower : upper))
        }
        let raised = min.map { maximum(number($0)) } ?? self
        return max.map { raised.minimum(number($0)) } ?? raised
    }

    /// Each element brought between the elements of two tensors, which broadcast; nil is no bound.
    /// Where an element equals a bound each gets half of the gradient.
    public func clamp(min: Tensor? = nil, max: Tensor? = nil) -> Tensor {
        let raised = min.map { maximum($0) } ?? self
        return max.map { raised.minimum($0) } ?? raised
    }

    /// start + weight · (end − start), with start = `self`: exact at both ends.
    public func lerp(_ end: Tensor, _ weight: some ScalarOperand) -> Tensor {
        let weight = weight.scalar.double
        let difference = end.wide - wide
        let isNearStart = weight.magnitude < 0.5
        let y = (isNearStart ? wide : end.wide).adding(difference, times: isNearStart ? weight : weight - 1)
        return y.rounded(to: dtype)
    }

    /// (1 − weight) · start + weight · end with a tensor of weights, start = `self`: exact at both ends.
    public func lerp(_ end: Tensor, _ weight: Tensor) -> Tensor {
        let (start, weight) = (wide, weight.wide)
        return start.addcmul(start, weight, value: -1).addcmul(end.wide, weight).rounded(to: dtype)
    }

    /// self + value · a · b, with broadcasting, rounded once less than three steps.
    public func addcmul(_ a: Tensor, _ b: Tensor, value: some ScalarOperand = 1) -> Tensor {
        let common = DType.promote(Tensor.resultType(self, a), Tensor.resultType(self, b))
        guard common.isFloatingPoint else { return self + a * b * value }
        return applyOne(AddProduct(scale: value.scalar.double), to: [to(common), a.to(common), b.to(common)])
    }

    /// self + value · a / b, with broadcasting.
    public func addcdiv(_ a: Tensor, _ b: Tensor, value: some ScalarOperand = 1) -> Tensor {
        let common = DType.promote(Tensor.resultType(self, a), Tensor.resultType(self, b)).asFloatingPoint
        let parts = [self, a, b].map { $0.to(common).wide }
        return parts[0].adding(parts[1] / parts[2], times: value.scalar.double).rounded(to: common)
    }

    /// self + c · x in one pass.
    func adding(_ x: Tensor, times c: Double) -> Tensor {
        c == 1 ? self + x : applyOne(AddProduct(scale: c), to: [self, x, Tensor.ones([], dtype: x.dtype)])
    }

    /// Replaces NaN, +∞ and −∞; without a number for an infinity the largest finite one of the dtype takes its place.
    public func nanToNum(nan: Double = 0, posinf: Double? = nil, neginf: Double? = nil) -> Tensor {
        guard dtype.isFloatingPoint else { return self }
        let largest = dtype.largestFinite
        return apply(NanToNum(fromNaN: nan, posinf: posinf ?? largest, neginf: neginf ?? -largest), to: self)
    }
}

extension DType {
    /// The largest finite number of a floating dtype.
    var largestFinite: Double {
        switch self {
        case .float16: 65504
        case .bfloat16: Double(BFloat16(bits: 0x7F7F).float)
        case .float32: Double(Float.greatestFiniteMagnitude)
        default: Double.greatestFiniteMagnitude
        }
    }
}
