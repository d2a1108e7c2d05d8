// The nodes that `apply` records, one class for each kind of operation.

final class UnaryNode<O: UnaryOperation>: Node, @unchecked Sendable {
    private let operation: O
    @exclusivity(unchecked) private var edge: Edge
    @exclusivity(unchecked) private var input: KeptInput?
    @exclusivity(unchecked) private var output: Tensor?
    @exclusivity(unchecked) private var isReleased = false

    @inline(__always)
    init(_ operation: O, x: Tensor, y: Tensor) {
        self.operation = operation
        edge = Edge(to: x)
        input = O.keeps.contains(.input) ? KeptInput(x) : nil
        output = O.keeps.contains(.output) ? y.keptOutput : nil
        super.init()
    }

    override var name: String { O.name }
    override var parents: [Node?] { [edge.node] }

    override func propagate(_ gradient: Tensor, to pass: BackwardPass) {
        guard pass.wants(edge) else { return }
        if isReleased { return reportReleased(O.name) }
        pass.send(operation.gradient(gradient, takeKept(for: pass)), along: edge, from: self)
    }

    /// What the gradient needs; moved out unless the graph is to be gone through again.
    @inline(__always)
    private func takeKept(for pass: BackwardPass) -> Kept {
        if pass.retainGraph {
            let result = pass.createGraph ? output?.attached(to: self) : output
            return Kept(left: input?.value, right: nil, result: result)
        }
        isReleased = !O.keeps.isEmpty
        return Kept(left: input.take()?.value, right: nil, result: output.take())
    }

    override func dismantle(into queue: inout [Node]) {
        input = nil
        edge.release(into: &queue)
    }

    deinit { dismantleGraph() }
}

final class BinaryNode<O: BinaryOperation>: Node, @unchecked Sendable {
    private let operation: O
    @exclusivity(unchecked) private var leftEdge: Edge
    @exclusivity(unchecked) private var rightEdge: Edge
    private let broadcast: BroadcastShapes?
    @exclusivity(unchecked) private var left: KeptInput?
    @exclusivity(unchecked) private var right: KeptInput?
    @exclusivity(unchecked) private var output: Tensor?
    @exclusivity(unchecked) private var isReleased = false

    @inline(__always)
    init(_ operation: O, left: Tensor, right: Tensor, y: Tensor) {
        self.operation = operation
        leftEdge = Edge(to: left)
        rightEdge = Edge(to: right)
        broadcast = left.shape == right.shape ? nil : BroadcastShapes(left.shape, right.shape)
        self.left = O.keeps.contains(.left) ? KeptInput(left) : nil
        self.right = O.keeps.contains(.right) ? KeptInput(right) : nil
        output = O.keeps.contains(.output) ? y.keptOutput : nil
        super.init()
    }

    override var name: String { O.name }
    override var parents: [Node?] { [leftEdge.node, rightEdge.node] }

    override func propagate(_ gradient: Tensor, to pass: BackwardPass) {
        let (wantsLeft, wantsRight) = (pass.wants(leftEdge), pass.wants(rightEdge))
        guard wantsLeft || wantsRight else { return }
        if isReleased { return reportReleased(O.name) }
        let kept = takeKept(for: pass)
        if wantsLeft {
            let dx = operation.gradientLeft(gradient, kept)
            pass.send(unbroadcast(dx, to: broadcast?.left), along: leftEdge, from: self)
        }
        if wantsRight {
            let dx = operation.gradientRight(gradient, kept)
            pass.send(unbroadcast(dx, to: broadcast?.right), along: rightEdge, from: self)
        }
    }

    /// What the gradients need; moved out unless the graph is to be gone through again.
    @inline(__always)
    private func takeKept(for pass: BackwardPass) -> Kept {
        if pass.retainGraph {
            let result = pass.createGraph ? output?.attached(to: self) : output
            return Kept(left: left?.value, right: right?.value, result: result)
        }
        isReleased = !O.keeps.isEmpty
        return Kept(left: left.take()?.value, right: right.take()?.value, result: output.take())
    }

    override func dismantle(into queue: inout [Node]) {
        left = nil
        right = nil
        leftEdge.release(into: &queue)
        rightEdge.release(into: &queue)
    }

    deinit { dismantleGraph() }
}

/// The shapes of two inputs of which one was broadcast: what their gradients are summed to.
private final class BroadcastShapes {
    let left, right: Shape

    init(_ left: Shape, _ right: Shape) {
        self.left = left
        self.right = right
    }
}

/// The gradient of broadcasting: the sum over the axes that were expanded. The only place that knows it.
@inline(__always)
private func unbroadcast(_ gradient: Tensor, to shape: Shape?) -> Tensor {
    guard let shape else { return gradient }
    return gradient.sum(toShape: shape)
}

final class VariadicNode<O: VariadicOperation>: Node, @unchecked Sendable {
    private let operation: O
    private var edges: [Edge]
    private let outputTotal: Int
    private var inputs: [KeptInput] = []
    private var outputs: [Tensor] = []
    private var isReleased = false

    init(_ operation: O, inputs: [Tensor], outputs: [Tensor]) {
        self.operation = operation
        edges = inputs.map { Edge(to: $0) }
        outputTotal = outputs.count
        if O.keeps.contains(.input) { self.inputs = O.keptInputs(inputs).map { KeptInput($0) } }
        if O.keeps.contains(.output) {
            self.outputs = outputs.map(\.keptOutput)
        } else if O.keeps.contains(.otherOutputs), let first = outputs.first {
            self.outputs = [Tensor(uninitialized: [0], dtype: first.dtype)] + outputs.dropFirst().map(\.keptOutput)
        }
        super.init()
    }

    override var name: String { O.name }
    override var outputCount: Int { outputTotal }
    override var parents: [Node?] { edges.map(\.node) }

    override func propagate(_ gradient: Tensor, to pass: BackwardPass) { propagate(all: [gradient], to: pass) }

    override func propagate(all gradients: [Tensor?], to pass: BackwardPass) {
        let needs = edges.map(pass.wants)
        guard needs.contains(true) else { return }
        if isReleased { return reportReleased(O.name) }
        let kept = KeptList(
            inputs: inputs.map(\.value), outputs: pass.createGraph ? attachedOutputs() : outputs)
        let results = operation.gradients(gradients, kept, needs: needs)
        if !pass.retainGraph { releaseKept() }
        for (index, result) in results.enumerated() where index < needs.count && needs[index] {
            if let result { pass.send(result, along: edges[index], from: self) }
        }
    }

    private func attachedOutputs() -> [Tensor] {
        outputs.enumerated().map { index, output in
            output.dtype.isFloatingPoint ? output.attached(to: self, output: Int32(index)) : output
        }
    }

    private func releaseKept() {
        guard !O.keeps.isEmpty else { return }
        inputs = []
        outputs = []
        isReleased = true
    }

    override func dismantle(into queue: inout [Node]) {
        inputs = []
        for index in edges.indices { edges[index].release(into: &queue) }
    }

    deinit { dismantleGraph() }
}
