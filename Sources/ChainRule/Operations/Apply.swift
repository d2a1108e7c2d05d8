import CKernels

// The one seam every operation passes: it runs, and is recorded when an input requires a gradient.

/// Applies a unary operation.
@inline(__always)
public func apply<O: UnaryOperation>(_ operation: O, to x: Tensor) -> Tensor {
    let y = operation.forward(x)
    if ck_current_thread().pointee.anomaly_detection != 0 { checkFinite(O.name, [y]) }
    guard let parent = x.body.node, isRecording, y.dtype.isFloatingPoint else { return y }
    y.body.node = UnaryNode(operation, x: x, parent: parent, y: y)
    return y
}

/// Applies a binary operation. The gradient of a broadcast input is summed over the expanded axes.
@inline(__always)
public func apply<O: BinaryOperation>(_ operation: O, to left: Tensor, _ right: Tensor) -> Tensor {
    let y = operation.forward(left, right)
    if ck_current_thread().pointee.anomaly_detection != 0 { checkFinite(O.name, [y]) }
    if left.body.node == nil && right.body.node == nil { return y }
    guard isRecording, y.dtype.isFloatingPoint else { return y }
    y.body.node = BinaryNode(operation, left: left, right: right, y: y)
    return y
}

/// Applies an operation on any number of inputs.
public func apply<O: VariadicOperation>(_ operation: O, to inputs: [Tensor]) -> [Tensor] {
    let outputs = operation.forward(inputs)
    if ck_current_thread().pointee.anomaly_detection != 0 { checkFinite(O.name, outputs) }
    guard isRecording, inputs.contains(where: { $0.body.node != nil }) else { return outputs }
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
