import CKernels

// Functions of functions: gradients as values, without touching the `grad` of any leaf.
//
// Inside a transform each argument is a variable of its own, so f may be called with anything. When an argument, or something f
// captures, is itself part of a recorded graph, the results are recorded too: transforms nest, and a gradient can be part of a loss.

/// ∂output/∂input · `gradient` for each of `inputs`, which may be leaves or inner tensors. No leaf's `grad` changes.
///
/// - Parameters:
///   - gradient: the gradient to begin with, of the shape of `output`; 1 when left out, for an output of one element.
///   - retainGraph: keeps what the operations kept, so that the graph can be gone through again. As `createGraph` unless given.
///   - createGraph: records the gradients, so that they can be differentiated.
///   - allowUnused: gives zeros for an input that `output` does not depend on, instead of stopping with its position.
public func gradient(
    of output: Tensor, wrt inputs: [Tensor], gradient: Tensor? = nil, retainGraph: Bool? = nil,
    createGraph: Bool = false, allowUnused: Bool = false
) -> [Tensor] {
    if let index = inputs.firstIndex(where: { !$0.requiresGrad }), !allowUnused {
        let error = fail("gradient", "input \(index) of shape \(inputs[index].shape) requires no gradient")
        return inputs.map { _ in error }
    }
    if output.node == nil && allowUnused { return inputs.map { Tensor.zeros(like: $0) } }
    guard let seed = output.seed(gradient, in: "gradient") else { return inputs.map { _ in .placeholderAfterError } }
    let pass = BackwardPass(
        from: [output], to: inputs, retainGraph: retainGraph ?? createGraph, createGraph: createGraph)
    pass.begin(at: output, with: seed)
    pass.run()
    return inputs.enumerated().map { index, input in
        if let gradient = pass.gradient(of: input) { return gradient }
        if allowUnused { return Tensor.zeros(like: input) }
        return fail(
            "gradient",
            "the output does not depend on input \(index) of shape \(input.shape); pass allowUnused: true to get zeros")
    }
}

/// The function x ↦ ∂f/∂x, for an f whose result has one element.
public func gradient(of f: @escaping (Tensor) -> Tensor) -> (Tensor) -> Tensor {
    { x in valueAndGradient(of: f, at: x).gradient }
}

/// f(x) and ∂f/∂x, for an f whose result has one element.
public func valueAndGradient(of f: (Tensor) -> Tensor, at x: Tensor) -> (value: Tensor, gradient: Tensor) {
    let (value, gradients) = valueAndGradient(of: { f($0[0]) }, at: [x])
    return (value, gradients[0])
}

/// f(parameters) and its gradient with respect to each parameter, zeros where f does not depend on it. The result of f has one element.
public func valueAndGradient(
    of f: ([Tensor]) -> Tensor, at parameters: [Tensor]
) -> (value: Tensor, gradients: [Tensor]) {
    let call = TransformedCall(f, parameters)
    guard call.output.count == 1 else {
        let message = "the function's result has shape \(call.output.shape); its gradient is defined for one element"
        let error = fail("valueAndGradient", message)
        return (error, parameters.map { _ in error })
    }
    let gradients = call.pullBack(Tensor.ones(like: call.output), retainGraph: false)
    return (call.value, gradients)
}

/// f(x) and vᵀ · ∂f/∂x, the vector–Jacobian product: v has the shape of f(x), the product that of x.
public func vjp(_ f: (Tensor) -> Tensor, _ x: Tensor, _ v: Tensor) -> (value: Tensor, product: Tensor) {
    let call = TransformedCall({ f($0[0]) }, [x])
    guard call.output.shape == v.shape else {
        let message = "v has shape \(v.shape), the function's result has shape \(call.output.shape)"
        let error = fail("vjp", message)
        return (error, error)
    }
    return (call.value, call.pullBack(v, retainGraph: false)[0])
}

/// f(x) and ∂f/∂x · v, the Jacobian–vector product: v has the shape of x, the product that of f(x).
///
/// vᵀ∂f/∂x is linear in its v, so the gradient of that product is the Jacobian transposed back: two backward passes, no forward mode.
public func jvp(_ f: (Tensor) -> Tensor, _ x: Tensor, _ v: Tensor) -> (value: Tensor, product: Tensor) {
    guard x.shape == v.shape else {
        let error = fail("jvp", "v has shape \(v.shape), the argument has shape \(x.shape)")
        return (error, error)
    }
    let call = TransformedCall({ f($0[0]) }, [x])
    let product = withGradient {
        let u = Tensor.zeros(like: call.output).requiringGrad()
        let pulled = gradient(
            of: call.output, wrt: call.variables, gradient: u, createGraph: true, allowUnused: true)[0]
        return gradient(
            of: pulled, wrt: [u], gradient: v, retainGraph: true, createGraph: call.isRecorded, allowUnused: true)[0]
    }
    return (call.value, product)
}

/// The function x ↦ ∂f/∂x as one tensor, of the shape of f(x) followed by that of x. One backward pass for each element of f(x).
public func jacobian(of f: @escaping (Tensor) -> Tensor) -> (Tensor) -> Tensor {
    { x in
        let call = TransformedCall({ f($0[0]) }, [x])
        let y = call.output
        guard y.count > 0 else { return Tensor.zeros(Shape(Array(y.shape) + Array(x.shape)), dtype: y.dtype) }
        let rows = (0..<y.count).map { row in
            var unit = [Double](repeating: 0, count: y.count)
            unit[row] = 1
            let seed = Tensor(unit, shape: y.shape).to(y.dtype)
            return call.pullBack(seed, retainGraph: row < y.count - 1)[0]
        }
        return stack(rows).reshape(Shape(Array(y.shape) + Array(x.shape)))
    }
}

/// The function x ↦ ∂²f/∂x² as one tensor, of the shape of x twice, for an f whose result has one element.
public func hessian(of f: @escaping (Tensor) -> Tensor) -> (Tensor) -> Tensor {
    jacobian(of: gradient(of: f))
}

/// One call of a transformed function: its arguments as variables, its result, and how gradients are taken from it.
private struct TransformedCall {
    let variables: [Tensor]
    let output: Tensor
    /// Whether results must be recorded: something besides the variables leads to the output and requires a gradient.
    let isRecorded: Bool

    init(_ f: ([Tensor]) -> Tensor, _ arguments: [Tensor]) {
        let records = isRecording
        let variables = arguments.map { Self.variable(for: $0, records: records) }
        let output = withGradient { f(variables) }
        self.variables = variables
        self.output = output
        isRecorded = records && Self.dependsOnMore(output, than: variables)
    }

    /// The value without the inside of the transform.
    var value: Tensor { isRecorded ? output : output.detach() }

    /// The gradients of the variables.
    func pullBack(_ v: Tensor, retainGraph: Bool) -> [Tensor] {
        gradient(
            of: output, wrt: variables, gradient: v, retainGraph: retainGraph || isRecorded, createGraph: isRecorded,
            allowUnused: true)
    }

    /// A stand-in for an argument that nothing outside f uses, so that its gradient is that of f's argument alone. It stays connected to a recorded
    /// argument, and is a leaf otherwise.
    private static func variable(for argument: Tensor, records: Bool) -> Tensor {
        records && argument.requiresGrad ? apply(Alias(), to: argument) : argument.detach().requiringGrad()
    }

    private static func dependsOnMore(_ output: Tensor, than variables: [Tensor]) -> Bool {
        var seen = Set(variables.compactMap { $0.node.map(ObjectIdentifier.init) })
        if variables.contains(where: { !$0.isLeaf }) { return true }
        var stack = output.node.map { [$0] } ?? []
        while let node = stack.popLast() {
            guard seen.insert(ObjectIdentifier(node)).inserted else { continue }
            if node.isLeaf { return true }
            for case let parent? in node.parents { stack.append(parent) }
        }
        return false
    }
}

let transformOperations: [any Operation.Type] = [Alias.self]

/// The same tensor as a new node of the graph.
struct Alias: UnaryOperation {
    static let name = "alias"
    static let formula = Formula("x", gradient: "∂L/∂x = ∂L/∂y")
    static let dtypes: DTypes = .all
    static let keeps: Keeps = []
    func forward(_ x: Tensor) -> Tensor { x.detach() }
    func gradient(_ dy: Tensor, _ kept: Kept) -> Tensor { dy }
    static let samples = [Sample(Alias(), -3...3)]
}
