import ChainRule

/// Stochastic gradient descent with momentum, in PyTorch's form (Sutskever et al. 2013):
///
///     g ← g + weightDecay · p
///     b ← momentum · b + (1 − dampening) · g      (b ← g at the first step)
///     p ← p − learningRate · (nesterov ? g + momentum · b : b)
public final class SGD: GroupedOptimizer<SGD.Options, SGD.Memory> {
    public struct Options: OptimizerOptions {
        public var learningRate, momentum, dampening, weightDecay: Double
        public var nesterov, maximize: Bool

        public var cycledMomentum: Double? {
            get { momentum }
            set { momentum = newValue ?? momentum }
        }

        public func check(_ optimizer: String) {
            checkNotNegative(
                optimizer, ["learningRate": learningRate, "momentum": momentum, "weightDecay": weightDecay])
            if nesterov && (momentum <= 0 || dampening != 0) {
                fail(optimizer, "Nesterov's form needs a momentum above 0 and no dampening")
            }
        }
    }

    /// The momentum of one parameter.
    public struct Memory: ParameterMemory {
        var momentum: Tensor?

        init(momentum: Tensor? = nil) { self.momentum = momentum }
        public init?(tensors: [String: Tensor]) { momentum = tensors["momentum_buffer"] }
        public var tensors: [String: Tensor] { momentum.map { ["momentum_buffer": $0] } ?? [:] }
    }

    public init(
        _ parameters: [Tensor], learningRate: Double = 1e-3, momentum: Double = 0, dampening: Double = 0,
        weightDecay: Double = 0, nesterov: Bool = false, maximize: Bool = false
    ) {
        super.init(
            parameters,
            Options(
                learningRate: learningRate, momentum: momentum, dampening: dampening, weightDecay: weightDecay,
                nesterov: nesterov, maximize: maximize))
    }

    override func maximizes(_ options: Options) -> Bool { options.maximize }

    override func update(_ parameter: Tensor, _ gradient: Tensor, _ memory: inout Memory?, _ options: Options) {
        var momentum = memory.take()?.momentum
        ParameterUpdate.sgd(
            parameter, gradient, buffer: &momentum,
            .init(
                learningRate: options.learningRate, momentum: options.momentum, dampening: options.dampening,
                weightDecay: options.weightDecay, nesterov: options.nesterov))
        memory = Memory(momentum: momentum)
    }
}
