import CKernels

let specialFunctionOperations: [any Operation.Type] = [
    Erf.self, Erfc.self, Erfinv.self, Lgamma.self, Polygamma.self, Logit.self,
]

private let twoOverRootPi = 1.128379167095512573896

/// y = erf x
struct Erf: UnaryOperation, ElementwiseOperation, FusableOperation {
    static let name = "erf"
    static let formula = Formula("erf x", gradient: "∂L/∂x = ∂L/∂y · 2/√π · e^(−x²)")
    static let keeps: Keeps = .input
    var kernel: ElementwiseKernel { .unary(CK_ERF) }
    func forward(_ x: Tensor) -> Tensor { CPU.unary(CK_ERF, x) }
    func gradient(_ dy: Tensor, _ kept: Kept) -> Tensor { dy * ((-kept.input.squared()).exp() * twoOverRootPi) }
    static let samples = [Sample(Erf(), -2...2)]
}

/// y = 1 − erf x, exact also where that is small
struct Erfc: UnaryOperation, ElementwiseOperation, FusableOperation {
    static let name = "erfc"
    static let formula = Formula("1 − erf x", gradient: "∂L/∂x = −∂L/∂y · 2/√π · e^(−x²)")
    static let keeps: Keeps = .input
    var kernel: ElementwiseKernel { .unary(CK_ERFC) }
    func forward(_ x: Tensor) -> Tensor { CPU.unary(CK_ERFC, x) }
    func gradient(_ dy: Tensor, _ kept: Kept) -> Tensor { dy * ((-kept.input.squared()).exp() * -twoOverRootPi) }
    static let samples = [Sample(Erfc(), -2...2)]
}

/// y = the number whose erf is x
struct Erfinv: UnaryOperation, ElementwiseOperation, FusableOperation {
    static let name = "erfinv"
    static let formula = Formula("erf⁻¹ x", gradient: "∂L/∂x = ∂L/∂y · √π/2 · e^(y²)")
    static let keeps: Keeps = .output
    var kernel: ElementwiseKernel { .unary(CK_ERFINV) }
    func forward(_ x: Tensor) -> Tensor { CPU.unary(CK_ERFINV, x) }
    func gradient(_ dy: Tensor, _ kept: Kept) -> Tensor { dy * (kept.output.squared().exp() / twoOverRootPi) }
    static let samples = [Sample(Erfinv(), -0.9...0.9)]
}

/// y = ln |Γ(x)|
struct Lgamma: UnaryOperation, ElementwiseOperation, FusableOperation {
    static let name = "lgamma"
    static let formula = Formula("ln |Γ(x)|", gradient: "∂L/∂x = ∂L/∂y · ψ(x)")
    static let keeps: Keeps = .input
    var kernel: ElementwiseKernel { .unary(CK_LGAMMA) }
    func forward(_ x: Tensor) -> Tensor { CPU.unary(CK_LGAMMA, x) }
    func gradient(_ dy: Tensor, _ kept: Kept) -> Tensor { dy * kept.input.digamma() }
    static let samples = [Sample(Lgamma(), 0.3...4)]
}

/// y = ψ⁽ⁿ⁾(x), the nth derivative of the digamma function
struct Polygamma: LoopedUnaryOperation {
    let order: Int
    static let name = "polygamma"
    static let formula = Formula("ψ⁽ⁿ⁾(x)", gradient: "∂L/∂x = ∂L/∂y · ψ⁽ⁿ⁺¹⁾(x)")
    static let keeps: Keeps = .input
    func forward(_ x: Tensor) -> Tensor { order == 0 ? CPU.unary(CK_DIGAMMA, x) : CPU.map(self, x) }
    func value<T: BinaryFloatingPoint>(_ x: T) -> T { T(SpecialFunction.polygamma(order, Double(x))) }
    func gradient(_ dy: Tensor, _ kept: Kept) -> Tensor { dy * kept.input.polygamma(order + 1) }
    static let samples = [Sample(Polygamma(order: 0), 0.5...4), Sample(Polygamma(order: 1), 0.5...4)]
}

/// y = ln(x / (1 − x)), with x first brought between ε and 1 − ε when there is an ε
struct Logit: UnaryOperation, ElementwiseOperation {
    let eps: Double?
    static let name = "logit"
    static let formula = Formula(
        "ln(x / (1 − x))",
        gradient: "∂L/∂x = ∂L/∂y / (x (1 − x)); beyond ε and 1 − ε 0, without an ε NaN beyond 0 and 1")
    static let keeps: Keeps = .input
    func forward(_ x: Tensor) -> Tensor { CPU.rounded(x, logit) }

    private func logit(_ x: Tensor) -> Tensor {
        var p = x
        if let eps {
            // The lower bound wins where the bounds are crossed.
            let lowered = CPU.binary(CK_MINIMUM, x, .floating(1 - eps), name: Self.name)
            let isLow = CPU.compare(CK_LT, x, Tensor.full([], .floating(eps), dtype: x.dtype), name: Self.name)
            p = CPU.maskedFill(lowered, isLow, .floating(eps), name: Self.name)
        }
        let rest = CPU.binary(CK_SUB, Tensor.ones([], dtype: x.dtype), p, name: Self.name)
        return CPU.unary(CK_LOG, CPU.binary(CK_DIV, p, rest, name: Self.name))
    }

    func gradient(_ dy: Tensor, _ kept: Kept) -> Tensor {
        let x = kept.input
        let isBeyond = (x.detach() .< (eps ?? 0)).logicalOr(x.detach() .> (1 - (eps ?? 0)))
        let slope = x * (1.0 - x)
        return dy / slope.maskedFill(isBeyond, eps == nil ? Double.nan : Double.infinity)
    }
    static let samples = [
        Sample(Logit(eps: nil), 0.1...0.9), Sample(Logit(eps: 0.2), 0.25...0.75), Sample(Logit(eps: 0.2), 0.85...1.5),
    ]
}

extension Tensor {
    /// The error function 2/√π ∫₀ˣ e^(−t²) dt of each element.
    public func erf() -> Tensor { applyFloating(Erf()) }
    /// 1 − erf x of each element, exact also where that is small.
    public func erfc() -> Tensor { applyFloating(Erfc()) }
    /// The inverse of the error function: ±∞ at ±1, NaN beyond.
    public func erfinv() -> Tensor { applyFloating(Erfinv()) }
    /// ln |Γ(x)| of each element.
    public func lgamma() -> Tensor { applyFloating(Lgamma()) }
    /// The derivative of ln Γ at each element.
    public func digamma() -> Tensor { applyFloating(Polygamma(order: 0)) }

    /// The derivative of that order of the digamma function at each element.
    public func polygamma(_ order: Int) -> Tensor {
        guard order >= 0 else { return fail("polygamma", "the order must not be negative, it is \(order)") }
        return applyFloating(Polygamma(order: order))
    }

    /// sin(πx) / (πx) of each element, 1 at 0.
    public func sinc() -> Tensor {
        let angle = to(dtype.asFloatingPoint).wide * Double.pi
        let isZero = angle .== 0
        // The quotient is taken where there is one, so that no NaN arises whose gradient would spread.
        let safe = angle.maskedFill(isZero, 1)
        return (safe.sin() / safe).maskedFill(isZero, 1).rounded(to: dtype)
    }

    /// ln(x / (1 − x)) of each element; with `eps` the elements are first brought between eps and 1 − eps.
    public func logit(eps: Double? = nil) -> Tensor { applyFloating(Logit(eps: eps)) }
}
