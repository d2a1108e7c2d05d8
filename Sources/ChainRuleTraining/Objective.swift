import ChainRule
import ChainRuleNN

/// What a classifier is trained for: how its scores are compared with the true classes, and read as probabilities.
public enum Objective: String, Sendable, CaseIterable, Codable {
    /// The negative log-likelihood of the softmax of the scores.
    case nll
    /// The mean squared error of the scores against one-hot targets.
    case mse
    /// The multi-class margin: the true class ahead of each other by 1.
    case margin

    /// The mean loss of scores (N, classes) for int64 classes (N).
    public func loss(_ scores: Tensor, _ classes: Tensor) -> Tensor {
        switch self {
        case .nll: return scores.crossEntropy(classes)
        case .margin: return MultiMarginLoss()(scores, classes)
        case .mse:
            let columns = Tensor.arange(scores.shape[1])
            return MSELoss()(scores, (classes.unsqueeze(dim: 1) .== columns).to(scores.dtype))
        }
    }

    /// The scores (N, classes) as numbers from 0 to 1 that sum to 1. Only for `nll` are they calibrated probabilities.
    public func probabilities(_ scores: Tensor) -> Tensor { scores.softmax(dim: -1) }
}
