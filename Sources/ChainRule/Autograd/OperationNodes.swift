// The nodes that `apply` records, one class for each kind of operation.

final class UnaryNode<O: UnaryOperation>: Node, @unchecked Sendable {
    private let operation: O
    private var edge: Edge
    private var input: Tensor?
    private var output: Tensor?
    private var isReleased = false

    @inline(__always)
    init(_ operation: O, x: Tensor, y: Tensor) {
        self.operation = operation
        edge = Edge(to: x)
        input = O.keeps.contains(.input) ? x.keptInput : nil
        output = O.keeps.contains(.output) ? y.keptOutput : nil
        super.init()
    }

    override var name: String { O.name }
    override var parents: [Node?] { [edge.node] }

    override func propagate(_ gradient: Tensor, to pass: BackwardPass) {
        guard let parent = pass.wantedEnd(of: edge) else { return }
        if isReleased { return reportReleased(O.name) }
        let attached = pass.createGraph ? output.map { $0.attached(to: self) } : output
        let dx = operation.gradient(gradient, Kept(left: input, right: nil, result: attached))
        if !pass.retainGraph { releaseKept() }
        pass.send(dx, to: parent, output: edge.output, from: self)
    }

    override func releaseKept() {
        guard !O.keeps.isEmpty else { return }
        input = nil
        output = nil
        isReleased = true
    }

    override func dismantle(into queue: inout [Node]) {
        input = nil
        edge.release(into: &queue)
    }

    deinit { dismantleGraph() }
}

final class BinaryNode<O: BinaryOperation>: Node, @unchecked Sendable {
    private let operation: O
    private var leftEdge, rightEdge: Edge
    private let broadcast: BroadcastShapes?
    private var left, right, output: Tensor?
    private var isReleased = false

    @inline(__always)
    init(_ operation: O, left: Tensor, right: Tensor, y: Tensor) {
        self.operation = operation
        leftEdge = Edge(to: left)
        rightEdge = Edge(to: right)
        broadcast = left.shape == right.shape ? nil : BroadcastShapes(left.shape, right.shape)
        self.left = O.keeps.contains(.left) ? left.keptInput : nil
        self.right = O.keeps.contains(.right) ? right.keptInput : nil
        output = O.keeps.contains(.output) ? y.keptOutput : nil
        super.init()
    }

    override var name: String { O.name }
    override var parents: [Node?] { [leftEdge.node, rightEdge.node] }

    override func propagate(_ gradient: Tensor, to pass: BackwardPass) {
        let leftParent = pass.wantedEnd(of: leftEdge)
        let rightParent = pass.wantedEnd(of: rightEdge)
        if leftParent == nil && rightParent == nil { return }
        if isReleased { return reportReleased(O.name) }
        let attached = pass.createGraph ? output.map { $0.attached(to: self) } : output
        let kept = Kept(left: left, right: right, result: attached)
        // Both gradients first: releasing what was kept before sending makes room for what the next nodes compute.
        let toLeft = leftParent.map { _ in operation.gradientLeft(gradient, kept) }
        let toRight = rightParent.map { _ in operation.gradientRight(gradient, kept) }
        if !pass.retainGraph { releaseKept() }
        if let toLeft, let leftParent {
            pass.send(unbroadcast(toLeft, to: broadcast?.left), to: leftParent, output: leftEdge.output, from: self)
        }
        if let toRight, let rightParent {
            pass.send(unbroadcast(toRight, to: broadcast?.right), to: rightParent, output: rightEdge.output, from: self)
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
    private var inputs: [Tensor] = []
    private var outputs: [Tensor] = []
    private var isReleased = false

    init(_ operation: O, inputs: [Tensor], outputs: [Tensor]) {
        self.operation = operation
        edges = inputs.map { Edge(to: $0) }
        outputTotal = outputs.count
        if O.keeps.contains(.input) { self.inputs = inputs.map(\.keptInput) }
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
        let needs = edges.map { pass.wantedEnd(of: $0) != nil }
        guard needs.contains(true) else { return }
        if isReleased { return reportReleased(O.name) }
        let kept = KeptList(inputs: inputs, outputs: pass.createGraph ? attachedOutputs() : outputs)
        let results = operation.gradients(gradients, kept, needs: needs)
        if !pass.retainGraph { releaseKept() }
        for (index, result) in results.enumerated() where index < needs.count && needs[index] {
            guard let result, let node = edges[index].node else { continue }
            pass.send(result, to: node, output: edges[index].output, from: self)
        }
    }

    private func attachedOutputs() -> [Tensor] {
        outputs.enumerated().map { index, output in
            output.dtype.isFloatingPoint ? output.attached(to: self, output: Int32(index)) : output
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
        for index in edges.indices { edges[index].release(into: &queue) }
    }

    deinit { dismantleGraph() }
}
