import CKernels

/// One recorded operation (or one leaf): where a gradient arrives, and where it goes on from there.
///
/// Nodes are numbered as they are made. An operation's inputs exist before it does, so going through the numbers from high to
/// low visits every node after all its consumers: no topological sort, no recursion.
class Node: @unchecked Sendable {
    // @unchecked: a graph is built by one thread at a time; leaves, which threads share, lock what changes. Nothing here is accessed
    // while it is being changed, so nodes do without the run-time check for that: it would cost as much as a small kernel.
    let sequence: UInt64
    final let isLeaf: Bool
    /// Hooks, a retained gradient: what few nodes have.
    @exclusivity(unchecked) final var extras: NodeExtras?

    @inline(__always)
    init(isLeaf: Bool = false) {
        sequence = ck_next_sequence()
        self.isLeaf = isLeaf
    }

    /// The operation's name.
    var name: String { "node" }
    var outputCount: Int { 1 }
    /// The nodes of the inputs, nil for those that require no gradient.
    var parents: [Node?] { [] }

    /// Hands the gradients of the inputs to `pass`, given that of the only output.
    func propagate(_ gradient: Tensor, to pass: BackwardPass) {}
    /// The same for nodes with several outputs: an element for each, nil where no gradient arrived.
    func propagate(all gradients: [Tensor?], to pass: BackwardPass) {}

    /// Drops kept tensors and moves the references to the inputs' nodes out, kept tensors first: they refer to those nodes too.
    func dismantle(into queue: inout [Node]) {}

    /// Releases the graph behind this node without recursion: every node is taken apart before its last reference goes. The
    /// `deinit` of each node class calls it.
    @inline(__always)
    final func dismantleGraph() {
        var queue: [Node] = []
        dismantle(into: &queue)
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

/// Where the gradient of an input goes: the output of a node, or nowhere.
struct Edge {
    private(set) var node: Node?
    let output: Int32

    @inline(__always)
    init(to input: Tensor) {
        node = input.body.node
        output = input.body.outputIndex
    }

    /// Hands the reference to an inner node on to `queue`. A leaf has nothing behind it.
    @inline(__always)
    mutating func release(into queue: inout [Node]) {
        if let node = node.take(), !node.isLeaf { queue.append(node) }
    }
}

// MARK: - What nodes keep

/// An input as a node keeps it: the tensor as the program has it, and of a leaf the memory it has now, since its data may change before
/// backward.
struct KeptInput: @unchecked Sendable {
    // @unchecked: the storage is only read.
    private let tensor: Tensor
    private let leafStorage: Storage?

    @inline(__always)
    init(_ tensor: Tensor) {
        self.tensor = tensor
        leafStorage = tensor.node?.isLeaf == true ? tensor.body.storage : nil
    }

    /// The tensor as it was.
    @inline(__always)
    var value: Tensor {
        guard let leafStorage, leafStorage !== tensor.body.storage else { return tensor }
        // Setting the data of a leaf changes its memory and nothing else.
        return Tensor(
            body: TensorBody(
                storage: leafStorage, layout: tensor.layout, dtype: tensor.dtype, node: tensor.body.node))
    }
}

extension Tensor {
    /// An output as its own node keeps it: the value alone, for a node that kept itself would never go.
    @inline(__always)
    var keptOutput: Tensor { withoutNode }

    /// A kept output with its node again, for gradients of gradients.
    func attached(to node: Node, output: Int32 = 0) -> Tensor {
        Tensor(
            body: TensorBody(
                storage: body.storage, layout: body.layout, dtype: body.dtype, node: node, outputIndex: output))
    }
}

/// What a node says when the tensors it kept are gone.
@inline(never)
func reportReleased(_ name: String) {
    fail(
        "backward",
        "the graph through '\(name)' was freed by an earlier backward; pass retainGraph: true to the earlier call to go through it again"
    )
}
