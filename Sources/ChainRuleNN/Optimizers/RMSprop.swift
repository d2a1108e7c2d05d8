import ChainRule

/// RMSprop (Tieleman and Hinton 2012), in PyTorch's form:
///
///     g ← g + weightDecay · p
///     v ← α v + (1 − α) g²
///     s = √v + eps;   centered:  a ← α a + (1 − α) g,  s = √(v − a²) + eps      (Graves 2013, arXiv 1308.0850)
///     b ← momentum · b + g / s
///     p ← p − learningRate · b
public final class RMSprop: GroupedOptimizer<RMSprop.Options, NamedMemory> {
    public struct Options: OptimizerOptions {
        public var learningRate, alpha, eps, weightDecay, momentum: Double
        public var centered, maximize: Bool

        public var cycledMomentum: Double? {
            get { momentum }
            set { momentum = newValue ?? momentum }
        }

        public func check(_ optimizer: String) {
            checkNotNegative(
                optimizer,
                [
                    "learningRate": learningRate, "alpha": alpha, "eps": eps, "weightDecay": weightDecay,
                    "momentum": momentum,
                ])
        }
    }

    public init(
        _ parameters: [Tensor], learningRate: Double = 1e-2, alpha: Double = 0.99, eps: Double = 1e-8,
        weightDecay: Double = 0, momentum: Double = 0, centered: Bool = false, maximize: Bool = false
    ) {
        super.init(
            parameters,
            Options(
                learningRate: learningRate, alpha: alpha, eps: eps, weightDecay: weightDecay, momentum: momentum,
                centered: centered, maximize: maximize))
    }

    override func maximizes(_ options: Options) -> Bool { options.maximize }

    override func update(_ parameter: Tensor, _ gradient: Tensor, _ memory: inout NamedMemory?, _ options: Options) {
        var kept = memory.take() ?? NamedMemory()
        let zeros = Tensor.zeros(like: parameter)
        let g = gradient.withDecay(options.weightDecay, of: parameter)
        let square = kept["square_avg", zeros] * options.alpha + g.squared() * (1 - options.alpha)
        kept["square_avg", zeros] = square
        var spread = square
        if options.centered {
            let average = kept["grad_avg", zeros].lerp(g, 1 - options.alpha)
            kept["grad_avg", zeros] = average
            spread = square.addcmul(average, average, value: -1)
        }
        var direction = g / (spread.sqrt() + options.eps)
        if options.momentum > 0 {
            direction += kept["momentum_buffer", zeros] * options.momentum
            kept["momentum_buffer", zeros] = direction
        }
        parameter.data -= direction * options.learningRate
        memory = kept
    }
}
