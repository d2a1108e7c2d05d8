import ChainRule

/// What the average poolings share. The stride is the window's size unless given.
public class AveragePooling: Module {
    public final let kernelSize, stride, padding: SpatialSize
    public final let ceilMode, countIncludePad: Bool
    /// What the sums are divided by instead of the size of the window.
    public final let divisorOverride: Int?

    fileprivate init(
        _ kernelSize: SpatialSize, _ stride: SpatialSize?, _ padding: SpatialSize, _ ceilMode: Bool,
        _ countIncludePad: Bool, _ divisorOverride: Int?
    ) {
        self.kernelSize = kernelSize
        self.stride = stride ?? kernelSize
        self.padding = padding
        self.ceilMode = ceilMode
        self.countIncludePad = countIncludePad
        self.divisorOverride = divisorOverride
        super.init()
    }

    public final override var summary: String {
        var text = "\(type(of: self))(\(kernelSize)"
        if stride != kernelSize { text += ", stride: \(stride)" }
        if padding != 0 { text += ", padding: \(padding)" }
        if ceilMode { text += ", ceilMode: true" }
        if !countIncludePad { text += ", countIncludePad: false" }
        return text + (divisorOverride.map { ", divisorOverride: \($0))" } ?? ")")
    }
}

/// The average of each window: (N, C, L) → (N, C, L').
public final class AvgPool1d: AveragePooling, Layer {
    public init(
        _ kernelSize: SpatialSize, stride: SpatialSize? = nil, padding: SpatialSize = 0, ceilMode: Bool = false,
        countIncludePad: Bool = true
    ) {
        super.init(kernelSize, stride, padding, ceilMode, countIncludePad, nil)
    }

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
    public init(
        _ kernelSize: SpatialSize, stride: SpatialSize? = nil, padding: SpatialSize = 0, ceilMode: Bool = false,
        countIncludePad: Bool = true, divisorOverride: Int? = nil
    ) {
        super.init(kernelSize, stride, padding, ceilMode, countIncludePad, divisorOverride)
    }

    public func callAsFunction(_ input: Tensor) -> Tensor {
        scope {
            input.avgPool2d(
                kernelSize: kernelSize, stride: stride, padding: padding, ceilMode: ceilMode,
                countIncludePad: countIncludePad, divisorOverride: divisorOverride)
        }
    }
}

/// The average of each window: (N, C, D, H, W) → (N, C, D', H', W').
public final class AvgPool3d: AveragePooling, Layer {
    public init(
        _ kernelSize: SpatialSize, stride: SpatialSize? = nil, padding: SpatialSize = 0, ceilMode: Bool = false,
        countIncludePad: Bool = true, divisorOverride: Int? = nil
    ) {
        super.init(kernelSize, stride, padding, ceilMode, countIncludePad, divisorOverride)
    }

    public func callAsFunction(_ input: Tensor) -> Tensor {
        scope {
            input.avgPool3d(
                kernelSize: kernelSize, stride: stride, padding: padding, ceilMode: ceilMode,
                countIncludePad: countIncludePad, divisorOverride: divisorOverride)
        }
    }
}
