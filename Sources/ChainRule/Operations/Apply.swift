import CKernels

// The one seam every operation passes: it runs, and is recorded when an input requires a gradient.

/// Applies a unary operation.
@inline(__always)
public func apply<O: UnaryOperation>(_ operation: O, to x: Tensor) -> Tensor {
    var y = isTraced ? traced(operation, x) : operation.forward(x)
    if ck_current_thread().pointee.anomaly_detection != 0 { checkFinite(O.name, [y]) }
    guard x.body.node != nil, isRecording, y.dtype.isFloatingPoint else { return y }
    guard O.isDifferentiable else { return reportMissingGradient(O.self) }
    y.makeOwnBody()
    y.body.node = UnaryNode(operation, x: x, y: y)
    return y
}

/// Applies a binary operation. The gradient of a broadcast input is summed over the expanded axes.
@inline(__always)
public func apply<O: BinaryOperation>(_ operation: O, to left: Tensor, _ right: Tensor) -> Tensor {
    var y = isTraced ? traced(operation, left, right) : operation.forward(left, right)
    if ck_current_thread().pointee.anomaly_detection != 0 { checkFinite(O.name, [y]) }
    if left.body.node == nil && right.body.node == nil { return y }
    guard isRecording, y.dtype.isFloatingPoint else { return y }
    guard O.isDifferentiable else { return reportMissingGradient(O.self) }
    y.makeOwnBody()
    y.body.node = BinaryNode(operation, left: left, right: right, y: y)
    return y
}

/// Applies an operation on any number of inputs.
public func apply<O: VariadicOperation>(_ operation: O, to inputs: [Tensor]) -> [Tensor] {
    var outputs = isTraced ? traced(operation, inputs) : operation.forward(inputs)
    if ck_current_thread().pointee.anomaly_detection != 0 { checkFinite(O.name, outputs) }
    guard isRecording, inputs.contains(where: { $0.body.node != nil }) else { return outputs }
    guard outputs.contains(where: { $0.dtype.isFloatingPoint }) else { return outputs }
    guard O.isDifferentiable else { return outputs.map { _ in reportMissingGradient(O.self) } }
    for index in outputs.indices { outputs[index].makeOwnBody() }
    let node = VariadicNode(operation, inputs: inputs, outputs: outputs)
    for (index, output) in outputs.enumerated() where output.dtype.isFloatingPoint {
        output.body.node = node
        output.body.outputIndex = Int32(index)
    }
    return outputs
}

/// Applies a variadic operation that has one output.
public func applyOne<O: VariadicOperation>(_ operation: O, to inputs: [Tensor]) -> Tensor {
    apply(operation, to: inputs).first ?? fail(O.name, "gave no output")
}

/// Whether operations on this thread are recorded: outside every `withoutGradient` scope.
@inline(__always)
var isRecording: Bool { ck_current_thread().pointee.gradient_disabled == 0 }

/// Whether operations on this thread are written down for a compiled function.
@inline(__always)
var isTraced: Bool { ck_current_thread().pointee.recorder != nil }

extension Tensor {
    /// Gives a result a body that nobody else has before a node is hung on it: an operation may hand back its very input, or the
    /// shared placeholder after an error.
    @inline(__always)
    mutating func makeOwnBody() {
        if !isKnownUniquelyReferenced(&body) { self = withoutNode }
    }
}

@inline(never)
private func reportMissingGradient<O: Operation>(_: O.Type) -> Tensor {
    fail(
        O.name,
        "an input requires a gradient, but the operation is \(O.formula.gradient); call detach() on the input to go on without"
    )
}
