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
        let leaf = prediction.detach().requiringGrad()
        let loss = withGradient { self(leaf, target) }
        // The sum of the losses of the elements when there is one for each.
        loss.backward(gradient: .ones(like: loss))
        return leaf.grad ?? .zeros(like: prediction)
    }
}

/// Elementwise losses to their mean, their sum, or as they are.
func reduce(_ losses: Tensor, _ reduction: Reduction) -> Tensor {
    switch reduction {
    case .none: losses
    case .mean: losses.mean()
    case .sum: losses.sum()
    }
}

/// Reports a target whose shape is not that of the prediction; broadcasting there is nearly always a mistake.
func haveEqualShapes(_ prediction: Tensor, _ target: Tensor, _ name: String) -> Bool {
    guard prediction.shape == target.shape else {
        fail(name, "the prediction has shape \(prediction.shape), the target \(target.shape); they must be equal")
        return false
    }
    return true
}
