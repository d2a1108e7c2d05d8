import CKernels

let exponentialOperations: [any Operation.Type] = [
    Exp.self, Exp2.self, Expm1.self, Log.self, Log2.self, Log10.self, Log1p.self, LogAddExp.self,
]

/// y = eˣ
struct Exp: UnaryOperation, ElementwiseOperation, FusableOperation {
    static let name = "exp"
    static let formula = Formula("eˣ", gradient: "∂L/∂x = ∂L/∂y · y")
    static let keeps: Keeps = .output
    var kernel: ElementwiseKernel { .unary(CK_EXP) }
    func forward(_ x: Tensor) -> Tensor { CPU.unary(CK_EXP, x) }
    func gradient(_ dy: Tensor, _ kept: Kept) -> Tensor { dy * kept.output }
    static let samples = [Sample(Exp(), -3...3)]
}

/// y = 2ˣ
struct Exp2: UnaryOperation, ElementwiseOperation, FusableOperation {
    static let name = "exp2"
    static let formula = Formula("2ˣ", gradient: "∂L/∂x = ∂L/∂y · y · ln 2")
    static let keeps: Keeps = .output
    var kernel: ElementwiseKernel { .unary(CK_EXP2) }
    func forward(_ x: Tensor) -> Tensor { CPU.unary(CK_EXP2, x) }
    func gradient(_ dy: Tensor, _ kept: Kept) -> Tensor { dy * kept.output * naturalLogarithmOf2 }
    static let samples = [Sample(Exp2(), -3...3)]
}

/// y = eˣ − 1, exact for small x
struct Expm1: UnaryOperation, ElementwiseOperation, FusableOperation {
    static let name = "expm1"
    static let formula = Formula("eˣ − 1", gradient: "∂L/∂x = ∂L/∂y · (y + 1)")
    static let keeps: Keeps = .output
    var kernel: ElementwiseKernel { .unary(CK_EXPM1) }
    func forward(_ x: Tensor) -> Tensor { CPU.unary(CK_EXPM1, x) }
    func gradient(_ dy: Tensor, _ kept: Kept) -> Tensor { dy * (kept.output + 1) }
    static let samples = [Sample(Expm1(), -3...3)]
}

/// y = ln x
struct Log: UnaryOperation, ElementwiseOperation, FusableOperation {
    static let name = "log"
    static let formula = Formula("ln x", gradient: "∂L/∂x = ∂L/∂y / x")
    static let keeps: Keeps = .input
    var kernel: ElementwiseKernel { .unary(CK_LOG) }
    func forward(_ x: Tensor) -> Tensor { CPU.unary(CK_LOG, x) }
    func gradient(_ dy: Tensor, _ kept: Kept) -> Tensor { dy / kept.input }
    static let samples = [Sample(Log(), 0.2...4)]
}

/// y = log₂ x
struct Log2: UnaryOperation, ElementwiseOperation, FusableOperation {
    static let name = "log2"
    static let formula = Formula("log₂ x", gradient: "∂L/∂x = ∂L/∂y / (x · ln 2)")
    static let keeps: Keeps = .input
    var kernel: ElementwiseKernel { .unary(CK_LOG2) }
    func forward(_ x: Tensor) -> Tensor { CPU.unary(CK_LOG2, x) }
    func gradient(_ dy: Tensor, _ kept: Kept) -> Tensor { dy / (kept.input * naturalLogarithmOf2) }
    static let samples = [Sample(Log2(), 0.2...4)]
}

/// y = log₁₀ x
struct Log10: UnaryOperation, ElementwiseOperation, FusableOperation {
    static let name = "log10"
    static let formula = Formula("log₁₀ x", gradient: "∂L/∂x = ∂L/∂y / (x · ln 10)")
    static let keeps: Keeps = .input
    var kernel: ElementwiseKernel { .unary(CK_LOG10) }
    func forward(_ x: Tensor) -> Tensor { CPU.unary(CK_LOG10, x) }
    func gradient(_ dy: Tensor, _ kept: Kept) -> Tensor { dy / (kept.input * naturalLogarithmOf10) }
    static let samples = [Sample(Log10(), 0.2...4)]
}

/// y = ln(1 + x), exact for small x
struct Log1p: UnaryOperation, ElementwiseOperation, FusableOperation {
    static let name = "log1p"
    static let formula = Formula("ln(1 + x)", gradient: "∂L/∂x = ∂L/∂y / (1 + x)")
    static let keeps: Keeps = .input
    var kernel: ElementwiseKernel { .unary(CK_LOG1P) }
    func forward(_ x: Tensor) -> Tensor { CPU.unary(CK_LOG1P, x) }
    func gradient(_ dy: Tensor, _ kept: Kept) -> Tensor { dy / (kept.input + 1) }
    static let samples = [Sample(Log1p(), -0.8...4)]
}

/// y = log(rᵃ + rᵇ) / log r, with s = log r. Without overflow, and with the difference of infinities taken out.
struct LogAddExp: BinaryOperation, ElementwiseOperation {
    let s: Double
    static let name = "logaddexp"
    static let formula = Formula(
        "log(eˢᵃ + eˢᵇ) / s", gradient: "∂L/∂a = ∂L/∂y · σ(s (a − b)), ∂L/∂b = ∂L/∂y · σ(s (b − a))")
    static let keeps: Keeps = .inputs
    func forward(_ a: Tensor, _ b: Tensor) -> Tensor { CPU.rounded(a, b, value) }

    private func value(_ a: Tensor, _ b: Tensor) -> Tensor {
        if s == 1 { return CPU.binary(CK_LOG_ADD_EXP, a, b, name: Self.name) }
        let larger = CPU.binary(CK_MAXIMUM, a, b, name: Self.name)
        let distance = CPU.unary(CK_ABS, CPU.binary(CK_SUB, a, b, name: Self.name))
        let power = CPU.unary(CK_EXP, CPU.binary(CK_MUL, distance, .floating(-s), name: Self.name))
        let rest = CPU.binary(CK_DIV, CPU.unary(CK_LOG1P, power), .floating(s), name: Self.name)
        let infinity = Tensor.full([], .floating(.infinity), dtype: larger.dtype)
        let isInfinite = CPU.compare(CK_EQ, CPU.unary(CK_ABS, larger), infinity, name: Self.name)
        return CPU.select(isInfinite, larger, CPU.binary(CK_ADD, larger, rest, name: Self.name), name: Self.name)
    }
    func gradientLeft(_ dy: Tensor, _ kept: Kept) -> Tensor { dy * share(kept.leftInput, kept.rightInput) }
    func gradientRight(_ dy: Tensor, _ kept: Kept) -> Tensor { dy * share(kept.rightInput, kept.leftInput) }
    private func share(_ a: Tensor, _ b: Tensor) -> Tensor { (s == 1 ? a - b : (a - b) * s).sigmoid() }
    static let samples = [Sample(LogAddExp(s: 1), -3...3, -3...3), Sample(LogAddExp(s: 0.7), -3...3, -3...3)]
}

private let naturalLogarithmOf2 = 0.693147180559945309417
private let naturalLogarithmOf10 = 2.302585092994045684018

extension Tensor {
    /// eˣ of each element. Integers give float32, here and in every function below.
    public func exp() -> Tensor { applyFloating(Exp()) }
    /// 2ˣ of each element.
    public func exp2() -> Tensor { applyFloating(Exp2()) }
    /// eˣ − 1 of each element, exact also where eˣ is nearly 1.
    public func expm1() -> Tensor { applyFloating(Expm1()) }
    /// The natural logarithm of each element: NaN below 0, −∞ at 0.
    public func log() -> Tensor { applyFloating(Log()) }
    /// The logarithm to base 2 of each element.
    public func log2() -> Tensor { applyFloating(Log2()) }
    /// The logarithm to base 10 of each element.
    public func log10() -> Tensor { applyFloating(Log10()) }
    /// ln(1 + x) of each element, exact also for x near 0.
    public func log1p() -> Tensor { applyFloating(Log1p()) }

    /// Applies a function of floats; integers and booleans become float32 first.
    @inline(__always)
    func applyFloating(_ operation: some UnaryOperation) -> Tensor {
        apply(operation, to: to(dtype.asFloatingPoint))
    }

    /// log(eᵃ + eᵇ) of each pair, without overflow.
    public func logaddexp(_ other: Tensor) -> Tensor { logaddexp(other, s: 1) }

    /// log₂(2ᵃ + 2ᵇ) of each pair, without overflow.
    public func logaddexp2(_ other: Tensor) -> Tensor { logaddexp(other, s: naturalLogarithmOf2) }

    private func logaddexp(_ other: Tensor, s: Double) -> Tensor {
        let (a, b) = Tensor.floatingPair(self, other)
        return apply(LogAddExp(s: s), to: a, b)
    }

    /// Both operands as floats of their common dtype.
    static func floatingPair(_ a: Tensor, _ b: Tensor) -> (Tensor, Tensor) {
        let common = resultType(a, b).asFloatingPoint
        return (a.to(common), b.to(common))
    }
}
