import CKernels

extension CPU {
    /// y = x ⋆ w + bias for one floating dtype, or its ReLU; shapes as `geometry` says.
    static func convolution(
        _ geometry: ConvolutionGeometry, _ x: Tensor, _ w: Tensor, bias: Tensor?, rectified: Bool = false
    ) -> Tensor {
        if x.dtype.isHalf {
            let y = convolution(
                geometry, convert(x, to: .float32), convert(w, to: .float32),
                bias: bias.map { convert($0, to: .float32) }, rectified: rectified)
            return convert(y, to: x.dtype)
        }
        let y = Tensor(uninitialized: geometry.outputShape(batch: x.shape[0]), dtype: x.dtype)
        if y.count == 0 { return y }
        let (x, w, bias) = (contiguous(x), contiguous(w), bias.map(contiguous))
        var plan = geometry.kernelDescription(batch: x.shape[0])
        if x.dtype == .float32 {
            let workspace = Workspace(byteCount: ck_convolution_workspace_f32(&plan, CK_CONV_FORWARD))
            ck_convolution_f32(
                &plan, y.freshPointer(to: Float.self), x.pointer(to: Float.self), w.pointer(to: Float.self),
                bias?.pointer(to: Float.self), rectified ? 1 : 0, workspace.pointer)
        } else {
            let workspace = Workspace(byteCount: ck_convolution_workspace_f64(&plan, CK_CONV_FORWARD))
            ck_convolution_f64(
                &plan, y.freshPointer(to: Double.self), x.pointer(to: Double.self), w.pointer(to: Double.self),
                bias?.pointer(to: Double.self), rectified ? 1 : 0, workspace.pointer)
        }
        return y
    }

    static func convolutionInputGradient(_ geometry: ConvolutionGeometry, _ dy: Tensor, _ w: Tensor) -> Tensor {
        if dy.dtype.isHalf {
            let dx = convolutionInputGradient(geometry, convert(dy, to: .float32), convert(w, to: .float32))
            return convert(dx, to: dy.dtype)
        }
        let dx = Tensor(uninitialized: geometry.inputShape(batch: dy.shape[0]), dtype: dy.dtype)
        if dx.count == 0 { return dx }
        if dy.count == 0 { return Tensor.zeros(dx.shape, dtype: dy.dtype) }
        let (dy, w) = (contiguous(dy), contiguous(w))
        var plan = geometry.kernelDescription(batch: dy.shape[0])
        if dy.dtype == .float32 {
            let workspace = Workspace(byteCount: ck_convolution_workspace_f32(&plan, CK_CONV_INPUT_GRAD))
            ck_convolution_input_grad_f32(
                &plan, dx.freshPointer(to: Float.self), dy.pointer(to: Float.self), w.pointer(to: Float.self),
                workspace.pointer)
        } else {
            let workspace = Workspace(byteCount: ck_convolution_workspace_f64(&plan, CK_CONV_INPUT_GRAD))
            ck_convolution_input_grad_f64(
                &plan, dx.freshPointer(to: Double.self), dy.pointer(to: Double.self), w.pointer(to: Double.self),
                workspace.pointer)
        }
        return dx
    }

    static func convolutionWeightGradient(_ geometry: ConvolutionGeometry, _ dy: Tensor, _ x: Tensor) -> Tensor {
        if dy.dtype.isHalf {
            let dw = convolutionWeightGradient(geometry, convert(dy, to: .float32), convert(x, to: .float32))
            return convert(dw, to: dy.dtype)
        }
        if dy.count == 0 || x.count == 0 { return Tensor.zeros(geometry.weightShape, dtype: dy.dtype) }
        let dw = Tensor(uninitialized: geometry.weightShape, dtype: dy.dtype)
        let (dy, x) = (contiguous(dy), contiguous(x))
        var plan = geometry.kernelDescription(batch: dy.shape[0])
        if dy.dtype == .float32 {
            let workspace = Workspace(byteCount: ck_convolution_workspace_f32(&plan, CK_CONV_WEIGHT_GRAD))
            ck_convolution_weight_grad_f32(
                &plan, dw.freshPointer(to: Float.self), dy.pointer(to: Float.self), x.pointer(to: Float.self),
                workspace.pointer)
        } else {
            let workspace = Workspace(byteCount: ck_convolution_workspace_f64(&plan, CK_CONV_WEIGHT_GRAD))
            ck_convolution_weight_grad_f64(
                &plan, dw.freshPointer(to: Double.self), dy.pointer(to: Double.self), x.pointer(to: Double.self),
                workspace.pointer)
        }
        return dw
    }
}

extension ConvolutionGeometry {
    func kernelDescription(batch: Int, channelsLast: ChannelsLast = ChannelsLast()) -> ck_convolution {
        ck_convolution(
            batch: Int64(batch), in_channels: Int64(inChannels), out_channels: Int64(outChannels),
            groups: Int64(groups), input: input.kernelValue, kernel: kernel.kernelValue, output: output.kernelValue,
            stride: stride.kernelValue, padding: padding.kernelValue, dilation: dilation.kernelValue,
            x_channels_last: channelsLast.x ? 1 : 0, y_channels_last: channelsLast.y ? 1 : 0)
    }
}
