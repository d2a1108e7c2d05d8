import CKernels

/// Writes down what a function of tensors does while it runs: every operation that passes `apply`, every reading and changing of
/// what lives outside of the function. The function computes as always meanwhile.
///
/// Values have numbers. A tensor is known by its memory and layout, so that `detach()` gives the same value. Memory that was seen is kept
/// while a tensor uses it: nothing is written in place meanwhile, for it is not unique, and no other tensor comes to lie at its address.
final class Recorder {
    private(set) var steps: [RecordedStep] = []
    /// Tensors that no step makes: made before the call and no argument.
    private(set) var captured: [(number: Int, tensor: Tensor)] = []
    /// Tensors that the function makes from Swift numbers.
    private(set) var constants: [(number: Int, tensor: Tensor)] = []
    /// What must hold for the recording to be what the function does.
    private(set) var conditions: [Condition] = []
    /// Why the function cannot be recorded, once that is known.
    private(set) var refusal: String?
    /// Whether a backward pass ran.
    var ranBackward = false
    /// How often checkpoints have computed something again.
    var recomputation = 0
    /// Whether another call would not be recorded either.
    private(set) var isHopeless = false
    let argumentCount: Int
    private(set) var forms: [ValueForm] = []

    private let start = ck_next_sequence()
    private var known: [ObjectIdentifier: Memory] = [:]
    /// What came to be known since the last look at what nobody uses any more, and how much of it calls for the next look.
    private var newBytes = 0
    private var mostNewBytes = leastNewBytes
    private var leaves: [ObjectIdentifier: (storage: Storage, number: Int)] = [:]
    private var argumentLeaves: [ObjectIdentifier: Int] = [:]
    private var made: Set<ObjectIdentifier> = []
    private var seen: [Seen] = []
    /// Memory that was there before the call.
    private var outside: Set<ObjectIdentifier> = []
    private var written: [() -> Tensor?] = []
    private var conditioned: Set<ObjectIdentifier> = []

    private static let leastNewBytes = 1 << 20

    /// Memory that was seen, and the values that lie in it.
    private struct Memory {
        var storage: Storage
        var values: [(layout: Layout, dtype: DType, number: Int)] = []
    }

    private struct Seen {
        weak var body: TensorBody?
        weak var storage: Storage?
        let number: Int
    }

    /// Something outside that the recording depends on.
    struct Condition {
        let owner: AnyObject
        let holds: () -> Bool
    }

    /// The recorder of this thread; nil while what it does is not to be written down.
    @inline(__always)
    static var current: Recorder? {
        ck_current_thread().pointee.recorder.map { Unmanaged<Recorder>.fromOpaque($0).takeUnretainedValue() }
    }

    init(arguments: [Tensor]) {
        argumentCount = arguments.count
        for argument in arguments {
            let number = nextNumber(argument)
            if let node = argument.node {
                leaves[ObjectIdentifier(node)] = (argument.body.storage, number)
                argumentLeaves[ObjectIdentifier(node)] = number
            }
            register(argument, number)
            outside.insert(ObjectIdentifier(argument.body.storage))
        }
    }

    /// Runs `body` and writes down what it does.
    func record<Result>(_ body: () throws -> Result) rethrows -> Result {
        try with(Unmanaged.passUnretained(self).toOpaque(), body)
    }

    /// Runs `body` without writing it down: the inside of a step.
    func suspended<Result>(_ body: () throws -> Result) rethrows -> Result { try with(nil, body) }

    private func with<Result>(_ recorder: UnsafeMutableRawPointer?, _ body: () throws -> Result) rethrows -> Result {
        let thread = ck_current_thread()
        let outer = thread.pointee.recorder
        thread.pointee.recorder = recorder
        defer { thread.pointee.recorder = outer }
        return try withExtendedLifetime(self, body)
    }

    /// Gives up: `reason` completes the sentence "It runs as it is written, because ...".
    func refuse(_ reason: String, forNow: Bool = false) {
        if refusal == nil { refusal = reason }
        if !forNow { isHopeless = true }
    }

    // MARK: Values

    private func nextNumber(_ tensor: Tensor) -> Int {
        forms.append(ValueForm(tensor))
        return forms.count - 1
    }

    /// A number for a tensor that a step has made; `livesOutside` when it may well outlive the function.
    func define(_ tensor: Tensor, livesOutside: Bool = false) -> Int {
        let number = nextNumber(tensor)
        register(tensor, number)
        if livesOutside {
            outside.insert(ObjectIdentifier(tensor.body.storage))
        } else {
            seen.append(Seen(body: tensor.body, storage: tensor.body.storage, number: number))
        }
        return number
    }

    private func register(_ tensor: Tensor, _ number: Int) {
        let storage = tensor.body.storage
        hold(storage)
        known[ObjectIdentifier(storage)]?.values.append((tensor.layout, tensor.dtype, number))
    }

    private func hold(_ storage: Storage) {
        guard known[ObjectIdentifier(storage)] == nil else { return }
        known[ObjectIdentifier(storage)] = Memory(storage: storage)
        newBytes += storage.byteCount
        if newBytes > mostNewBytes { forgetUnused() }
    }

    /// Lets go of memory that no tensor uses: a recording must not take much more than the function itself.
    private func forgetUnused() {
        var unused: [ObjectIdentifier] = []
        var usedBytes = 0
        var index = known.startIndex
        while index != known.endIndex {
            if isKnownUniquelyReferenced(&known.values[index].storage) {
                unused.append(known.keys[index])
            } else {
                usedBytes += known.values[index].storage.byteCount
            }
            index = known.index(after: index)
        }
        for key in unused {
            known[key] = nil
            outside.remove(key)
            made.remove(key)
        }
        newBytes = 0
        mostNewBytes = max(Self.leastNewBytes, usedBytes / 64)
    }

    /// The memory of a leaf is about to be written by a step: in place, when no other tensor uses it. The leaf is read anew after that.
    func willUpdate(_ leaf: Tensor) {
        _ = number(of: leaf)
        guard let node = leaf.node else { return }
        leaves[ObjectIdentifier(node)] = nil
        _ = forget(leaf)
    }

    /// Lets go of the memory of a tensor, unless others use it: what it holds from now on is another value.
    func forget(_ tensor: Tensor) -> Bool {
        let key = ObjectIdentifier(tensor.body.storage)
        guard let values = known.removeValue(forKey: key)?.values else { return false }
        if isKnownUniquelyReferenced(&tensor.body.storage) { return true }
        known[key] = Memory(storage: tensor.body.storage, values: values)
        return false
    }

    /// The number of a tensor that is used.
    func number(of tensor: Tensor) -> Int {
        if let node = tensor.node, node.isLeaf, isOutside(node) { return leafNumber(tensor, node) }
        if let number = knownNumber(tensor) { return number }
        if let node = tensor.node, !node.isLeaf, node.sequence < start {
            refuse("it reads a tensor that '\(node.name)' computed before the call and that requires a gradient")
        }
        let number = nextNumber(tensor)
        register(tensor, number)
        outside.insert(ObjectIdentifier(tensor.body.storage))
        if made.contains(ObjectIdentifier(tensor.body.storage)) {
            constants.append((number, tensor.withoutNode))
        } else {
            captured.append((number, tensor.withoutNode))
        }
        return number
    }

    func knows(_ tensor: Tensor) -> Bool {
        known[ObjectIdentifier(tensor.body.storage)].map { !$0.values.isEmpty } ?? false
    }

    private func knownNumber(_ tensor: Tensor) -> Int? {
        guard let entries = known[ObjectIdentifier(tensor.body.storage)]?.values, !entries.isEmpty else { return nil }
        let layout = tensor.layout
        // The latest: what was written last.
        if let match = entries.last(where: { $0.dtype == tensor.dtype && $0.layout.isSame(as: layout) }) {
            return match.number
        }
        // The same memory in another shape, made without an operation.
        let whole = entries.last {
            $0.dtype == tensor.dtype && $0.layout.isContiguous && layout.isContiguous
                && $0.layout.offset == layout.offset && $0.layout.elementCount == layout.elementCount
        }
        guard let whole else {
            refuse("it uses a part of a tensor that was taken without an operation")
            return nil
        }
        let number = define(tensor)
        steps.append(UnaryStep(Reshape(from: whole.layout.shape, to: layout.shape), whole.number, number))
        return number
    }

    /// Whether a leaf was there before the call.
    func isOutside(_ node: Node) -> Bool { node.sequence < start || argumentLeaves[ObjectIdentifier(node)] != nil }

    private func leafNumber(_ leaf: Tensor, _ node: Node) -> Int {
        let storage = leaf.body.storage
        if let entry = leaves[ObjectIdentifier(node)], entry.storage === storage { return entry.number }
        // Set inside of the function: to something known, or by a step that changed it in its own way.
        if leaves[ObjectIdentifier(node)] != nil, let number = knownNumber(leaf) {
            leaves[ObjectIdentifier(node)] = (storage, number)
            return number
        }
        let number = nextNumber(leaf)
        register(leaf, number)
        outside.insert(ObjectIdentifier(storage))
        leaves[ObjectIdentifier(node)] = (storage, number)
        steps.append(LeafStep(leaf, number))
        return number
    }

    // MARK: Steps

    func run<O: UnaryOperation>(_ operation: O, _ x: Tensor) -> Tensor {
        let input = number(of: x)
        let y = suspended { operation.forward(x) }
        append(UnaryStep(operation, input, define(y)))
        return y
    }

    func run<O: BinaryOperation>(_ operation: O, _ left: Tensor, _ right: Tensor) -> Tensor {
        let (a, b) = (number(of: left), number(of: right))
        let y = suspended { operation.forward(left, right) }
        append(BinaryStep(operation, a, b, define(y)))
        return y
    }

    func run<O: VariadicOperation>(_ operation: O, _ inputs: [Tensor]) -> [Tensor] {
        let numbers = inputs.map { number(of: $0) }
        let outputs = suspended { operation.forward(inputs) }
        append(VariadicStep(operation, numbers, outputs.map { define($0) }))
        return outputs
    }

    /// Runs `body` on `inputs` now and whenever the recording runs.
    @discardableResult
    func run(
        _ name: String, _ role: RecordedStep.Role, owner: AnyObject? = nil, _ inputs: [Tensor] = [],
        _ body: @escaping ([Tensor]) -> [Tensor]
    ) -> [Tensor] {
        let numbers = inputs.map { number(of: $0) }
        let outputs = suspended { body(inputs) }
        let identity = ClosureIdentity(name: name, owner: owner)
        let results = outputs.map { define($0, livesOutside: role == .reading) }
        steps.append(ClosureStep(name, identity, role, inputs: numbers, outputs: results, body))
        return outputs
    }

    /// Adds a step that was run.
    func append(_ step: RecordedStep) {
        step.recomputation = recomputation
        steps.append(step)
    }

    /// A tensor that was made from Swift numbers.
    func note(made tensor: Tensor) {
        made.insert(ObjectIdentifier(tensor.body.storage))
        hold(tensor.body.storage)
    }

    /// The number of the argument that is this leaf.
    func argument(_ node: Node) -> Int? { argumentLeaves[ObjectIdentifier(node)] }

    /// Where something is kept that outlives the function.
    func noteWritten(_ current: @escaping () -> Tensor?) { written.append(current) }

    /// The recording depends on what `current` gives now.
    func depend<Value: Equatable>(on owner: AnyObject, _ current: @escaping () -> Value) {
        guard conditioned.insert(ObjectIdentifier(owner)).inserted else { return }
        let value = current()
        conditions.append(Condition(owner: owner) { current() == value })
    }

    // MARK: The end

    /// Lets go of what was held. A tensor that lives on and is neither a result nor state would not change any more: the function put
    /// it somewhere.
    func finish(results: [Tensor]) {
        known = [:]
        leaves = [:]
        var allowed = outside.union(results.map { ObjectIdentifier($0.body.storage) })
        for place in written {
            if let tensor = place() { allowed.insert(ObjectIdentifier(tensor.body.storage)) }
        }
        for entry in seen {
            let isKept = entry.storage.map { !allowed.contains(ObjectIdentifier($0)) } ?? false
            guard isKept || entry.body != nil else { continue }
            let step = steps.first { $0.outputs.contains(entry.number) }
            refuse(
                "the result of '\(step?.name ?? "")' is kept outside of the function; return it, or keep it in a buffer of a module",
                forNow: true)
        }
        seen = []
        outside = []
        written = []
        made = []
    }
}

extension Layout {
    func isSame(as other: Layout) -> Bool {
        shape == other.shape && strides == other.strides && offset == other.offset
    }
}

// MARK: - The seam of `apply`

@inline(never)
func traced<O: UnaryOperation>(_ operation: O, _ x: Tensor) -> Tensor {
    Recorder.current?.run(operation, x) ?? operation.forward(x)
}

@inline(never)
func traced<O: BinaryOperation>(_ operation: O, _ left: Tensor, _ right: Tensor) -> Tensor {
    Recorder.current?.run(operation, left, right) ?? operation.forward(left, right)
}

@inline(never)
func traced<O: VariadicOperation>(_ operation: O, _ inputs: [Tensor]) -> [Tensor] {
    Recorder.current?.run(operation, inputs) ?? operation.forward(inputs)
}
