import CKernels

/// One run of the chain rule from outputs to leaves.
///
/// Nodes are numbered as they are made, so an operation's inputs have lower numbers than it has. The highest number that waits goes
/// next; by then every consumer of that node has added its part.
final class BackwardPass {
    let retainGraph: Bool
    let createGraph: Bool
    /// Where gradients are wanted, or nil when all leaves want theirs.
    private let route: Route?
    /// Where gradients of wanted inputs are collected instead of in leaves.
    @exclusivity(unchecked) private var captured: [Endpoint: Tensor] = [:]
    @exclusivity(unchecked) private var pending = PendingGradients()
    /// The pass this one works for, and the number up to which nodes belong to that pass's graph.
    private let outer: (pass: BackwardPass, boundary: UInt64)?
    @exclusivity(unchecked) private var checksFinite = false
    /// Neither inside another pass nor after some inputs only: every gradient is wanted, here.
    private let isPlain: Bool

    /// One output of one node.
    struct Endpoint: Hashable {
        let node: ObjectIdentifier
        let output: Int32

        init(_ node: Node, _ output: Int32) {
            self.node = ObjectIdentifier(node)
            self.output = output
        }
    }

    /// A pass that adds to the leaves.
    init(retainGraph: Bool, createGraph: Bool) {
        self.retainGraph = retainGraph
        self.createGraph = createGraph
        route = nil
        outer = nil
        isPlain = true
    }

    /// A pass that collects the gradients of `inputs` and touches no leaf.
    init(from outputs: [Tensor], to inputs: [Tensor], retainGraph: Bool, createGraph: Bool) {
        self.retainGraph = retainGraph
        self.createGraph = createGraph
        route = Route(from: outputs.compactMap(\.node), to: inputs.compactMap(\.node))
        outer = nil
        isPlain = false
    }

    /// A pass through a graph that a node of `outer` made just now, on top of nodes numbered up to `boundary`: gradients that arrive at those
    /// go on in `outer`.
    init(inside outer: BackwardPass, boundary: UInt64) {
        retainGraph = outer.createGraph
        createGraph = outer.createGraph
        route = nil
        self.outer = (outer, boundary)
        isPlain = false
        checksFinite = outer.checksFinite
    }

    /// Sends what waits through the graph.
    func run() {
        let thread = ck_current_thread()
        Recorder.current?.ranBackward = true
        let (disabled, anomalyDetection) = (thread.pointee.gradient_disabled, thread.pointee.anomaly_detection)
        thread.pointee.gradient_disabled = createGraph ? 0 : disabled + 1
        // A gradient is checked as a whole, under the name of the operation it is the gradient of.
        thread.pointee.anomaly_detection = 0
        checksFinite = checksFinite || anomalyDetection != 0
        defer {
            thread.pointee.gradient_disabled = disabled
            thread.pointee.anomaly_detection = anomalyDetection
        }
        while let next = pending.popLast(), !isErrorPending {
            let gradient = observe(next.gradient, at: next.node, next.output)
            if next.node.isLeaf {
                if isPlain || route == nil {
                    unsafeDowncast(next.node, to: LeafNode.self).accumulate(gradient, from: nil)
                }
            } else if !isPlain, let route, !route.leadsOn(from: next.node) {
                continue  // a wanted input with nothing wanted behind it: what is there stays as it is
            } else if next.node.outputCount == 1 {
                next.node.propagate(gradient, to: self)
            } else {
                propagateAll(next.node, first: gradient, at: next.output)
            }
        }
    }

    /// Collects what waits for the other outputs of `node` and hands all on together.
    private func propagateAll(_ node: Node, first: Tensor, at output: Int32) {
        var gradients = [Tensor?](repeating: nil, count: node.outputCount)
        gradients[Int(output)] = first
        while let other = pending.popLast(of: node) {
            gradients[Int(other.output)] = observe(other.gradient, at: node, other.output)
        }
        node.propagate(all: gradients, to: self)
    }

    /// The whole gradient of an output has arrived: hooks see it, and it is kept where somebody wants it.
    @inline(__always)
    private func observe(_ gradient: Tensor, at node: Node, _ output: Int32) -> Tensor {
        var gradient = gradient
        if let extras = node.extras { gradient = extras.observe(gradient, output: output) }
        if !isPlain, let route, route.isTarget(node) { captured[Endpoint(node, output)] = gradient }
        return gradient
    }

    /// The collected gradient of a wanted input.
    func gradient(of input: Tensor) -> Tensor? {
        input.node.flatMap { captured[Endpoint($0, input.body.outputIndex)] }
    }

    /// Whether a gradient sent along this edge has any use.
    @inline(__always)
    func wants(_ edge: Edge) -> Bool {
        guard let node = edge.node else { return false }
        return isPlain || wants(node)
    }

    private func wants(_ node: Node) -> Bool {
        if let outer, node.sequence <= outer.boundary { return outer.pass.wants(node) }
        guard let route else { return true }
        return route.contains(node)
    }

    /// Takes the gradient that a tensor begins with.
    func begin(at tensor: Tensor, with gradient: Tensor) {
        send(gradient, along: Edge(to: tensor), from: nil)
    }

    /// Takes a gradient for the end of an edge; `source` is the node it comes from.
    @inline(__always)
    func send(_ gradient: consuming Tensor, along edge: Edge, from source: Node?) {
        guard let node = edge.node else { return }
        if checksFinite, let source { checkFinite("backward of \(source.name)", [copy gradient]) }
        if !isPlain, let outer, node.sequence <= outer.boundary {
            outer.pass.send(gradient, along: edge, from: nil)
        } else if node.isLeaf && node.extras == nil && (isPlain || route == nil) {
            unsafeDowncast(node, to: LeafNode.self).accumulate(gradient, from: source)
        } else {
            pending.add(gradient, to: node, edge.output)
        }
    }
}

/// The nodes that lie between outputs and wanted inputs.
private struct Route {
    private let targets: Set<ObjectIdentifier>
    /// The nodes with a wanted input behind them.
    private var leading: Set<ObjectIdentifier> = []

    init(from roots: [Node], to targets: [Node]) {
        self.targets = Set(targets.map(ObjectIdentifier.init))
        var found: [Node] = []
        var seen: Set<ObjectIdentifier> = []
        var stack = roots
        while let node = stack.popLast() {
            guard !node.isLeaf, seen.insert(ObjectIdentifier(node)).inserted else { continue }
            found.append(node)
            for case let parent? in node.parents { stack.append(parent) }
        }
        // From low numbers to high: a node's inputs are decided before it.
        for node in found.sorted(by: { $0.sequence < $1.sequence })
        where node.parents.contains(where: { $0.map(contains) ?? false }) {
            leading.insert(ObjectIdentifier(node))
        }
    }

    func isTarget(_ node: Node) -> Bool { targets.contains(ObjectIdentifier(node)) }
    func leadsOn(from node: Node) -> Bool { leading.contains(ObjectIdentifier(node)) }
    func contains(_ node: Node) -> Bool { isTarget(node) || leadsOn(from: node) }
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
