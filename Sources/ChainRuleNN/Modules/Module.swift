import ChainRule

/// A piece of a network: parameters, buffers and other modules, found by the names of its stored properties.
///
/// Subclass it, declare `@Parameter`, `@Buffer` and module properties (also arrays of modules and optional ones), and add
/// the computation; conform to `Layer` when it is one tensor in, one tensor out. The path of a parameter, "layers.0.weight", is its key in
/// the state dictionary.
open class Module: OperationScope {
    /// Whether layers behave as in training (dropout drops, batch norm uses the batch).
    public final var isTraining: Bool {
        if CompiledState.isRecording { CompiledState.depends(on: self) { [self] in trains } }
        return trains
    }
    private final var trains = true
    /// The path in the model this module was last listed in, for errors and printing.
    fileprivate(set) final var path: String?
    /// What `forward` of the explicit calls remembered for `backward`.
    final var explicitCall: (inputs: [Tensor], output: Tensor)?

    public override init() { super.init() }

    open override var scopeName: String {
        let name = String(describing: type(of: self))
        return path.map { $0.isEmpty ? name : "\($0) (\(name))" } ?? name
    }

    /// The constructor call that makes this module, for `print`: "Linear(784, 50)".
    open var summary: String { String(describing: type(of: self)) }

    // MARK: Children

    /// The modules this one holds, with the names of the properties (`name.0`, `name.1`, ... for arrays).
    open var children: [(name: String, module: Module)] {
        storedProperties.flatMap { property, value -> [(String, Module)] in
            let name = stateNames[property] ?? property
            if let module = value as? Module { return [(name, module)] }
            if let modules = value as? [Module] {
                return modules.enumerated().map { ("\(name).\($0.offset)", $0.element) }
            }
            return []
        }
    }

    /// This module and all below it, depth first, with their paths ("" for itself).
    public final func namedModules(prefix: String = "") -> [(path: String, module: Module)] {
        path = prefix
        return [(prefix, self)]
            + children.flatMap { name, module in
                module.namedModules(prefix: prefix.isEmpty ? name : "\(prefix).\(name)")
            }
    }

    /// The stored properties by name, those of the superclasses first. Property wrappers appear with an underscore, which is dropped.
    private var storedProperties: [(name: String, value: Any)] {
        var properties: [(String, Any)] = []
        var mirror: Mirror? = Mirror(reflecting: self)
        while let current = mirror, current.subjectType != Module.self {
            let own = current.children.compactMap { child -> (String, Any)? in
                guard let label = child.label else { return nil }
                return (label.hasPrefix("_") ? String(label.dropFirst()) : label, child.value)
            }
            properties = own + properties
            mirror = current.superclassMirror
        }
        return properties
    }

    /// The names that properties have in the state dictionary, where PyTorch calls them otherwise.
    var stateNames: [String: String] { [:] }

    var ownParameters: [(name: String, parameter: any AnyParameter)] {
        storedProperties.compactMap { name, value in
            (value as? any AnyParameter).map { (stateNames[name] ?? name, $0) }
        }
    }

    var ownBuffers: [(name: String, buffer: any AnyBuffer)] {
        storedProperties.compactMap { name, value in (value as? any AnyBuffer).map { (stateNames[name] ?? name, $0) } }
    }

    // MARK: Parameters

    /// Every parameter with its path, frozen ones included. The tensors are the leaves: their `data` and `grad` can be read and set.
    public final var namedParameters: [(path: String, tensor: Tensor)] {
        namedModules().flatMap { path, module in
            module.ownParameters.compactMap { name, parameter in
                parameter.leaf.map { (path.isEmpty ? name : "\(path).\(name)", $0) }
            }
        }
    }

    /// The parameters to train: all that are not frozen.
    public final var parameters: [Tensor] {
        namedModules().flatMap { _, module in
            module.ownParameters.compactMap { $0.parameter.isFrozen ? nil : $0.parameter.leaf }
        }
    }

    /// Every buffer with its path.
    public final var namedBuffers: [(path: String, tensor: Tensor)] {
        namedModules().flatMap { path, module in
            module.ownBuffers.compactMap { name, buffer in
                buffer.tensor.map { (path.isEmpty ? name : "\(path).\(name)", $0) }
            }
        }
    }

    /// The number of numbers in all parameters.
    public final var parameterCount: Int { namedParameters.reduce(0) { $0 + $1.tensor.count } }

    // MARK: Modes

    /// Switches this module and all below it to training behaviour, or with `false` to evaluation.
    public final func train(_ isTraining: Bool = true) {
        for (_, module) in namedModules() { module.trains = isTraining }
    }

    /// Switches to evaluation behaviour.
    public final func eval() { train(false) }

    /// Takes this module's parameters, and those below it, out of training.
    public final func freeze() { setFrozen(true) }
    public final func unfreeze() { setFrozen(false) }

    private func setFrozen(_ isFrozen: Bool) {
        for (_, module) in namedModules() {
            for (_, parameter) in module.ownParameters { parameter.isFrozen = isFrozen }
        }
    }

    // MARK: Explicit training, as in Torch 7

    /// Forgets the gradients of all parameters.
    public final func zeroGradParameters() {
        for parameter in parameters { parameter.zeroGrad() }
    }

    /// parameter −= learningRate · gradient, for every parameter that has a gradient.
    public final func updateParameters(learningRate: Double) {
        for parameter in parameters {
            guard let gradient = parameter.grad else { continue }
            parameter.data -= learningRate * gradient
        }
    }
}
