import CKernels

// The activations that networks run most: a kernel for the value and one for the gradient, which is a cell of its own, so
// that it takes one pass over memory and can be differentiated again.

let activationOperations: [any Operation.Type] = [
    Relu.self, ReluGradient.self, Tanh.self, TanhGradient.self, Sigmoid.self, SigmoidGradient.self, Gelu.self,
    GeluGradient.self, Silu.self, SiluGradient.self, Softplus.self,
]

/// y = max(x, 0)
struct Relu: UnaryOperation, ElementwiseOperation, FusableOperation {
    static let name = "relu"
    static let formula = Formula("max(x, 0)", gradient: "∂L/∂x = ∂L/∂y where x > 0, else 0")
    static let dtypes: DTypes = .all
    static let keeps: Keeps = .output
    var kernel: ElementwiseKernel { .unary(CK_RELU) }
    func forward(_ x: Tensor) -> Tensor {
        x.dtype.isFloatingPoint ? CPU.unary(CK_RELU, x) : CPU.integerUnary(.relu, x, name: Self.name)
    }
    func gradient(_ dy: Tensor, _ kept: Kept) -> Tensor { apply(ReluGradient(), to: dy, kept.output) }
    static let samples = [Sample(Relu(), 0.2...3), Sample(Relu(), -3 ... -0.2)]
}

/// g = dy where y > 0, else 0
struct ReluGradient: BinaryOperation, ElementwiseOperation, FusableOperation {
    static let name = "relu_gradient"
    static let formula = Formula("dy [y > 0]", gradient: "∂L/∂dy = ∂L/∂g where y > 0, else 0; ∂L/∂y = 0")
    static let keeps: Keeps = .right
    var kernel: ElementwiseKernel { .binary(CK_RELU_GRAD) }
    func forward(_ dy: Tensor, _ y: Tensor) -> Tensor { CPU.binary(CK_RELU_GRAD, dy, y, name: Self.name) }
    func gradientLeft(_ dg: Tensor, _ kept: Kept) -> Tensor { apply(self, to: dg, kept.rightInput) }
    func gradientRight(_ dg: Tensor, _ kept: Kept) -> Tensor { dg.zeroGradient() }
    static let samples = [
        Sample(ReluGradient(), -3...3, 0.2...3), Sample(ReluGradient(), -3...3, -3 ... -0.2),
    ]
}

/// y = tanh x
struct Tanh: UnaryOperation, ElementwiseOperation, FusableOperation {
    static let name = "tanh"
    static let formula = Formula("tanh x", gradient: "∂L/∂x = ∂L/∂y · (1 − y²)")
    static let keeps: Keeps = .output
    var kernel: ElementwiseKernel { .unary(CK_TANH) }
    func forward(_ x: Tensor) -> Tensor { CPU.unary(CK_TANH, x) }
    func gradient(_ dy: Tensor, _ kept: Kept) -> Tensor { apply(TanhGradient(), to: dy, kept.output) }
    static let samples = [Sample(Tanh(), -3...3)]
}

/// g = dy · (1 − y²)
struct TanhGradient: BinaryOperation, ElementwiseOperation, FusableOperation {
    static let name = "tanh_gradient"
    static let formula = Formula("dy (1 − y²)", gradient: "∂L/∂dy = ∂L/∂g · (1 − y²), ∂L/∂y = −2 ∂L/∂g · dy · y")
    static let keeps: Keeps = .inputs
    var kernel: ElementwiseKernel { .binary(CK_TANH_GRAD) }
    func forward(_ dy: Tensor, _ y: Tensor) -> Tensor { CPU.binary(CK_TANH_GRAD, dy, y, name: Self.name) }
    func gradientLeft(_ dg: Tensor, _ kept: Kept) -> Tensor { apply(self, to: dg, kept.rightInput) }
    func gradientRight(_ dg: Tensor, _ kept: Kept) -> Tensor { dg * kept.leftInput * kept.rightInput * -2 }
    static let samples = [Sample(TanhGradient(), -3...3, -0.9...0.9)]
}

/// y = 1 / (1 + e⁻ˣ)
struct Sigmoid: UnaryOperation, ElementwiseOperation, FusableOperation {
    static let name = "sigmoid"
    static let formula = Formula("σ(x) = 1 / (1 + e⁻ˣ)", gradient: "∂L/∂x = ∂L/∂y · y (1 − y)")
    static let keeps: Keeps = .output
    var kernel: ElementwiseKernel { .unary(CK_SIGMOID) }
    func forward(_ x: Tensor) -> Tensor { CPU.unary(CK_SIGMOID, x) }
    func gradient(_ dy: Tensor, _ kept: Kept) -> Tensor { apply(SigmoidGradient(), to: dy, kept.output) }
    static let samples = [Sample(Sigmoid(), -3...3)]
}

/// g = dy · y (1 − y)
struct SigmoidGradient: BinaryOperation, ElementwiseOperation, FusableOperation {
    static let name = "sigmoid_gradient"
    static let formula = Formula("dy y (1 − y)", gradient: "∂L/∂dy = ∂L/∂g · y (1 − y), ∂L/∂y = ∂L/∂g · dy (1 − 2 y)")
    static let keeps: Keeps = .inputs
    var kernel: ElementwiseKernel { .binary(CK_SIGMOID_GRAD) }
    func forward(_ dy: Tensor, _ y: Tensor) -> Tensor { CPU.binary(CK_SIGMOID_GRAD, dy, y, name: Self.name) }
    func gradientLeft(_ dg: Tensor, _ kept: Kept) -> Tensor { apply(self, to: dg, kept.rightInput) }
    func gradientRight(_ dg: Tensor, _ kept: Kept) -> Tensor { dg * kept.leftInput * (1 - kept.rightInput * 2) }
    static let samples = [Sample(SigmoidGradient(), -3...3, 0.1...0.9)]
}

/// How the Gaussian error linear unit is computed.
public enum GeluApproximation: Sendable, Hashable {
    /// x Φ(x), with the normal distribution function Φ.
    case none
    /// ½ x (1 + tanh(√(2/π) (x + 0.044715 x³))).
    case tanh
}

/// y = x Φ(x)
struct Gelu: UnaryOperation, ElementwiseOperation, FusableOperation {
    let approximate: GeluApproximation
    static let name = "gelu"
    static let formula = Formula("x Φ(x)", gradient: "∂L/∂x = ∂L/∂y · (Φ(x) + x φ(x))")
    static let keeps: Keeps = .input
    var kernel: ElementwiseKernel { .unary(approximate == .none ? CK_GELU : CK_GELU_TANH) }
    func forward(_ x: Tensor) -> Tensor { CPU.unary(approximate == .none ? CK_GELU : CK_GELU_TANH, x) }
    func gradient(_ dy: Tensor, _ kept: Kept) -> Tensor {
        apply(GeluGradient(approximate: approximate), to: dy, kept.input)
    }
    static let samples = [Sample(Gelu(approximate: .none), -3...3), Sample(Gelu(approximate: .tanh), -3...3)]
}

/// g = dy · (Φ(x) + x φ(x))
struct GeluGradient: BinaryOperation, ElementwiseOperation, FusableOperation {
    let approximate: GeluApproximation
    static let name = "gelu_gradient"
    static let formula = Formula(
        "dy (Φ(x) + x φ(x))",
        gradient: "∂L/∂dy = ∂L/∂g · (Φ(x) + x φ(x)), ∂L/∂x = ∂L/∂g · dy φ(x) (2 − x²)")
    static let keeps: Keeps = .inputs
    var kernel: ElementwiseKernel { .binary(approximate == .none ? CK_GELU_GRAD : CK_GELU_TANH_GRAD) }
    func forward(_ dy: Tensor, _ x: Tensor) -> Tensor {
        CPU.binary(approximate == .none ? CK_GELU_GRAD : CK_GELU_TANH_GRAD, dy, x, name: Self.name)
    }
    func gradientLeft(_ dg: Tensor, _ kept: Kept) -> Tensor { apply(self, to: dg, kept.rightInput) }
    func gradientRight(_ dg: Tensor, _ kept: Kept) -> Tensor {
        dg * kept.leftInput * (approximate == .none ? exactCurvature(kept.rightInput) : tanhCurvature(kept.rightInput))
    }

    /// d²/dx² x Φ(x) = φ(x) (2 − x²)
    private func exactCurvature(_ x: Tensor) -> Tensor {
        let squared = x.squared()
        return (squared * -0.5).exp() * (2 - squared) * inverseRootOf2Pi
    }

    /// With t = tanh u, u = k (x + c x³): d²/dx² ½ x (1 + t) = (1 − t²) (u′ + ½ x (u″ − 2 t u′²))
    private func tanhCurvature(_ x: Tensor) -> Tensor {
        let (k, c) = (2 * inverseRootOf2Pi, 0.044715)
        let squared = x.squared()
        let t = ((squared * c + 1) * x * k).tanh()
        let slope = (squared * (3 * c) + 1) * k
        let bend = x * (6 * c * k)
        return (1 - t.squared()) * (slope + x * 0.5 * (bend - t * slope.squared() * 2))
    }
    static let samples = [
        Sample(GeluGradient(approximate: .none), -3...3, -3...3),
        Sample(GeluGradient(approximate: .tanh), -3...3, -3...3),
    ]
}

private let inverseRootOf2Pi = 0.398942280401432677940

/// y = x σ(x)
struct Silu: UnaryOperation, ElementwiseOperation, FusableOperation {
    static let name = "silu"
    static let formula = Formula("x σ(x)", gradient: "∂L/∂x = ∂L/∂y · σ(x) (1 + x (1 − σ(x)))")
    static let keeps: Keeps = .input
    var kernel: ElementwiseKernel { .unary(CK_SILU) }
    func forward(_ x: Tensor) -> Tensor { CPU.unary(CK_SILU, x) }
    func gradient(_ dy: Tensor, _ kept: Kept) -> Tensor { apply(SiluGradient(), to: dy, kept.input) }
    static let samples = [Sample(Silu(), -3...3)]
}

/// g = dy · σ(x) (1 + x (1 − σ(x)))
struct SiluGradient: BinaryOperation, ElementwiseOperation, FusableOperation {
    static let name = "silu_gradient"
    static let formula = Formula(
        "dy σ(x) (1 + x (1 − σ(x)))",
        gradient: "∂L/∂dy = ∂L/∂g · σ (1 + x (1 − σ)), ∂L/∂x = ∂L/∂g · dy σ (1 − σ) (2 + x (1 − 2 σ))")
    static let keeps: Keeps = .inputs
    var kernel: ElementwiseKernel { .binary(CK_SILU_GRAD) }
    func forward(_ dy: Tensor, _ x: Tensor) -> Tensor { CPU.binary(CK_SILU_GRAD, dy, x, name: Self.name) }
    func gradientLeft(_ dg: Tensor, _ kept: Kept) -> Tensor { apply(self, to: dg, kept.rightInput) }
    func gradientRight(_ dg: Tensor, _ kept: Kept) -> Tensor {
        let x = kept.rightInput
        let s = x.sigmoid()
        return dg * kept.leftInput * (s * (1 - s) * (x * (1 - s * 2) + 2))
    }
    static let samples = [Sample(SiluGradient(), -3...3, -3...3)]
}

/// y = log(1 + e^(βx)) / β, and x itself where β x > threshold
struct Softplus: UnaryOperation, ElementwiseOperation {
    let beta: Double
    let threshold: Double
    static let name = "softplus"
    static let formula = Formula("ln(1 + e^(βx)) / β", gradient: "∂L/∂x = ∂L/∂y · σ(β x)")
    static let keeps: Keeps = .input
    func forward(_ x: Tensor) -> Tensor {
        let scaled = beta == 1 ? x : CPU.binary(CK_MUL, x, .floating(beta), name: Self.name)
        let soft = CPU.unary(CK_SOFTPLUS, scaled)
        let y = beta == 1 ? soft : CPU.binary(CK_DIV, soft, .floating(beta), name: Self.name)
        guard isLinearPartVisible(in: x.dtype) else { return y }
        return CPU.select(CPU.compare(.greater, scaled, .floating(threshold), name: Self.name), x, y, name: Self.name)
    }
    func gradient(_ dy: Tensor, _ kept: Kept) -> Tensor {
        let scaled = kept.input * beta
        let soft = dy * scaled.sigmoid()
        guard isLinearPartVisible(in: dy.dtype) else { return soft }
        return Tensor.where(scaled .> threshold, dy, soft)
    }
    /// From 18 on the function is x to float32's last bit.
    private func isLinearPartVisible(in dtype: DType) -> Bool {
        threshold < .infinity && (dtype == .float64 || threshold < 18)
    }
    static let samples = [
        Sample(Softplus(beta: 1, threshold: 20), -3...3), Sample(Softplus(beta: 2, threshold: 1), -3...0.4),
        Sample(Softplus(beta: 2, threshold: 1), 0.6...3),
    ]
}

extension Tensor {
    /// max(x, 0) of each element; NaN stays NaN. The gradient at 0 is 0.
    public func relu() -> Tensor {
        dtype == .bool ? fail("relu", "not defined for booleans") : apply(Relu(), to: self)
    }
    /// The hyperbolic tangent of each element.
    public func tanh() -> Tensor { applyFloating(Tanh()) }
    /// 1 / (1 + e⁻ˣ) of each element.
    public func sigmoid() -> Tensor { applyFloating(Sigmoid()) }
    /// The Gaussian error linear unit x Φ(x) (Hendrycks and Gimpel, 2016).
    public func gelu(approximate: GeluApproximation = .none) -> Tensor { applyFloating(Gelu(approximate: approximate)) }
    /// x σ(x) of each element, also called swish.
    public func silu() -> Tensor { applyFloating(Silu()) }
    /// The gated linear unit a · σ(b) of the two halves a and b along an axis of even size (Dauphin and others, 2016).
    public func glu(dim: Int = -1) -> Tensor {
        guard rank > 0, let axis = axis(dim, in: "glu"), shape[axis] > 0 && shape[axis] % 2 == 0 else {
            return fail("glu", "dimension \(dim) of shape \(shape) has no two halves")
        }
        let halves = split(shape[axis] / 2, dim: axis)
        return halves.count == 2 ? halves[0] * halves[1].sigmoid() : .placeholderAfterError
    }
    /// ln(1 + e^(βx)) / β of each element, and x itself where β x > `threshold`.
    public func softplus(beta: Double = 1, threshold: Double = 20) -> Tensor {
        applyFloating(Softplus(beta: beta, threshold: threshold))
    }
}
