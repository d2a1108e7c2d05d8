import ChainRule

/// Adam with Nesterov's momentum (Dozat 2016), in PyTorch's form:
///
///     g ← g + weightDecay · p              (decoupled: p ← p (1 − learningRate · weightDecay) instead)
///     μₜ = β₁ (1 − ½ · 0.96^(t · momentumDecay)),   Π ← Π · μₜ
///     m ← β₁ m + (1 − β₁) g,   v ← β₂ v + (1 − β₂) g²
///     p ← p − learningRate · ((1 − μₜ) / (1 − Π) · g + μₜ₊₁ / (1 − Π · μₜ₊₁) · m) / (√(v / (1 − β₂ᵗ)) + eps)
public final class NAdam: GroupedOptimizer<NAdam.Options, NamedMemory> {
    public struct Options: MomentOptions {
        public var learningRate: Double
        public var betas: (Double, Double)
        public var eps, weightDecay, momentumDecay: Double
        public var decoupledWeightDecay, maximize: Bool

        public func check(_ optimizer: String) {
            checkMoments(optimizer)
            checkNotNegative(optimizer, ["momentumDecay": momentumDecay])
        }
    }

    public init(
        _ parameters: [Tensor], learningRate: Double = 2e-3, betas: (Double, Double) = (0.9, 0.999),
        eps: Double = 1e-8, weightDecay: Double = 0, momentumDecay: Double = 4e-3, decoupledWeightDecay: Bool = false,
        maximize: Bool = false
    ) {
        super.init(
            parameters,
            Options(
                learningRate: learningRate, betas: betas, eps: eps, weightDecay: weightDecay,
                momentumDecay: momentumDecay, decoupledWeightDecay: decoupledWeightDecay, maximize: maximize))
    }

    override func maximizes(_ options: Options) -> Bool { options.maximize }

    override func update(_ parameter: Tensor, _ gradient: Tensor, _ memory: inout NamedMemory?, _ options: Options) {
        var kept = memory.take() ?? NamedMemory()
        let step = kept.countStep()
        let (beta1, beta2) = options.betas
        let rate = options.learningRate
        var g = gradient
        if options.decoupledWeightDecay {
            parameter.data *= 1 - rate * options.weightDecay
        } else {
            g = g.withDecay(options.weightDecay, of: parameter)
        }
        let momentum = beta1 * (1 - 0.5 * power(0.96, step * options.momentumDecay))
        let nextMomentum = beta1 * (1 - 0.5 * power(0.96, (step + 1) * options.momentumDecay))
        kept[number: "mu_product", 1] *= momentum
        let product = kept[number: "mu_product", 1]

        let (average, square) = kept.averageMoments(g, options.betas)
        let denominator = (square / (1 - power(beta2, step))).sqrt() + options.eps
        let step1 = g * (rate * (1 - momentum) / (1 - product))
        let step2 = average * (rate * nextMomentum / (1 - product * nextMomentum))
        parameter.data -= (step1 + step2) / denominator
        memory = kept
    }
}

extension NamedMemory {
    /// Adam's averages of the gradient and of its square, moved on by one gradient.
    mutating func averageMoments(_ g: Tensor, _ betas: (Double, Double)) -> (first: Tensor, second: Tensor) {
        let zeros = Tensor.zeros(like: g)
        let first = self["exp_avg", zeros].lerp(g, 1 - betas.0)
        let second = self["exp_avg_sq", zeros] * betas.1 + g.squared() * (1 - betas.1)
        self["exp_avg", zeros] = first
        self["exp_avg_sq", zeros] = second
        return (first, second)
    }
}
