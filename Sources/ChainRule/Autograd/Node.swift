import CKernels

/// One recorded operation (or one leaf): where a gradient arrives, and where it goes on from there.
///
/// Nodes are numbered as they are made. An operation's inputs exist before it does, so going through the numbers from high to
/// low visits every node after all its consumers: no topological sort, no recursion.
class Node: @unchecked Sendable {
    // @unchecked: a graph is built by one thread at a time; leaves, which threads share, lock what changes.
    let sequence: UInt64
    /// Hooks, a retained gradient: what few nodes have.
    var extras: NodeExtras?

    init(sequence: UInt64 = ck_next_sequence()) { self.sequence = sequence }

    /// The operation's name.
    var name: String { "node" }
    var outputCount: Int { 1 }
    var isLeaf: Bool { false }
    /// The nodes of the inputs, nil for those that require no gradient.
    var parents: [Node?] { [] }

    /// Hands the gradients of the inputs to `pass`. `gradients` has one element for each output that a gradient reached, at its index.
    func propagate(_ gradient: Tensor, to pass: BackwardPass) {}
    /// The same for nodes with several outputs.
    func propagate(all gradients: [Tensor?], to pass: BackwardPass) {}

    /// Drops the tensors kept for the backward pass.
    func releaseKept() {}
    /// Drops kept tensors and moves the references to the inputs' nodes out, so that a long chain can be released in a loop.
    func dismantle(into queue: inout [Node]) {}

    /// Releases the graph behind `first` without recursion: each node is taken apart before its last reference goes.
    static func release(_ first: consuming Node) {
        var queue = [first]
        while var node = queue.popLast() {
            if isKnownUniquelyReferenced(&node) { node.dismantle(into: &queue) }
        }
    }
}

/// What few nodes have: hooks and a gradient the program wants to see.
final class NodeExtras {
    /// Keyed by output index and a number, so that a hook can be removed.
    var hooks: [(id: UInt64, output: Int32, body: @Sendable (Tensor) -> Tensor?)] = []
    var retains: Set<Int32> = []
    var retained: [Int32: Tensor] = [:]
}

/// The shape a gradient must be summed to, or nil when the input was not broadcast.
@inline(__always)
private func reduction(of input: Tensor, in output: Tensor) -> Shape? {
    input.shape == output.shape ? nil : input.shape
}

/// A kept input: as the program has it, but for a leaf the value it has now (its data may change before backward).
@inline(__always)
private func snapshot(_ x: Tensor) -> Tensor {
    guard let node = x.body.node, node.isLeaf else { return x }
    return Tensor(body: TensorBody(storage: x.body.storage, layout: x.body.layout, dtype: x.body.dtype, node: node))
}

/// The value without the node: a node that kept its own attached output would keep itself alive.
@inline(__always)
private func detachedSnapshot(_ y: Tensor) -> Tensor {
    Tensor(body: TensorBody(storage: y.body.storage, layout: y.body.layout, dtype: y.body.dtype))
}

final class UnaryNode<O: UnaryOperation>: Node, @unchecked Sendable {
    private let operation: O
    private var parent: Node?
    private let parentOutput: Int32
    private var input: Tensor?
    private var output: Tensor?
    private var isReleased = false

    @inline(__always)
    init(_ operation: O, x: Tensor, parent: Node, y: Tensor) {
        self.operation = operation
        self.parent = parent
        parentOutput = x.body.outputIndex
        input = O.keeps.contains(.input) ? snapshot(x) : nil
        output = O.keeps.contains(.output) ? detachedSnapshot(y) : nil
        super.init()
    }

    override var name: String { O.name }
    override var parents: [Node?] { [parent] }

    override func propagate(_ gradient: Tensor, to pass: BackwardPass) {
        guard let parent, pass.wants(parent) else { return }
        if isReleased { return reportReleased(O.name) }
        let attached = pass.createGraph ? output.map { reattached($0, to: self) } : output
        let dx = operation.gradient(gradient, Kept(left: input, right: nil, result: attached))
        if !pass.retainGraph { releaseKept() }
        pass.send(dx, to: parent, output: parentOutput, from: self)
    }

    override func releaseKept() {
        guard !O.keeps.isEmpty else { return }
        input = nil
        output = nil
        isReleased = true
    }

    override func dismantle(into queue: inout [Node]) {
        input = nil
        output = nil
        if let node = parent.take(), !node.isLeaf { queue.append(node) }
    }

    deinit {
        guard let node = parent.take(), !node.isLeaf else { return }
        input = nil
        Node.release(node)
    }
}

final class BinaryNode<O: BinaryOperation>: Node, @unchecked Sendable {
    private let operation: O
    private var leftParent, rightParent: Node?
    private let leftOutput, rightOutput: Int32
    private let leftShape, rightShape: Shape?
    private var left, right, output: Tensor?
    private var isReleased = false

    @inline(__always)
    init(_ operation: O, left: Tensor, right: Tensor, y: Tensor) {
        self.operation = operation
        leftParent = left.body.node
        rightParent = right.body.node
        leftOutput = left.body.outputIndex
        rightOutput = right.body.outputIndex
        leftShape = reduction(of: left, in: y)
        rightShape = reduction(of: right, in: y)
        self.left = O.keeps.contains(.left) ? snapshot(left) : nil
        self.right = O.keeps.contains(.right) ? snapshot(right) : nil
        output = O.keeps.contains(.output) ? detachedSnapshot(y) : nil
        super.init()
    }

    override var name: String { O.name }
    override var parents: [Node?] { [leftParent, rightParent] }

    override func propagate(_ gradient: Tensor, to pass: BackwardPass) {
        if isReleased { return reportReleased(O.name) }
        let attached = pass.createGraph ? output.map { reattached($0, to: self) } : output
        let kept = Kept(left: left, right: right, result: attached)
        // Both gradients first: releasing what was kept before sending makes room for what the next nodes compute.
        var toLeft, toRight: Tensor?
        if let leftParent, pass.wants(leftParent) { toLeft = operation.gradientLeft(gradient, kept) }
        if let rightParent, pass.wants(rightParent) { toRight = operation.gradientRight(gradient, kept) }
        if !pass.retainGraph { releaseKept() }
        if let toLeft, let leftParent {
            pass.send(unbroadcast(toLeft, to: leftShape), to: leftParent, output: leftOutput, from: self)
        }
        if let toRight, let rightParent {
            pass.send(unbroadcast(toRight, to: rightShape), to: rightParent, output: rightOutput, from: self)
        }
    }

    override func releaseKept() {
        guard !O.keeps.isEmpty else { return }
        left = nil
        right = nil
        output = nil
        isReleased = true
    }

    override func dismantle(into queue: inout [Node]) {
        left = nil
        right = nil
        if let node = leftParent.take(), !node.isLeaf { queue.append(node) }
        if let node = rightParent.take(), !node.isLeaf { queue.append(node) }
    }

    deinit {
        let first = leftParent.take()
        let second = rightParent.take()
        left = nil
        right = nil
        if let first, !first.isLeaf { Node.release(first) }
        if let second, !second.isLeaf { Node.release(second) }
    }
}

final class VariadicNode<O: VariadicOperation>: Node, @unchecked Sendable {
    private let operation: O
    private var inputNodes: [Node?]
    private let inputOutputs: [Int32]
    private let outputTotal: Int
    private var inputs: [Tensor] = []
    private var outputs: [Tensor] = []
    private var isReleased = false

    init(_ operation: O, inputs: [Tensor], outputs: [Tensor]) {
        self.operation = operation
        inputNodes = inputs.map(\.body.node)
        inputOutputs = inputs.map(\.body.outputIndex)
        outputTotal = outputs.count
        if O.keeps.contains(.input) { self.inputs = inputs.map(snapshot) }
        if O.keeps.contains(.output) { self.outputs = outputs.map(detachedSnapshot) }
        super.init()
    }

    override var name: String { O.name }
    override var outputCount: Int { outputTotal }
    override var parents: [Node?] { inputNodes }

    override func propagate(_ gradient: Tensor, to pass: BackwardPass) { propagate(all: [gradient], to: pass) }

    override func propagate(all gradients: [Tensor?], to pass: BackwardPass) {
        if isReleased { return reportReleased(O.name) }
        let needs = inputNodes.map { node in node.map(pass.wants) ?? false }
        let attached = outputs.enumerated().map { index, output in
            pass.createGraph && output.dtype.isFloatingPoint
                ? reattached(output, to: self, index: Int32(index)) : output
        }
        let kept = KeptList(inputs: inputs, outputs: attached)
        let results = operation.gradients(gradients, kept, needs: needs)
        if !pass.retainGraph { releaseKept() }
        for (index, result) in results.enumerated() where index < needs.count && needs[index] {
            guard let result, let node = inputNodes[index] else { continue }
            pass.send(result, to: node, output: inputOutputs[index], from: self)
        }
    }

    override func releaseKept() {
        guard !O.keeps.isEmpty else { return }
        inputs = []
        outputs = []
        isReleased = true
    }

    override func dismantle(into queue: inout [Node]) {
        inputs = []
        for case let node? in inputNodes where !node.isLeaf { queue.append(node) }
        inputNodes = []
    }

    deinit {
        var queue: [Node] = []
        dismantle(into: &queue)
        while let node = queue.popLast() { Node.release(node) }
    }
}

/// A node's output with the node attached again, for gradients of gradients.
private func reattached(_ output: Tensor, to node: Node, index: Int32 = 0) -> Tensor {
    Tensor(
        body: TensorBody(
            storage: output.body.storage, layout: output.body.layout, dtype: output.body.dtype, node: node,
            outputIndex: index))
}

/// The gradient of broadcasting: the sum over the axes that were expanded. The only place that knows it.
@inline(__always)
private func unbroadcast(_ gradient: Tensor, to shape: Shape?) -> Tensor {
    guard let shape else { return gradient }
    return gradient.sum(toShape: shape)
}

private func reportReleased(_ name: String) {
    fail(
        "backward",
        "the graph through '\(name)' was freed by an earlier backward; pass retainGraph: true to the earlier call to go through it again"
    )
}
