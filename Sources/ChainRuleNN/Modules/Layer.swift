import ChainRule

/// A module that turns one tensor into one tensor.
///
/// Two ways to use it. As a function, `model(x)`: recorded, and `backward()` on the loss does the rest. Or call by call as in Torch 7:
/// `forward(x)`, then `backward(x, dy)` with the gradient of the output, which returns the gradient of the input and adds up
/// those of the parameters. Both give equal gradients.
public protocol Layer: Module {
    func callAsFunction(_ input: Tensor) -> Tensor
}

extension Layer {
    /// The output, and what `backward` will need. The result is not attached to the graph: the caller hands gradients on.
    public func forward(_ input: Tensor) -> Tensor { explicitForward([input]) { self($0[0]) } }

    /// Adds the gradients of the parameters and returns that of the input, for the last `forward`. `input` is the tensor
    /// `forward` got, `outputGradient` has the shape of its output.
    @discardableResult
    public func backward(_ input: Tensor, _ outputGradient: Tensor) -> Tensor {
        explicitBackward([input], outputGradient)[0]
    }
}

/// A layer that can compute an activation behind it on its way, in fewer passes over memory than the two in turn.
public protocol ActivatedLayer: Layer {
    func callAsFunction(_ input: Tensor, activation: Activation) -> Tensor
}

/// A layer that is nothing but an activation: `Sequential` leaves it to an `ActivatedLayer` in front of it.
protocol ActivationLayer: Layer {
    var activation: Activation { get }
}

/// A module that turns two tensors into one, recorded or called by hand like a `Layer`.
public protocol PairLayer: Module {
    func callAsFunction(_ input1: Tensor, _ input2: Tensor) -> Tensor
}

extension PairLayer {
    /// The output, and what `backward` will need.
    public func forward(_ input1: Tensor, _ input2: Tensor) -> Tensor {
        explicitForward([input1, input2]) { self($0[0], $0[1]) }
    }

    /// Adds the gradients of the parameters and returns those of the inputs, for the last `forward`.
    @discardableResult
    public func backward(_ input1: Tensor, _ input2: Tensor, _ outputGradient: Tensor) -> (Tensor, Tensor) {
        let gradients = explicitBackward([input1, input2], outputGradient)
        return (gradients[0], gradients[1])
    }
}

extension Module {
    fileprivate func explicitForward(_ inputs: [Tensor], _ call: ([Tensor]) -> Tensor) -> Tensor {
        let leaves = inputs.map { $0.dtype.isFloatingPoint ? $0.detach().requiringGrad() : $0 }
        let output = withGradient { call(leaves) }
        explicitCall = (leaves, output)
        return output.detach()
    }

    fileprivate func explicitBackward(_ inputs: [Tensor], _ outputGradient: Tensor) -> [Tensor] {
        let shapes = inputs.map(\.shape)
        guard let call = explicitCall, call.inputs.map(\.shape) == shapes else {
            let last = explicitCall.map { call in
                "the last forward had \(call.inputs.map { "\($0.shape)" }.joined(separator: " and "))"
            }
            let these = shapes.map { "\($0)" }.joined(separator: " and ")
            let error = fail(
                "backward",
                "call forward on the same input first: \(last ?? "there was none"), this one has shape \(these)")
            return inputs.map { _ in error }
        }
        explicitCall = nil
        if call.output.requiresGrad { call.output.backward(gradient: outputGradient) }
        return call.inputs.map { $0.grad ?? .zeros($0.shape, dtype: $0.dtype.asFloatingPoint) }
    }
}
