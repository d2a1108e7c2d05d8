import ChainRule

/// (x − t)², averaged.
public struct MSELoss: Loss {
    public let reduction: Reduction

    public init(reduction: Reduction = .mean) { self.reduction = reduction }

    public var description: String { "MSELoss()" }

    public func callAsFunction(_ prediction: Tensor, _ target: Tensor) -> Tensor {
        guard haveEqualShapes(prediction, target, "MSELoss") else { return prediction }
        return reduce((prediction - target).squared(), reduction)
    }
}

/// |x − t|, averaged.
public struct L1Loss: Loss {
    public let reduction: Reduction

    public init(reduction: Reduction = .mean) { self.reduction = reduction }

    public var description: String { "L1Loss()" }

    public func callAsFunction(_ prediction: Tensor, _ target: Tensor) -> Tensor {
        guard haveEqualShapes(prediction, target, "L1Loss") else { return prediction }
        return reduce((prediction - target).abs(), reduction)
    }
}

/// ½ d² / β where d = |x − t| < β, else d − β/2: a square that grows only linearly, averaged.
public struct SmoothL1Loss: Loss {
    public let beta: Double
    public let reduction: Reduction

    public init(beta: Double = 1, reduction: Reduction = .mean) {
        self.beta = beta
        self.reduction = reduction
    }

    public var description: String { "SmoothL1Loss(beta: \(beta))" }

    public func callAsFunction(_ prediction: Tensor, _ target: Tensor) -> Tensor {
        guard haveEqualShapes(prediction, target, "SmoothL1Loss") else { return prediction }
        let distance = (prediction - target).abs()
        guard beta > 0 else { return reduce(distance, reduction) }
        let square = distance.squared() * (0.5 / beta)
        return reduce(Tensor.where(distance .< beta, square, distance - beta / 2), reduction)
    }
}
