import ChainRule

/// A criterion: how far a prediction is from its target.
///
/// As a function, `loss(prediction, target)`, it is recorded. Called by hand as in Torch 7, `forward` gives the number and
/// `backward` its gradient with respect to the prediction.
public protocol Loss: Sendable, CustomStringConvertible {
    func callAsFunction(_ prediction: Tensor, _ target: Tensor) -> Tensor
}

extension Loss {
    /// The loss, not recorded.
    public func forward(_ prediction: Tensor, _ target: Tensor) -> Tensor {
        withoutGradient { self(prediction.detach(), target) }
    }

    /// ∂loss/∂prediction.
    public func backward(_ prediction: Tensor, _ target: Tensor) -> Tensor {
        gradients(ofLossOf: [prediction]) { self($0[0], target) }[0]
    }
}

/// A criterion on two predictions: what they are to each other, given a target.
///
/// As a function, `loss(first, second, target)`, it is recorded. Called by hand as in Torch 7, `forward` gives the number and `backward` its
/// gradients with respect to both predictions.
public protocol PairLoss: Sendable, CustomStringConvertible {
    func callAsFunction(_ first: Tensor, _ second: Tensor, _ target: Tensor) -> Tensor
}

extension PairLoss {
    /// The loss, not recorded.
    public func forward(_ first: Tensor, _ second: Tensor, _ target: Tensor) -> Tensor {
        withoutGradient { self(first.detach(), second.detach(), target) }
    }

    /// ∂loss/∂first and ∂loss/∂second.
    public func backward(_ first: Tensor, _ second: Tensor, _ target: Tensor) -> (Tensor, Tensor) {
        let found = gradients(ofLossOf: [first, second]) { self($0[0], $0[1], target) }
        return (found[0], found[1])
    }
}

/// The gradients of a loss with respect to its inputs; of the sum of the losses of the elements when there is one for each.
func gradients(ofLossOf inputs: [Tensor], _ call: ([Tensor]) -> Tensor) -> [Tensor] {
    let leaves = inputs.map { $0.detach().requiringGrad() }
    let loss = withGradient { call(leaves) }
    loss.backward(gradient: .ones(like: loss))
    return leaves.map { $0.grad ?? .zeros(like: $0) }
}

/// What stands in a description for the reduction that is not the usual one.
func described(_ name: String, _ settings: [String] = [], _ reduction: Reduction) -> String {
    "\(name)(\((settings + (reduction == .mean ? [] : ["reduction: .\(reduction)"])).joined(separator: ", ")))"
}
