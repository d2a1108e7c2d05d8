import CKernels

// Images are (batch, channels, places...). Between convolutions a plan may keep them as (batch, places..., channels), float32 and
// row-major: the kernels of many channels work on those, and turn the others.

/// Which sides of a convolution have their channels last.
struct ChannelsLast: Hashable {
    var x = false
    var y = false
}

extension Shape {
    /// Of an image whose channels are axis 1, when they come last.
    var withChannelsLast: Shape {
        var shape = self
        shape.append(shape.remove(at: 1))
        return shape
    }
    /// The other way round.
    var withChannelsFirst: Shape {
        var shape = self
        shape.insert(shape.remove(at: count - 1), at: 1)
        return shape
    }
}

extension CPU {
    /// A copy of an image, or of what broadcasts to one, with its channels last.
    static func withChannelsLast(_ image: Tensor) -> Tensor {
        contiguousCopy(
            image.view(
                Layout(
                    shape: image.shape.withChannelsLast, strides: image.strides.withChannelsLast,
                    offset: image.layout.offset)))
    }

    /// The way back.
    static func withChannelsFirst(_ image: Tensor) -> Tensor { contiguousCopy(viewWithChannelsFirst(image)) }

    /// An image whose channels come last, as an image where it is.
    static func viewWithChannelsFirst(_ image: Tensor) -> Tensor {
        image.view(
            Layout(
                shape: image.shape.withChannelsFirst, strides: image.strides.withChannelsFirst,
                offset: image.layout.offset))
    }

    // MARK: Convolutions. Where no kernel takes the layouts, or a number is not finite, all is turned and goes the usual way.

    /// y = x ⋆ w + b, or its ReLU, of x, w, and b when there is one.
    static func convolution(
        _ geometry: ConvolutionGeometry, _ last: ChannelsLast, _ inputs: [Tensor], rectified: Bool
    ) -> Tensor {
        let (x, w, bias) = (inputs[0], inputs[1], inputs.count > 2 ? inputs[2] : nil)
        let shape = geometry.outputShape(batch: x.shape[0])
        let y = Tensor(uninitialized: last.y ? shape.withChannelsLast : shape, dtype: .float32)
        if convolved(geometry, last, CK_CONV_FORWARD, y, x, w, bias, rectified) { return y }
        let first = last.x ? withChannelsFirst(x) : x
        let result = convolution(geometry, first, w, bias: bias, rectified: rectified)
        return last.y ? withChannelsLast(result) : result
    }

    static func convolutionInputGradient(
        _ geometry: ConvolutionGeometry, _ last: ChannelsLast, _ dy: Tensor, _ w: Tensor
    ) -> Tensor {
        let shape = geometry.inputShape(batch: dy.shape[0])
        let dx = Tensor(uninitialized: last.x ? shape.withChannelsLast : shape, dtype: .float32)
        if convolved(geometry, last, CK_CONV_INPUT_GRAD, dx, dy, w) { return dx }
        let result = convolutionInputGradient(geometry, last.y ? withChannelsFirst(dy) : dy, w)
        return last.x ? withChannelsLast(result) : result
    }

    static func convolutionWeightGradient(
        _ geometry: ConvolutionGeometry, _ last: ChannelsLast, _ dy: Tensor, _ x: Tensor
    ) -> Tensor {
        let dw = Tensor(uninitialized: geometry.weightShape, dtype: .float32)
        if convolved(geometry, last, CK_CONV_WEIGHT_GRAD, dw, dy, x) { return dw }
        return convolutionWeightGradient(
            geometry, last.y ? withChannelsFirst(dy) : dy, last.x ? withChannelsFirst(x) : x)
    }

    /// Whether a kernel works on these layouts themselves.
    static func convolves(
        _ geometry: ConvolutionGeometry, _ last: ChannelsLast, _ pass: ck_convolution_pass, batch: Int
    ) -> Bool {
        var plan = geometry.kernelDescription(batch: batch, channelsLast: last)
        return ck_convolution_channels_last_serves(&plan, pass) != 0
    }

    /// Whether it did.
    private static func convolved(
        _ geometry: ConvolutionGeometry, _ last: ChannelsLast, _ pass: ck_convolution_pass, _ result: Tensor,
        _ first: Tensor, _ second: Tensor, _ bias: Tensor? = nil, _ rectified: Bool = false
    ) -> Bool {
        let (first, second, bias) = (contiguous(first), contiguous(second), bias.map(contiguous))
        var plan = geometry.kernelDescription(batch: first.shape[0], channelsLast: last)
        let workspace = Workspace(byteCount: ck_convolution_workspace_f32(&plan, pass))
        let done = ck_convolution_channels_last(
            &plan, pass, result.freshPointer(to: Float.self), first.pointer(to: Float.self),
            second.pointer(to: Float.self), bias?.pointer(to: Float.self), rectified ? 1 : 0, workspace.pointer)
        return done != 0
    }
}
