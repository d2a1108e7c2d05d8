import CKernels

// What operations do with images whose channels come last.

/// A convolution, or a gradient of one.
protocol ConvolutionOperation: Operation {
    var geometry: ConvolutionGeometry { get }
    static var pass: ck_convolution_pass { get }
    func forward(_ inputs: [Tensor], _ last: ChannelsLast) -> [Tensor]
}

extension ConvolutionOperation {
    /// The numbers of x and y.
    func sides(_ step: RecordedStep) -> (x: Int, y: Int) {
        switch Self.pass {
        case CK_CONV_INPUT_GRAD: (step.outputs[0], step.inputs[0])
        case CK_CONV_WEIGHT_GRAD: (step.inputs[1], step.inputs[0])
        default: (step.inputs[0], step.outputs[0])
        }
    }

    /// The positions of the inputs that are images: weights, which an image may have been used for, lie as written.
    var imagePositions: Range<Int> { Self.pass == CK_CONV_WEIGHT_GRAD ? 0..<2 : 0..<1 }

    /// Whether a kernel takes the layout.
    func works(_ last: ChannelsLast, batch: Int) -> Bool { CPU.convolves(geometry, last, Self.pass, batch: batch) }
}

extension Convolution: ConvolutionOperation {
    static let pass = CK_CONV_FORWARD
    func forward(_ inputs: [Tensor], _ last: ChannelsLast) -> [Tensor] {
        Tensor.list(CPU.convolution(geometry, last, inputs, rectified: false))
    }
}

extension RectifiedConvolution: ConvolutionOperation {
    static let pass = CK_CONV_FORWARD
    func forward(_ inputs: [Tensor], _ last: ChannelsLast) -> [Tensor] {
        Tensor.list(CPU.convolution(geometry, last, inputs, rectified: true))
    }
}

extension ConvolutionInputGradient: ConvolutionOperation {
    static let pass = CK_CONV_INPUT_GRAD
    func forward(_ inputs: [Tensor], _ last: ChannelsLast) -> [Tensor] {
        Tensor.list(CPU.convolutionInputGradient(geometry, last, inputs[0], inputs[1]))
    }
}

extension ConvolutionWeightGradient: ConvolutionOperation {
    static let pass = CK_CONV_WEIGHT_GRAD
    func forward(_ inputs: [Tensor], _ last: ChannelsLast) -> [Tensor] {
        Tensor.list(CPU.convolutionWeightGradient(geometry, last, inputs[0], inputs[1]))
    }
}

/// An operation on images that lie alike.
protocol ImageOperation: Operation {
    /// The numbers of its images, none where their channels have to be where they are.
    func images(_ step: RecordedStep) -> Set<Int>
    /// As `forward` on images whose channels come last.
    func forwardChannelsLast(_ inputs: [Tensor]) -> [Tensor]
}

extension BatchNormalization: ImageOperation {
    func images(_ step: RecordedStep) -> Set<Int> { [step.inputs[0], step.outputs[0]] }
    func forwardChannelsLast(_ inputs: [Tensor]) -> [Tensor] {
        CPU.batchNorm(inputs[0], isAffine ? (inputs[1], inputs[2]) : nil, eps: eps, channelsLast: true)
    }
}

extension BatchNormalizationGradient: ImageOperation {
    func images(_ step: RecordedStep) -> Set<Int> { [step.inputs[0], step.inputs[1], step.outputs[0]] }
    func forwardChannelsLast(_ inputs: [Tensor]) -> [Tensor] {
        CPU.batchNormGradient(inputs, isAffine: isAffine, channelsLast: true)
    }
}

extension RectifiedBatchNormalization: ImageOperation {
    func images(_ step: RecordedStep) -> Set<Int> {
        Set([step.inputs[0], step.outputs[0]] + step.inputs.dropFirst(3))
    }
    func forwardChannelsLast(_ inputs: [Tensor]) -> [Tensor] {
        CPU.batchNorm(
            inputs[0], (inputs[1], inputs[2]), added: added ? inputs[3] : nil, rectified: true, eps: eps,
            channelsLast: true)
    }
}

extension RectifiedBatchNormalizationGradient: ImageOperation {
    func images(_ step: RecordedStep) -> Set<Int> {
        Set([step.inputs[0], step.inputs[1], step.inputs[5], step.outputs[0]] + step.outputs.dropFirst(3))
    }
    func forwardChannelsLast(_ inputs: [Tensor]) -> [Tensor] {
        CPU.batchNormGradient(inputs, isAffine: true, isRectified: true, wasAdded: added, channelsLast: true)
    }
}

extension Sum: ImageOperation {
    func images(_ step: RecordedStep) -> Set<Int> { [step.inputs[0]] }
    /// The result lies as written.
    func forwardChannelsLast(_ inputs: [Tensor]) -> [Tensor] {
        Tensor.list(forward(CPU.viewWithChannelsFirst(inputs[0])))
    }
}

extension PoolingGeometry {
    fileprivate var withChannelsLast: PoolingGeometry {
        var geometry = self
        geometry.channelsLast = true
        return geometry
    }

    /// None of volumes without a batch, which have four axes too.
    fileprivate func images(_ step: RecordedStep) -> Set<Int> { axes == 2 ? Set(step.inputs + step.outputs) : [] }
}

extension MaxPool: ImageOperation {
    func images(_ step: RecordedStep) -> Set<Int> { geometry.images(step) }
    func forwardChannelsLast(_ inputs: [Tensor]) -> [Tensor] { CPU.maxPool(geometry.withChannelsLast, inputs[0]) }
}

extension MaxPoolScatter: ImageOperation {
    func images(_ step: RecordedStep) -> Set<Int> { geometry.images(step) }
    func forwardChannelsLast(_ inputs: [Tensor]) -> [Tensor] {
        Tensor.list(CPU.maxPoolScatter(geometry.withChannelsLast, inputs[0], inputs[1]))
    }
}

extension AveragePool: ImageOperation {
    func images(_ step: RecordedStep) -> Set<Int> { geometry.images(step) }
    func forwardChannelsLast(_ inputs: [Tensor]) -> [Tensor] {
        Tensor.list(CPU.averagePool(geometry.withChannelsLast, inputs[0]))
    }
}

extension AveragePoolGradient: ImageOperation {
    func images(_ step: RecordedStep) -> Set<Int> { geometry.images(step) }
    func forwardChannelsLast(_ inputs: [Tensor]) -> [Tensor] {
        Tensor.list(CPU.averagePoolGradient(geometry.withChannelsLast, inputs[0]))
    }
}
