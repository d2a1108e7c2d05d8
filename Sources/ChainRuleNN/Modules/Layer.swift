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
    public func forward(_ input: Tensor) -> Tensor {
        let leaf = input.dtype.isFloatingPoint ? input.detach().requiringGrad() : input
        let output = withGradient { self(leaf) }
        explicitCall = (leaf, output)
        return output.detach()
    }

    /// Adds the gradients of the parameters and returns that of the input, for the last `forward`. `input` is the tensor
    /// `forward` got, `outputGradient` has the shape of its output.
    @discardableResult
    public func backward(_ input: Tensor, _ outputGradient: Tensor) -> Tensor {
        guard let call = explicitCall, call.input.shape == input.shape else {
            let last = explicitCall.map { "the last forward had an input of shape \($0.input.shape)" }
            return fail(
                "backward",
                "call forward on the same input first: \(last ?? "there was none"), this one has \(input.shape)"
            )
        }
        explicitCall = nil
        if call.output.requiresGrad { call.output.backward(gradient: outputGradient) }
        return call.input.grad ?? .zeros(input.shape, dtype: input.dtype.asFloatingPoint)
    }
}
