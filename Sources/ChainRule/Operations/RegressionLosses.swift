// How far numbers are from their targets. Predictions and targets have equal shapes: (N, 1) and (N) would broadcast to the (N, N) differences of
// all pairs and train a model on nonsense, which PyTorch does after a warning.

let regressionLossOperations: [any Operation.Type] = [Huber.self]

/// y = ½ d² where |d| ≤ δ, else δ (|d| − δ/2), with d = a − b
struct Huber: LoopedBinaryOperation {
    let delta: Double
    static let name = "huber"
    static let formula = Formula(
        "½ d² where |d| ≤ δ, else δ (|d| − ½ δ), d = a − b",
        gradient: "∂L/∂a = ∂L/∂y · min(max(d, −δ), δ), ∂L/∂b = −∂L/∂a")
    static let keeps: Keeps = .inputs
    /// m (d − m/2) with m = d brought between −δ and δ.
    func value<T: BinaryFloatingPoint>(_ a: T, _ b: T) -> T {
        let (d, bound) = (a - b, T(delta))
        let raised = d < -bound ? -bound : d
        let nearer = raised > bound ? bound : raised
        return nearer * (d - nearer / 2)
    }
    func gradientLeft(_ dy: Tensor, _ kept: Kept) -> Tensor {
        dy * (kept.leftInput - kept.rightInput).clamp(min: -delta, max: delta)
    }
    func gradientRight(_ dy: Tensor, _ kept: Kept) -> Tensor {
        dy * (kept.rightInput - kept.leftInput).clamp(min: -delta, max: delta)
    }
    static let samples = [
        Sample(Huber(delta: 0.7), -0.3...0.3, -0.3...0.3), Sample(Huber(delta: 0.7), 1...3, -0.5...0.2),
        Sample(Huber(delta: 0.7), -0.5...0.2, 1...3),
    ]
}

extension Tensor {
    /// (x − t)².
    ///
    /// - Parameter weight: A factor for each element; the mean is then divided by their sum.
    public func mseLoss(_ target: Tensor, weight: Tensor? = nil, reduction: Reduction = .mean) -> Tensor {
        guard matches(target, "mseLoss"), weight.map({ matches($0, "mseLoss") }) ?? true else {
            return .placeholderAfterError
        }
        return (wide - target.wide).squared().reduced(reduction, weight: weight?.wide).rounded(to: dtype)
    }

    /// |x − t|. Integers stay integers.
    ///
    /// - Parameter weight: A factor for each element; the mean is then divided by their sum.
    public func l1Loss(_ target: Tensor, weight: Tensor? = nil, reduction: Reduction = .mean) -> Tensor {
        guard hasShape(of: target, "l1Loss"), weight.map({ hasShape(of: $0, "l1Loss") }) ?? true else {
            return .placeholderAfterError
        }
        return (wide - target.wide).abs().reduced(reduction, weight: weight?.wide).rounded(to: dtype)
    }

    /// ½ d² / β where d = |x − t| < β, else d − β/2: a square that grows only linearly (Girshick 2015). With β = 0, |x − t|.
    public func smoothL1Loss(_ target: Tensor, beta: Double = 1, reduction: Reduction = .mean) -> Tensor {
        guard beta >= 0 else { return fail("smoothL1Loss", "beta must not be negative, it is \(beta)") }
        guard matches(target, "smoothL1Loss") else { return .placeholderAfterError }
        if beta == 0 { return (wide - target.wide).abs().reduced(reduction).rounded(to: dtype) }
        let losses = Tensor.binaryPromoted(Huber(delta: beta), wide, target.wide)
        return (beta == 1 ? losses : losses / beta).reduced(reduction).rounded(to: dtype)
    }

    /// ½ d² where d = |x − t| ≤ δ, else δ (d − δ/2) (Huber 1964).
    ///
    /// - Parameter weight: A factor for each element; the mean stays that of the elements.
    public func huberLoss(
        _ target: Tensor, delta: Double = 1, weight: Tensor? = nil, reduction: Reduction = .mean
    ) -> Tensor {
        guard delta > 0 else { return fail("huberLoss", "delta must be positive, it is \(delta)") }
        guard matches(target, "huberLoss"), weight.map({ matches($0, "huberLoss") }) ?? true else {
            return .placeholderAfterError
        }
        let losses = Tensor.binaryPromoted(Huber(delta: delta), wide, target.wide)
        return (weight.map { losses * $0.wide } ?? losses).reduced(reduction).rounded(to: dtype)
    }

    /// ½ (log v + (x − t)² / v): the negative log-likelihood of targets t under normal distributions with means x and variances v
    /// (Nix and Weigend 1994).
    ///
    /// - Parameters:
    ///   - variance: v, of this shape, or with one axis of size 1 or the last one missing: one variance for all along it.
    ///   - full: Whether the constant ½ log 2π is added.
    ///   - eps: The least variance that is computed with; the gradient passes through this bound.
    public func gaussianNLLLoss(
        _ target: Tensor, variance: Tensor, full: Bool = false, eps: Double = 1e-6, reduction: Reduction = .mean
    ) -> Tensor {
        let isShared = variance.shape != shape && variance.shape.elementsEqual(shape.dropLast())
        let given = isShared ? variance.unsqueeze(dim: -1) : variance
        let sharedAxes = given.rank == rank ? zip(given.shape, shape).filter { $0 != $1 } : [(0, 0), (0, 0)]
        guard sharedAxes.count <= 1, sharedAxes.allSatisfy({ $0.0 == 1 }) else {
            return fail("gaussianNLLLoss", "a variance of shape \(variance.shape) does not fit means of shape \(shape)")
        }
        let v = given.wide.atLeast(eps)
        let losses = (v.log() + (wide - target.wide).squared() / v) * 0.5
        return (full ? losses + halfLogTwoPi : losses).reduced(reduction).rounded(to: dtype)
    }

    /// eˣ − t x, or x − t log(x + ε): the negative log-likelihood of counts t under Poisson distributions whose means are eˣ, or x.
    ///
    /// - Parameters:
    ///   - logInput: Whether x is the logarithm of the mean.
    ///   - full: Whether Stirling's approximation of log t! is added, where t > 1.
    public func poissonNLLLoss(
        _ target: Tensor, logInput: Bool = true, full: Bool = false, eps: Double = 1e-8, reduction: Reduction = .mean
    ) -> Tensor {
        guard hasShape(of: target, "poissonNLLLoss") else { return .placeholderAfterError }
        let (mask, x, target) = (target.detach() .<= 1, wide, target.wide)
        var losses = logInput ? x.exp() - target * x : x - target * (x + eps).log()
        if full {
            let stirling = target * target.log() - target + (target * (2 * Double.pi)).log() * 0.5
            losses = losses + stirling.maskedFill(mask, 0)
        }
        return losses.reduced(reduction).rounded(to: dtype)
    }

    // MARK: - What all losses share

    /// Losses of the elements to their average, their sum, or as they are.
    func reduced(_ reduction: Reduction) -> Tensor {
        switch reduction {
        case .none: self
        case .mean: mean()
        case .sum: sum()
        }
    }

    /// The same for weighted losses, of which the average is divided by the sum of the weights.
    func reduced(_ reduction: Reduction, weight: Tensor?) -> Tensor {
        guard let weight else { return reduced(reduction) }
        let weighted = self * weight
        return reduction == .mean ? weighted.sum() / weight.sum() : weighted.reduced(reduction)
    }

    /// At least `bound`, where the gradient passes as if it were not there.
    func atLeast(_ bound: Double) -> Tensor {
        let values = detach()
        return self + (values.clamp(min: bound) - values)
    }

    /// Whether a target or a weight has this shape, and the numbers are floating; reports it when not.
    func matches(_ target: Tensor, _ name: String) -> Bool {
        requireFloating(name) && hasShape(of: target, name)
    }

    private func hasShape(of target: Tensor, _ name: String) -> Bool {
        if shape == target.shape { return true }
        fail(
            name,
            "the prediction has shape \(shape), its target or weight \(target.shape); reshape one of them, or .expand(...) it where it is to broadcast"
        )
        return false
    }
}

/// ½ log 2π
private let halfLogTwoPi = 0.918938533204672741780
