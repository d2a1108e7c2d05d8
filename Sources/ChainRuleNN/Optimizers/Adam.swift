import ChainRule

/// Adam (Kingma and Ba 2014, arXiv 1412.6980), in PyTorch's form:
///
///     g ← g + weightDecay · p
///     m ← β₁ m + (1 − β₁) g,   v ← β₂ v + (1 − β₂) g²
///     p ← p − learningRate · (m / (1 − β₁ᵗ)) / (√(v / (1 − β₂ᵗ)) + eps)
///
/// With `amsgrad` the largest v so far takes the place of v (Reddi et al. 2018).
public class Adam: Optimizer {
    public final let parameters: [Tensor]
    public final var learningRate: Double
    public final let betas: (Double, Double)
    public final let eps, weightDecay: Double
    public final let amsgrad: Bool
    private var moments: [ParameterUpdate.Moments?]

    public init(
        _ parameters: [Tensor], learningRate: Double = 1e-3, betas: (Double, Double) = (0.9, 0.999),
        eps: Double = 1e-8, weightDecay: Double = 0, amsgrad: Bool = false
    ) {
        self.parameters = parameters
        self.learningRate = learningRate
        self.betas = betas
        self.eps = eps
        self.weightDecay = weightDecay
        self.amsgrad = amsgrad
        moments = Array(repeating: nil, count: parameters.count)
        checkNotNegative("Adam", ["learningRate": learningRate, "eps": eps, "weightDecay": weightDecay])
        if !(0..<1).contains(betas.0) || !(0..<1).contains(betas.1) {
            fail("Adam", "the betas must be from 0 up to 1, they are \(betas)")
        }
    }

    /// Whether the parameter decays instead of the gradient.
    fileprivate var isDecoupled: Bool { false }

    public final func step() {
        let options = ParameterUpdate.Adam(
            learningRate: learningRate, beta1: betas.0, beta2: betas.1, epsilon: eps, weightDecay: weightDecay,
            isDecoupled: isDecoupled, amsgrad: amsgrad)
        for (index, parameter) in parameters.enumerated() {
            guard let gradient = parameter.grad else { continue }
            var current = moments[index].take() ?? initialMoments(of: parameter)
            ParameterUpdate.adam(parameter, gradient, &current, options)
            moments[index] = current
        }
    }

    private func initialMoments(of parameter: Tensor) -> ParameterUpdate.Moments {
        let zeros = { Tensor.zeros(parameter.shape, dtype: parameter.dtype) }
        return .init(first: zeros(), second: zeros(), maximum: amsgrad ? zeros() : nil, step: 0)
    }

    public final var state: [String: Tensor] {
        var state: [String: Tensor] = [:]
        for (index, moments) in moments.enumerated() {
            guard let moments else { continue }
            state["\(index).firstMoment"] = moments.first
            state["\(index).secondMoment"] = moments.second
            state["\(index).maximum"] = moments.maximum
            state["\(index).step"] = Tensor(moments.step)
        }
        return state
    }

    public final func load(state: [String: Tensor]) throws {
        moments = try parameters.indices.map { index in
            guard let first = try restored(state, index, "firstMoment"),
                let second = try restored(state, index, "secondMoment"), let step = state["\(index).step"]
            else { return nil }
            return try .init(
                first: first, second: second, maximum: restored(state, index, "maximum"), step: step.item(Int.self))
        }
    }
}

/// Adam whose weight decay shrinks the parameter itself, p ← p (1 − learningRate · weightDecay)
/// (Loshchilov and Hutter 2017, arXiv 1711.05101).
public final class AdamW: Adam {
    public override init(
        _ parameters: [Tensor], learningRate: Double = 1e-3, betas: (Double, Double) = (0.9, 0.999),
        eps: Double = 1e-8, weightDecay: Double = 1e-2, amsgrad: Bool = false
    ) {
        super.init(
            parameters, learningRate: learningRate, betas: betas, eps: eps, weightDecay: weightDecay, amsgrad: amsgrad)
    }

    fileprivate override var isDecoupled: Bool { true }
}
