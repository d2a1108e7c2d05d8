import ChainRule

/// What convolutions and transposed ones are made of: the weight, one kernel for each pair of an input's and an output's channel in a group,
/// drawn as PyTorch draws it, and how it goes over the input.
public class AnyConvolution: Module {
    @Parameter public final var weight: Tensor
    @Parameter public final var bias: Tensor?
    public final let inChannels, outChannels, groups: Int
    public final let kernelSize, stride, dilation: SpatialSize
    final let axes: Int

    /// - Parameter isTransposed: Whether the weight's first axis is the input's channels, and the second the output's.
    init(
        axes: Int, _ inChannels: Int, _ outChannels: Int, kernelSize: SpatialSize, stride: SpatialSize,
        dilation: SpatialSize, groups: Int, bias: Bool, dtype: DType, isTransposed: Bool = false
    ) {
        self.axes = axes
        self.inChannels = inChannels
        self.outChannels = outChannels
        self.kernelSize = kernelSize
        self.stride = stride
        self.dilation = dilation
        self.groups = groups
        if groups < 1 || inChannels % groups != 0 || outChannels % groups != 0 {
            fail(
                isTransposed ? "TransposedConvolution" : "Convolution",
                "groups \(groups) must divide inChannels \(inChannels) and outChannels \(outChannels)")
        }
        let (first, second) = isTransposed ? (inChannels, outChannels) : (outChannels, inChannels)
        let shape = Shape([first, second / max(groups, 1)] + kernelSize.sizes(axes))
        let initial = Initialization.weightAndBias(shape, bias: bias ? outChannels : nil, dtype: dtype)
        _weight = Parameter(initial.weight)
        _bias = Parameter(initial.bias)
        super.init()
    }
}

/// What the convolutions over one, two and three axes share. Input (N, inChannels, spatial...) or without N; the weight is
/// (outChannels, inChannels / groups, kernel...).
public class Convolution: AnyConvolution, ActivatedLayer {
    public final let padding: ConvolutionPadding
    public final let paddingMode: PaddingMode

    init(
        axes: Int, _ inChannels: Int, _ outChannels: Int, kernelSize: SpatialSize, stride: SpatialSize,
        padding: ConvolutionPadding, dilation: SpatialSize, groups: Int, bias: Bool, paddingMode: PaddingMode,
        dtype: DType
    ) {
        self.padding = padding
        self.paddingMode = paddingMode
        super.init(
            axes: axes, inChannels, outChannels, kernelSize: kernelSize, stride: stride, dilation: dilation,
            groups: groups, bias: bias, dtype: dtype)
    }

    public final override var summary: String {
        var text = "\(type(of: self))(\(inChannels), \(outChannels), kernelSize: \(kernelSize)"
        if stride != 1 { text += ", stride: \(stride)" }
        if padding != 0 { text += ", padding: \(padding)" }
        if dilation != 1 { text += ", dilation: \(dilation)" }
        if groups != 1 { text += ", groups: \(groups)" }
        if bias == nil { text += ", bias: false" }
        if paddingMode != .constant { text += ", paddingMode: .\(paddingMode)" }
        return text + ")"
    }

    public final func callAsFunction(_ input: Tensor) -> Tensor { compute(input, nil) }

    /// activation(y): a ReLU is computed in the same pass.
    public final func callAsFunction(_ input: Tensor, activation: Activation) -> Tensor { compute(input, activation) }

    private func compute(_ input: Tensor, _ activation: Activation?) -> Tensor {
        scope {
            // What the convolution itself does not pad with zeros is put around the input first.
            let isPadded = paddingMode != .constant
            let x = isPadded ? input.pad(margins, mode: paddingMode) : input
            let rest: ConvolutionPadding = isPadded ? 0 : padding
            switch axes {
            case 1:
                return x.conv1d(
                    weight: weight, bias: bias, stride: stride, padding: rest, dilation: dilation, groups: groups,
                    activation: activation)
            case 2:
                return x.conv2d(
                    weight: weight, bias: bias, stride: stride, padding: rest, dilation: dilation, groups: groups,
                    activation: activation)
            default:
                return x.conv3d(
                    weight: weight, bias: bias, stride: stride, padding: rest, dilation: dilation, groups: groups,
                    activation: activation)
            }
        }
    }

    /// The margins before and after each spatial axis, the last axis first.
    private var margins: [Int] {
        let (kernel, gaps) = (kernelSize.sizes(axes), dilation.sizes(axes))
        let sizes: [(Int, Int)] =
            switch padding {
            case .valid: kernel.map { _ in (0, 0) }
            case .size(let size): size.sizes(axes).map { ($0, $0) }
            case .same:
                zip(kernel, gaps).map { kernel, gap in
                    ((kernel - 1) * gap / 2, (kernel - 1) * gap - (kernel - 1) * gap / 2)
                }
            }
        return sizes.reversed().flatMap { [$0.0, $0.1] }
    }
}

/// Cross-correlation over one axis: (N, C, L) → (N, outChannels, L').
public final class Conv1d: Convolution {
    public init(
        _ inChannels: Int, _ outChannels: Int, kernelSize: SpatialSize, stride: SpatialSize = 1,
        padding: ConvolutionPadding = 0, dilation: SpatialSize = 1, groups: Int = 1, bias: Bool = true,
        paddingMode: PaddingMode = .constant, dtype: DType = .float32
    ) {
        super.init(
            axes: 1, inChannels, outChannels, kernelSize: kernelSize, stride: stride, padding: padding,
            dilation: dilation, groups: groups, bias: bias, paddingMode: paddingMode, dtype: dtype)
    }
}

/// Cross-correlation over two axes: (N, C, H, W) → (N, outChannels, H', W').
public final class Conv2d: Convolution {
    public init(
        _ inChannels: Int, _ outChannels: Int, kernelSize: SpatialSize, stride: SpatialSize = 1,
        padding: ConvolutionPadding = 0, dilation: SpatialSize = 1, groups: Int = 1, bias: Bool = true,
        paddingMode: PaddingMode = .constant, dtype: DType = .float32
    ) {
        super.init(
            axes: 2, inChannels, outChannels, kernelSize: kernelSize, stride: stride, padding: padding,
            dilation: dilation, groups: groups, bias: bias, paddingMode: paddingMode, dtype: dtype)
    }
}

/// Cross-correlation over three axes: (N, C, D, H, W) → (N, outChannels, D', H', W').
public final class Conv3d: Convolution {
    public init(
        _ inChannels: Int, _ outChannels: Int, kernelSize: SpatialSize, stride: SpatialSize = 1,
        padding: ConvolutionPadding = 0, dilation: SpatialSize = 1, groups: Int = 1, bias: Bool = true,
        paddingMode: PaddingMode = .constant, dtype: DType = .float32
    ) {
        super.init(
            axes: 3, inChannels, outChannels, kernelSize: kernelSize, stride: stride, padding: padding,
            dilation: dilation, groups: groups, bias: bias, paddingMode: paddingMode, dtype: dtype)
    }
}
