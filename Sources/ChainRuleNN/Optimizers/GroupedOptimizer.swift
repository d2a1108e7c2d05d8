import ChainRule

/// What a method remembers of one parameter between steps.
public protocol ParameterMemory {
    /// By PyTorch's names, for saving.
    var tensors: [String: Tensor] { get }
    /// Nil when a tensor is missing.
    init?(tensors: [String: Tensor])
}

/// An optimiser that treats each parameter by itself: it goes through the groups, and a method says what one step does to one parameter.
public class GroupedOptimizer<Options: OptimizerOptions, Memory: ParameterMemory>: Optimizer {
    public final var groups: [ParameterGroup<Options>]
    /// One for each parameter, group after group.
    private var memory: [Memory?]

    init(_ parameters: [Tensor], _ options: Options) {
        groups = [ParameterGroup(parameters: parameters, options: options)]
        memory = Array(repeating: nil, count: parameters.count)
        options.check(String(describing: Self.self))
        checkLeaves(String(describing: Self.self), parameters)
    }

    /// One step of one parameter. `memory` is nil before the first; `gradient` is turned around already where the group maximises.
    func update(_ parameter: Tensor, _ gradient: Tensor, _ memory: inout Memory?, _ options: Options) {
        fail("step", "\(type(of: self)) does not say how to change a parameter")
    }

    /// Whether the group goes up instead of down.
    func maximizes(_ options: Options) -> Bool { false }

    /// Whether a saved tensor can belong to a parameter: it has its shape, or is a single number.
    func fits(_ saved: Tensor, _ name: String, _ parameter: Tensor) -> Bool {
        saved.rank == 0 || saved.shape == parameter.shape
    }

    public final func step() {
        withoutGradient {
            var index = 0
            for (number, group) in groups.enumerated() {
                for parameter in group.parameters {
                    if index == memory.count { memory.append(nil) }
                    if let gradient = parameter.grad { update(parameter, index, of: number, gradient) }
                    index += 1
                }
            }
        }
    }

    private func update(_ parameter: Tensor, _ index: Int, of group: Int, _ gradient: Tensor) {
        guard CompiledState.isRecording else { return change(parameter, index, of: group, gradient) }
        // In later runs with the settings of then.
        CompiledState.update(String(describing: Self.self), parameter, gradient) { [self] gradient in
            change(parameter, index, of: group, gradient)
        }
    }

    private func change(_ parameter: Tensor, _ index: Int, of group: Int, _ gradient: Tensor) {
        let options = groups[group].options
        update(parameter, maximizes(options) ? -gradient : gradient, &memory[index], options)
    }

    public final var state: [String: Tensor] {
        var state = learningRateState
        for (index, memory) in memory.enumerated() {
            for (name, tensor) in memory?.tensors ?? [:] { state["\(index).\(name)"] = tensor }
        }
        return state
    }

    public final func load(state: [String: Tensor]) throws {
        let parameters = parameters
        var tensors: [Int: [String: Tensor]] = [:]
        for (key, tensor) in state {
            guard let dot = key.firstIndex(of: "."), let index = Int(key[..<dot]) else { continue }
            let name = String(key[key.index(after: dot)...])
            guard parameters.indices.contains(index), fits(tensor, name, parameters[index]) else {
                throw StateError(
                    description: "the optimiser state '\(key)' of shape \(tensor.shape) fits no parameter here")
            }
            tensors[index, default: [:]][name] = tensor
        }
        memory = parameters.indices.map { index in tensors[index].flatMap { Memory(tensors: $0) } }
        loadLearningRates(from: state)
    }
}

/// The memory of a method that is written in Tensor operations: tensors and numbers by PyTorch's names.
public struct NamedMemory: ParameterMemory {
    public private(set) var tensors: [String: Tensor]

    public init(tensors: [String: Tensor] = [:]) { self.tensors = tensors }

    /// The tensor of this name; at first what `initial` gives.
    subscript(_ name: String, _ initial: @autoclosure () -> Tensor) -> Tensor {
        get { tensors[name] ?? initial() }
        _modify { yield &tensors[name, default: initial()] }
    }

    /// A number of this name, in float64.
    subscript(number name: String, _ initial: Double) -> Double {
        get { tensors[name]?.item() ?? initial }
        set { tensors[name] = Tensor(newValue, dtype: .float64) }
    }

    /// Counts a step and gives its number, 1 for the first.
    mutating func countStep() -> Double {
        self[number: "step", 0] += 1
        return self[number: "step", 0]
    }
}

extension Tensor {
    /// g + weightDecay · p: the gradient of the loss with ½ weightDecay ‖p‖² added.
    func withDecay(_ weightDecay: Double, of parameter: Tensor) -> Tensor {
        weightDecay == 0 ? self : self + parameter.detach() * weightDecay
    }
}
