import ChainRule

/// What the dropouts share: the probability with which something is dropped in training. In evaluation nothing happens.
public class DropoutLayer: Module {
    public final let p: Double

    public init(_ p: Double = 0.5) {
        self.p = p
        if !(0...1).contains(p) { fail("Dropout", "the probability must be from 0 to 1, not \(p)") }
        super.init()
    }

    public final override var summary: String { "\(type(of: self))(\(p))" }
}

/// In training, each element is zero with probability `p` and the others grow by 1 / (1 − p) (Srivastava et al. 2014).
public final class Dropout: DropoutLayer, Layer {
    public func callAsFunction(_ input: Tensor) -> Tensor { scope { input.dropout(p: p, training: isTraining) } }
}

/// `Dropout` of whole channels (Tompson et al. 2014, arXiv 1411.4280): (N, C, L) or (C, L).
public final class Dropout1d: DropoutLayer, Layer {
    public func callAsFunction(_ input: Tensor) -> Tensor { scope { input.droppingChannels(self, axes: 1) } }
}

/// `Dropout` of whole channels: (N, C, H, W) or (C, H, W).
public final class Dropout2d: DropoutLayer, Layer {
    public func callAsFunction(_ input: Tensor) -> Tensor { scope { input.droppingChannels(self, axes: 2) } }
}

/// `Dropout` of whole channels: (N, C, D, H, W) or (C, D, H, W).
public final class Dropout3d: DropoutLayer, Layer {
    public func callAsFunction(_ input: Tensor) -> Tensor { scope { input.droppingChannels(self, axes: 3) } }
}

/// A dropout that keeps the mean 0 and the variance 1 of what `SELU` gives (Klambauer et al. 2017, arXiv 1706.02515): what is dropped becomes
/// SELU's lower limit α′ = −1.7581, then a x + b with
///
///     a = (1 − p)^(−1/2) (1 + p α′²)^(−1/2),   b = −a p α′
public final class AlphaDropout: DropoutLayer, Layer {
    public func callAsFunction(_ input: Tensor) -> Tensor { scope { input.alphaDropout(self, mask: input.shape) } }
}

/// `AlphaDropout` of whole channels: (N, C, places...).
public final class FeatureAlphaDropout: DropoutLayer, Layer {
    public func callAsFunction(_ input: Tensor) -> Tensor {
        scope { input.alphaDropout(self, mask: Shape(input.shape.enumerated().map { $0.offset > 1 ? 1 : $0.element })) }
    }
}

extension Tensor {
    fileprivate func droppingChannels(_ layer: DropoutLayer, axes: Int) -> Tensor {
        guard rank == axes + 1 || rank == axes + 2 else {
            return fail("\(type(of: layer))", "takes \(axes + 1) or \(axes + 2) axes, the shape is \(shape)")
        }
        let batch = rank == axes + 2 ? self : unsqueeze(dim: 0)
        let result = batch.channelDropout(p: layer.p, training: layer.isTraining)
        return rank == axes + 2 ? result : result.squeeze(dim: 0)
    }

    fileprivate func alphaDropout(_ layer: DropoutLayer, mask: Shape) -> Tensor {
        let p = layer.p
        guard layer.isTraining && p > 0 else { return self }
        guard p < 1 else { return self * 0 }
        let limit = -1.7580993408473766
        let kept = Tensor.bernoulli(1 - p, mask, dtype: dtype)
        let scale = 1 / ((1 - p) * (1 + p * limit * limit)).squareRoot()
        return self * (kept * scale) + ((1 - kept) * limit - p * limit) * scale
    }
}
