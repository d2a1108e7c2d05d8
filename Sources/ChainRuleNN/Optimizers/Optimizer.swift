import ChainRule

/// Changes parameters by their gradients.
///
/// ```swift
/// let optimizer = SGD(model.parameters, learningRate: 0.01, momentum: 0.9)
/// optimizer.zeroGrad()
/// loss(model(x), y).backward()
/// optimizer.step()
/// ```
///
/// Parameters that need other settings make a group of their own:
///
/// ```swift
/// let optimizer = AdamW(backbone.parameters, learningRate: 1e-5)
/// optimizer.addGroup(head.parameters) { $0.learningRate = 1e-3 }
/// optimizer.groups[0].options.weightDecay = 0
/// ```
public protocol Optimizer: AnyObject, CustomStringConvertible {
    associatedtype Options: OptimizerOptions
    /// The leaves this optimiser changes, and how. Settings may be changed between steps.
    var groups: [ParameterGroup<Options>] { get set }
    /// One update of every parameter that has a gradient.
    func step()
    /// One update by a function that forgets the gradients, computes the loss and calls `backward`; gives its first loss.
    @discardableResult func step(_ loss: () -> Tensor) -> Tensor
    /// What the optimiser remembers between steps and its learning rates, by name; enough to go on exactly where it stopped. The names are
    /// PyTorch's, after the number of the parameter: "0.exp_avg", and "group.0.lr".
    var state: [String: Tensor] { get }
    /// Takes the remembered state back.
    func load(state: [String: Tensor]) throws
}

/// The settings of one group of parameters.
public protocol OptimizerOptions: Sendable {
    var learningRate: Double { get set }
    /// What `CyclicLR` and `OneCycleLR` move against the learning rate: the momentum, or the first beta. Nil where there is none.
    var cycledMomentum: Double? { get set }
    /// Reports settings that make no sense, under the name of the optimiser.
    func check(_ optimizer: String)
}

extension OptimizerOptions {
    public var cycledMomentum: Double? {
        get { nil }
        set {}
    }
}

/// The settings of Adam and its kin, which keep running means of the gradient and of its square.
public protocol MomentOptions: OptimizerOptions {
    /// How much of each running mean a step keeps.
    var betas: (Double, Double) { get set }
    var eps: Double { get }
    var weightDecay: Double { get }
}

extension MomentOptions {
    public var cycledMomentum: Double? {
        get { betas.0 }
        set { betas.0 = newValue ?? betas.0 }
    }

    public func check(_ optimizer: String) { checkMoments(optimizer) }

    func checkMoments(_ optimizer: String) {
        checkNotNegative(optimizer, ["learningRate": learningRate, "eps": eps, "weightDecay": weightDecay])
        checkShare(optimizer, ["the first beta": betas.0, "the second beta": betas.1])
    }
}

/// Parameters that are trained with the same settings.
public struct ParameterGroup<Options: OptimizerOptions> {
    public let parameters: [Tensor]
    public var options: Options
}

extension Optimizer {
    /// The method with its settings, a line for each group: "SGD(4 parameters, learningRate: 0.1, momentum: 0.9, ...)".
    public var description: String {
        groups.map { group in
            let count = group.parameters.count
            let settings = Mirror(reflecting: group.options).children.map { "\($0.label ?? ""): \($0.value)" }
            let parts = ["\(count) parameter\(count == 1 ? "" : "s")"] + settings
            return "\(type(of: self))(\(parts.joined(separator: ", ")))"
        }.joined(separator: "\n")
    }

    /// The leaves this optimiser changes, group by group.
    public var parameters: [Tensor] { groups.flatMap(\.parameters) }

    /// The learning rate of the first group. Setting it sets that of every group.
    public var learningRate: Double {
        get { groups.first?.options.learningRate ?? 0 }
        set { for index in groups.indices { groups[index].options.learningRate = newValue } }
    }

    /// The learning rate of each group.
    public var learningRates: [Double] {
        get { groups.map(\.options.learningRate) }
        set {
            guard newValue.count == groups.count else {
                fail("learningRates", "\(newValue.count) learning rates do not fit \(groups.count) groups")
                return
            }
            for (index, rate) in newValue.enumerated() { groups[index].options.learningRate = rate }
        }
    }

    /// Trains more parameters, with the settings of the first group as `change` alters them.
    public func addGroup(_ parameters: [Tensor], _ change: (inout Options) -> Void = { _ in }) {
        guard var options = groups.first?.options else { return }
        change(&options)
        options.check(String(describing: type(of: self)))
        checkLeaves(String(describing: type(of: self)), parameters)
        groups.append(ParameterGroup(parameters: parameters, options: options))
    }

    @discardableResult
    public func step(_ loss: () -> Tensor) -> Tensor {
        let value = withGradient(loss)
        step()
        return value
    }

    /// Forgets the gradients of all parameters.
    public func zeroGrad() {
        for parameter in parameters { parameter.zeroGrad() }
    }

    /// The learning rates as they stand in a saved state.
    var learningRateState: [String: Tensor] {
        var state: [String: Tensor] = [:]
        for (index, rate) in learningRates.enumerated() { state["group.\(index).lr"] = Tensor(rate, dtype: .float64) }
        return state
    }

    func loadLearningRates(from state: [String: Tensor]) {
        for index in groups.indices {
            if let rate = state["group.\(index).lr"] { groups[index].options.learningRate = rate.item() }
        }
    }
}

/// Reports what a step would not change: a result of operations, which has no `data` of its own.
func checkLeaves(_ optimizer: String, _ parameters: [Tensor]) {
    for (index, parameter) in parameters.enumerated() where !parameter.isLeaf {
        fail(optimizer, "parameter \(index) of shape \(parameter.shape) is no leaf but the result of operations")
    }
}

/// Reports a setting below zero.
func checkNotNegative(_ optimizer: String, _ settings: KeyValuePairs<String, Double>) {
    for (name, value) in settings where !(value >= 0) {
        fail(optimizer, "\(name) must not be negative, it is \(value)")
    }
}

/// Reports a setting that isn't in 0..<1.
func checkShare(_ optimizer: String, _ settings: KeyValuePairs<String, Double>) {
    for (name, value) in settings where !(0..<1).contains(value) {
        fail(optimizer, "\(name) must be from 0 up to 1, it is \(value)")
    }
}
