/// How much a convolution pads with zeros: numbers, or what follows from the other sizes.
public enum ConvolutionPadding: Hashable, Sendable {
    case size(SpatialSize)
    /// As much as keeps the output as large as the input (stride 1); an odd number's larger half goes to the end.
    case same
    /// None.
    case valid
}

extension ConvolutionPadding: ExpressibleByIntegerLiteral, ExpressibleByArrayLiteral, CustomStringConvertible {
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

extension Tensor {
    /// The cross-correlation over one axis: (N, C, L) or (C, L) with a weight (O, C / groups, K) gives (N, O, L′),
    /// L′ = ⌊(L + 2 padding − dilation (K − 1) − 1) / stride⌋ + 1. One dtype for all, any but bool; integers are multiplied and added up as
    /// float64, exact up to 2⁵³.
    public func conv1d(
        weight: Tensor, bias: Tensor? = nil, stride: SpatialSize = 1, padding: ConvolutionPadding = 0,
        dilation: SpatialSize = 1, groups: Int = 1, activation: Activation? = nil
    ) -> Tensor {
        convolved(ConvolutionCall("conv1d", 1, weight, bias, stride, padding, dilation, groups, activation))
    }

    /// The cross-correlation over two axes: (N, C, H, W) or (C, H, W) with a weight (O, C / groups, K, K′) gives (N, O, H′, W′).
    public func conv2d(
        weight: Tensor, bias: Tensor? = nil, stride: SpatialSize = 1, padding: ConvolutionPadding = 0,
        dilation: SpatialSize = 1, groups: Int = 1, activation: Activation? = nil
    ) -> Tensor {
        convolved(ConvolutionCall("conv2d", 2, weight, bias, stride, padding, dilation, groups, activation))
    }

    /// The cross-correlation over three axes: (N, C, D, H, W) or (C, D, H, W).
    public func conv3d(
        weight: Tensor, bias: Tensor? = nil, stride: SpatialSize = 1, padding: ConvolutionPadding = 0,
        dilation: SpatialSize = 1, groups: Int = 1, activation: Activation? = nil
    ) -> Tensor {
        convolved(ConvolutionCall("conv3d", 3, weight, bias, stride, padding, dilation, groups, activation))
    }

    /// The transpose of `conv1d` over one axis: (N, C, L) or (C, L) with a weight (C, O / groups, K) gives (N, O, L′),
    /// L′ = (L − 1) stride − 2 padding + dilation (K − 1) + outputPadding + 1.
    public func convTranspose1d(
        weight: Tensor, bias: Tensor? = nil, stride: SpatialSize = 1, padding: SpatialSize = 0,
        outputPadding: SpatialSize = 0, groups: Int = 1, dilation: SpatialSize = 1
    ) -> Tensor {
        let call = ConvolutionCall("convTranspose1d", 1, weight, bias, stride, .size(padding), dilation, groups)
        return convolvedTransposed(call, outputPadding)
    }

    /// The transpose of `conv2d`: (N, C, H, W) or (C, H, W) with a weight (C, O / groups, K, K′).
    public func convTranspose2d(
        weight: Tensor, bias: Tensor? = nil, stride: SpatialSize = 1, padding: SpatialSize = 0,
        outputPadding: SpatialSize = 0, groups: Int = 1, dilation: SpatialSize = 1
    ) -> Tensor {
        let call = ConvolutionCall("convTranspose2d", 2, weight, bias, stride, .size(padding), dilation, groups)
        return convolvedTransposed(call, outputPadding)
    }

    /// The transpose of `conv3d`: (N, C, D, H, W) or (C, D, H, W) with a weight (C, O / groups, K, K′, K″).
    public func convTranspose3d(
        weight: Tensor, bias: Tensor? = nil, stride: SpatialSize = 1, padding: SpatialSize = 0,
        outputPadding: SpatialSize = 0, groups: Int = 1, dilation: SpatialSize = 1
    ) -> Tensor {
        let call = ConvolutionCall("convTranspose3d", 3, weight, bias, stride, .size(padding), dilation, groups)
        return convolvedTransposed(call, outputPadding)
    }

    // MARK: The one way all of them go

    private func convolved(_ call: ConvolutionCall) -> Tensor {
        if call.keepsSize { return convolvedInSize(call) }
        guard let batched = call.batched(self, channelsAxis: 1) else { return .placeholderAfterError }
        guard let geometry = call.geometry(of: batched.shape) else { return .placeholderAfterError }
        let inputs = [batched, call.weight, call.bias].compactMap { $0?.integersAsFloats }
        let sums =
            call.activation == .relu
            ? applyOne(RectifiedConvolution(geometry: geometry), to: inputs)
            : applyOne(Convolution(geometry: geometry), to: inputs)
        let y = rank == batched.rank ? sums.to(dtype) : sums.to(dtype).squeeze(dim: 0)
        guard let activation = call.activation, activation != .relu else { return y }
        return activation(y)
    }

    private func convolvedInSize(_ call: ConvolutionCall) -> Tensor {
        var call = call
        call.keepsSize = false
        guard rank > call.axes, call.weight.rank == call.axes + 2 else { return convolved(call) }
        guard call.stride.allSatisfy({ $0 == 1 }) else {
            return fail(call.name, "padding: .same needs stride 1, the stride is \(call.stride)")
        }
        var padded = self
        for axis in 0..<call.axes {
            let total = call.dilation[axis] * (call.weight.shape[axis + 2] - 1)
            call.padding[axis] = total / 2
            if total % 2 == 1 {
                let place = rank - call.axes + axis
                var zeros = padded.shape
                zeros[place] = 1
                padded = cat([padded, Tensor.zeros([], dtype: dtype).expand(zeros)], dim: place)
            }
        }
        return padded.convolved(call)
    }

    private func convolvedTransposed(_ call: ConvolutionCall, _ outputPadding: SpatialSize) -> Tensor {
        guard let batched = call.batched(self, channelsAxis: 0),
            let geometry = call.transposedGeometry(of: batched.shape, outputPadding.sizes(call.axes, in: call.name))
        else { return .placeholderAfterError }
        // The sum of two operations is rounded to 16 bits once.
        let (x, weight) = (batched.integersAsFloats.wide, call.weight.integersAsFloats.wide)
        var y = apply(ConvolutionInputGradient(geometry: geometry), to: x, weight)
        if let bias = call.bias { y = y + bias.reshape(Shape([bias.count] + [Int](repeating: 1, count: call.axes))) }
        y = y.to(dtype)
        return rank == batched.rank ? y : y.squeeze(dim: 0)
    }
}

/// The arguments of a convolution, and the checks on them.
private struct ConvolutionCall {
    let name: String
    let axes: Int
    let weight: Tensor
    let bias: Tensor?
    let stride, dilation: [Int]
    var padding: [Int]
    /// Whether the padding is that of `.same`, which the kernel's size tells.
    var keepsSize: Bool
    let groups: Int
    let activation: Activation?

    init(
        _ name: String, _ axes: Int, _ weight: Tensor, _ bias: Tensor?, _ stride: SpatialSize,
        _ padding: ConvolutionPadding,
        _ dilation: SpatialSize, _ groups: Int, _ activation: Activation? = nil
    ) {
        self.name = name
        self.axes = axes
        self.weight = weight
        self.bias = bias
        self.stride = stride.sizes(axes, in: name)
        if case .size(let size) = padding {
            self.padding = size.sizes(axes, in: name)
        } else {
            self.padding = [Int](repeating: 0, count: axes)
        }
        keepsSize = padding == .same
        self.dilation = dilation.sizes(axes, in: name)
        self.groups = groups
        self.activation = activation
    }

    /// The input with a batch axis, after dtypes, ranks and channels were seen to fit; `channelsAxis` is the weight's axis that belongs
    /// to the input's channels. Nil after an error.
    func batched(_ x: Tensor, channelsAxis: Int) -> Tensor? {
        guard (x.rank == axes + 1 || x.rank == axes + 2) && weight.rank == axes + 2 else {
            return report(
                "takes an input of \(axes + 1) or \(axes + 2) axes and a weight of \(axes + 2), the shapes are \(x.shape) and \(weight.shape)"
            )
        }
        guard x.dtype != .bool, weight.dtype == x.dtype, bias.map({ $0.dtype == x.dtype }) ?? true else {
            let biasType = bias.map { ", bias \($0.dtype)" } ?? ""
            return report("needs one dtype that is not bool, got input \(x.dtype), weight \(weight.dtype)\(biasType)")
        }
        guard stride.allSatisfy({ $0 > 0 }), dilation.allSatisfy({ $0 > 0 }), padding.allSatisfy({ $0 >= 0 }) else {
            return report(
                "stride \(stride) and dilation \(dilation) must be positive, padding \(padding) must not be negative")
        }
        let channels = x.shape[x.rank - axes - 1]
        let expected = channelsAxis == 1 ? weight.shape[1] * groups : weight.shape[0]
        guard groups > 0, weight.shape[0] % groups == 0, channels == expected else {
            return report(
                "input \(x.shape) with \(channels) channels does not fit weight \(weight.shape) in \(groups) groups, which takes \(expected) channels"
            )
        }
        let outChannels = channelsAxis == 1 ? weight.shape[0] : weight.shape[1] * groups
        if let bias, bias.shape != [outChannels] {
            return report("the bias has shape \(bias.shape), expected [\(outChannels)] for weight \(weight.shape)")
        }
        return x.rank == axes + 2 ? x : x.unsqueeze(dim: 0)
    }

    private func report(_ message: String) -> Tensor? {
        fail(name, message)
        return nil
    }

    private var kernel: [Int] { Array(weight.shape.dropFirst(2)) }

    func geometry(of input: Shape) -> ConvolutionGeometry? {
        let sizes = Array(input.dropFirst(2))
        let spans = (0..<axes).map { (axis: Int) -> Int in dilation[axis] * (kernel[axis] - 1) + 1 }
        let room = (0..<axes).map { (axis: Int) -> Int in sizes[axis] + 2 * padding[axis] }
        guard zip(room, spans).allSatisfy({ $0 >= $1 }), kernel.allSatisfy({ $0 > 0 }) else {
            fail(name, "the kernel spans \(spans), more than the padded input \(room) of shape \(input)")
            return nil
        }
        let output = (0..<axes).map { (axis: Int) -> Int in (room[axis] - spans[axis]) / stride[axis] + 1 }
        return ConvolutionGeometry(
            axes: axes, inChannels: input[1], outChannels: weight.shape[0], groups: groups, input: sizes,
            kernel: kernel, output: output, stride: stride, padding: padding, dilation: dilation)
    }

    /// The convolution whose input gradient the transposed one is: its output is what is given here.
    func transposedGeometry(of given: Shape, _ outputPadding: [Int]) -> ConvolutionGeometry? {
        let sizes = Array(given.dropFirst(2))
        var result: [Int] = []
        for axis in 0..<axes {
            guard outputPadding[axis] >= 0, outputPadding[axis] < Swift.max(stride[axis], dilation[axis]) else {
                fail(
                    name,
                    "the output padding \(outputPadding) must be smaller than the stride \(stride) or the dilation \(dilation)"
                )
                return nil
            }
            let grown = (sizes[axis] - 1) * stride[axis] - 2 * padding[axis]
            result.append(grown + dilation[axis] * (kernel[axis] - 1) + outputPadding[axis] + 1)
        }
        guard result.allSatisfy({ $0 > 0 }), kernel.allSatisfy({ $0 > 0 }) else {
            fail(name, "input \(given) and weight \(weight.shape) with padding \(padding) leave no output: \(result)")
            return nil
        }
        return ConvolutionGeometry(
            axes: axes, inChannels: weight.shape[1] * groups, outChannels: weight.shape[0], groups: groups,
            input: result, kernel: kernel, output: sizes, stride: stride, padding: padding, dilation: dilation)
    }
}
