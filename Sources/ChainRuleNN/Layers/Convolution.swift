import ChainRule

/// How much a convolution pads: numbers, or what follows from the other sizes.
public enum Padding: Hashable, Sendable {
    case size(SpatialSize)
    /// As much as keeps the output as large as the input (stride 1).
    case same
    /// None.
    case valid
}

extension Padding: ExpressibleByIntegerLiteral, ExpressibleByArrayLiteral, CustomStringConvertible {
    public init(integerLiteral size: Int) { self = .size(SpatialSize(size)) }
    public init(arrayLiteral sizes: Int...) { self = .size(SpatialSize(sizes)) }

    public var description: String {
        switch self {
        case .size(let size): "\(size)"
        case .same: ".same"
        case .valid: ".valid"
        }
    }
}

/// What the convolutions over one, two and three axes share. Input (N, inChannels, spatial...) or without N; the weight is
/// (outChannels, inChannels / groups, kernel...), drawn as PyTorch draws it.
public class Convolution: Module {
    @Parameter public final var weight: Tensor
    @Parameter public final var bias: Tensor?
    public final let inChannels, outChannels, groups: Int
    public final let kernelSize, stride, dilation: SpatialSize
    public final let padding: Padding
    public final let paddingMode: PaddingMode
    private let axes: Int

    init(
        axes: Int, _ inChannels: Int, _ outChannels: Int, kernelSize: SpatialSize, stride: SpatialSize,
        padding: Padding, dilation: SpatialSize, groups: Int, bias: Bool, paddingMode: PaddingMode, dtype: DType
    ) {
        self.axes = axes
        self.inChannels = inChannels
        self.outChannels = outChannels
        self.kernelSize = kernelSize
        self.stride = stride
        self.padding = padding
        self.dilation = dilation
        self.groups = groups
        self.paddingMode = paddingMode
        checkGroups("Convolution", groups, inChannels, outChannels)
        let shape = Shape([outChannels, inChannels / max(groups, 1)] + kernelSize.sizes(axes))
        let initial = Initialization.weightAndBias(shape, bias: bias ? outChannels : nil, dtype: dtype)
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
        if bias == nil { text += ", bias: false" }
        if paddingMode != .constant { text += ", paddingMode: .\(paddingMode)" }
        return text + ")"
    }

    /// The input and how much the convolution itself still pads: what is not zeros is put around the input first.
    final func padded(_ input: Tensor) -> (input: Tensor, padding: Padding) {
        guard paddingMode != .constant else { return (input, padding) }
        return (input.pad(margins, mode: paddingMode), 0)
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

func checkGroups(_ name: String, _ groups: Int, _ inChannels: Int, _ outChannels: Int) {
    if groups < 1 || inChannels % max(groups, 1) != 0 || outChannels % max(groups, 1) != 0 {
        fail(name, "groups \(groups) must divide inChannels \(inChannels) and outChannels \(outChannels)")
    }
}

/// Cross-correlation over one axis: (N, C, L) → (N, outChannels, L').
public final class Conv1d: Convolution, Layer {
    public init(
        _ inChannels: Int, _ outChannels: Int, kernelSize: SpatialSize, stride: SpatialSize = 1,
        padding: Padding = 0, dilation: SpatialSize = 1, groups: Int = 1, bias: Bool = true,
        paddingMode: PaddingMode = .constant, dtype: DType = .float32
    ) {
        super.init(
            axes: 1, inChannels, outChannels, kernelSize: kernelSize, stride: stride, padding: padding,
            dilation: dilation, groups: groups, bias: bias, paddingMode: paddingMode, dtype: dtype)
    }

    public func callAsFunction(_ input: Tensor) -> Tensor {
        scope {
            let (input, padding) = padded(input)
            switch padding {
            case .size(let size):
                return input.conv1d(
                    weight: weight, bias: bias, stride: stride, padding: size, dilation: dilation, groups: groups)
            case .same, .valid:
                return input.conv1d(
                    weight: weight, bias: bias, stride: stride, padding: padding == .same ? .same : .valid,
                    dilation: dilation, groups: groups)
            }
        }
    }
}

/// Cross-correlation over two axes: (N, C, H, W) → (N, outChannels, H', W').
public final class Conv2d: Convolution, Layer {
    public init(
        _ inChannels: Int, _ outChannels: Int, kernelSize: SpatialSize, stride: SpatialSize = 1,
        padding: Padding = 0, dilation: SpatialSize = 1, groups: Int = 1, bias: Bool = true,
        paddingMode: PaddingMode = .constant, dtype: DType = .float32
    ) {
        super.init(
            axes: 2, inChannels, outChannels, kernelSize: kernelSize, stride: stride, padding: padding,
            dilation: dilation, groups: groups, bias: bias, paddingMode: paddingMode, dtype: dtype)
    }

    public func callAsFunction(_ input: Tensor) -> Tensor {
        scope {
            let (input, padding) = padded(input)
            switch padding {
            case .size(let size):
                return input.conv2d(
                    weight: weight, bias: bias, stride: stride, padding: size, dilation: dilation, groups: groups)
            case .same, .valid:
                return input.conv2d(
                    weight: weight, bias: bias, stride: stride, padding: padding == .same ? .same : .valid,
                    dilation: dilation, groups: groups)
            }
        }
    }
}

/// Cross-correlation over three axes: (N, C, D, H, W) → (N, outChannels, D', H', W').
public final class Conv3d: Convolution, Layer {
    public init(
        _ inChannels: Int, _ outChannels: Int, kernelSize: SpatialSize, stride: SpatialSize = 1,
        padding: Padding = 0, dilation: SpatialSize = 1, groups: Int = 1, bias: Bool = true,
        paddingMode: PaddingMode = .constant, dtype: DType = .float32
    ) {
        super.init(
            axes: 3, inChannels, outChannels, kernelSize: kernelSize, stride: stride, padding: padding,
            dilation: dilation, groups: groups, bias: bias, paddingMode: paddingMode, dtype: dtype)
    }

    public func callAsFunction(_ input: Tensor) -> Tensor {
        scope {
            let (input, padding) = padded(input)
            switch padding {
            case .size(let size):
                return input.conv3d(
                    weight: weight, bias: bias, stride: stride, padding: size, dilation: dilation, groups: groups)
            case .same, .valid:
                return input.conv3d(
                    weight: weight, bias: bias, stride: stride, padding: padding == .same ? .same : .valid,
                    dilation: dilation, groups: groups)
            }
        }
    }
}
