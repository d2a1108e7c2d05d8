import ChainRule

/// What the convolutions over one, two and three axes share. Input (N, inChannels, spatial...) or without N; the weight is
/// (outChannels, inChannels / groups, kernel...), drawn as PyTorch draws it.
public class Convolution: Module {
    @Parameter public final var weight: Tensor
    @Parameter public final var bias: Tensor?
    public final let inChannels, outChannels, groups: Int
    public final let kernelSize, stride, padding, dilation: SpatialSize

    init(
        axes: Int, _ inChannels: Int, _ outChannels: Int, kernelSize: SpatialSize, stride: SpatialSize,
        padding: SpatialSize, dilation: SpatialSize, groups: Int, bias: Bool, dtype: DType
    ) {
        self.inChannels = inChannels
        self.outChannels = outChannels
        self.kernelSize = kernelSize
        self.stride = stride
        self.padding = padding
        self.dilation = dilation
        self.groups = groups
        if groups < 1 || inChannels % max(groups, 1) != 0 || outChannels % max(groups, 1) != 0 {
            fail(
                "Convolution", "groups \(groups) must divide inChannels \(inChannels) and outChannels \(outChannels)")
        }
        let shape = Shape([outChannels, inChannels / max(groups, 1)] + kernelSize.sizes(axes))
        let initial = Initialization.weightAndBias(shape, bias: bias, dtype: dtype)
        _weight = Parameter(initial.weight)
        _bias = Parameter(initial.bias)
        super.init()
    }

    public final override var summary: String {
        var text = "\(type(of: self))(\(inChannels), \(outChannels), kernelSize: \(kernelSize)"
        if stride != 1 { text += ", stride: \(stride)" }
        if padding != 0 { text += ", padding: \(padding)" }
        if dilation != 1 { text += ", dilation: \(dilation)" }
        if groups != 1 { text += ", groups: \(groups)" }
        return text + (bias == nil ? ", bias: false)" : ")")
    }
}

/// Cross-correlation over one axis: (N, C, L) → (N, outChannels, L').
public final class Conv1d: Convolution, Layer {
    public init(
        _ inChannels: Int, _ outChannels: Int, kernelSize: SpatialSize, stride: SpatialSize = 1,
        padding: SpatialSize = 0, dilation: SpatialSize = 1, groups: Int = 1, bias: Bool = true,
        dtype: DType = .float32
    ) {
        super.init(
            axes: 1, inChannels, outChannels, kernelSize: kernelSize, stride: stride, padding: padding,
            dilation: dilation, groups: groups, bias: bias, dtype: dtype)
    }

    public func callAsFunction(_ input: Tensor) -> Tensor {
        scope {
            input.conv1d(
                weight: weight, bias: bias, stride: stride, padding: padding, dilation: dilation, groups: groups)
        }
    }
}

/// Cross-correlation over two axes: (N, C, H, W) → (N, outChannels, H', W').
public final class Conv2d: Convolution, Layer {
    public init(
        _ inChannels: Int, _ outChannels: Int, kernelSize: SpatialSize, stride: SpatialSize = 1,
        padding: SpatialSize = 0, dilation: SpatialSize = 1, groups: Int = 1, bias: Bool = true,
        dtype: DType = .float32
    ) {
        super.init(
            axes: 2, inChannels, outChannels, kernelSize: kernelSize, stride: stride, padding: padding,
            dilation: dilation, groups: groups, bias: bias, dtype: dtype)
    }

    public func callAsFunction(_ input: Tensor) -> Tensor {
        scope {
            input.conv2d(
                weight: weight, bias: bias, stride: stride, padding: padding, dilation: dilation, groups: groups)
        }
    }
}

/// Cross-correlation over three axes: (N, C, D, H, W) → (N, outChannels, D', H', W').
public final class Conv3d: Convolution, Layer {
    public init(
        _ inChannels: Int, _ outChannels: Int, kernelSize: SpatialSize, stride: SpatialSize = 1,
        padding: SpatialSize = 0, dilation: SpatialSize = 1, groups: Int = 1, bias: Bool = true,
        dtype: DType = .float32
    ) {
        super.init(
            axes: 3, inChannels, outChannels, kernelSize: kernelSize, stride: stride, padding: padding,
            dilation: dilation, groups: groups, bias: bias, dtype: dtype)
    }

    public func callAsFunction(_ input: Tensor) -> Tensor {
        scope {
            input.conv3d(
                weight: weight, bias: bias, stride: stride, padding: padding, dilation: dilation, groups: groups)
        }
    }
}
