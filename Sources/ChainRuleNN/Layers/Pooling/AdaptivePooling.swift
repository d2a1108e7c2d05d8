import ChainRule

/// What the adaptive poolings share: the size of the output, whatever that of the input. A size of −1 in a list of sizes keeps the input's.
public class AdaptivePooling: Module {
    public final let outputSize: SpatialSize

    public init(_ outputSize: SpatialSize) {
        self.outputSize = outputSize
        super.init()
    }

    public final override var summary: String { "\(type(of: self))(\(outputSize))" }
}

/// Averages over windows that cut each axis into as many parts as wanted: (N, C, L) → (N, C, outputSize...).
public final class AdaptiveAvgPool1d: AdaptivePooling, Layer {
    public func callAsFunction(_ input: Tensor) -> Tensor { scope { input.adaptiveAvgPool1d(outputSize) } }
}

/// Averages over windows that cut each axis into as many parts as wanted: (N, C, H, W) → (N, C, outputSize...).
public final class AdaptiveAvgPool2d: AdaptivePooling, Layer {
    public func callAsFunction(_ input: Tensor) -> Tensor { scope { input.adaptiveAvgPool2d(outputSize) } }
}

/// Averages over windows that cut each axis into as many parts as wanted: (N, C, D, H, W) → (N, C, outputSize...).
public final class AdaptiveAvgPool3d: AdaptivePooling, Layer {
    public func callAsFunction(_ input: Tensor) -> Tensor { scope { input.adaptiveAvgPool3d(outputSize) } }
}

/// Maxima over windows that cut each axis into as many parts as wanted: (N, C, L) → (N, C, outputSize...).
public final class AdaptiveMaxPool1d: AdaptivePooling, Layer {
    public func callAsFunction(_ input: Tensor) -> Tensor { withIndices(input).values }

    /// The maxima, and the place of each in its plane, row-major.
    public func withIndices(_ input: Tensor) -> (values: Tensor, indices: Tensor) {
        scope { input.adaptiveMaxPool1dWithIndices(outputSize) }
    }
}

/// Maxima over windows that cut each axis into as many parts as wanted: (N, C, H, W) → (N, C, outputSize...).
public final class AdaptiveMaxPool2d: AdaptivePooling, Layer {
    public func callAsFunction(_ input: Tensor) -> Tensor { withIndices(input).values }

    /// The maxima, and the place of each in its plane, row-major.
    public func withIndices(_ input: Tensor) -> (values: Tensor, indices: Tensor) {
        scope { input.adaptiveMaxPool2dWithIndices(outputSize) }
    }
}

/// Maxima over windows that cut each axis into as many parts as wanted: (N, C, D, H, W) → (N, C, outputSize...).
public final class AdaptiveMaxPool3d: AdaptivePooling, Layer {
    public func callAsFunction(_ input: Tensor) -> Tensor { withIndices(input).values }

    /// The maxima, and the place of each in its plane, row-major.
    public func withIndices(_ input: Tensor) -> (values: Tensor, indices: Tensor) {
        scope { input.adaptiveMaxPool3dWithIndices(outputSize) }
    }
}
