import ChainRule

/// Adadelta (Zeiler 2012, arXiv 1212.5701), in PyTorch's form:
///
///     g ← g + weightDecay · p
///     v ← ρ v + (1 − ρ) g²
///     Δ = √(u + eps) / √(v + eps) · g
///     u ← ρ u + (1 − ρ) Δ²
///     p ← p − learningRate · Δ
public final class Adadelta: GroupedOptimizer<Adadelta.Options, NamedMemory> {
    public struct Options: OptimizerOptions {
        public var learningRate, rho, eps, weightDecay: Double
        public var maximize: Bool

        public func check(_ optimizer: String) {
            checkNotNegative(optimizer, ["learningRate": learningRate, "eps": eps, "weightDecay": weightDecay])
            if !(0...1).contains(rho) { fail(optimizer, "rho must be from 0 to 1, it is \(rho)") }
        }
    }

    public init(
        _ parameters: [Tensor], learningRate: Double = 1, rho: Double = 0.9, eps: Double = 1e-6,
        weightDecay: Double = 0, maximize: Bool = false
    ) {
        super.init(
            parameters,
            Options(
                learningRate: learningRate, rho: rho, eps: eps, weightDecay: weightDecay, maximize: maximize))
    }

    override func maximizes(_ options: Options) -> Bool { options.maximize }

    override func update(_ parameter: Tensor, _ gradient: Tensor, _ memory: inout NamedMemory?, _ options: Options) {
        var kept = memory.take() ?? NamedMemory()
        let zeros = Tensor.zeros(like: parameter)
        let g = gradient.withDecay(options.weightDecay, of: parameter)
        let square = kept["square_avg", zeros] * options.rho + g.squared() * (1 - options.rho)
        let travelled = kept["acc_delta", zeros]
        let delta = (travelled + options.eps).sqrt() / (square + options.eps).sqrt() * g
        kept["square_avg", zeros] = square
        kept["acc_delta", zeros] = travelled * options.rho + delta.squared() * (1 - options.rho)
        parameter.data -= delta * options.learningRate
        memory = kept
    }
}
