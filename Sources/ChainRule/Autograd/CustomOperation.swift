import CKernels

/// An operation of the program's own, with a gradient written by hand.
///
/// ```swift
/// let exponential = CustomOperation("exponential") { inputs, saved in
///     let y = inputs[0].exp()
///     saved.keep(y)
///     return [y]
/// } gradient: { dy, saved in
///     [dy[0] * saved[0]]
/// }
/// let y = exponential(x)
/// ```
///
/// `forward` runs unrecorded: only `gradient` says how gradients pass. Where `gradient` is written in tensor operations that read only dy and
/// kept inputs and outputs, it can be differentiated again; anything else that `forward` kept counts as a constant there.
/// `GradientCheck.check` of `ChainRuleTestSupport` compares both with central differences.
public struct CustomOperation: Sendable {
    /// Used in errors and pictures.
    public let name: String
    private let forward: @Sendable (_ inputs: [Tensor], _ saved: inout SavedTensors) -> [Tensor]
    private let gradient: @Sendable (_ dy: [Tensor], _ saved: SavedTensors) -> [Tensor?]

    /// - Parameters:
    ///   - forward: computes the outputs and keeps in `saved` what the gradient needs.
    ///   - gradient: gets ∂L/∂y for each output (zeros where no gradient arrived) and what was kept; gives ∂L/∂x for each input, of
    ///     that input's shape, nil for zero.
    public init(
        _ name: String,
        forward: @escaping @Sendable (_ inputs: [Tensor], _ saved: inout SavedTensors) -> [Tensor],
        gradient: @escaping @Sendable (_ dy: [Tensor], _ saved: SavedTensors) -> [Tensor?]
    ) {
        self.name = name
        self.forward = forward
        self.gradient = gradient
    }

    /// The first output.
    public func callAsFunction(_ inputs: Tensor...) -> Tensor {
        self(inputs).first ?? fail(name, "gave no output")
    }

    /// All outputs. Integer and boolean ones carry no gradient.
    public func callAsFunction(_ inputs: [Tensor]) -> [Tensor] {
        var saved = SavedTensors()
        var outputs = withoutGradient { forward(inputs, &saved) }
        if ck_current_thread().pointee.anomaly_detection != 0 { checkFinite(name, outputs) }
        guard isRecording, inputs.contains(where: \.requiresGrad) else { return outputs }
        saved.sort(inputs: inputs, outputs: outputs)
        for index in outputs.indices { outputs[index].makeOwnBody() }
        let node = CustomNode(name, gradient, inputs: inputs, outputs: outputs, saved: saved)
        for (index, output) in outputs.enumerated() where output.dtype.isFloatingPoint {
            output.body.node = node
            output.body.outputIndex = Int32(index)
        }
        return outputs
    }
}

/// What the forward computation of a custom operation keeps for its gradient.
public struct SavedTensors: Sendable {
    private enum Kind { case constant, input, output(Int32) }
    private var entries: [(tensor: KeptInput, kind: Kind)] = []

    /// Keeps a tensor: it becomes the next of the subscript.
    public mutating func keep(_ tensors: Tensor...) {
        for tensor in tensors { entries.append((KeptInput(tensor), .constant)) }
    }

    public var count: Int { entries.count }

    public subscript(index: Int) -> Tensor {
        guard entries.indices.contains(index) else {
            return fail("custom operation", "asks for kept tensor \(index), but \(count) were kept")
        }
        return entries[index].tensor.value
    }

    /// Tells inputs and outputs, which gradients of the gradient must reach, from constants.
    fileprivate mutating func sort(inputs: [Tensor], outputs: [Tensor]) {
        for index in entries.indices {
            let tensor = entries[index].tensor.value
            if inputs.contains(where: { $0.body === tensor.body }) {
                entries[index].kind = .input
            } else if let output = outputs.firstIndex(where: { $0.body === tensor.body }) {
                entries[index] = (KeptInput(tensor.keptOutput), .output(Int32(output)))
            } else {
                entries[index] = (KeptInput(tensor.detach()), .constant)
            }
        }
    }

    /// The same with kept outputs attached to their node.
    fileprivate func attached(to node: Node) -> SavedTensors {
        var result = self
        for (index, entry) in entries.enumerated() {
            guard case .output(let output) = entry.kind, entry.tensor.value.dtype.isFloatingPoint else { continue }
            result.entries[index].tensor = KeptInput(entry.tensor.value.attached(to: node, output: output))
        }
        return result
    }
}

private final class CustomNode: Node, @unchecked Sendable {
    typealias Gradient = @Sendable (_ dy: [Tensor], _ saved: SavedTensors) -> [Tensor?]
    private typealias Form = (shape: Shape, dtype: DType)

    private let operationName: String
    /// Nil once released: what the closure captured may hold a graph of its own.
    private var gradient: Gradient?
    private var saved: SavedTensors
    private var edges: [Edge]
    private let inputForms: [Form]
    private let outputForms: [Form]

    init(_ name: String, _ gradient: @escaping Gradient, inputs: [Tensor], outputs: [Tensor], saved: SavedTensors) {
        operationName = name
        self.gradient = gradient
        self.saved = saved
        edges = inputs.map { Edge(to: $0) }
        inputForms = inputs.map { ($0.shape, $0.dtype) }
        outputForms = outputs.map { ($0.shape, $0.dtype) }
        super.init()
    }

    override var name: String { operationName }
    override var outputCount: Int { outputForms.count }
    override var parents: [Node?] { edges.map(\.node) }

    override func propagate(_ gradient: Tensor, to pass: BackwardPass) { propagate(all: [gradient], to: pass) }

    override func propagate(all gradients: [Tensor?], to pass: BackwardPass) {
        guard let gradient else { return reportReleased(name) }
        let dy = zip(gradients, outputForms).map { $0 ?? Tensor.zeros($1.shape, dtype: $1.dtype) }
        let results = gradient(dy, pass.createGraph ? saved.attached(to: self) : saved)
        if !pass.retainGraph { releaseKept() }
        guard results.count == edges.count else {
            fail(name, "its gradient gave \(results.count) tensors for \(edges.count) inputs")
            return
        }
        for (index, result) in results.enumerated() {
            guard let result, pass.wants(edges[index]) else { continue }
            guard result.shape == inputForms[index].shape else {
                fail(
                    name,
                    "its gradient of input \(index) has shape \(result.shape), the input has shape \(inputForms[index].shape)"
                )
                return
            }
            pass.send(result.to(inputForms[index].dtype), along: edges[index], from: self)
        }
    }

    private func releaseKept() {
        saved = SavedTensors()
        gradient = nil
    }

    override func dismantle(into queue: inout [Node]) {
        releaseKept()
        for index in edges.indices { edges[index].release(into: &queue) }
    }

    deinit { dismantleGraph() }
}
