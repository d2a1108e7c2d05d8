import CKernels

let powerOperations: [any Operation.Type] = [
    Sqrt.self, Rsqrt.self, Square.self, Pow.self, PowScalar.self, ScalarPow.self,
]

/// y = √x
struct Sqrt: UnaryOperation, ElementwiseOperation, FusableOperation {
    static let name = "sqrt"
    static let formula = Formula("√x", gradient: "∂L/∂x = ∂L/∂y / (2 y)")
    static let keeps: Keeps = .output
    var kernel: ElementwiseKernel { .unary(CK_SQRT) }
    func forward(_ x: Tensor) -> Tensor { CPU.unary(CK_SQRT, x) }
    func gradient(_ dy: Tensor, _ kept: Kept) -> Tensor { dy / (kept.output * 2) }
    static let samples = [Sample(Sqrt(), 0.2...4)]
}

/// y = 1 / √x
struct Rsqrt: UnaryOperation, ElementwiseOperation, FusableOperation {
    static let name = "rsqrt"
    static let formula = Formula("1 / √x", gradient: "∂L/∂x = −½ · ∂L/∂y · y³")
    static let keeps: Keeps = .output
    var kernel: ElementwiseKernel { .unary(CK_RSQRT) }
    func forward(_ x: Tensor) -> Tensor { CPU.unary(CK_RSQRT, x) }
    func gradient(_ dy: Tensor, _ kept: Kept) -> Tensor { dy * kept.output.pow(3) * -0.5 }
    static let samples = [Sample(Rsqrt(), 0.2...4)]
}

/// y = x²
struct Square: UnaryOperation, ElementwiseOperation, FusableOperation {
    static let name = "square"
    static let formula = Formula("x²", gradient: "∂L/∂x = ∂L/∂y · 2 x")
    static let dtypes: DTypes = .all
    static let keeps: Keeps = .input
    var kernel: ElementwiseKernel { .unary(CK_SQUARE) }
    func forward(_ x: Tensor) -> Tensor {
        x.dtype.isFloatingPoint ? CPU.unary(CK_SQUARE, x) : CPU.integerUnary(.square, x, name: Self.name)
    }
    func gradient(_ dy: Tensor, _ kept: Kept) -> Tensor { dy * kept.input * 2 }
    static let samples = [Sample(Square(), -3...3)]
}

/// y = aᵇ
struct Pow: BinaryOperation, ElementwiseOperation, FusableOperation {
    static let name = "pow"
    static let formula = Formula("aᵇ", gradient: "∂L/∂a = ∂L/∂y · b aᵇ⁻¹, ∂L/∂b = ∂L/∂y · y ln a")
    static let dtypes: DTypes = .all
    static let keeps: Keeps = [.left, .right, .output]
    var kernel: ElementwiseKernel { .binary(CK_POW) }
    func forward(_ a: Tensor, _ b: Tensor) -> Tensor {
        a.dtype.isFloatingPoint
            ? CPU.binary(CK_POW, a, b, name: Self.name) : CPU.integerBinary(.power, a, b, name: Self.name)
    }
    func gradientLeft(_ dy: Tensor, _ kept: Kept) -> Tensor {
        let exponent = kept.rightInput
        // x⁰ is constant, also at 0 where x⁻¹ would be infinite.
        return (dy * (exponent * kept.leftInput.pow(exponent - 1))).maskedFill(exponent .== 0, 0)
    }
    func gradientRight(_ dy: Tensor, _ kept: Kept) -> Tensor {
        // 0ᵇ is constant for b ≥ 0; the logarithm of a 1 in place of that 0 keeps −∞ · 0 out of higher derivatives.
        let isConstant = (kept.leftInput .== 0).logicalAnd(kept.rightInput .>= 0)
        return dy * (kept.output * kept.leftInput.maskedFill(isConstant, 1).log())
    }
    static let samples = [Sample(Pow(), 0.3...3, -2...3)]
}

/// y = xᶜ
struct PowScalar: UnaryOperation, ElementwiseOperation, FusableOperation {
    let exponent: Scalar
    static let name = "pow"
    static let formula = Formula("xᶜ", gradient: "∂L/∂x = ∂L/∂y · c xᶜ⁻¹")
    static let dtypes: DTypes = .all
    static let keeps: Keeps = .input
    func forward(_ x: Tensor) -> Tensor {
        guard x.dtype.isFloatingPoint else { return integerPower(x) }
        return CPU.rounded(x, power)
    }

    /// The powers that networks use have kernels that are ten times as fast as the general one.
    private var function: ck_unary? {
        switch exponent.double {
        case 2: CK_SQUARE
        case 3: CK_CUBE
        case 0.5: CK_SQRT
        case -0.5: CK_RSQRT
        case -1: CK_RECIPROCAL
        case -2: CK_INVERSE_SQUARE
        default: nil
        }
    }
    var kernel: ElementwiseKernel { function.map { .unary($0) } ?? .withNumber(CK_POW, exponent) }

    private func power(_ x: Tensor) -> Tensor {
        function.map { CPU.unary($0, x) } ?? CPU.binary(CK_POW, x, exponent, name: Self.name)
    }
    private func integerPower(_ x: Tensor) -> Tensor {
        guard exponent.double >= 0 else {
            return fail(
                Self.name, "an integer to the negative power \(exponent) is no integer; use .to(.float32) first")
        }
        return CPU.integerBinary(.power, x, Tensor.full([], exponent, dtype: x.dtype), name: Self.name)
    }
    func gradient(_ dy: Tensor, _ kept: Kept) -> Tensor {
        switch exponent.double {
        case 0: return dy.zeroGradient()
        case 1: return dy
        default: return dy * (kept.input.pow(Scalar.floating(exponent.double - 1)) * exponent)
        }
    }
    static let samples = [
        Sample(PowScalar(exponent: .floating(2.5)), 0.3...3), Sample(PowScalar(exponent: .integer(3)), -3...3),
        Sample(PowScalar(exponent: .integer(-2)), 0.5...3), Sample(PowScalar(exponent: .floating(0.5)), 0.3...3),
    ]
}

/// y = cˣ
struct ScalarPow: UnaryOperation, ElementwiseOperation, FusableOperation {
    let base: Scalar
    static let name = "pow"
    static let formula = Formula("cˣ", gradient: "∂L/∂x = ∂L/∂y · y ln c")
    static let dtypes: DTypes = .all
    static let keeps: Keeps = [.input, .output]
    var kernel: ElementwiseKernel { .withNumber(CK_POW, base, numberFirst: true) }
    func forward(_ x: Tensor) -> Tensor {
        if x.dtype.isFloatingPoint { return CPU.binary(CK_POW, x, base, scalarFirst: true, name: Self.name) }
        return CPU.integerBinary(.power, Tensor.full([], base, dtype: x.dtype), x, name: Self.name)
    }
    func gradient(_ dy: Tensor, _ kept: Kept) -> Tensor {
        let slope = dy * (kept.output * Tensor(base.double, dtype: dy.dtype).log())
        return base.double == 0 ? slope.maskedFill(kept.input .>= 0, 0) : slope
    }
    static let samples = [Sample(ScalarPow(base: .floating(2.5)), -2...2)]
}

extension Tensor {
    /// The square root of each element; NaN below 0.
    public func sqrt() -> Tensor { applyFloating(Sqrt()) }
    /// 1 / √x of each element.
    public func rsqrt() -> Tensor { applyFloating(Rsqrt()) }
    /// 1 / x of each element.
    public func reciprocal() -> Tensor { 1.0 / self }
    /// x² of each element. Integers stay integers.
    public func squared() -> Tensor { apply(Square(), to: dtype == .bool ? to(.int64) : self) }

    /// Each element to the power of the other tensor's, with broadcasting. Integers stay integers: a negative exponent then gives 0,
    /// but ±1 for the bases ±1.
    public func pow(_ exponent: Tensor) -> Tensor {
        guard dtype != .bool || exponent.dtype != .bool else {
            return fail("pow", "not defined for two booleans; convert one with .to(.int64)")
        }
        return Tensor.binaryPromoted(Pow(), self, exponent)
    }

    /// Each element to the power `exponent`. Integers to an integer power stay integers; the power must not be negative then.
    public func pow(_ exponent: some ScalarOperand) -> Tensor {
        let scalar = exponent.scalar
        return apply(PowScalar(exponent: scalar), to: to(scalar.promoted(with: dtype)))
    }

    /// `base` to the power of each element.
    public static func pow(_ base: some ScalarOperand, _ exponent: Tensor) -> Tensor {
        let scalar = base.scalar
        return apply(ScalarPow(base: scalar), to: exponent.to(scalar.promoted(with: exponent.dtype)))
    }

    /// Each element to the power of the other tensor's, computed and answered in float64.
    public func floatPower(_ exponent: Tensor) -> Tensor { to(.float64).pow(exponent.to(.float64)) }

    /// x · 2ᵉ of each pair.
    public func ldexp(_ exponent: Tensor) -> Tensor {
        // The power of an integer is a float32, which must not widen a 16-bit float.
        (self * Tensor.pow(2.0, exponent)).to(Tensor.resultType(self, exponent).asFloatingPoint)
    }
}
