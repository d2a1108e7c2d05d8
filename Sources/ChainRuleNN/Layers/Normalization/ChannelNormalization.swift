import ChainRule

/// What batch and instance normalisation share: for each channel a weight, a bias, and running statistics of what was seen in training.
public class ChannelNormalization: Module {
    @Parameter public final var weight: Tensor?
    @Parameter public final var bias: Tensor?
    @Buffer public final var runningMean: Tensor?
    @Buffer public final var runningVariance: Tensor?
    @Buffer public final var batchesTracked: Tensor?
    public final let features: Int
    public final let eps: Double
    public final let momentum: Double?
    private let standard: (affine: Bool, tracks: Bool)

    init(
        _ features: Int, _ eps: Double, _ momentum: Double?, _ affine: Bool, _ bias: Bool, _ tracks: Bool,
        _ dtype: DType,
        standard: (affine: Bool, tracks: Bool)
    ) {
        self.features = features
        self.eps = eps
        self.momentum = momentum
        self.standard = standard
        _weight = Parameter(affine ? .ones([features], dtype: dtype) : nil)
        _bias = Parameter(affine && bias ? .zeros([features], dtype: dtype) : nil)
        _runningMean = Buffer(tracks ? .zeros([features], dtype: dtype) : nil)
        _runningVariance = Buffer(tracks ? .ones([features], dtype: dtype) : nil)
        _batchesTracked = Buffer(tracks ? .zeros([], dtype: .int64) : nil)
        super.init()
    }

    public final override var summary: String {
        var text = "\(type(of: self))(\(features)"
        if eps != 1e-5 { text += ", eps: \(eps)" }
        if momentum != 0.1 { text += ", momentum: \(momentum.map { "\($0)" } ?? "nil")" }
        if (weight != nil) != standard.affine { text += ", affine: \(weight != nil)" }
        if weight != nil && bias == nil { text += ", bias: false" }
        if (runningMean != nil) != standard.tracks { text += ", trackRunningStatistics: \(runningMean != nil)" }
        return text + ")"
    }

    override final var stateNames: [String: String] {
        [
            "runningMean": "running_mean", "runningVariance": "running_var", "batchesTracked": "num_batches_tracked",
        ]
    }

    /// Moves the running statistics towards those of a batch by a share.
    final func updateStatistics(mean: Tensor, variance: Tensor, share: Double) {
        guard let oldMean = runningMean, let oldVariance = runningVariance else { return }
        runningMean = oldMean * (1 - share) + mean.detach() * share
        runningVariance = oldVariance * (1 - share) + variance.detach() * share
    }
}

/// y = (x − mean) / √(variance + eps) · weight + bias, per channel (axis 1), over the batch and all other axes
/// (Ioffe and Szegedy 2015, arXiv 1502.03167).
///
/// In training the batch's own mean and variance are used, and the running ones move towards them by `momentum`
/// (nil: the plain average over all batches); in evaluation the running ones are used, if there are any.
public class BatchNormalization: ChannelNormalization, ActivatedLayer {
    public init(
        _ features: Int, eps: Double = 1e-5, momentum: Double? = 0.1, affine: Bool = true, bias: Bool = true,
        trackRunningStatistics: Bool = true, dtype: DType = .float32
    ) {
        super.init(
            features, eps, momentum, affine, bias, trackRunningStatistics, dtype, standard: (affine: true, tracks: true)
        )
    }

    /// The ranks of inputs.
    var ranks: ClosedRange<Int> { 2...5 }

    public final func callAsFunction(_ input: Tensor) -> Tensor { normalize(input, nil, nil) }

    /// A function of y. Where it is `.relu` this is faster than computing one after the other.
    public final func callAsFunction(_ input: Tensor, activation: Activation) -> Tensor {
        normalize(input, nil, activation)
    }

    /// The same of the sum of y and another tensor of its shape: `bn(conv(x), adding: shortcut, activation: .relu)`.
    public final func callAsFunction(_ input: Tensor, adding other: Tensor, activation: Activation) -> Tensor {
        normalize(input, other, activation)
    }

    private func normalize(_ input: Tensor, _ other: Tensor?, _ activation: Activation?) -> Tensor {
        scope {
            guard ranks.contains(input.rank), input.shape[1] == features else {
                let count = ranks.map(String.init).joined(separator: " or ")
                return fail(
                    "batchNorm",
                    "expects \(count) axes with \(features) channels on axis 1, got shape \(input.shape)"
                )
            }
            let result = input.batchNorm(
                runningMean: runningMean, runningVariance: runningVariance, weight: weight, bias: bias,
                training: isTraining || runningMean == nil, eps: eps, adding: other, activation: activation)
            if isTraining, let batches = batchesTracked {
                batchesTracked = batches + 1
                if let mean = result.batchMean, let variance = result.batchVariance {
                    let share = momentum ?? 1 / (batches + 1).item()
                    updateStatistics(mean: mean, variance: variance, share: share)
                }
            }
            return result.output
        }
    }
}

/// Batch normalisation of (N, C) or (N, C, L).
public final class BatchNorm1d: BatchNormalization {
    override var ranks: ClosedRange<Int> { 2...3 }
}

/// Batch normalisation of (N, C, H, W).
public final class BatchNorm2d: BatchNormalization {
    override var ranks: ClosedRange<Int> { 4...4 }
}

/// Batch normalisation of (N, C, D, H, W).
public final class BatchNorm3d: BatchNormalization {
    override var ranks: ClosedRange<Int> { 5...5 }
}

/// y = (x − mean) / √(variance + eps) · weight + bias for each channel of each element of the batch by itself, over the places
/// (Ulyanov et al. 2016, arXiv 1607.08022).
///
/// The statistics are always those of the input, unless running ones are tracked and it is evaluation.
public class InstanceNormalization: ChannelNormalization {
    public init(
        _ features: Int, eps: Double = 1e-5, momentum: Double? = 0.1, affine: Bool = false, bias: Bool = true,
        trackRunningStatistics: Bool = false, dtype: DType = .float32
    ) {
        super.init(
            features, eps, momentum, affine, bias, trackRunningStatistics, dtype,
            standard: (affine: false, tracks: false))
    }

    final func normalize(_ input: Tensor, axes: Int) -> Tensor {
        scope {
            guard input.rank == axes + 1 || input.rank == axes + 2, input.shape[input.rank - axes - 1] == features
            else {
                return fail(
                    "instanceNorm",
                    "expects \(features) channels before \(axes) spatial axes, with or without a batch, got shape \(input.shape)"
                )
            }
            let batch = input.rank == axes + 2 ? input : input.unsqueeze(dim: 0)
            let output = batch.instanceNorm(
                runningMean: runningMean, runningVariance: runningVariance, weight: weight, bias: bias,
                useInputStatistics: isTraining || runningMean == nil, eps: eps)
            if isTraining && runningMean != nil { learnStatistics(of: batch.detach(), axes: axes) }
            return input.rank == axes + 2 ? output : output.squeeze(dim: 0)
        }
    }

    /// The averages over the batch of each element's mean and unbiased variance.
    private func learnStatistics(of batch: Tensor, axes: Int) {
        let places = Array(2..<(2 + axes))
        let mean = batch.mean(dim: places).mean(dim: 0)
        let variance = batch.variance(dim: places).mean(dim: 0)
        updateStatistics(mean: mean, variance: variance, share: momentum ?? 0)
    }
}

/// Instance normalisation of (N, C, L) or (C, L).
public final class InstanceNorm1d: InstanceNormalization, Layer {
    public func callAsFunction(_ input: Tensor) -> Tensor { normalize(input, axes: 1) }
}

/// Instance normalisation of (N, C, H, W) or (C, H, W).
public final class InstanceNorm2d: InstanceNormalization, Layer {
    public func callAsFunction(_ input: Tensor) -> Tensor { normalize(input, axes: 2) }
}

/// Instance normalisation of (N, C, D, H, W) or (C, D, H, W).
public final class InstanceNorm3d: InstanceNormalization, Layer {
    public func callAsFunction(_ input: Tensor) -> Tensor { normalize(input, axes: 3) }
}
