import ChainRule

/// Resilient backpropagation (Riedmiller and Braun 1993), in PyTorch's form: only the sign of the gradient counts. For each element
///
///     Δ ← clamp(Δ · (etas.1 if g keeps its sign, etas.0 if it turns, else 1), stepSizes)
///     g ← 0 where it turned
///     p ← p − sign(g) · Δ
///
/// Δ begins at the learning rate.
public final class Rprop: GroupedOptimizer<Rprop.Options, NamedMemory> {
    public struct Options: OptimizerOptions {
        public var learningRate: Double
        public var etas, stepSizes: (Double, Double)
        public var maximize: Bool

        public func check(_ optimizer: String) {
            checkNotNegative(optimizer, ["learningRate": learningRate])
            if !(0 < etas.0 && etas.0 < 1 && 1 < etas.1) {
                fail(optimizer, "the etas must be below and above 1, they are \(etas)")
            }
        }
    }

    public init(
        _ parameters: [Tensor], learningRate: Double = 1e-2, etas: (Double, Double) = (0.5, 1.2),
        stepSizes: (Double, Double) = (1e-6, 50), maximize: Bool = false
    ) {
        super.init(
            parameters,
            Options(learningRate: learningRate, etas: etas, stepSizes: stepSizes, maximize: maximize))
    }

    override func maximizes(_ options: Options) -> Bool { options.maximize }

    override func update(_ parameter: Tensor, _ gradient: Tensor, _ memory: inout NamedMemory?, _ options: Options) {
        var kept = memory.take() ?? NamedMemory()
        let initial = Tensor.full(parameter.shape, options.learningRate, dtype: parameter.dtype)
        let agreement = gradient * kept["prev", .zeros(like: parameter)]
        let ones = Tensor.ones(like: parameter)
        let turns = agreement .< 0
        let factor = Tensor.where(
            agreement .> 0, ones * options.etas.1, Tensor.where(turns, ones * options.etas.0, ones))
        let sizes = (kept["step_size", initial] * factor).clamp(min: options.stepSizes.0, max: options.stepSizes.1)
        let direction = gradient.maskedFill(turns, 0)
        kept["step_size", initial] = sizes
        kept["prev", direction] = direction
        parameter.data -= direction.sign() * sizes
        memory = kept
    }
}
