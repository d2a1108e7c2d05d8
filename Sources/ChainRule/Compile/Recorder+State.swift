// What a function reads and changes besides its arguments: each becomes a step of its own.

extension Recorder {
    /// A gradient arrives at a leaf that outlives the function.
    func accumulate(_ gradient: consuming Tensor, in leaf: LeafNode, from source: Node?) {
        let value = number(of: gradient)
        // What lies in the leaf must not be taken for the gradient itself, to which it need not be equal in later runs.
        if suspended({ leaf.gradient }) == nil {
            let isOurs = gradient.isContiguous && isKnownUniquelyReferenced(&gradient.body) && forget(gradient)
            gradient = isOurs ? gradient.withoutNode : CPU.contiguousCopy(gradient)
        }
        suspended { [gradient] in leaf.accumulate(gradient, from: source) }
        let result = suspended { leaf.gradient }.map { define($0, livesOutside: true) }
        append(LeafEffect("accumulate gradient", .accumulate, leaf, argument(leaf), value: value, output: result))
        noteWritten { leaf.gradient }
    }

    /// The gradient of a leaf that outlives the function is read.
    func readGradient(of leaf: LeafNode) {
        guard let gradient = suspended({ leaf.gradient }), !knows(gradient) else { return }
        append(
            LeafEffect(
                "gradient", .read, leaf, argument(leaf), value: nil, output: define(gradient, livesOutside: true)))
        noteWritten { leaf.gradient }
    }

    /// The gradient of a leaf that outlives the function is set, or forgotten.
    func setGradient(of leaf: LeafNode, to gradient: Tensor?) {
        let value = gradient.map { number(of: $0) }
        suspended { leaf.gradient = gradient }
        append(
            LeafEffect(gradient == nil ? "forget gradient" : "set gradient", .set, leaf, argument(leaf), value: value))
        noteWritten { leaf.gradient }
    }

    /// The data of a leaf is set.
    func setData(of leaf: Tensor, to value: Tensor) {
        guard let node = leaf.node, isOutside(node) else {
            suspended { leaf.data = value }
            return
        }
        if argument(node) != nil {
            refuse("it sets the data of an argument")
            return suspended { leaf.data = value }
        }
        _ = number(of: leaf)
        run("set parameter", .effect, owner: node, [value]) { inputs in
            var before = leaf.body.storage
            leaf.data = inputs[0]
            PlannedMemory.release(&before)
            return []
        }
        noteWritten { leaf.withoutNode }
    }

    /// The data of a leaf goes through a change in place.
    func willModify(_ leaf: Tensor) {
        if let node = leaf.node, isOutside(node) { _ = number(of: leaf) }
    }
}

/// What a step does to the gradient of a leaf.
final class LeafEffect: RecordedStep {
    enum Action { case accumulate, read, set }

    private let action: Action
    private let leaf: LeafNode?
    private let hasValue: Bool
    /// Which input is the leaf, when it is an argument.
    private let argument: Int?

    init(
        _ name: String, _ action: Action, _ leaf: LeafNode, _ argument: Int?, value: Int?, output: Int? = nil
    ) {
        // Plain statements: the release compiler of Swift 6.3 does not survive closures here.
        var inputs: [Int] = []
        if let value { inputs.append(value) }
        let kept = argument == nil ? leaf : nil
        self.action = action
        self.leaf = kept
        self.hasValue = value != nil
        self.argument = argument == nil ? nil : inputs.count
        if let argument { inputs.append(argument) }
        var outputs: [Int] = []
        if let output { outputs.append(output) }
        super.init(
            name, ClosureIdentity(name: name, owner: kept), action == .read ? .reading : .effect, inputs: inputs,
            outputs: outputs)
    }

    override func run(_ values: inout ValueTable) {
        guard let leaf = leaf ?? argument.flatMap({ values[inputs[$0]].node as? LeafNode }) else { return }
        let value = hasValue ? values[inputs[0]] : nil
        switch action {
        case .accumulate:
            if let value { leaf.accumulate(value, from: nil) }
        case .set:
            if var before = leaf.exchangeGradient(value) { PlannedMemory.release(&before) }
        case .read: break
        }
        guard let output = outputs.first else { return }
        values[output] =
            leaf.gradient ?? fail("compile", "the gradient of a parameter that the compiled function reads is gone")
    }
}

/// For what keeps tensors outside of the core (modules, optimisers): tells a compiled function what is read and changed, so that
/// it is read and changed again in later runs. Ask `isRecording` first.
package enum CompiledState {
    /// Whether a compiled function is being recorded on this thread.
    package static var isRecording: Bool { isTraced }

    /// `owner` hands out a tensor that may be another one at the next call.
    package static func reads(_ tensor: Tensor, of owner: AnyObject, again: @escaping () -> Tensor?) {
        guard let recorder = Recorder.current, !recorder.knows(tensor) else { return }
        recorder.run("buffer", .reading, owner: owner) { _ in
            Tensor.list(again() ?? fail("compile", "a tensor that the compiled function reads from a module is gone"))
        }
    }

    /// `owner` takes a tensor to keep: `write` is called now and in later runs, `current` gives what is kept.
    package static func writes(
        _ tensor: Tensor, to owner: AnyObject, current: @escaping () -> Tensor?, write: @escaping (Tensor) -> Void
    ) {
        guard let recorder = Recorder.current else { return }
        recorder.run("set buffer", .effect, owner: owner, [tensor]) { inputs in
            var before = current() ?? .placeholderAfterError
            write(inputs[0])
            PlannedMemory.release(&before)
            return []
        }
        recorder.noteWritten(current)
    }

    /// What the function does depends on this value of `owner`.
    package static func depends<Value: Equatable>(on owner: AnyObject, _ value: @escaping () -> Value) {
        Recorder.current?.depend(on: owner, value)
    }

    /// Changes a parameter, and what an optimiser remembers about it, by its gradient: `update` is called now and in later runs.
    package static func update(
        _ name: String, _ parameter: Tensor, _ gradient: Tensor, _ update: @escaping (Tensor) -> Void
    ) {
        guard let recorder = Recorder.current else { return }
        recorder.willUpdate(parameter)
        recorder.run(name, .effect, owner: parameter.node, [gradient]) { inputs in
            update(inputs[0])
            return []
        }
        recorder.noteWritten { parameter.withoutNode }
    }
}

extension Tensor {
    /// What tells a leaf from others; nil for a tensor without a gradient.
    package var leafIdentity: ObjectIdentifier? { node.map(ObjectIdentifier.init) }
}

extension Recorder {
    /// Values of a tensor leave it other than by an operation.
    @inline(__always)
    static func noteReading(_ what: String) {
        if isTraced { current?.refuse(what) }
    }
}

extension Tensor {
    /// Says that this tensor holds numbers from outside: in a recording it is a constant.
    @inline(__always)
    func noteMade() {
        if isTraced { Recorder.current?.note(made: self) }
    }
}
