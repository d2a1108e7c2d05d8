import CKernels

/// Computes `body` and keeps none of what it computes on the way: backward computes it again. Trades time for memory.
///
/// The gradients of everything the body reads are exact: those of `inputs`, and those of parameters and other tensors that it
/// captures. The body must compute the same each time and must not count on side effects happening once; random numbers it draws from the default
/// generator are drawn again from the same state.
///
/// ```swift
/// for block in blocks { h = checkpoint([h]) { [block($0[0])] }[0] }
/// ```
public func checkpoint(_ inputs: [Tensor], _ body: @escaping ([Tensor]) -> [Tensor]) -> [Tensor] {
    guard isRecording else { return body(inputs) }
    // Record once to see what the results depend on, captured parameters included; then let that graph go.
    let boundary = ck_next_sequence()
    let random = Generator.default.snapshot
    let recorded = body(inputs)
    let drew = Generator.default.snapshot != random
    if drew { Recorder.current?.refuse("it draws random numbers inside of a checkpoint") }
    let dependencies = boundaryNodes(below: recorded, boundary)
    guard !dependencies.isEmpty else { return recorded }
    let outputs = recorded.map { $0.detach() }
    let node = CheckpointNode(body, inputs, dependencies, random: drew ? random : nil, outputCount: outputs.count)
    for (index, output) in outputs.enumerated() where recorded[index].requiresGrad {
        output.body.node = node
        output.body.outputIndex = Int32(index)
    }
    return outputs
}

/// The same for a body with one result.
public func checkpoint(_ inputs: [Tensor], _ body: @escaping ([Tensor]) -> Tensor) -> Tensor {
    let several: ([Tensor]) -> [Tensor] = { [body($0)] }
    return checkpoint(inputs, several).first ?? fail("checkpoint", "gave no output")
}

/// The nodes numbered up to `boundary`, and the leaves, that `outputs` were computed from through newer nodes.
private func boundaryNodes(below outputs: [Tensor], _ boundary: UInt64) -> [Node] {
    var found: [Node] = []
    var seen: Set<ObjectIdentifier> = []
    var stack = outputs.compactMap(\.node)
    while let node = stack.popLast() {
        guard seen.insert(ObjectIdentifier(node)).inserted else { continue }
        if node.isLeaf || node.sequence <= boundary {
            found.append(node)
        } else {
            for case let parent? in node.parents { stack.append(parent) }
        }
    }
    return found
}

private final class CheckpointNode: Node, @unchecked Sendable {
    /// Nil once released.
    private var body: (([Tensor]) -> [Tensor])?
    private var inputs: [KeptInput]
    private var dependencies: [Node]
    /// The state of the default generator before the body, if the body drew from it.
    private let random: Generator.Snapshot?
    private let outputTotal: Int

    init(
        _ body: @escaping ([Tensor]) -> [Tensor], _ inputs: [Tensor], _ dependencies: [Node],
        random: Generator.Snapshot?, outputCount: Int
    ) {
        self.body = body
        self.inputs = inputs.map { KeptInput($0) }
        self.dependencies = dependencies
        self.random = random
        outputTotal = outputCount
        super.init()
    }

    override var name: String { "checkpoint" }
    override var outputCount: Int { outputTotal }
    override var parents: [Node?] { dependencies }

    override func propagate(_ gradient: Tensor, to pass: BackwardPass) { propagate(all: [gradient], to: pass) }

    override func propagate(all gradients: [Tensor?], to pass: BackwardPass) {
        guard let body else { return reportReleased(name) }
        // A pass through the new graph alone: what arrives at older nodes goes on in the pass that called, in its order.
        let boundary = ck_next_sequence()
        Recorder.current?.recomputation += 1
        let outputs = withGradient { withRandomState { body(inputs.map(\.value)) } }
        if !pass.retainGraph { releaseKept() }
        guard outputs.count == outputTotal else {
            fail(name, "the body gave \(outputs.count) tensors when computed again, \(outputTotal) the first time")
            return
        }
        let inner = BackwardPass(inside: pass, boundary: boundary)
        for (output, gradient) in zip(outputs, gradients) {
            if let gradient { inner.begin(at: output, with: gradient) }
        }
        inner.run()
    }

    /// Runs `body` with the random numbers of the first time, and takes none from anybody.
    private func withRandomState<Result>(_ body: () -> Result) -> Result {
        guard let random else { return body() }
        return Generator(random).asDefault(body)
    }

    private func releaseKept() {
        body = nil
        inputs = []
    }

    override func dismantle(into queue: inout [Node]) {
        releaseKept()
        for node in dependencies where !node.isLeaf { queue.append(node) }
        dependencies = []
    }

    deinit { dismantleGraph() }
}
