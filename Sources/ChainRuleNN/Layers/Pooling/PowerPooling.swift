import ChainRule

/// What the power-average poolings share: (Σ xᵖ)^(1/p) over each window, p = `normType`. The stride is the window's size unless given.
public class PowerPooling: Module {
    public final let normType: Double
    public final let kernelSize, stride: SpatialSize
    public final let ceilMode: Bool

    public init(
        _ normType: Double, _ kernelSize: SpatialSize, stride: SpatialSize? = nil, ceilMode: Bool = false
    ) {
        self.normType = normType
        self.kernelSize = kernelSize
        self.stride = stride ?? kernelSize
        self.ceilMode = ceilMode
        super.init()
    }

    public final override var summary: String {
        let step = stride == kernelSize ? "" : ", stride: \(stride)"
        return "\(type(of: self))(\(normType), \(kernelSize)\(step)\(ceilMode ? ", ceilMode: true" : ""))"
    }
}

/// (N, C, L) → (N, C, L').
public final class LPPool1d: PowerPooling, Layer {
    public func callAsFunction(_ input: Tensor) -> Tensor {
        scope { input.lpPool1d(normType: normType, kernelSize: kernelSize, stride: stride, ceilMode: ceilMode) }
    }
}

/// (N, C, H, W) → (N, C, H', W').
public final class LPPool2d: PowerPooling, Layer {
    public func callAsFunction(_ input: Tensor) -> Tensor {
        scope { input.lpPool2d(normType: normType, kernelSize: kernelSize, stride: stride, ceilMode: ceilMode) }
    }
}

/// (N, C, D, H, W) → (N, C, D', H', W').
public final class LPPool3d: PowerPooling, Layer {
    public func callAsFunction(_ input: Tensor) -> Tensor {
        scope { input.lpPool3d(normType: normType, kernelSize: kernelSize, stride: stride, ceilMode: ceilMode) }
    }
}
