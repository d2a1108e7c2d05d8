import CKernels

/// y = x Wᵀ + b on the last axis. Inputs: x (..., k), W (n, k), and b (n) when there is one.
struct Linear: VariadicOperation, FinishableOperation {
    static let name = "linear"
    static let formula = Formula(
        "x Wᵀ + b", gradient: "∂L/∂x = ∂L/∂y W, ∂L/∂W = (∂L/∂y)ᵀ x, ∂L/∂b = Σ ∂L/∂y over the rows")
    static let dtypes: DTypes = .all
    static let keeps: Keeps = .input
    func forward(_ inputs: [Tensor]) -> [Tensor] { CPU.linear(inputs) }
    func compute(_ inputs: [Tensor], into target: ProductTarget) { CPU.linear(inputs, into: target) }
    func gradients(_ dy: [Tensor?], _ kept: KeptList, needs: [Bool]) -> [Tensor?] {
        guard let dy = dy[0] else { return [] }
        return linearGradients(dy, kept.inputs, needs: needs)
    }
    static let samples = [
        Sample(Linear(), [vectors([2, 3]), vectors([4, 3]), vectors([4])]),
        Sample(Linear(), [vectors([2, 2, 3]), vectors([4, 3])]),
        Sample(Linear(), [vectors([3]), vectors([2, 3]), vectors([2])]),
    ]
}

/// y = f(x Wᵀ + b): the activation is computed while the product is still in the cache. Composed: `linear`, then the activation. Outputs: y and,
/// when `keepsSlope`, f′(x Wᵀ + b), which a GELU or SiLU computes with its value; it counts as a constant.
struct LinearActivation: VariadicOperation {
    let activation: Activation
    var keepsSlope = false
    static let name = "linear_activation"
    static let formula = Formula(
        "f(z), z = x Wᵀ + b",
        gradient: "∂L/∂z = ∂L/∂y f′(z), ∂L/∂x = ∂L/∂z W, ∂L/∂W = (∂L/∂z)ᵀ x, ∂L/∂b = Σ ∂L/∂z over the rows")
    static let keeps: Keeps = [.input, .output]
    func forward(_ inputs: [Tensor]) -> [Tensor] {
        CPU.linear(inputs, activation: activation.kernel, withSlope: keepsSlope)
    }
    func gradients(_ dy: [Tensor?], _ kept: KeptList, needs: [Bool]) -> [Tensor?] {
        guard let dy = dy[0] else { return [] }
        return linearGradients(gradient(dy, kept), kept.inputs, needs: needs)
    }
    /// ∂L/∂z. A gradient that will be differentiated again needs z itself where the slope is a function of z.
    private func gradient(_ dy: Tensor, _ kept: KeptList) -> Tensor {
        if activation.isOfOutput { return activation.gradient(dy, kept.outputs[0]) }
        if keepsSlope && !isRecording { return dy * kept.outputs[1] }
        return activation.gradient(dy, applyOne(Linear(), to: kept.inputs))
    }
    static let samples =
        [
            // Positive sums, away from the kink.
            Sample(
                LinearActivation(activation: .relu),
                [Sample.Input(.uniform(0.1...1), shape: [2, 3]), Sample.Input(.uniform(0.1...1), shape: [4, 3])])
        ]
        + [Activation.tanh, .sigmoid, .silu, .gelu(approximate: .none), .gelu(approximate: .tanh)].map { activation in
            Sample([vectors([2, 3]), vectors([4, 3]), vectors([4])]) { inputs in
                let operation = LinearActivation(activation: activation, keepsSlope: !activation.isOfOutput)
                return [apply(operation, to: inputs)[0]]
            }
        }
}

/// The functions that `linear`, convolutions and `batchNorm` can compute on their results.
public enum Activation: Sendable, Hashable {
    case relu, tanh, sigmoid, silu
    case gelu(approximate: GeluApproximation)

    fileprivate var kernel: ck_activation {
        switch self {
        case .relu: CK_ACTIVATE_RELU
        case .tanh: CK_ACTIVATE_TANH
        case .sigmoid: CK_ACTIVATE_SIGMOID
        case .silu: CK_ACTIVATE_SILU
        case .gelu(let approximate): approximate == .none ? CK_ACTIVATE_GELU : CK_ACTIVATE_GELU_TANH
        }
    }

    /// Whether the derivative is a function of the value, else of the argument.
    fileprivate var isOfOutput: Bool {
        switch self {
        case .relu, .tanh, .sigmoid: true
        case .silu, .gelu: false
        }
    }

    /// From the value or from the argument, whichever `isOfOutput` says.
    fileprivate func gradient(_ dy: Tensor, _ kept: Tensor) -> Tensor {
        switch self {
        case .relu: apply(ReluGradient(), to: dy, kept)
        case .tanh: apply(TanhGradient(), to: dy, kept)
        case .sigmoid: apply(SigmoidGradient(), to: dy, kept)
        case .silu: apply(SiluGradient(), to: dy, kept)
        case .gelu(let approximate): apply(GeluGradient(approximate: approximate), to: dy, kept)
        }
    }

    /// The function of each element. Floating dtypes; `.relu` takes integers, too.
    public func callAsFunction(_ x: Tensor) -> Tensor {
        switch self {
        case .relu: x.relu()
        case .tanh: x.tanh()
        case .sigmoid: x.sigmoid()
        case .silu: x.silu()
        case .gelu(let approximate): x.gelu(approximate: approximate)
        }
    }
}

private func vectors(_ shape: Shape) -> Sample.Input { Sample.Input(.uniform(-2...2), shape: shape) }

private func linearGradients(_ dz: Tensor, _ inputs: [Tensor], needs: [Bool]) -> [Tensor?] {
    let (x, weight) = (inputs[0], inputs[1])
    let outputs = dz.reshape([dz.shape.dropLast().reduce(1, *), weight.shape[0]])
    let product = MatrixProduct()
    var gradients: [Tensor?] = [nil, nil, nil]
    if needs[0] { gradients[0] = apply(product, to: outputs, weight).reshape(x.shape) }
    if needs[1] {
        let rows = x.reshape([outputs.shape[0], weight.shape[1]])
        gradients[1] = apply(product, to: outputs.transpose(0, 1), rows)
    }
    if needs.count > 2 && needs[2] { gradients[2] = outputs.sum(dim: 0) }
    return gradients
}

extension Tensor {
    /// y = x Wᵀ + b on the last axis: (..., k) gives (..., n).
    ///
    /// - Parameters:
    ///   - weight: W (n, k); or (k), which gives (...).
    ///   - bias: b (n), or nil.
    ///   - activation: A function computed on the result in the same pass.
    ///
    /// One dtype for all, any but bool.
    public func linear(weight: Tensor, bias: Tensor? = nil, activation: Activation? = nil) -> Tensor {
        guard rank > 0, weight.rank == 2 || weight.rank == 1, shape[rank - 1] == weight.shape[weight.rank - 1] else {
            return fail(
                "linear",
                "the input of shape \(shape) does not fit the weight of shape \(weight.shape): the last axes must be equal"
            )
        }
        guard dtype != .bool, weight.dtype == dtype, bias.map({ $0.dtype == dtype }) ?? true else {
            let biasType = bias.map { ", the bias is \($0.dtype)" } ?? ""
            return fail(
                "linear",
                "needs one dtype that is not bool, the input is \(dtype), the weight is \(weight.dtype)\(biasType)")
        }
        if weight.rank == 1 || bias?.rank == 0 || dtype.isInteger {
            let product = matmul(weight.rank == 1 ? weight : weight.transpose(0, 1))
            let y = bias.map { product + $0 } ?? product
            return activation.map { $0(y) } ?? y
        }
        if let bias, bias.shape != [weight.shape[0]] {
            return fail(
                "linear", "the bias has shape \(bias.shape), expected [\(weight.shape[0])] for weight \(weight.shape)")
        }
        let inputs = bias.map { [self, weight, $0] } ?? [self, weight]
        guard let activation else { return applyOne(Linear(), to: inputs) }
        let keepsSlope = !activation.isOfOutput && isRecording && inputs.contains { $0.requiresGrad }
        return apply(LinearActivation(activation: activation, keepsSlope: keepsSlope), to: inputs)[0]
    }
}
