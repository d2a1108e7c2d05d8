import ChainRule

/// What the transposed convolutions over one, two and three axes share: each is the gradient of a convolution with respect to its input, used
/// as a layer of its own, which enlarges. Input (N, inChannels, spatial...) or without N; the weight is
/// (inChannels, outChannels / groups, kernel...). Along an axis
///
///     L' = (L − 1) stride − 2 padding + dilation (kernelSize − 1) + outputPadding + 1
public class TransposedConvolution: AnyConvolution {
    public final let padding, outputPadding: SpatialSize

    init(
        axes: Int, _ inChannels: Int, _ outChannels: Int, kernelSize: SpatialSize, stride: SpatialSize,
        padding: SpatialSize, outputPadding: SpatialSize, groups: Int, bias: Bool, dilation: SpatialSize, dtype: DType
    ) {
        self.padding = padding
        self.outputPadding = outputPadding
        super.init(
            axes: axes, inChannels, outChannels, kernelSize: kernelSize, stride: stride, dilation: dilation,
            groups: groups, bias: bias, dtype: dtype, isTransposed: true)
    }

    public final override var summary: String {
        var text = "\(type(of: self))(\(inChannels), \(outChannels), kernelSize: \(kernelSize)"
        if stride != 1 { text += ", stride: \(stride)" }
        if padding != 0 { text += ", padding: \(padding)" }
        if outputPadding != 0 { text += ", outputPadding: \(outputPadding)" }
        if groups != 1 { text += ", groups: \(groups)" }
        if bias == nil { text += ", bias: false" }
        if dilation != 1 { text += ", dilation: \(dilation)" }
        return text + ")"
    }

    /// The padding that gives an output of the sizes wanted; that of the constructor when none are.
    final func outputPadding(for input: Tensor, outputSize: [Int]?) -> SpatialSize {
        guard let outputSize, input.rank >= axes else { return outputPadding }
        guard outputSize.count == axes else {
            fail("\(type(of: self))", "takes an output size of \(axes) numbers, got \(outputSize)")
            return outputPadding
        }
        let (kernel, steps) = (kernelSize.sizes(axes), stride.sizes(axes))
        let (margins, gaps) = (padding.sizes(axes), dilation.sizes(axes))
        return SpatialSize(
            (0..<axes).map { axis in
                let size = input.shape[input.rank - axes + axis]
                let smallest = (size - 1) * steps[axis] - 2 * margins[axis] + gaps[axis] * (kernel[axis] - 1) + 1
                return outputSize[axis] - smallest
            })
    }
}

/// The transpose of `Conv1d`: (N, C, L) → (N, outChannels, L').
public final class ConvTranspose1d: TransposedConvolution, Layer {
    public init(
        _ inChannels: Int, _ outChannels: Int, kernelSize: SpatialSize, stride: SpatialSize = 1,
        padding: SpatialSize = 0, outputPadding: SpatialSize = 0, groups: Int = 1, bias: Bool = true,
        dilation: SpatialSize = 1, dtype: DType = .float32
    ) {
        super.init(
            axes: 1, inChannels, outChannels, kernelSize: kernelSize, stride: stride, padding: padding,
            outputPadding: outputPadding, groups: groups, bias: bias, dilation: dilation, dtype: dtype)
    }

    public func callAsFunction(_ input: Tensor) -> Tensor { self(input, outputSize: nil) }

    /// - Parameter outputSize: The spatial size of the output, where the stride leaves a choice.
    public func callAsFunction(_ input: Tensor, outputSize: [Int]?) -> Tensor {
        scope {
            input.convTranspose1d(
                weight: weight, bias: bias, stride: stride, padding: padding,
                outputPadding: outputPadding(for: input, outputSize: outputSize), groups: groups, dilation: dilation)
        }
    }
}

/// The transpose of `Conv2d`: (N, C, H, W) → (N, outChannels, H', W').
public final class ConvTranspose2d: TransposedConvolution, Layer {
    public init(
        _ inChannels: Int, _ outChannels: Int, kernelSize: SpatialSize, stride: SpatialSize = 1,
        padding: SpatialSize = 0, outputPadding: SpatialSize = 0, groups: Int = 1, bias: Bool = true,
        dilation: SpatialSize = 1, dtype: DType = .float32
    ) {
        super.init(
            axes: 2, inChannels, outChannels, kernelSize: kernelSize, stride: stride, padding: padding,
            outputPadding: outputPadding, groups: groups, bias: bias, dilation: dilation, dtype: dtype)
    }

    public func callAsFunction(_ input: Tensor) -> Tensor { self(input, outputSize: nil) }

    /// - Parameter outputSize: The spatial sizes of the output, where the stride leaves a choice.
    public func callAsFunction(_ input: Tensor, outputSize: [Int]?) -> Tensor {
        scope {
            input.convTranspose2d(
                weight: weight, bias: bias, stride: stride, padding: padding,
                outputPadding: outputPadding(for: input, outputSize: outputSize), groups: groups, dilation: dilation)
        }
    }
}

/// The transpose of `Conv3d`: (N, C, D, H, W) → (N, outChannels, D', H', W').
public final class ConvTranspose3d: TransposedConvolution, Layer {
    public init(
        _ inChannels: Int, _ outChannels: Int, kernelSize: SpatialSize, stride: SpatialSize = 1,
        padding: SpatialSize = 0, outputPadding: SpatialSize = 0, groups: Int = 1, bias: Bool = true,
        dilation: SpatialSize = 1, dtype: DType = .float32
    ) {
        super.init(
            axes: 3, inChannels, outChannels, kernelSize: kernelSize, stride: stride, padding: padding,
            outputPadding: outputPadding, groups: groups, bias: bias, dilation: dilation, dtype: dtype)
    }

    public func callAsFunction(_ input: Tensor) -> Tensor { self(input, outputSize: nil) }

    /// - Parameter outputSize: The spatial sizes of the output, where the stride leaves a choice.
    public func callAsFunction(_ input: Tensor, outputSize: [Int]?) -> Tensor {
        scope {
            input.convTranspose3d(
                weight: weight, bias: bias, stride: stride, padding: padding,
                outputPadding: outputPadding(for: input, outputSize: outputSize), groups: groups, dilation: dilation)
        }
    }
}
