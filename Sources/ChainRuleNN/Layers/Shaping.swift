import ChainRule

/// Several axes made one: (N, C, H, W) → (N, C·H·W).
public final class Flatten: Module, Layer {
    public let startDim, endDim: Int

    public init(startDim: Int = 1, endDim: Int = -1) {
        self.startDim = startDim
        self.endDim = endDim
        super.init()
    }

    public override var summary: String {
        startDim == 1 && endDim == -1 ? "Flatten()" : "Flatten(startDim: \(startDim), endDim: \(endDim))"
    }

    public func callAsFunction(_ input: Tensor) -> Tensor {
        scope { input.flatten(startDim: startDim, endDim: endDim) }
    }
}

/// One axis made several: the inverse of `Flatten`.
public final class Unflatten: Module, Layer {
    public let dim: Int
    public let sizes: Shape

    /// - Parameter sizes: What the axis becomes; one may be −1 for what is left.
    public init(dim: Int, _ sizes: Shape) {
        self.dim = dim
        self.sizes = sizes
        super.init()
    }

    public override var summary: String { "Unflatten(dim: \(dim), \(sizes))" }
    public func callAsFunction(_ input: Tensor) -> Tensor { scope { input.unflatten(dim: dim, sizes) } }
}

/// (N, C r², H, W) → (N, C, H r, W r): r² channels become the places of a square (Shi et al. 2016, arXiv 1609.05158).
public final class PixelShuffle: Module, Layer {
    public let upscaleFactor: Int

    public init(_ upscaleFactor: Int) {
        self.upscaleFactor = upscaleFactor
        super.init()
    }

    public override var summary: String { "PixelShuffle(\(upscaleFactor))" }
    public func callAsFunction(_ input: Tensor) -> Tensor { scope { input.pixelShuffle(upscaleFactor) } }
}

/// (N, C, H r, W r) → (N, C r², H, W): the inverse of `PixelShuffle`.
public final class PixelUnshuffle: Module, Layer {
    public let downscaleFactor: Int

    public init(_ downscaleFactor: Int) {
        self.downscaleFactor = downscaleFactor
        super.init()
    }

    public override var summary: String { "PixelUnshuffle(\(downscaleFactor))" }
    public func callAsFunction(_ input: Tensor) -> Tensor { scope { input.pixelUnshuffle(downscaleFactor) } }
}

/// The channels in groups, dealt out in turn (Zhang et al. 2017, arXiv 1707.01083): (N, C, places...).
public final class ChannelShuffle: Module, Layer {
    public let groups: Int

    public init(_ groups: Int) {
        self.groups = groups
        super.init()
    }

    public override var summary: String { "ChannelShuffle(\(groups))" }
    public func callAsFunction(_ input: Tensor) -> Tensor { scope { input.channelShuffle(groups) } }
}

/// The windows over the last two axes as columns: (N, C, H, W) → (N, C · kernel, windows).
public final class Unfold: Module, Layer {
    public let kernelSize, dilation, padding, stride: SpatialSize

    public init(
        _ kernelSize: SpatialSize, dilation: SpatialSize = 1, padding: SpatialSize = 0, stride: SpatialSize = 1
    ) {
        self.kernelSize = kernelSize
        self.dilation = dilation
        self.padding = padding
        self.stride = stride
        super.init()
    }

    public override var summary: String {
        "Unfold(\(kernelSize), dilation: \(dilation), padding: \(padding), stride: \(stride))"
    }

    public func callAsFunction(_ input: Tensor) -> Tensor {
        scope { input.unfold(kernelSize: kernelSize, dilation: dilation, padding: padding, stride: stride) }
    }
}

/// Columns added up where their windows lie: (N, C · kernel, windows) → (N, C, outputSize...). The transpose of `Unfold`.
public final class Fold: Module, Layer {
    public let outputSize, kernelSize, dilation, padding, stride: SpatialSize

    public init(
        _ outputSize: SpatialSize, _ kernelSize: SpatialSize, dilation: SpatialSize = 1, padding: SpatialSize = 0,
        stride: SpatialSize = 1
    ) {
        self.outputSize = outputSize
        self.kernelSize = kernelSize
        self.dilation = dilation
        self.padding = padding
        self.stride = stride
        super.init()
    }

    public override var summary: String {
        "Fold(\(outputSize), \(kernelSize), dilation: \(dilation), padding: \(padding), stride: \(stride))"
    }

    public func callAsFunction(_ input: Tensor) -> Tensor {
        scope {
            input.fold(
                outputSize: outputSize, kernelSize: kernelSize, dilation: dilation, padding: padding, stride: stride)
        }
    }
}

/// x₁ · x₂ / (max(|x₁|, eps) max(|x₂|, eps)) along an axis.
public final class CosineSimilarity: Module, PairLayer {
    public let dim: Int
    public let eps: Double

    public init(dim: Int = 1, eps: Double = 1e-8) {
        self.dim = dim
        self.eps = eps
        super.init()
    }

    public override var summary: String { "CosineSimilarity(dim: \(dim), eps: \(eps))" }

    public func callAsFunction(_ input1: Tensor, _ input2: Tensor) -> Tensor {
        scope { input1.cosineSimilarity(input2, dim: dim, eps: eps) }
    }
}

/// (Σ |x₁ − x₂ + eps|ᵖ)^(1/p) along the last axis.
public final class PairwiseDistance: Module, PairLayer {
    public let p, eps: Double
    public let keepDim: Bool

    public init(p: Double = 2, eps: Double = 1e-6, keepDim: Bool = false) {
        self.p = p
        self.eps = eps
        self.keepDim = keepDim
        super.init()
    }

    public override var summary: String { "PairwiseDistance(p: \(p), eps: \(eps)\(keepDim ? ", keepDim: true" : ""))" }

    public func callAsFunction(_ input1: Tensor, _ input2: Tensor) -> Tensor {
        scope { input1.pairwiseDistance(input2, p: p, eps: eps, keepDim: keepDim) }
    }
}
