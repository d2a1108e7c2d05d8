import ChainRule

/// Adam (Kingma and Ba 2014, arXiv 1412.6980), in PyTorch's form:
///
///     g ← g + weightDecay · p
///     m ← β₁ m + (1 − β₁) g,   v ← β₂ v + (1 − β₂) g²
///     p ← p − learningRate · (m / (1 − β₁ᵗ)) / (√(v / (1 − β₂ᵗ)) + eps)
///
/// With `amsgrad` the largest v so far takes the place of v (Reddi et al. 2018). With `decoupledWeightDecay` the parameter decays instead of the
/// gradient, as in `AdamW`.
public class Adam: GroupedOptimizer<Adam.Options, Adam.Memory> {
    public struct Options: MomentOptions {
        public var learningRate: Double
        public var betas: (Double, Double)
        public var eps, weightDecay: Double
        public var amsgrad, decoupledWeightDecay, maximize: Bool
    }

    /// The moments of one parameter.
    public struct Memory: ParameterMemory {
        var moments: ParameterUpdate.Moments

        init(_ moments: ParameterUpdate.Moments) { self.moments = moments }

        public init?(tensors: [String: Tensor]) {
            guard let first = tensors["exp_avg"], let second = tensors["exp_avg_sq"], let step = tensors["step"] else {
                return nil
            }
            moments = .init(
                first: first, second: second, maximum: tensors["max_exp_avg_sq"], step: step.item(Int.self))
        }

        public var tensors: [String: Tensor] {
            var tensors = ["exp_avg": moments.first, "exp_avg_sq": moments.second, "step": Tensor(moments.step)]
            tensors["max_exp_avg_sq"] = moments.maximum
            return tensors
        }
    }

    public init(
        _ parameters: [Tensor], learningRate: Double = 1e-3, betas: (Double, Double) = (0.9, 0.999),
        eps: Double = 1e-8, weightDecay: Double = 0, amsgrad: Bool = false, decoupledWeightDecay: Bool = false,
        maximize: Bool = false
    ) {
        super.init(
            parameters,
            Options(
                learningRate: learningRate, betas: betas, eps: eps, weightDecay: weightDecay, amsgrad: amsgrad,
                decoupledWeightDecay: decoupledWeightDecay, maximize: maximize))
    }

    final override func maximizes(_ options: Options) -> Bool { options.maximize }

    final override func update(_ parameter: Tensor, _ gradient: Tensor, _ memory: inout Memory?, _ options: Options) {
        var moments = memory.take()?.moments ?? initialMoments(of: parameter, options)
        ParameterUpdate.adam(
            parameter, gradient, &moments,
            .init(
                learningRate: options.learningRate, beta1: options.betas.0, beta2: options.betas.1,
                epsilon: options.eps, weightDecay: options.weightDecay, isDecoupled: options.decoupledWeightDecay,
                amsgrad: options.amsgrad))
        memory = Memory(moments)
    }

    private func initialMoments(of parameter: Tensor, _ options: Options) -> ParameterUpdate.Moments {
        let zeros = { Tensor.zeros(parameter.shape, dtype: parameter.dtype) }
        return .init(first: zeros(), second: zeros(), maximum: options.amsgrad ? zeros() : nil, step: 0)
    }
}

/// Adam whose weight decay shrinks the parameter itself, p ← p (1 − learningRate · weightDecay)
/// (Loshchilov and Hutter 2017, arXiv 1711.05101).
public final class AdamW: Adam {
    public init(
        _ parameters: [Tensor], learningRate: Double = 1e-3, betas: (Double, Double) = (0.9, 0.999),
        eps: Double = 1e-8, weightDecay: Double = 1e-2, amsgrad: Bool = false, maximize: Bool = false
    ) {
        super.init(
            parameters, learningRate: learningRate, betas: betas, eps: eps, weightDecay: weightDecay,
            amsgrad: amsgrad, decoupledWeightDecay: true, maximize: maximize)
    }
}
