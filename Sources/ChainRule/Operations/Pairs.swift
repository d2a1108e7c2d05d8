import CKernels

let pairOperations: [any Operation.Type] = [
    Maximum.self, Minimum.self, Fmod.self, Remainder.self, FloorDivide.self, TruncDivide.self, Copysign.self,
    Xlogy.self, Heaviside.self, GreatestCommonDivisor.self,
]

/// y = max(a, b)
struct Maximum: BinaryOperation, ElementwiseOperation, FusableOperation {
    static let name = "maximum"
    static let formula = Formula("max(a, b)", gradient: "the larger one gets ∂L/∂y; equal ones get half each")
    static let dtypes: DTypes = .all
    static let keeps: Keeps = .inputs
    var kernel: ElementwiseKernel { .binary(CK_MAXIMUM) }
    func forward(_ a: Tensor, _ b: Tensor) -> Tensor {
        CPU.extremum(CK_MAXIMUM, .maximum, a, b, name: Self.name)
    }
    func gradientLeft(_ dy: Tensor, _ kept: Kept) -> Tensor { share(dy, of: kept.leftInput, kept.rightInput, .less) }
    func gradientRight(_ dy: Tensor, _ kept: Kept) -> Tensor { share(dy, of: kept.rightInput, kept.leftInput, .less) }
    static let samples = [Sample(Maximum(), -3...0, 0.5...3), Sample(Maximum(), 0.5...3, -3...0)]
}

/// y = min(a, b)
struct Minimum: BinaryOperation, ElementwiseOperation, FusableOperation {
    static let name = "minimum"
    static let formula = Formula("min(a, b)", gradient: "the smaller one gets ∂L/∂y; equal ones get half each")
    static let dtypes: DTypes = .all
    static let keeps: Keeps = .inputs
    var kernel: ElementwiseKernel { .binary(CK_MINIMUM) }
    func forward(_ a: Tensor, _ b: Tensor) -> Tensor {
        CPU.extremum(CK_MINIMUM, .minimum, a, b, name: Self.name)
    }
    func gradientLeft(_ dy: Tensor, _ kept: Kept) -> Tensor { share(dy, of: kept.leftInput, kept.rightInput, .greater) }
    func gradientRight(_ dy: Tensor, _ kept: Kept) -> Tensor {
        share(dy, of: kept.rightInput, kept.leftInput, .greater)
    }
    static let samples = [Sample(Minimum(), -3...0, 0.5...3), Sample(Minimum(), 0.5...3, -3...0)]
}

/// What `a` gets of the gradient of an extremum of `a` and `b`: nothing where it `loses`, half on a tie.
private func share(_ dy: Tensor, of a: Tensor, _ b: Tensor, _ loses: Comparison) -> Tensor {
    let tied = Tensor.where(a .== b, dy * 0.5, dy)
    return tied.maskedFill(apply(Compare(comparison: loses), to: a, b), 0)
}

/// y = a − b · trunc(a / b)
struct Fmod: BinaryOperation, ElementwiseOperation, FusableOperation {
    static let name = "fmod"
    static let formula = Formula("a − b trunc(a / b)", gradient: "∂L/∂a = ∂L/∂y, ∂L/∂b = −∂L/∂y · trunc(a / b)")
    static let dtypes: DTypes = .all
    static let keeps: Keeps = .inputs
    var kernel: ElementwiseKernel { .binary(CK_FMOD) }
    func forward(_ a: Tensor, _ b: Tensor) -> Tensor {
        a.dtype.isFloatingPoint
            ? CPU.binary(CK_FMOD, a, b, name: Self.name) : CPU.integerBinary(.fmod, a, b, name: Self.name)
    }
    func gradientLeft(_ dy: Tensor, _ kept: Kept) -> Tensor { dy }
    func gradientRight(_ dy: Tensor, _ kept: Kept) -> Tensor { -dy * kept.leftInput.truncDivide(kept.rightInput) }
    static let samples = [Sample(Fmod(), 0.2...0.8, 1.2...2), Sample(Fmod(), -1.8 ... -1.2, 0.95...1.1)]
}

/// y = a − b · ⌊a / b⌋: has the sign of b
struct Remainder: BinaryOperation, ElementwiseOperation, FusableOperation {
    static let name = "remainder"
    static let formula = Formula("a − b ⌊a / b⌋", gradient: "∂L/∂a = ∂L/∂y, ∂L/∂b = −∂L/∂y · ⌊a / b⌋")
    static let dtypes: DTypes = .all
    static let keeps: Keeps = .inputs
    var kernel: ElementwiseKernel { .binary(CK_REMAINDER) }
    func forward(_ a: Tensor, _ b: Tensor) -> Tensor {
        a.dtype.isFloatingPoint
            ? CPU.binary(CK_REMAINDER, a, b, name: Self.name) : CPU.integerBinary(.remainder, a, b, name: Self.name)
    }
    func gradientLeft(_ dy: Tensor, _ kept: Kept) -> Tensor { dy }
    func gradientRight(_ dy: Tensor, _ kept: Kept) -> Tensor { -dy * kept.leftInput.floorDivide(kept.rightInput) }
    static let samples = [Sample(Remainder(), 0.2...0.8, 1.2...2), Sample(Remainder(), -1.8 ... -1.2, 0.95...1.1)]
}

/// y = ⌊a / b⌋
struct FloorDivide: BinaryOperation, ElementwiseOperation, FusableOperation {
    static let name = "floor_divide"
    static let formula = Formula("⌊a / b⌋", gradient: "∂L/∂a = 0, ∂L/∂b = 0")
    static let dtypes: DTypes = .all
    static let keeps: Keeps = []
    var kernel: ElementwiseKernel { .binary(CK_FLOOR_DIVIDE) }
    func forward(_ a: Tensor, _ b: Tensor) -> Tensor {
        a.dtype.isFloatingPoint
            ? CPU.binary(CK_FLOOR_DIVIDE, a, b, name: Self.name)
            : CPU.integerBinary(.floorDivide, a, b, name: Self.name)
    }
    func gradientLeft(_ dy: Tensor, _ kept: Kept) -> Tensor { dy.zeroGradient() }
    func gradientRight(_ dy: Tensor, _ kept: Kept) -> Tensor { dy.zeroGradient() }
    static let samples = [Sample(FloorDivide(), 0.2...0.8, 1.2...2)]
}

/// y = trunc(a / b)
struct TruncDivide: BinaryOperation, ElementwiseOperation, FusableOperation {
    static let name = "trunc_divide"
    static let formula = Formula("trunc(a / b)", gradient: "∂L/∂a = 0, ∂L/∂b = 0")
    static let dtypes: DTypes = .all
    static let keeps: Keeps = []
    var kernel: ElementwiseKernel { .binary(CK_TRUNC_DIVIDE) }
    func forward(_ a: Tensor, _ b: Tensor) -> Tensor {
        a.dtype.isFloatingPoint
            ? CPU.binary(CK_TRUNC_DIVIDE, a, b, name: Self.name)
            : CPU.integerBinary(.truncDivide, a, b, name: Self.name)
    }
    func gradientLeft(_ dy: Tensor, _ kept: Kept) -> Tensor { dy.zeroGradient() }
    func gradientRight(_ dy: Tensor, _ kept: Kept) -> Tensor { dy.zeroGradient() }
    static let samples = [Sample(TruncDivide(), 0.2...0.8, 1.2...2)]
}

/// y = |a| with the sign of b
struct Copysign: LoopedBinaryOperation {
    static let name = "copysign"
    static let formula = Formula("|a| with the sign of b", gradient: "∂L/∂a = ∂L/∂y · y / a, ∂L/∂b = 0")
    static let keeps: Keeps = [.left, .output]
    func value<T: BinaryFloatingPoint>(_ a: T, _ b: T) -> T { T(signOf: b, magnitudeOf: a) }
    func gradientLeft(_ dy: Tensor, _ kept: Kept) -> Tensor {
        // The product of the signs: ±1, and 0 at a = 0.
        dy * (kept.leftInput.detach().sign() * kept.output.detach().sign())
    }
    func gradientRight(_ dy: Tensor, _ kept: Kept) -> Tensor { dy.zeroGradient() }
    static let samples = [Sample(Copysign(), 0.2...3, -3 ... -0.2), Sample(Copysign(), -3 ... -0.2, -3 ... -0.2)]
}

/// y = a ln b, and 0 where a = 0
struct Xlogy: BinaryOperation, ElementwiseOperation, FusableOperation {
    static let name = "xlogy"
    static let formula = Formula("a ln b", gradient: "∂L/∂a = ∂L/∂y · ln b, ∂L/∂b = ∂L/∂y · a / b")
    static let keeps: Keeps = .inputs
    var kernel: ElementwiseKernel { .binary(CK_XLOGY) }
    func forward(_ a: Tensor, _ b: Tensor) -> Tensor { CPU.binary(CK_XLOGY, a, b, name: Self.name) }
    func gradientLeft(_ dy: Tensor, _ kept: Kept) -> Tensor {
        let vanishes = (kept.leftInput .== 0).logicalAnd(kept.rightInput .<= 0)
        return dy * kept.rightInput.maskedFill(vanishes, 1).log()
    }
    func gradientRight(_ dy: Tensor, _ kept: Kept) -> Tensor { dy * (kept.leftInput / kept.rightInput) }
    static let samples = [Sample(Xlogy(), -3...3, 0.3...3)]
}

/// y = 0 where x < 0, b where x = 0, 1 where x > 0
struct Heaviside: LoopedBinaryOperation, NotDifferentiable {
    static let name = "heaviside"
    static let reason = "it jumps at 0"
    func value<T: BinaryFloatingPoint>(_ x: T, _ b: T) -> T { x == 0 ? b : x > 0 ? 1 : 0 }
}

/// y = the greatest common divisor of two integers
struct GreatestCommonDivisor: BinaryOperation, ElementwiseOperation, NotDifferentiable {
    static let name = "gcd"
    static let dtypes: DTypes = .discrete
    static let reason = "its inputs are integers"
    func forward(_ a: Tensor, _ b: Tensor) -> Tensor { CPU.greatestCommonDivisor(a, b, name: Self.name) }
}

extension Tensor {
    /// The larger of each pair; a NaN wins. Where both are equal each gets half of the gradient.
    public func maximum(_ other: Tensor) -> Tensor { Tensor.binaryPromoted(Maximum(), self, other) }
    /// The smaller of each pair; a NaN wins. Where both are equal each gets half of the gradient.
    public func minimum(_ other: Tensor) -> Tensor { Tensor.binaryPromoted(Minimum(), self, other) }

    /// The larger of each pair; a number wins over a NaN.
    public func fmax(_ other: Tensor) -> Tensor {
        let (a, b) = numbersFirst(other)
        return a.maximum(b)
    }
    /// The smaller of each pair; a number wins over a NaN.
    public func fmin(_ other: Tensor) -> Tensor {
        let (a, b) = numbersFirst(other)
        return a.minimum(b)
    }

    /// The pair with each NaN replaced by its partner.
    private func numbersFirst(_ other: Tensor) -> (Tensor, Tensor) {
        let (isNaN, otherIsNaN) = (isnan(), other.isnan())
        // Of two NaN the first one gets the gradient.
        let number = other.maskedFill(otherIsNaN, Double.nan)
        return (.where(isNaN, number, self), .where(otherIsNaN, self, other))
    }

    /// The remainder of each division, with the sign of the dividend.
    public func fmod(_ other: Tensor) -> Tensor { Tensor.binaryPromoted(Fmod(), self, other) }
    public func fmod(_ other: some ScalarOperand) -> Tensor { fmod(number(other.scalar)) }
    /// The remainder of each division, with the sign of the divisor, as Python's %.
    public func remainder(_ other: Tensor) -> Tensor { Tensor.binaryPromoted(Remainder(), self, other) }
    public func remainder(_ other: some ScalarOperand) -> Tensor { remainder(number(other.scalar)) }
    /// Each quotient rounded down. Integers stay integers. The gradient is 0.
    public func floorDivide(_ other: Tensor) -> Tensor { Tensor.binaryPromoted(FloorDivide(), self, other) }
    public func floorDivide(_ other: some ScalarOperand) -> Tensor { floorDivide(number(other.scalar)) }
    /// Each quotient rounded towards 0. Integers stay integers. The gradient is 0.
    public func truncDivide(_ other: Tensor) -> Tensor { Tensor.binaryPromoted(TruncDivide(), self, other) }
    public func truncDivide(_ other: some ScalarOperand) -> Tensor { truncDivide(number(other.scalar)) }

    /// The magnitude of each element with the sign of the other tensor's.
    public func copysign(_ other: Tensor) -> Tensor { Tensor.binaryPromoted(Copysign(), self, other, floating: true) }
    /// a · ln b of each pair, 0 where a = 0.
    public func xlogy(_ other: Tensor) -> Tensor { Tensor.binaryPromoted(Xlogy(), self, other, floating: true) }
    /// 0 below 0, `values` at 0, 1 above 0; NaN gives 0.
    public func heaviside(_ values: Tensor) -> Tensor {
        let common = Tensor.resultType(self, values)
        let y = Tensor.binaryPromoted(Heaviside(), self, values, floating: true)
        return common.isFloatingPoint ? y : y.to(common)
    }
    /// The greatest common divisor of each pair of integers.
    public func gcd(_ other: Tensor) -> Tensor { Tensor.binaryPromoted(GreatestCommonDivisor(), self, other) }
    /// The least common multiple of each pair of integers.
    public func lcm(_ other: Tensor) -> Tensor {
        let divisor = gcd(other)
        return (self.floorDivide(divisor.maximum(divisor.number(.integer(1)))) * other).abs()
    }
}

extension CPU {
    static func extremum(
        _ kernel: ck_binary, _ integer: IntegerBinary, _ a: Tensor, _ b: Tensor, name: String
    ) -> Tensor {
        a.dtype.isFloatingPoint ? binary(kernel, a, b, name: name) : integerBinary(integer, a, b, name: name)
    }
}
