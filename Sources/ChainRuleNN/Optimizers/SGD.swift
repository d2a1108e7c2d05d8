import ChainRule

/// Stochastic gradient descent with momentum, in PyTorch's form (Sutskever et al. 2013):
///
///     g ← g + weightDecay · p
///     b ← momentum · b + (1 − dampening) · g      (b ← g at the first step)
///     p ← p − learningRate · (nesterov ? g + momentum · b : b)
public final class SGD: Optimizer {
    public let parameters: [Tensor]
    public var learningRate: Double
    public let momentum, dampening, weightDecay: Double
    public let nesterov: Bool
    private var buffers: [Tensor?]

    public init(
        _ parameters: [Tensor], learningRate: Double = 1e-3, momentum: Double = 0, dampening: Double = 0,
        weightDecay: Double = 0, nesterov: Bool = false
    ) {
        self.parameters = parameters
        self.learningRate = learningRate
        self.momentum = momentum
        self.dampening = dampening
        self.weightDecay = weightDecay
        self.nesterov = nesterov
        buffers = Array(repeating: nil, count: parameters.count)
        checkNotNegative("SGD", ["learningRate": learningRate, "momentum": momentum, "weightDecay": weightDecay])
        if nesterov && (momentum <= 0 || dampening != 0) {
            fail("SGD", "Nesterov's form needs a momentum above 0 and no dampening")
        }
    }

    public func step() {
        let options = ParameterUpdate.SGD(
            learningRate: learningRate, momentum: momentum, dampening: dampening, weightDecay: weightDecay,
            nesterov: nesterov)
        for (index, parameter) in parameters.enumerated() {
            guard let gradient = parameter.grad else { continue }
            ParameterUpdate.sgd(parameter, gradient, buffer: &buffers[index], options)
        }
    }

    public var state: [String: Tensor] {
        var state: [String: Tensor] = [:]
        for (index, buffer) in buffers.enumerated() { state["\(index).momentum"] = buffer }
        return state
    }

    public func load(state: [String: Tensor]) throws {
        buffers = try parameters.indices.map { try restored(state, $0, "momentum") }
    }
}

/// Reports a setting below zero.
func checkNotNegative(_ optimizer: String, _ settings: KeyValuePairs<String, Double>) {
    for (name, value) in settings where !(value >= 0) {
        fail(optimizer, "\(name) must not be negative, it is \(value)")
    }
}
