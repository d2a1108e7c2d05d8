/// One thing that a recorded function does: reads values by number, and writes values by number.
class RecordedStep {
    /// What it is called in a printed plan.
    final let name: String
    /// What it computes, without its inputs: equal for steps that give equal results on equal inputs.
    final let identity: AnyHashable
    final let role: Role
    final var inputs: [Int]
    final let outputs: [Int]
    /// Which computing again it belongs to: what a checkpoint computes again is not to be merged with the first time.
    final var recomputation = 0
    /// How the kernels compute it, when they do so element by element.
    final let kernel: ElementwiseKernel?
    /// How they do so row by row.
    final let rows: (any RowOperation)?
    /// How its pieces are finished by others, when it is a product.
    final let finishable: (any FinishableOperation)?
    /// The thing outside that it reads or changes: the order of such steps stays as it is.
    final let owner: ObjectIdentifier?
    /// The operations that it consists of, when it is several.
    final var parts: [String] = []
    /// The inputs during a run: an array that is kept from run to run.
    @exclusivity(unchecked) final var arguments: [Tensor] = []

    enum Role {
        /// Computes its outputs from its inputs and nothing else.
        case computation
        /// The same, but the shape of the result depends on values: it can't be in a plan.
        case unpredictable
        /// Reads something that lives outside: a parameter, a running mean.
        case reading
        /// Changes something that lives outside.
        case effect
    }

    init(
        _ name: String, _ identity: AnyHashable, _ role: Role, kernel: ElementwiseKernel? = nil, inputs: [Int],
        outputs: [Int]
    ) {
        self.name = name
        self.kernel = kernel
        rows = identity.base as? any RowOperation
        finishable = identity.base as? any FinishableOperation
        owner = (identity.base as? ClosureIdentity)?.owner.map(ObjectIdentifier.init)
        self.identity = identity
        self.role = role
        self.inputs = inputs
        self.outputs = outputs
    }

    func run(_ values: inout ValueTable) {}

    /// Hands the inputs to `body`, and what it answers to the outputs.
    @inline(__always)
    final func run(_ values: inout ValueTable, _ body: ([Tensor]) -> [Tensor]) {
        for number in inputs { arguments.append(values[number]) }
        let results = body(arguments)
        arguments.removeAll(keepingCapacity: true)
        for (number, result) in zip(outputs, results) { values[number] = result }
        PlannedMemory.giveBack(results)
    }
}

/// What is known of a value beforehand. Where it lies in memory may be different in other runs.
struct ValueForm {
    let shape: Shape
    let dtype: DType
    let isContiguous: Bool

    init(_ tensor: Tensor) {
        shape = tensor.shape
        dtype = tensor.dtype
        isContiguous = tensor.isContiguous
    }

    /// Row-major.
    init(_ shape: Shape, _ dtype: DType) {
        self.shape = shape
        self.dtype = dtype
        isContiguous = true
    }

    var byteCount: Int { shape.elementCount * dtype.byteCount }
}

/// The tensors of one run, by value number.
struct ValueTable {
    private var tensors: [Tensor?]

    init(count: Int) { tensors = Array(repeating: nil, count: count) }

    /// A value that is there. A plan orders its steps so that it is.
    @inline(__always)
    subscript(number: Int) -> Tensor {
        get { tensors[number] ?? fail("compile", "a value of the plan was used before it was computed") }
        set { tensors[number] = newValue }
    }

    @inline(__always)
    mutating func set(_ number: Int, to tensor: consuming Tensor?) { tensors[number] = tensor }

    /// The same, which nobody needs any more.
    @inline(__always)
    mutating func take(_ number: Int) -> Tensor {
        tensors[number].take() ?? fail("compile", "a value of the plan was used before it was computed")
    }

    @inline(__always)
    mutating func release(_ number: Int, to memory: PlannedMemory) {
        if var tensor = tensors[number].take() { memory.release(&tensor) }
    }
}

// MARK: - Operations

final class UnaryStep<O: UnaryOperation>: RecordedStep {
    private let operation: O

    init(_ operation: O, _ input: Int, _ output: Int) {
        self.operation = operation
        super.init(
            O.name, AnyHashable(operation), O.role, kernel: fusableKernel(operation), inputs: [input], outputs: [output]
        )
    }

    override func run(_ values: inout ValueTable) { values[outputs[0]] = operation.forward(values[inputs[0]]) }
}

final class BinaryStep<O: BinaryOperation>: RecordedStep {
    private let operation: O

    init(_ operation: O, _ left: Int, _ right: Int, _ output: Int) {
        self.operation = operation
        super.init(
            O.name, AnyHashable(operation), O.role, kernel: fusableKernel(operation), inputs: [left, right],
            outputs: [output])
    }

    override func run(_ values: inout ValueTable) {
        values[outputs[0]] = operation.forward(values[inputs[0]], values[inputs[1]])
    }
}

final class VariadicStep<O: VariadicOperation>: RecordedStep {
    private let operation: O

    init(_ operation: O, _ inputs: [Int], _ outputs: [Int]) {
        self.operation = operation
        super.init(
            O.name, AnyHashable(operation), O.role, kernel: fusableKernel(operation), inputs: inputs, outputs: outputs)
    }

    override func run(_ values: inout ValueTable) {
        run(&values) { operation.forward($0) }
    }
}

private func fusableKernel(_ operation: some Operation) -> ElementwiseKernel? {
    (operation as? any FusableOperation)?.kernel
}

extension Operation {
    fileprivate static var role: RecordedStep.Role {
        Self.self is any DataDependentShape.Type ? .unpredictable : .computation
    }
}

// MARK: - Everything else

/// A step that is a closure: reading and changing state, drawing random numbers.
final class ClosureStep: RecordedStep {
    private let body: ([Tensor]) -> [Tensor]

    init(
        _ name: String, _ identity: AnyHashable, _ role: Role, inputs: [Int], outputs: [Int],
        _ body: @escaping ([Tensor]) -> [Tensor]
    ) {
        self.body = body
        super.init(name, identity, role, inputs: inputs, outputs: outputs)
    }

    override func run(_ values: inout ValueTable) {
        run(&values, body)
    }
}

/// What makes two closures the same: their name and the object they work on, which stays alive with it.
struct ClosureIdentity: Hashable {
    let name: String
    let owner: AnyObject?

    static func == (a: Self, b: Self) -> Bool { a.name == b.name && a.owner === b.owner }

    func hash(into hasher: inout Hasher) {
        hasher.combine(name)
        hasher.combine(owner.map(ObjectIdentifier.init))
    }
}

/// Reads the value that a leaf has now.
final class LeafStep: RecordedStep {
    private let leaf: Tensor

    init(_ leaf: Tensor, _ output: Int) {
        self.leaf = leaf
        super.init(
            "parameter", ClosureIdentity(name: "parameter", owner: leaf.node), .reading, inputs: [], outputs: [output])
    }

    override func run(_ values: inout ValueTable) { values[outputs[0]] = leaf.withoutNode }
}
