import ChainRule

/// Averaged stochastic gradient descent (Polyak and Juditsky 1992), in PyTorch's form:
///
///     g ← g + weightDecay · p
///     p ← p (1 − lambda · η) − η g,   a ← a + μ (p − a)
///     η ← learningRate / (1 + lambda · learningRate · t)^alpha,   μ ← 1 / max(1, t − t0)
///
/// η begins at the learning rate, μ at 1. The average a of a parameter is "ax" in the state.
public final class ASGD: GroupedOptimizer<ASGD.Options, NamedMemory> {
    public struct Options: OptimizerOptions {
        public var learningRate, lambda, alpha, t0, weightDecay: Double
        public var maximize: Bool

        public func check(_ optimizer: String) {
            checkNotNegative(optimizer, ["learningRate": learningRate, "weightDecay": weightDecay])
        }
    }

    public init(
        _ parameters: [Tensor], learningRate: Double = 1e-2, lambda: Double = 1e-4, alpha: Double = 0.75,
        t0: Double = 1e6, weightDecay: Double = 0, maximize: Bool = false
    ) {
        super.init(
            parameters,
            Options(
                learningRate: learningRate, lambda: lambda, alpha: alpha, t0: t0, weightDecay: weightDecay,
                maximize: maximize))
    }

    override func maximizes(_ options: Options) -> Bool { options.maximize }

    override func update(_ parameter: Tensor, _ gradient: Tensor, _ memory: inout NamedMemory?, _ options: Options) {
        var kept = memory.take() ?? NamedMemory()
        let step = kept.countStep()
        let rate = options.learningRate
        let eta = kept[number: "eta", rate]
        let share = kept[number: "mu", 1]
        let g = gradient.withDecay(options.weightDecay, of: parameter)
        let moved = parameter.detach() * (1 - options.lambda * eta) - g * eta
        let average = kept["ax", .zeros(like: parameter)]
        kept["ax", moved] = share == 1 ? moved : average + (moved - average) * share
        kept[number: "eta", rate] = rate / power(1 + options.lambda * rate * step, options.alpha)
        kept[number: "mu", 1] = 1 / max(1, step - options.t0)
        parameter.data = moved
        memory = kept
    }
}
