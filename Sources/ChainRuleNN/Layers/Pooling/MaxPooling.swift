import ChainRule

/// What the maximum poolings share: a window, and how it moves. The stride is the window's size unless given.
public class MaxPooling: Module {
    public final let kernelSize, stride, padding, dilation: SpatialSize
    public final let ceilMode: Bool

    public init(
        _ kernelSize: SpatialSize, stride: SpatialSize? = nil, padding: SpatialSize = 0, dilation: SpatialSize = 1,
        ceilMode: Bool = false
    ) {
        self.kernelSize = kernelSize
        self.stride = stride ?? kernelSize
        self.padding = padding
        self.dilation = dilation
        self.ceilMode = ceilMode
        super.init()
    }

    public final override var summary: String {
        var text = "\(type(of: self))(\(kernelSize)"
        if stride != kernelSize { text += ", stride: \(stride)" }
        if padding != 0 { text += ", padding: \(padding)" }
        if dilation != 1 { text += ", dilation: \(dilation)" }
        return text + (ceilMode ? ", ceilMode: true)" : ")")
    }
}

/// The maximum of each window: (N, C, L) → (N, C, L').
public final class MaxPool1d: MaxPooling, Layer {
    public func callAsFunction(_ input: Tensor) -> Tensor { withIndices(input).values }

    /// The maxima, and the place of each in its plane, row-major: what `MaxUnpool1d` takes.
    public func withIndices(_ input: Tensor) -> (values: Tensor, indices: Tensor) {
        scope {
            input.maxPool1dWithIndices(
                kernelSize: kernelSize, stride: stride, padding: padding, dilation: dilation, ceilMode: ceilMode)
        }
    }
}

/// The maximum of each window: (N, C, H, W) → (N, C, H', W').
public final class MaxPool2d: MaxPooling, Layer {
    public func callAsFunction(_ input: Tensor) -> Tensor { withIndices(input).values }

    /// The maxima, and the place of each in its plane, row-major: what `MaxUnpool2d` takes.
    public func withIndices(_ input: Tensor) -> (values: Tensor, indices: Tensor) {
        scope {
            input.maxPool2dWithIndices(
                kernelSize: kernelSize, stride: stride, padding: padding, dilation: dilation, ceilMode: ceilMode)
        }
    }
}

/// The maximum of each window: (N, C, D, H, W) → (N, C, D', H', W').
public final class MaxPool3d: MaxPooling, Layer {
    public func callAsFunction(_ input: Tensor) -> Tensor { withIndices(input).values }

    /// The maxima, and the place of each in its plane, row-major: what `MaxUnpool3d` takes.
    public func withIndices(_ input: Tensor) -> (values: Tensor, indices: Tensor) {
        scope {
            input.maxPool3dWithIndices(
                kernelSize: kernelSize, stride: stride, padding: padding, dilation: dilation, ceilMode: ceilMode)
        }
    }
}
