import CKernels

let piecewiseActivationOperations: [any Operation.Type] = [
    LeakyRelu.self, LeakyReluGradient.self, Prelu.self, Elu.self, Softshrink.self, Hardswish.self,
]

/// y = x where x > 0, else slope · x
struct LeakyRelu: UnaryOperation, ElementwiseOperation, FusableOperation {
    let slope: Double
    static let name = "leaky_relu"
    static let formula = Formula("x where x > 0, else a x", gradient: "∂L/∂x = ∂L/∂y where x > 0, else a ∂L/∂y")
    static let keeps: Keeps = .input
    var kernel: ElementwiseKernel { .withNumber(CK_PRELU, .floating(slope)) }
    func forward(_ x: Tensor) -> Tensor {
        CPU.rounded(x) { CPU.binary(CK_PRELU, $0, .floating(slope), name: Self.name) }
    }
    func gradient(_ dy: Tensor, _ kept: Kept) -> Tensor { apply(LeakyReluGradient(slope: slope), to: dy, kept.input) }
    static let samples = [Sample(LeakyRelu(slope: 0.1), 0.2...3), Sample(LeakyRelu(slope: 0.1), -3 ... -0.2)]
}

/// g = dy where x > 0, else slope · dy
struct LeakyReluGradient: LoopedBinaryOperation {
    let slope: Double
    static let name = "leaky_relu_gradient"
    static let formula = Formula(
        "dy where x > 0, else a dy", gradient: "∂L/∂dy = ∂L/∂g where x > 0, else a ∂L/∂g; ∂L/∂x = 0")
    static let keeps: Keeps = .right
    func value<T: BinaryFloatingPoint>(_ dy: T, _ x: T) -> T { x > 0 ? dy : dy * T(slope) }
    func gradientLeft(_ dg: Tensor, _ kept: Kept) -> Tensor { apply(self, to: dg, kept.rightInput) }
    func gradientRight(_ dg: Tensor, _ kept: Kept) -> Tensor { dg.zeroGradient() }
    static let samples = [
        Sample(LeakyReluGradient(slope: 0.1), -3...3, 0.2...3),
        Sample(LeakyReluGradient(slope: 0.1), -3...3, -3 ... -0.2),
    ]
}

/// y = x where x > 0, else w x
struct Prelu: BinaryOperation, ElementwiseOperation, FusableOperation {
    static let name = "prelu"
    static let formula = Formula(
        "x where x > 0, else w x", gradient: "∂L/∂x = ∂L/∂y where x > 0, else w ∂L/∂y; ∂L/∂w = ∂L/∂y · min(x, 0)")
    static let keeps: Keeps = .inputs
    var kernel: ElementwiseKernel { .binary(CK_PRELU) }
    func forward(_ x: Tensor, _ weight: Tensor) -> Tensor { CPU.binary(CK_PRELU, x, weight, name: Self.name) }
    func gradientLeft(_ dy: Tensor, _ kept: Kept) -> Tensor {
        Tensor.where(kept.leftInput .> 0, dy, dy * kept.rightInput)
    }
    func gradientRight(_ dy: Tensor, _ kept: Kept) -> Tensor { dy * kept.leftInput.clamp(max: 0) }
    static let samples = [Sample(Prelu(), 0.2...3, -1...1), Sample(Prelu(), -3 ... -0.2, -1...1)]
}

/// y = scale · x where x > 0, else scale · α (e^(βx) − 1): ELU, SELU and CELU are the three choices of scale, α and β
struct Elu: UnaryOperation, ElementwiseOperation {
    let alpha: Double
    let scale: Double
    let beta: Double
    static let name = "elu"
    static let formula = Formula(
        "s x where x > 0, else s α (e^(βx) − 1)", gradient: "∂L/∂x = ∂L/∂y · (s where x > 0, else s α β e^(βx))")
    static let keeps: Keeps = .input
    func forward(_ x: Tensor) -> Tensor { CPU.rounded(x, value) }

    private func value(_ x: Tensor) -> Tensor {
        // The sum of both halves, each 0 where the other one counts.
        let negative = CPU.binary(CK_MINIMUM, x, .floating(0), name: Self.name)
        let bent = CPU.unary(CK_EXPM1, CPU.binary(CK_MUL, negative, .floating(beta), name: Self.name))
        let left = CPU.binary(CK_MUL, bent, .floating(alpha * scale), name: Self.name)
        let right = CPU.binary(CK_MUL, CPU.unary(CK_RELU, x), .floating(scale), name: Self.name)
        return CPU.binary(CK_ADD, left, right, name: Self.name)
    }
    func gradient(_ dy: Tensor, _ kept: Kept) -> Tensor {
        // Clamped first: e^x may overflow where it does not count, and ∞ · 0 would spoil higher derivatives.
        let bent = (kept.input.clamp(max: 0) * beta).exp() * (alpha * beta * scale)
        return Tensor.where(kept.input .<= 0, dy * bent, dy * scale)
    }
    static let samples = [
        Sample(Elu(alpha: 1.5, scale: 1.2, beta: 0.7), 0.2...3),
        Sample(Elu(alpha: 1.5, scale: 1.2, beta: 0.7), -3 ... -0.2),
    ]
}

/// y = x moved towards 0 by λ, but not past it
struct Softshrink: LoopedUnaryOperation {
    let lambda: Double
    static let name = "softshrink"
    static let formula = Formula("x ∓ λ where |x| > λ, else 0", gradient: "∂L/∂x = ∂L/∂y where |x| > λ, else 0")
    static let keeps: Keeps = .input
    /// x less itself brought between −λ and λ.
    func value<T: BinaryFloatingPoint>(_ x: T) -> T {
        let raised = x < -T(lambda) ? -T(lambda) : x
        return x - (raised > T(lambda) ? T(lambda) : raised)
    }
    func gradient(_ dy: Tensor, _ kept: Kept) -> Tensor { dy.maskedFill(kept.input.abs() .<= lambda, 0) }
    static let samples = [
        Sample(Softshrink(lambda: 0.5), 0.7...3), Sample(Softshrink(lambda: 0.5), -0.3...0.3),
        Sample(Softshrink(lambda: 0.5), -3 ... -0.7),
    ]
}

/// y = x min(max(x + 3, 0), 6) / 6
struct Hardswish: LoopedUnaryOperation {
    static let name = "hardswish"
    static let formula = Formula(
        "x relu6(x + 3) / 6", gradient: "∂L/∂x = ∂L/∂y · (0 where x ≤ −3, 1 where x ≥ 3, else x / 3 + ½)")
    static let keeps: Keeps = .input
    func value<T: BinaryFloatingPoint>(_ x: T) -> T {
        let raised = x + 3 < 0 ? 0 : x + 3
        return x * (raised > 6 ? 6 : raised) / 6
    }
    func gradient(_ dy: Tensor, _ kept: Kept) -> Tensor {
        let x = kept.input
        return dy * ((x.clamp(min: -3, max: 3) + x.maskedFill(x.abs() .>= 3, 0) + 3) / 6)
    }
    static let samples = [
        Sample(Hardswish(), -2.8...2.8), Sample(Hardswish(), 3.2...5), Sample(Hardswish(), -5 ... -3.2),
    ]
}

extension Tensor {
    /// x where x > 0, else `negativeSlope` · x.
    public func leakyRelu(negativeSlope: Double = 0.01) -> Tensor { applyFloating(LeakyRelu(slope: negativeSlope)) }

    /// x where x > 0, else `weight` · x: one weight, or one for each channel (axis 1).
    public func prelu(_ weight: Tensor) -> Tensor {
        var shape = Shape(repeating: 1, count: rank)
        if weight.count != 1 {
            guard rank >= 2 && self.shape[1] == weight.count else {
                let channels = rank >= 2 ? self.shape[1] : 1
                return fail(
                    "prelu", "\(weight.count) weights for an input of shape \(self.shape) with \(channels) channels")
            }
            shape[1] = weight.count
        }
        let common = Tensor.resultType(self, weight).asFloatingPoint
        return apply(Prelu(), to: to(common), weight.to(common).reshape(shape))
    }

    /// x where x > 0, else α (eˣ − 1) (Clevert and others, 2015).
    public func elu(alpha: Double = 1) -> Tensor { applyFloating(Elu(alpha: alpha, scale: 1, beta: 1)) }

    /// ELU scaled so that activations keep mean 0 and variance 1 (Klambauer and others, 2017).
    public func selu() -> Tensor {
        applyFloating(Elu(alpha: 1.6732632423543772848170429916717, scale: 1.0507009873554804934193349852946, beta: 1))
    }

    /// x where x > 0, else α (e^(x/α) − 1): smooth at 0 for every α.
    public func celu(alpha: Double = 1) -> Tensor {
        guard alpha != 0 else { return fail("celu", "alpha must not be 0") }
        return applyFloating(Elu(alpha: alpha, scale: 1, beta: 1 / alpha))
    }

    /// x · tanh(softplus x) (Misra, 2019).
    public func mish() -> Tensor {
        let x = to(dtype.asFloatingPoint)
        return x * x.softplus().tanh()
    }

    /// x / (1 + |x|).
    public func softsign() -> Tensor { self / (abs() + 1) }

    /// ln σ(x), without underflow.
    public func logSigmoid() -> Tensor { -(-self).softplus(threshold: .infinity) }

    /// x where min < x < max, else the nearer bound; the gradient at the bounds is 0.
    public func hardtanh(min: Double = -1, max: Double = 1) -> Tensor {
        dtype.isFloatingPoint ? clamp(min: min, max: max) : clamp(min: min, max: max).to(dtype)
    }

    /// min(max(x, 0), 6).
    public func relu6() -> Tensor { clamp(min: 0, max: 6) }

    /// relu6(x + 3) / 6: the sigmoid in three straight pieces.
    public func hardsigmoid() -> Tensor { (self + 3).relu6() / 6 }

    /// x · relu6(x + 3) / 6 (Howard and others, 2019).
    public func hardswish() -> Tensor { applyFloating(Hardswish()) }

    /// x where x > `threshold`, else `value`.
    public func threshold(_ threshold: Double, _ value: Double) -> Tensor { maskedFill(self .<= threshold, value) }

    /// x, but 0 where |x| ≤ λ.
    public func hardshrink(_ lambda: Double = 0.5) -> Tensor { maskedFill(abs() .<= lambda, 0) }

    /// x moved towards 0 by λ, but not past it.
    public func softshrink(_ lambda: Double = 0.5) -> Tensor {
        guard lambda >= 0 else { return fail("softshrink", "lambda must not be negative, it is \(lambda)") }
        return applyFloating(Softshrink(lambda: lambda))
    }

    /// x − tanh x.
    public func tanhshrink() -> Tensor { self - tanh() }
}
