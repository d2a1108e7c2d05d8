import CKernels

let roundingOperations: [any Operation.Type] = [
    Abs.self, Sign.self, Floor.self, Ceil.self, Round.self, Trunc.self,
]

/// y = |x|
struct Abs: UnaryOperation, ElementwiseOperation, FusableOperation {
    static let name = "abs"
    static let formula = Formula("|x|", gradient: "∂L/∂x = ∂L/∂y · sign x")
    static let dtypes: DTypes = .all
    static let keeps: Keeps = .input
    var kernel: ElementwiseKernel { .unary(CK_ABS) }
    func forward(_ x: Tensor) -> Tensor {
        x.dtype.isFloatingPoint ? CPU.unary(CK_ABS, x) : CPU.integerUnary(.absolute, x, name: Self.name)
    }
    func gradient(_ dy: Tensor, _ kept: Kept) -> Tensor { dy * kept.input.sign() }
    static let samples = [Sample(Abs(), 0.2...3), Sample(Abs(), -3 ... -0.2)]
}

/// A function that is constant between its jumps: its gradient is 0.
protocol StepUnaryOperation: UnaryOperation, ElementwiseOperation {
    static var kernel: ck_unary { get }
}

extension StepUnaryOperation {
    static var keeps: Keeps { [] }
    func forward(_ x: Tensor) -> Tensor { CPU.unary(Self.kernel, x) }
    func gradient(_ dy: Tensor, _ kept: Kept) -> Tensor { dy.zeroGradient() }
}

/// y = −1, 0 or 1
struct Sign: StepUnaryOperation {
    static let name = "sign"
    static let formula = Formula("sign x", gradient: "∂L/∂x = 0")
    static let dtypes: DTypes = .all
    static let kernel = CK_SIGN
    func forward(_ x: Tensor) -> Tensor {
        x.dtype.isFloatingPoint ? CPU.unary(Self.kernel, x) : CPU.integerUnary(.sign, x, name: Self.name)
    }
    static let samples = [Sample(Sign(), 0.2...3), Sample(Sign(), -3 ... -0.2)]
}

/// y = ⌊x⌋
struct Floor: StepUnaryOperation {
    static let name = "floor"
    static let formula = Formula("⌊x⌋", gradient: "∂L/∂x = 0")
    static let kernel = CK_FLOOR
    static let samples = [Sample(Floor(), 0.1...0.9), Sample(Floor(), -1.9 ... -1.1)]
}

/// y = ⌈x⌉
struct Ceil: StepUnaryOperation {
    static let name = "ceil"
    static let formula = Formula("⌈x⌉", gradient: "∂L/∂x = 0")
    static let kernel = CK_CEIL
    static let samples = [Sample(Ceil(), 0.1...0.9), Sample(Ceil(), -1.9 ... -1.1)]
}

/// y = the nearest integer, the even one of two
struct Round: StepUnaryOperation {
    static let name = "round"
    static let formula = Formula("round x", gradient: "∂L/∂x = 0")
    static let kernel = CK_ROUND
    static let samples = [Sample(Round(), -0.4...0.4), Sample(Round(), 0.6...1.4)]
}

/// y = x without its fraction
struct Trunc: StepUnaryOperation {
    static let name = "trunc"
    static let formula = Formula("trunc x", gradient: "∂L/∂x = 0")
    static let kernel = CK_TRUNC
    static let samples = [Sample(Trunc(), -0.9...0.9), Sample(Trunc(), 1.1...1.9)]
}

extension Tensor {
    /// The magnitude of each element. The gradient at 0 is 0.
    public func abs() -> Tensor {
        dtype == .bool ? fail("abs", "not defined for booleans") : apply(Abs(), to: self)
    }
    /// −1, 0 or 1 by the sign of each element; NaN gives 0. The gradient is 0.
    public func sign() -> Tensor { apply(Sign(), to: self) }
    /// Where the sign bit is set: negative numbers and −0.
    public func signbit() -> Tensor {
        // 1 / −0 is −∞, the only trace that −0 leaves.
        dtype.isFloatingPoint ? Tensor.where(detach() .== 0, detach().reciprocal(), detach()) .< 0 : self .< 0
    }
    /// The largest integer not above each element. Integers stay what they are, here and in the next three.
    public func floor() -> Tensor { rounded(Floor()) }
    /// The smallest integer not below each element.
    public func ceil() -> Tensor { rounded(Ceil()) }
    /// The integer towards 0 from each element.
    public func trunc() -> Tensor { rounded(Trunc()) }
    /// The nearest integer to each element, the even one of two that are equally near.
    public func round() -> Tensor { rounded(Round()) }

    /// Rounds to `decimals` places after the point; negative ones count before it.
    public func round(decimals: Int) -> Tensor {
        guard dtype.isFloatingPoint else {
            return decimals >= 0 ? self : fail("round", "decimals must not be negative for \(dtype)")
        }
        var power = 1.0
        for _ in 0..<decimals.magnitude { power *= 10 }
        if decimals == 0 { return round() }
        return decimals > 0 ? (self * power).round() / power : (self / power).round() * power
    }

    /// The part after the point: x − trunc x, with the sign of x.
    public func frac() -> Tensor { self - trunc() }

    private func rounded<O: StepUnaryOperation>(_ operation: O) -> Tensor {
        if dtype == .bool { return fail(O.name, "not defined for booleans") }
        return dtype.isFloatingPoint ? apply(operation, to: self) : self
    }
}
