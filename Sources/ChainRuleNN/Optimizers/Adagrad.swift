import ChainRule

/// Adagrad (Duchi et al. 2011), in PyTorch's form, t counting the steps from 1:
///
///     g ← g + weightDecay · p
///     s ← s + g²                                   (s begins at initialAccumulatorValue)
///     p ← p − learningRate / (1 + (t − 1) · learningRateDecay) · g / (√s + eps)
public final class Adagrad: GroupedOptimizer<Adagrad.Options, NamedMemory> {
    public struct Options: OptimizerOptions {
        public var learningRate, learningRateDecay, weightDecay, initialAccumulatorValue, eps: Double
        public var maximize: Bool

        public func check(_ optimizer: String) {
            checkNotNegative(
                optimizer,
                [
                    "learningRate": learningRate, "learningRateDecay": learningRateDecay, "weightDecay": weightDecay,
                    "initialAccumulatorValue": initialAccumulatorValue, "eps": eps,
                ])
        }
    }

    public init(
        _ parameters: [Tensor], learningRate: Double = 1e-2, learningRateDecay: Double = 0, weightDecay: Double = 0,
        initialAccumulatorValue: Double = 0, eps: Double = 1e-10, maximize: Bool = false
    ) {
        super.init(
            parameters,
            Options(
                learningRate: learningRate, learningRateDecay: learningRateDecay, weightDecay: weightDecay,
                initialAccumulatorValue: initialAccumulatorValue, eps: eps, maximize: maximize))
    }

    override func maximizes(_ options: Options) -> Bool { options.maximize }

    override func update(_ parameter: Tensor, _ gradient: Tensor, _ memory: inout NamedMemory?, _ options: Options) {
        var kept = memory.take() ?? NamedMemory()
        let step = kept.countStep()
        let g = gradient.withDecay(options.weightDecay, of: parameter)
        let initial = Tensor.full(parameter.shape, options.initialAccumulatorValue, dtype: parameter.dtype)
        kept["sum", initial] += g.squared()
        let rate = options.learningRate / (1 + (step - 1) * options.learningRateDecay)
        parameter.data -= g / (kept["sum", initial].sqrt() + options.eps) * rate
        memory = kept
    }
}
