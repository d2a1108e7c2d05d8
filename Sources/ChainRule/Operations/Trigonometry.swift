import CKernels

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

// Sine and cosine have kernels; the others are computed in double by the system's library, one element at a time.

let trigonometricOperations: [any Operation.Type] = [
    Sin.self, Cos.self, Tan.self, Asin.self, Acos.self, Atan.self, Sinh.self, Cosh.self, Asinh.self, Acosh.self,
    Atanh.self, Atan2.self, Hypot.self,
]

/// y = sin x
struct Sin: UnaryOperation, ElementwiseOperation, FusableOperation {
    static let name = "sin"
    static let formula = Formula("sin x", gradient: "∂L/∂x = ∂L/∂y · cos x")
    static let keeps: Keeps = .input
    var kernel: ElementwiseKernel { .unary(CK_SIN) }
    func forward(_ x: Tensor) -> Tensor { CPU.unary(CK_SIN, x) }
    func gradient(_ dy: Tensor, _ kept: Kept) -> Tensor { dy * kept.input.cos() }
    static let samples = [Sample(Sin(), -3...3)]
}

/// y = cos x
struct Cos: UnaryOperation, ElementwiseOperation, FusableOperation {
    static let name = "cos"
    static let formula = Formula("cos x", gradient: "∂L/∂x = −∂L/∂y · sin x")
    static let keeps: Keeps = .input
    var kernel: ElementwiseKernel { .unary(CK_COS) }
    func forward(_ x: Tensor) -> Tensor { CPU.unary(CK_COS, x) }
    func gradient(_ dy: Tensor, _ kept: Kept) -> Tensor { -dy * kept.input.sin() }
    static let samples = [Sample(Cos(), -3...3)]
}

/// y = tan x
struct Tan: LoopedUnaryOperation {
    static let name = "tan"
    static let formula = Formula("tan x", gradient: "∂L/∂x = ∂L/∂y · (1 + y²)")
    static let keeps: Keeps = .output
    func value<T: BinaryFloatingPoint>(_ x: T) -> T { T(tan(Double(x))) }
    func gradient(_ dy: Tensor, _ kept: Kept) -> Tensor { dy * (kept.output.squared() + 1) }
    static let samples = [Sample(Tan(), -1.2...1.2)]
}

/// y = arcsin x
struct Asin: LoopedUnaryOperation {
    static let name = "asin"
    static let formula = Formula("arcsin x", gradient: "∂L/∂x = ∂L/∂y / √(1 − x²)")
    static let keeps: Keeps = .input
    func value<T: BinaryFloatingPoint>(_ x: T) -> T { T(asin(Double(x))) }
    func gradient(_ dy: Tensor, _ kept: Kept) -> Tensor { dy * (1 - kept.input.squared()).rsqrt() }
    static let samples = [Sample(Asin(), -0.9...0.9)]
}

/// y = arccos x
struct Acos: LoopedUnaryOperation {
    static let name = "acos"
    static let formula = Formula("arccos x", gradient: "∂L/∂x = −∂L/∂y / √(1 − x²)")
    static let keeps: Keeps = .input
    func value<T: BinaryFloatingPoint>(_ x: T) -> T { T(acos(Double(x))) }
    func gradient(_ dy: Tensor, _ kept: Kept) -> Tensor { -dy * (1 - kept.input.squared()).rsqrt() }
    static let samples = [Sample(Acos(), -0.9...0.9)]
}

/// y = arctan x
struct Atan: LoopedUnaryOperation {
    static let name = "atan"
    static let formula = Formula("arctan x", gradient: "∂L/∂x = ∂L/∂y / (1 + x²)")
    static let keeps: Keeps = .input
    func value<T: BinaryFloatingPoint>(_ x: T) -> T { T(atan(Double(x))) }
    func gradient(_ dy: Tensor, _ kept: Kept) -> Tensor { dy / (kept.input.squared() + 1) }
    static let samples = [Sample(Atan(), -3...3)]
}

/// y = sinh x
struct Sinh: LoopedUnaryOperation {
    static let name = "sinh"
    static let formula = Formula("sinh x", gradient: "∂L/∂x = ∂L/∂y · cosh x")
    static let keeps: Keeps = .input
    func value<T: BinaryFloatingPoint>(_ x: T) -> T { T(sinh(Double(x))) }
    func gradient(_ dy: Tensor, _ kept: Kept) -> Tensor { dy * kept.input.cosh() }
    static let samples = [Sample(Sinh(), -2...2)]
}

/// y = cosh x
struct Cosh: LoopedUnaryOperation {
    static let name = "cosh"
    static let formula = Formula("cosh x", gradient: "∂L/∂x = ∂L/∂y · sinh x")
    static let keeps: Keeps = .input
    func value<T: BinaryFloatingPoint>(_ x: T) -> T { T(cosh(Double(x))) }
    func gradient(_ dy: Tensor, _ kept: Kept) -> Tensor { dy * kept.input.sinh() }
    static let samples = [Sample(Cosh(), -2...2)]
}

/// y = arsinh x
struct Asinh: LoopedUnaryOperation {
    static let name = "asinh"
    static let formula = Formula("arsinh x", gradient: "∂L/∂x = ∂L/∂y / √(x² + 1)")
    static let keeps: Keeps = .input
    func value<T: BinaryFloatingPoint>(_ x: T) -> T { T(asinh(Double(x))) }
    func gradient(_ dy: Tensor, _ kept: Kept) -> Tensor { dy * (kept.input.squared() + 1).rsqrt() }
    static let samples = [Sample(Asinh(), -3...3)]
}

/// y = arcosh x
struct Acosh: LoopedUnaryOperation {
    static let name = "acosh"
    static let formula = Formula("arcosh x", gradient: "∂L/∂x = ∂L/∂y / √(x² − 1)")
    static let keeps: Keeps = .input
    func value<T: BinaryFloatingPoint>(_ x: T) -> T { T(acosh(Double(x))) }
    func gradient(_ dy: Tensor, _ kept: Kept) -> Tensor { dy * (kept.input.squared() - 1).rsqrt() }
    static let samples = [Sample(Acosh(), 1.3...4)]
}

/// y = artanh x
struct Atanh: LoopedUnaryOperation {
    static let name = "atanh"
    static let formula = Formula("artanh x", gradient: "∂L/∂x = ∂L/∂y / (1 − x²)")
    static let keeps: Keeps = .input
    func value<T: BinaryFloatingPoint>(_ x: T) -> T { T(atanh(Double(x))) }
    func gradient(_ dy: Tensor, _ kept: Kept) -> Tensor { dy / (1 - kept.input.squared()) }
    static let samples = [Sample(Atanh(), -0.9...0.9)]
}

/// The angle of the point (b, a): y = arctan(a / b) in the right quadrant
struct Atan2: LoopedBinaryOperation {
    static let name = "atan2"
    static let formula = Formula(
        "atan2(a, b)", gradient: "∂L/∂a = ∂L/∂y · b / (a² + b²), ∂L/∂b = −∂L/∂y · a / (a² + b²)")
    static let keeps: Keeps = .inputs
    func value<T: BinaryFloatingPoint>(_ a: T, _ b: T) -> T { T(atan2(Double(a), Double(b))) }
    func gradientLeft(_ dy: Tensor, _ kept: Kept) -> Tensor { dy * (kept.rightInput * inverseSquaredRadius(kept)) }
    func gradientRight(_ dy: Tensor, _ kept: Kept) -> Tensor { dy * (-kept.leftInput * inverseSquaredRadius(kept)) }

    /// 1 / (a² + b²), and 0 at the origin, where the angle has no derivative.
    private func inverseSquaredRadius(_ kept: Kept) -> Tensor {
        let squaredRadius = kept.leftInput.squared() + kept.rightInput.squared()
        let isOrigin = squaredRadius .== 0
        return squaredRadius.maskedFill(isOrigin, 1).reciprocal().maskedFill(isOrigin, 0)
    }
    static let samples = [Sample(Atan2(), 0.3...3, -3...3), Sample(Atan2(), -3 ... -0.3, -3...3)]
}

/// y = √(a² + b²) without overflow
struct Hypot: LoopedBinaryOperation {
    static let name = "hypot"
    static let formula = Formula("√(a² + b²)", gradient: "∂L/∂a = ∂L/∂y · a / y, ∂L/∂b = ∂L/∂y · b / y")
    static let keeps: Keeps = [.left, .right, .output]
    func value<T: BinaryFloatingPoint>(_ a: T, _ b: T) -> T {
        let (x, y) = (Double(a), Double(b))
        // The squares of floats neither overflow nor underflow in double.
        let root = T.self == Float.self ? (x * x + y * y).squareRoot() : .nan
        return T(root.isNaN ? hypot(x, y) : root)
    }
    func gradientLeft(_ dy: Tensor, _ kept: Kept) -> Tensor { dy * (kept.leftInput / kept.output) }
    func gradientRight(_ dy: Tensor, _ kept: Kept) -> Tensor { dy * (kept.rightInput / kept.output) }
    static let samples = [Sample(Hypot(), 0.3...3, -3...3)]
}

extension Tensor {
    /// The sine of each element, in radians.
    public func sin() -> Tensor { applyFloating(Sin()) }
    /// The cosine of each element, in radians.
    public func cos() -> Tensor { applyFloating(Cos()) }
    /// The tangent of each element, in radians.
    public func tan() -> Tensor { applyFloating(Tan()) }
    /// The arc sine of each element; NaN outside [−1, 1].
    public func asin() -> Tensor { applyFloating(Asin()) }
    /// The arc cosine of each element; NaN outside [−1, 1].
    public func acos() -> Tensor { applyFloating(Acos()) }
    /// The arc tangent of each element.
    public func atan() -> Tensor { applyFloating(Atan()) }
    /// The hyperbolic sine of each element.
    public func sinh() -> Tensor { applyFloating(Sinh()) }
    /// The hyperbolic cosine of each element.
    public func cosh() -> Tensor { applyFloating(Cosh()) }
    /// The inverse hyperbolic sine of each element.
    public func asinh() -> Tensor { applyFloating(Asinh()) }
    /// The inverse hyperbolic cosine of each element; NaN below 1.
    public func acosh() -> Tensor { applyFloating(Acosh()) }
    /// The inverse hyperbolic tangent of each element; NaN outside [−1, 1].
    public func atanh() -> Tensor { applyFloating(Atanh()) }
    /// The angle of the point (x: `other`, y: `self`), from −π to π.
    public func atan2(_ other: Tensor) -> Tensor { Tensor.binaryPromoted(Atan2(), self, other, floating: true) }
    /// √(a² + b²) of each pair, without overflow on the way.
    public func hypot(_ other: Tensor) -> Tensor { Tensor.binaryPromoted(Hypot(), self, other, floating: true) }
    /// Degrees as radians.
    public func deg2rad() -> Tensor { self * (Double.pi / 180) }
    /// Radians as degrees.
    public func rad2deg() -> Tensor { self * (180 / Double.pi) }
}
