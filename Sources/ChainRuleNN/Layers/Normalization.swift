import ChainRule

/// y = (x − mean) / √(variance + eps) · weight + bias, per channel (axis 1), over the batch and all other axes
/// (Ioffe and Szegedy 2015, arXiv 1502.03167).
///
/// In training the batch's own mean and variance are used, and the running ones move towards them by `momentum`
/// (nil: the plain average over all batches); in evaluation the running ones are used.
public class BatchNormalization: Module {
    @Parameter public final var weight: Tensor?
    @Parameter public final var bias: Tensor?
    @Buffer public final var runningMean: Tensor?
    @Buffer public final var runningVariance: Tensor?
    @Buffer public final var batchesTracked: Tensor?
    public final let features: Int
    public final let eps: Double
    public final let momentum: Double?

    public init(
        _ features: Int, eps: Double = 1e-5, momentum: Double? = 0.1, affine: Bool = true,
        trackRunningStatistics: Bool = true, dtype: DType = .float32
    ) {
        self.features = features
        self.eps = eps
        self.momentum = momentum
        _weight = Parameter(affine ? .ones([features], dtype: dtype) : nil)
        _bias = Parameter(affine ? .zeros([features], dtype: dtype) : nil)
        _runningMean = Buffer(trackRunningStatistics ? .zeros([features], dtype: dtype) : nil)
        _runningVariance = Buffer(trackRunningStatistics ? .ones([features], dtype: dtype) : nil)
        _batchesTracked = Buffer(trackRunningStatistics ? .zeros([], dtype: .int64) : nil)
        super.init()
    }

    public final override var summary: String { "\(type(of: self))(\(features))" }

    override var stateNames: [String: String] {
        [
            "runningMean": "running_mean", "runningVariance": "running_var", "batchesTracked": "num_batches_tracked",
        ]
    }

    final func normalize(_ input: Tensor, ranks: ClosedRange<Int>) -> Tensor {
        scope {
            guard ranks.contains(input.rank), input.shape[1] == features else {
                return fail(
                    "batchNorm",
                    "expects \(ranks.lowerBound) to \(ranks.upperBound) axes with \(features) channels on axis 1, got shape \(input.shape)"
                )
            }
            let usesBatch = isTraining || runningMean == nil
            let result = input.batchNorm(
                runningMean: runningMean, runningVariance: runningVariance, weight: weight, bias: bias,
                training: usesBatch, eps: eps)
            if isTraining, let mean = result.batchMean, let variance = result.batchVariance {
                updateStatistics(mean: mean, variance: variance)
            }
            return result.output
        }
    }

    private func updateStatistics(mean: Tensor, variance: Tensor) {
        guard let oldMean = runningMean, let oldVariance = runningVariance, let batches = batchesTracked else { return }
        let count = batches + 1
        batchesTracked = count
        let share = momentum ?? 1 / count.item()
        runningMean = oldMean * (1 - share) + mean.detach() * share
        runningVariance = oldVariance * (1 - share) + variance.detach() * share
    }
}

/// Batch normalisation of (N, C) or (N, C, L).
public final class BatchNorm1d: BatchNormalization, Layer {
    public func callAsFunction(_ input: Tensor) -> Tensor { normalize(input, ranks: 2...3) }
}

/// Batch normalisation of (N, C, H, W).
public final class BatchNorm2d: BatchNormalization, Layer {
    public func callAsFunction(_ input: Tensor) -> Tensor { normalize(input, ranks: 4...4) }
}

/// y = (x − mean) / √(variance + eps) · weight + bias over the last axes, for each of the others by itself
/// (Ba et al. 2016, arXiv 1607.06450).
public final class LayerNorm: Module, Layer {
    @Parameter public var weight: Tensor?
    @Parameter public var bias: Tensor?
    public let normalizedShape: Shape
    public let eps: Double

    public init(
        _ normalizedShape: Shape, eps: Double = 1e-5, affine: Bool = true, bias: Bool = true, dtype: DType = .float32
    ) {
        self.normalizedShape = normalizedShape
        self.eps = eps
        _weight = Parameter(affine ? .ones(normalizedShape, dtype: dtype) : nil)
        _bias = Parameter(affine && bias ? .zeros(normalizedShape, dtype: dtype) : nil)
        super.init()
    }

    public convenience init(_ features: Int, eps: Double = 1e-5, dtype: DType = .float32) {
        self.init([features], eps: eps, dtype: dtype)
    }

    public override var summary: String { "LayerNorm(\(normalizedShape))" }

    public func callAsFunction(_ input: Tensor) -> Tensor {
        scope { input.layerNorm(normalizedShape: normalizedShape, weight: weight, bias: bias, eps: eps) }
    }
}
