import ChainRule

/// Adamax (Kingma and Ba 2014, section 7.1), in PyTorch's form:
///
///     g ← g + weightDecay · p
///     m ← β₁ m + (1 − β₁) g,   u ← max(β₂ u, |g| + eps)
///     p ← p − learningRate / (1 − β₁ᵗ) · m / u
public final class Adamax: GroupedOptimizer<Adamax.Options, NamedMemory> {
    public struct Options: MomentOptions {
        public var learningRate: Double
        public var betas: (Double, Double)
        public var eps, weightDecay: Double
        public var maximize: Bool
    }

    public init(
        _ parameters: [Tensor], learningRate: Double = 2e-3, betas: (Double, Double) = (0.9, 0.999),
        eps: Double = 1e-8, weightDecay: Double = 0, maximize: Bool = false
    ) {
        super.init(
            parameters,
            Options(
                learningRate: learningRate, betas: betas, eps: eps, weightDecay: weightDecay, maximize: maximize))
    }

    override func maximizes(_ options: Options) -> Bool { options.maximize }

    override func update(_ parameter: Tensor, _ gradient: Tensor, _ memory: inout NamedMemory?, _ options: Options) {
        var kept = memory.take() ?? NamedMemory()
        let step = kept.countStep()
        let zeros = Tensor.zeros(like: parameter)
        let g = gradient.withDecay(options.weightDecay, of: parameter)
        let average = kept["exp_avg", zeros].lerp(g, 1 - options.betas.0)
        let largest = (kept["exp_inf", zeros] * options.betas.1).maximum(g.abs() + options.eps)
        kept["exp_avg", zeros] = average
        kept["exp_inf", zeros] = largest
        parameter.data -= average / largest * (options.learningRate / (1 - power(options.betas.0, step)))
        memory = kept
    }
}
