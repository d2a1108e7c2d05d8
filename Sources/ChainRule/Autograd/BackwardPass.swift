import CKernels

/// One run of the chain rule from outputs to leaves.
///
/// Gradients wait in `pending`, ordered by their node's number; the highest goes next, and by then every consumer of that node
/// has added its part. Cost: a handful of comparisons per edge, since few gradients wait at a time.
final class BackwardPass {
    let retainGraph: Bool
    let createGraph: Bool
    /// The nodes worth visiting, or nil for all: those from which a wanted input can be reached.
    private let visited: Set<ObjectIdentifier>?
    /// The nodes of the wanted inputs.
    private let targets: Set<ObjectIdentifier>
    /// Where gradients of wanted inputs are collected instead of in leaves.
    private var captured: [Endpoint: Tensor]?
    private var pending: [Pending] = []

    /// One output of one node.
    struct Endpoint: Hashable {
        let node: ObjectIdentifier
        let output: Int32

        init(_ node: Node, _ output: Int32) {
            self.node = ObjectIdentifier(node)
            self.output = output
        }
    }

    private struct Pending {
        let node: Node
        let output: Int32
        /// Never nil while it waits; taken out to be added to in place.
        var gradient: Tensor?

        /// Ascending; the outputs of a node stay together.
        func isBefore(_ node: Node, _ output: Int32) -> Bool {
            self.node.sequence == node.sequence
                ? self.output < output : self.node.sequence < node.sequence
        }
    }

    /// A pass that adds to the leaves.
    init(retainGraph: Bool, createGraph: Bool) {
        self.retainGraph = retainGraph
        self.createGraph = createGraph
        visited = nil
        targets = []
        captured = nil
    }

    /// A pass that collects the gradients of `inputs` and touches no leaf.
    init(from outputs: [Tensor], to inputs: [Tensor], retainGraph: Bool, createGraph: Bool) {
        self.retainGraph = retainGraph
        self.createGraph = createGraph
        targets = Set(inputs.compactMap { $0.node.map(ObjectIdentifier.init) })
        visited = Self.nodes(from: outputs.compactMap(\.node), reaching: targets)
        captured = [:]
    }

    /// Sends the seeds through the graph.
    func run(_ seeds: [(node: Node, output: Int32, gradient: Tensor)]) {
        let thread = ck_current_thread()
        let depth = thread.pointee.gradient_disabled
        thread.pointee.gradient_disabled = createGraph ? 0 : depth + 1
        defer { thread.pointee.gradient_disabled = depth }
        for seed in seeds { send(seed.gradient, to: seed.node, output: seed.output, from: nil) }
        while let next = pending.popLast() {
            guard let gradient = next.gradient else { continue }
            let observed = observe(gradient, at: next.node, next.output)
            if next.node.isLeaf {
                if captured == nil { unsafeDowncast(next.node, to: LeafNode.self).accumulate(observed) }
            } else if next.node.outputCount == 1 {
                next.node.propagate(observed, to: self)
            } else {
                propagateAll(next.node, first: observed, at: next.output)
            }
        }
    }

    /// Collects what waits for the other outputs of `node` and hands all on together.
    private func propagateAll(_ node: Node, first: Tensor, at output: Int32) {
        var gradients = [Tensor?](repeating: nil, count: node.outputCount)
        gradients[Int(output)] = first
        while let other = pending.last, other.node === node {
            pending.removeLast()
            gradients[Int(other.output)] = other.gradient.map { observe($0, at: node, other.output) }
        }
        node.propagate(all: gradients, to: self)
    }

    /// The whole gradient of an output has arrived: hooks see it, and it is kept where somebody wants it.
    @inline(__always)
    private func observe(_ gradient: Tensor, at node: Node, _ output: Int32) -> Tensor {
        var gradient = gradient
        if let extras = node.extras { gradient = extras.observe(gradient, output: output) }
        if captured != nil && targets.contains(ObjectIdentifier(node)) {
            captured?[Endpoint(node, output)] = gradient
        }
        return gradient
    }

    /// The collected gradient of a wanted input.
    func gradient(of input: Tensor) -> Tensor? {
        input.node.flatMap { captured?[Endpoint($0, input.body.outputIndex)] }
    }

    /// Whether a gradient sent to this node has any use.
    @inline(__always)
    func wants(_ node: Node) -> Bool {
        guard let visited else { return true }
        return visited.contains(ObjectIdentifier(node))
    }

    /// Takes a gradient for one output of a node.
    func send(_ gradient: Tensor, to node: Node, output: Int32, from source: Node?) {
        if let source, ck_current_thread().pointee.anomaly_detection != 0 {
            checkFinite("backward of \(source.name)", [gradient])
        }
        if node.isLeaf && node.extras == nil && captured == nil {
            unsafeDowncast(node, to: LeafNode.self).accumulate(gradient)
        } else {
            enqueue(gradient, for: node, output: output)
        }
    }

    private func enqueue(_ gradient: Tensor, for node: Node, output: Int32) {
        var low = 0
        var high = pending.count
        while low < high {
            let middle = (low + high) / 2
            if pending[middle].isBefore(node, output) { low = middle + 1 } else { high = middle }
        }
        if low < pending.count && pending[low].node === node && pending[low].output == output {
            guard let sum = pending[low].gradient.take() else { return }
            pending[low].gradient = accumulated(sum, gradient)
        } else {
            pending.insert(Pending(node: node, output: output, gradient: gradient), at: low)
        }
    }

    /// The nodes on a path from `roots` to one of `targets`.
    private static func nodes(from roots: [Node], reaching targets: Set<ObjectIdentifier>) -> Set<ObjectIdentifier> {
        // Collect all, then decide from low numbers to high: a node's inputs are decided before it.
        var found: [Node] = []
        var seen: Set<ObjectIdentifier> = []
        var stack = roots
        while let node = stack.popLast() {
            guard seen.insert(ObjectIdentifier(node)).inserted else { continue }
            found.append(node)
            for case let parent? in node.parents { stack.append(parent) }
        }
        var reaching: Set<ObjectIdentifier> = []
        for node in found.sorted(by: { $0.sequence < $1.sequence }) {
            let leads = node.parents.contains { $0.map { reaching.contains(ObjectIdentifier($0)) } ?? false }
            if leads || targets.contains(ObjectIdentifier(node)) { reaching.insert(ObjectIdentifier(node)) }
        }
        return reaching
    }
}

extension NodeExtras {
    /// Runs the hooks of an output on its whole gradient and keeps the result if the program asked for it.
    func observe(_ gradient: Tensor, output: Int32) -> Tensor {
        var result = gradient
        for hook in hooks where hook.output == output { result = hook.body(result) ?? result }
        if retains.contains(output) { retained[output] = retained[output].map { $0 + result } ?? result }
        return result
    }
}
