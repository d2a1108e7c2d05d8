import ChainRule

/// (x − t)², averaged.
public struct MSELoss: Loss {
    public let reduction: Reduction

    public init(reduction: Reduction = .mean) {
        self.reduction = reduction
    }

    public var description: String { described("MSELoss", [], reduction) }

    public func callAsFunction(_ prediction: Tensor, _ target: Tensor) -> Tensor {
        prediction.mseLoss(target, reduction: reduction)
    }
}

/// |x − t|, averaged.
public struct L1Loss: Loss {
    public let reduction: Reduction

    public init(reduction: Reduction = .mean) {
        self.reduction = reduction
    }

    public var description: String { described("L1Loss", [], reduction) }

    public func callAsFunction(_ prediction: Tensor, _ target: Tensor) -> Tensor {
        prediction.l1Loss(target, reduction: reduction)
    }
}

/// ½ d² / β where d = |x − t| < β, else d − β/2: a square that grows only linearly, averaged (Girshick 2015, arXiv 1504.08083).
public struct SmoothL1Loss: Loss {
    public let beta: Double
    public let reduction: Reduction

    public init(beta: Double = 1, reduction: Reduction = .mean) {
        self.beta = beta
        self.reduction = reduction
    }

    public var description: String { described("SmoothL1Loss", ["beta: \(beta)"], reduction) }

    public func callAsFunction(_ prediction: Tensor, _ target: Tensor) -> Tensor {
        prediction.smoothL1Loss(target, beta: beta, reduction: reduction)
    }
}

/// ½ d² where d = |x − t| ≤ δ, else δ (d − δ/2), averaged (Huber 1964).
public struct HuberLoss: Loss {
    public let delta: Double
    public let reduction: Reduction

    public init(delta: Double = 1, reduction: Reduction = .mean) {
        self.delta = delta
        self.reduction = reduction
    }

    public var description: String { described("HuberLoss", ["delta: \(delta)"], reduction) }

    public func callAsFunction(_ prediction: Tensor, _ target: Tensor) -> Tensor {
        prediction.huberLoss(target, delta: delta, reduction: reduction)
    }
}

/// eˣ − t x, or x − t log(x + eps) unless `logInput`: the negative log-likelihood of counts t under Poisson distributions, averaged. With
/// `full` Stirling's approximation of log t! is added where t > 1.
public struct PoissonNLLLoss: Loss {
    public let logInput: Bool
    public let full: Bool
    public let eps: Double
    public let reduction: Reduction

    public init(logInput: Bool = true, full: Bool = false, eps: Double = 1e-8, reduction: Reduction = .mean) {
        self.logInput = logInput
        self.full = full
        self.eps = eps
        self.reduction = reduction
    }

    public var description: String {
        described("PoissonNLLLoss", ["logInput: \(logInput)", "full: \(full)"], reduction)
    }

    public func callAsFunction(_ prediction: Tensor, _ target: Tensor) -> Tensor {
        prediction.poissonNLLLoss(target, logInput: logInput, full: full, eps: eps, reduction: reduction)
    }
}

/// ½ (log v + (x − t)² / v), averaged: the negative log-likelihood of targets t under normal distributions with means x and variances v, which
/// have the shape of x, or one with an axis of size 1 or the last axis missing (Nix and Weigend 1994). With `full` the constant ½ log 2π is added.
public struct GaussianNLLLoss: Sendable, CustomStringConvertible {
    public let full: Bool
    public let eps: Double
    public let reduction: Reduction

    public init(full: Bool = false, eps: Double = 1e-6, reduction: Reduction = .mean) {
        self.full = full
        self.eps = eps
        self.reduction = reduction
    }

    public var description: String { described("GaussianNLLLoss", ["full: \(full)"], reduction) }

    /// - Parameters:
    ///   - mean: x.
    ///   - variance: v; less than `eps` counts as `eps`.
    public func callAsFunction(_ mean: Tensor, _ target: Tensor, variance: Tensor) -> Tensor {
        mean.gaussianNLLLoss(target, variance: variance, full: full, eps: eps, reduction: reduction)
    }

    /// The loss, not recorded.
    public func forward(_ mean: Tensor, _ target: Tensor, variance: Tensor) -> Tensor {
        withoutGradient { self(mean.detach(), target, variance: variance.detach()) }
    }

    /// ∂loss/∂mean and ∂loss/∂variance.
    public func backward(_ mean: Tensor, _ target: Tensor, variance: Tensor) -> (mean: Tensor, variance: Tensor) {
        let found = gradients(ofLossOf: [mean, variance]) { self($0[0], target, variance: $0[1]) }
        return (found[0], found[1])
    }
}

/// t (log t − x), averaged over all elements: the divergence of targets t from log-probabilities x (Kullback and Leibler 1951). The divergence
/// itself is the sum, divided by the size of the batch with `perBatch`: PyTorch's "batchmean".
public struct KLDivLoss: Loss {
    public let logTarget: Bool
    public let perBatch: Bool
    public let reduction: Reduction

    public init(logTarget: Bool = false, perBatch: Bool = false, reduction: Reduction = .mean) {
        self.logTarget = logTarget
        self.perBatch = perBatch
        self.reduction = reduction
    }

    public var description: String {
        described("KLDivLoss", ["logTarget: \(logTarget)", "perBatch: \(perBatch)"], reduction)
    }

    public func callAsFunction(_ prediction: Tensor, _ target: Tensor) -> Tensor {
        prediction.klDiv(target, logTarget: logTarget, reduction: perBatch ? .sum : reduction, perBatch: perBatch)
    }
}
