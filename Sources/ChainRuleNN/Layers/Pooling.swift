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
        "\(type(of: self))(\(kernelSize)\(stride == kernelSize ? "" : ", stride: \(stride)")\(padding == 0 ? "" : ", padding: \(padding)"))"
    }
}

/// The maximum of each window: (N, C, L) → (N, C, L').
public final class MaxPool1d: MaxPooling, Layer {
    public func callAsFunction(_ input: Tensor) -> Tensor {
        scope {
            input.maxPool1d(
                kernelSize: kernelSize, stride: stride, padding: padding, dilation: dilation, ceilMode: ceilMode)
        }
    }
}

/// The maximum of each window: (N, C, H, W) → (N, C, H', W').
public final class MaxPool2d: MaxPooling, Layer {
    public func callAsFunction(_ input: Tensor) -> Tensor {
        scope {
            input.maxPool2d(
                kernelSize: kernelSize, stride: stride, padding: padding, dilation: dilation, ceilMode: ceilMode)
        }
    }
}

/// The maximum of each window: (N, C, D, H, W) → (N, C, D', H', W').
public final class MaxPool3d: MaxPooling, Layer {
    public func callAsFunction(_ input: Tensor) -> Tensor {
        scope {
            input.maxPool3d(
                kernelSize: kernelSize, stride: stride, padding: padding, dilation: dilation, ceilMode: ceilMode)
        }
    }
}

/// What the average poolings share.
public class AveragePooling: Module {
    public final let kernelSize, stride, padding: SpatialSize
    public final let ceilMode, countIncludePad: Bool

    public init(
        _ kernelSize: SpatialSize, stride: SpatialSize? = nil, padding: SpatialSize = 0, ceilMode: Bool = false,
        countIncludePad: Bool = true
    ) {
        self.kernelSize = kernelSize
        self.stride = stride ?? kernelSize
        self.padding = padding
        self.ceilMode = ceilMode
        self.countIncludePad = countIncludePad
        super.init()
    }

    public final override var summary: String {
        "\(type(of: self))(\(kernelSize)\(stride == kernelSize ? "" : ", stride: \(stride)")\(padding == 0 ? "" : ", padding: \(padding)"))"
    }
}

/// The average of each window: (N, C, L) → (N, C, L').
public final class AvgPool1d: AveragePooling, Layer {
    public func callAsFunction(_ input: Tensor) -> Tensor {
        scope {
            input.avgPool1d(
                kernelSize: kernelSize, stride: stride, padding: padding, ceilMode: ceilMode,
                countIncludePad: countIncludePad)
        }
    }
}

/// The average of each window: (N, C, H, W) → (N, C, H', W').
public final class AvgPool2d: AveragePooling, Layer {
    public func callAsFunction(_ input: Tensor) -> Tensor {
        scope {
            input.avgPool2d(
                kernelSize: kernelSize, stride: stride, padding: padding, ceilMode: ceilMode,
                countIncludePad: countIncludePad)
        }
    }
}

/// The average of each window: (N, C, D, H, W) → (N, C, D', H', W').
public final class AvgPool3d: AveragePooling, Layer {
    public func callAsFunction(_ input: Tensor) -> Tensor {
        scope {
            input.avgPool3d(
                kernelSize: kernelSize, stride: stride, padding: padding, ceilMode: ceilMode,
                countIncludePad: countIncludePad)
        }
    }
}

/// What the adaptive poolings share: the size of the output, whatever that of the input.
public class AdaptiveAveragePooling: Module {
    public final let outputSize: SpatialSize

    public init(_ outputSize: SpatialSize) {
        self.outputSize = outputSize
        super.init()
    }

    public final override var summary: String { "\(type(of: self))(\(outputSize))" }
}

/// Averages over windows that cut the axis into `outputSize` parts: (N, C, L) → (N, C, outputSize).
public final class AdaptiveAvgPool1d: AdaptiveAveragePooling, Layer {
    public func callAsFunction(_ input: Tensor) -> Tensor { scope { input.adaptiveAvgPool1d(outputSize) } }
}

/// (N, C, H, W) → (N, C, outputSize...).
public final class AdaptiveAvgPool2d: AdaptiveAveragePooling, Layer {
    public func callAsFunction(_ input: Tensor) -> Tensor { scope { input.adaptiveAvgPool2d(outputSize) } }
}

/// (N, C, D, H, W) → (N, C, outputSize...).
public final class AdaptiveAvgPool3d: AdaptiveAveragePooling, Layer {
    public func callAsFunction(_ input: Tensor) -> Tensor { scope { input.adaptiveAvgPool3d(outputSize) } }
}
