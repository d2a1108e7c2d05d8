import CKernels

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
struct Tan: UnaryOperation, ElementwiseOperation, FusableOperation {
    static let name = "tan"
    static let formula = Formula("tan x", gradient: "∂L/∂x = ∂L/∂y · (1 + y²)")
    static let keeps: Keeps = .output
    var kernel: ElementwiseKernel { .unary(CK_TAN) }
    func forward(_ x: Tensor) -> Tensor { CPU.unary(CK_TAN, x) }
    func gradient(_ dy: Tensor, _ kept: Kept) -> Tensor { dy * (kept.output.squared() + 1) }
    static let samples = [Sample(Tan(), -1.2...1.2)]
}

/// y = arcsin x
struct Asin: UnaryOperation, ElementwiseOperation, FusableOperation {
    static let name = "asin"
    static let formula = Formula("arcsin x", gradient: "∂L/∂x = ∂L/∂y / √(1 − x²)")
    static let keeps: Keeps = .input
    var kernel: ElementwiseKernel { .unary(CK_ASIN) }
    func forward(_ x: Tensor) -> Tensor { CPU.unary(CK_ASIN, x) }
    func gradient(_ dy: Tensor, _ kept: Kept) -> Tensor { dy * (1 - kept.input.squared()).rsqrt() }
    static let samples = [Sample(Asin(), -0.9...0.9)]
}

/// y = arccos x
struct Acos: UnaryOperation, ElementwiseOperation, FusableOperation {
    static let name = "acos"
    static let formula = Formula("arccos x", gradient: "∂L/∂x = −∂L/∂y / √(1 − x²)")
    static let keeps: Keeps = .input
    var kernel: ElementwiseKernel { .unary(CK_ACOS) }
    func forward(_ x: Tensor) -> Tensor { CPU.unary(CK_ACOS, x) }
    func gradient(_ dy: Tensor, _ kept: Kept) -> Tensor { -dy * (1 - kept.input.squared()).rsqrt() }
    static let samples = [Sample(Acos(), -0.9...0.9)]
}

/// y = arctan x
struct Atan: UnaryOperation, ElementwiseOperation, FusableOperation {
    static let name = "atan"
    static let formula = Formula("arctan x", gradient: "∂L/∂x = ∂L/∂y / (1 + x²)")
    static let keeps: Keeps = .input
    var kernel: ElementwiseKernel { .unary(CK_ATAN) }
    func forward(_ x: Tensor) -> Tensor { CPU.unary(CK_ATAN, x) }
    func gradient(_ dy: Tensor, _ kept: Kept) -> Tensor { dy / (kept.input.squared() + 1) }
    static let samples = [Sample(Atan(), -3...3)]
}

/// y = sinh x
struct Sinh: UnaryOperation, ElementwiseOperation, FusableOperation {
    static let name = "sinh"
    static let formula = Formula("sinh x", gradient: "∂L/∂x = ∂L/∂y · cosh x")
    static let keeps: Keeps = .input
    var kernel: ElementwiseKernel { .unary(CK_SINH) }
    func forward(_ x: Tensor) -> Tensor { CPU.unary(CK_SINH, x) }
    func gradient(_ dy: Tensor, _ kept: Kept) -> Tensor { dy * kept.input.cosh() }
    static let samples = [Sample(Sinh(), -2...2)]
}

/// y = cosh x
struct Cosh: UnaryOperation, ElementwiseOperation, FusableOperation {
    static let name = "cosh"
    static let formula = Formula("cosh x", gradient: "∂L/∂x = ∂L/∂y · sinh x")
    static let keeps: Keeps = .input
    var kernel: ElementwiseKernel { .unary(CK_COSH) }
    func forward(_ x: Tensor) -> Tensor { CPU.unary(CK_COSH, x) }
    func gradient(_ dy: Tensor, _ kept: Kept) -> Tensor { dy * kept.input.sinh() }
    static let samples = [Sample(Cosh(), -2...2)]
}

/// y = arsinh x
struct Asinh: UnaryOperation, ElementwiseOperation, FusableOperation {
    static let name = "asinh"
    static let formula = Formula("arsinh x", gradient: "∂L/∂x = ∂L/∂y / √(x² + 1)")
    static let keeps: Keeps = .input
    var kernel: ElementwiseKernel { .unary(CK_ASINH) }
    func forward(_ x: Tensor) -> Tensor { CPU.unary(CK_ASINH, x) }
    func gradient(_ dy: Tensor, _ kept: Kept) -> Tensor { dy * (kept.input.squared() + 1).rsqrt() }
    static let samples = [Sample(Asinh(), -3...3)]
}

/// y = arcosh x
struct Acosh: UnaryOperation, ElementwiseOperation, FusableOperation {
    static let name = "acosh"
    static let formula = Formula("arcosh x", gradient: "∂L/∂x = ∂L/∂y / √(x² − 1)")
    static let keeps: Keeps = .input
    var kernel: ElementwiseKernel { .unary(CK_ACOSH) }
    func forward(_ x: Tensor) -> Tensor { CPU.unary(CK_ACOSH, x) }
    func gradient(_ dy: Tensor, _ kept: Kept) -> Tensor { dy * (kept.input.squared() - 1).rsqrt() }
    static let samples = [Sample(Acosh(), 1.3...4)]
}

/// y = artanh x
struct Atanh: UnaryOperation, ElementwiseOperation, FusableOperation {
    static let name = "atanh"
    static let formula = Formula("artanh x", gradient: "∂L/∂x = ∂L/∂y / (1 − x²)")
    static let keeps: Keeps = .input
    var kernel: ElementwiseKernel { .unary(CK_ATANH) }
    func forward(_ x: Tensor) -> Tensor { CPU.unary(CK_ATANH, x) }
    func gradient(_ dy: Tensor, _ kept: Kept) -> Tensor { dy / (1 - kept.input.squared()) }
    static let samples = [Sample(Atanh(), -0.9...0.9)]
}

/// The angle of the point (b, a): y = arctan(a / b) in the right quadrant
struct Atan2: BinaryOperation, ElementwiseOperation, FusableOperation {
    static let name = "atan2"
    static let formula = Formula(
        "atan2(a, b)", gradient: "∂L/∂a = ∂L/∂y · b / (a² + b²), ∂L/∂b = −∂L/∂y · a / (a² + b²)")
    static let keeps: Keeps = .inputs
    var kernel: ElementwiseKernel { .binary(CK_ATAN2) }
    func forward(_ a: Tensor, _ b: Tensor) -> Tensor { CPU.binary(CK_ATAN2, a, b, name: Self.name) }
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
struct Hypot: BinaryOperation, ElementwiseOperation, FusableOperation {
    static let name = "hypot"
    static let formula = Formula("√(a² + b²)", gradient: "∂L/∂a = ∂L/∂y · a / y, ∂L/∂b = ∂L/∂y · b / y")
    static let keeps: Keeps = [.left, .right, .output]
    var kernel: ElementwiseKernel { .binary(CK_HYPOT) }
    func forward(_ a: Tensor, _ b: Tensor) -> Tensor { CPU.binary(CK_HYPOT, a, b, name: Self.name) }
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
