import ChainRule

/// Adam with a rectified variance (Liu et al. 2019, arXiv 1908.03265), in PyTorch's form:
///
///     g ← g + weightDecay · p              (decoupled: p ← p (1 − learningRate · weightDecay) instead)
///     m ← β₁ m + (1 − β₁) g,   v ← β₂ v + (1 − β₂) g²
///     ρ∞ = 2 / (1 − β₂) − 1,   ρ = ρ∞ − 2 t β₂ᵗ / (1 − β₂ᵗ)
///     p ← p − learningRate · m / (1 − β₁ᵗ) · r,   r = 1 while ρ ≤ 5, then
///         r = √((ρ − 4)(ρ − 2) ρ∞ / ((ρ∞ − 4)(ρ∞ − 2) ρ)) · √(1 − β₂ᵗ) / (√v + eps)
public final class RAdam: GroupedOptimizer<RAdam.Options, NamedMemory> {
    public struct Options: MomentOptions {
        public var learningRate: Double
        public var betas: (Double, Double)
        public var eps, weightDecay: Double
        public var decoupledWeightDecay, maximize: Bool
    }

    public init(
        _ parameters: [Tensor], learningRate: Double = 1e-3, betas: (Double, Double) = (0.9, 0.999),
        eps: Double = 1e-8, weightDecay: Double = 0, decoupledWeightDecay: Bool = false, maximize: Bool = false
    ) {
        super.init(
            parameters,
            Options(
                learningRate: learningRate, betas: betas, eps: eps, weightDecay: weightDecay,
                decoupledWeightDecay: decoupledWeightDecay, maximize: maximize))
    }

    override func maximizes(_ options: Options) -> Bool { options.maximize }

    override func update(_ parameter: Tensor, _ gradient: Tensor, _ memory: inout NamedMemory?, _ options: Options) {
        var kept = memory.take() ?? NamedMemory()
        let step = kept.countStep()
        let rate = options.learningRate
        var g = gradient
        if options.decoupledWeightDecay {
            parameter.data *= 1 - rate * options.weightDecay
        } else {
            g = g.withDecay(options.weightDecay, of: parameter)
        }
        let (average, square) = kept.averageMoments(g, options.betas)
        let correction1 = 1 - power(options.betas.0, step)
        let forgotten = power(options.betas.1, step)
        var direction = average * (rate / correction1)
        let longest = 2 / (1 - options.betas.1) - 1
        let length = longest - 2 * step * forgotten / (1 - forgotten)
        if length > 5 {
            let rectified = (length - 4) * (length - 2) * longest / ((longest - 4) * (longest - 2) * length)
            direction = direction * (rectified * (1 - forgotten)).squareRoot() / (square.sqrt() + options.eps)
        }
        parameter.data -= direction
        memory = kept
    }
}
