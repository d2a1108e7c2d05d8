import ChainRule

/// What the layers share that undo a max pooling as far as it goes: each maximum back in its place, zeros elsewhere. The stride is the window's
/// size unless given.
public class MaxUnpooling: Module {
    public final let kernelSize, stride, padding: SpatialSize

    public init(_ kernelSize: SpatialSize, stride: SpatialSize? = nil, padding: SpatialSize = 0) {
        self.kernelSize = kernelSize
        self.stride = stride ?? kernelSize
        self.padding = padding
        super.init()
    }

    public final override var summary: String {
        let step = stride == kernelSize ? "" : ", stride: \(stride)"
        return "\(type(of: self))(\(kernelSize)\(step)\(padding == 0 ? "" : ", padding: \(padding)"))"
    }
}

/// (N, C, L') → (N, C, L), with the indices of `MaxPool1d`.
public final class MaxUnpool1d: MaxUnpooling {
    /// - Parameter outputSize: The size before the pooling, where the stride leaves a choice.
    public func callAsFunction(_ input: Tensor, indices: Tensor, outputSize: SpatialSize? = nil) -> Tensor {
        scope {
            input.maxUnpool1d(
                indices, kernelSize: kernelSize, stride: stride, padding: padding, outputSize: outputSize)
        }
    }
}

/// (N, C, H', W') → (N, C, H, W), with the indices of `MaxPool2d`.
public final class MaxUnpool2d: MaxUnpooling {
    /// - Parameter outputSize: The size before the pooling, where the stride leaves a choice.
    public func callAsFunction(_ input: Tensor, indices: Tensor, outputSize: SpatialSize? = nil) -> Tensor {
        scope {
            input.maxUnpool2d(
                indices, kernelSize: kernelSize, stride: stride, padding: padding, outputSize: outputSize)
        }
    }
}

/// (N, C, D', H', W') → (N, C, D, H, W), with the indices of `MaxPool3d`.
public final class MaxUnpool3d: MaxUnpooling {
    /// - Parameter outputSize: The size before the pooling, where the stride leaves a choice.
    public func callAsFunction(_ input: Tensor, indices: Tensor, outputSize: SpatialSize? = nil) -> Tensor {
        scope {
            input.maxUnpool3d(
                indices, kernelSize: kernelSize, stride: stride, padding: padding, outputSize: outputSize)
        }
    }
}
