let convolutionOperations: [any Operation.Type] = [
    Convolution.self, RectifiedConvolution.self, ConvolutionInputGradient.self, ConvolutionWeightGradient.self,
]

// The convolution is linear in its input and in its weight, so its three forms are each other's gradients:
//
//     y  = x ⋆ w                  Convolution
//     dx = the dx of dy and w     ConvolutionInputGradient, also the transposed convolution
//     dw = the dw of dy and x     ConvolutionWeightGradient

/// y[n, o, p] = b[o] + Σ x[n, i, stride p + dilation k − padding] w[o, i, k]. Inputs: x, w, and b when there is one.
struct Convolution: VariadicOperation {
    let geometry: ConvolutionGeometry
    static let name = "convolution"
    static let formula = Formula(
        "x ⋆ w + b", gradient: "∂L/∂x = ∂L/∂y ⋆ᵀ w, ∂L/∂w = ∂L/∂y ⋆ x, ∂L/∂b = Σ ∂L/∂y over batch and places")
    static let keeps: Keeps = .input
    func forward(_ inputs: [Tensor]) -> [Tensor] {
        Tensor.list(CPU.convolution(geometry, inputs[0], inputs[1], bias: inputs.count > 2 ? inputs[2] : nil))
    }
    func gradients(_ dy: [Tensor?], _ kept: KeptList, needs: [Bool]) -> [Tensor?] {
        guard let dy = dy[0] else { return [] }
        return geometry.gradients(dy, kept.inputs, needs: needs)
    }
    static let samples = [
        Sample([part([2, 2, 5]), part([3, 2, 3]), part([3])]) {
            [$0[0].conv1d(weight: $0[1], bias: $0[2], stride: 2, padding: 1)]
        },
        Sample([part([1, 2, 4, 5]), part([2, 1, 2, 3]), part([2])]) {
            [$0[0].conv2d(weight: $0[1], bias: $0[2], padding: [1, 0], dilation: [2, 1], groups: 2)]
        },
        Sample([part([1, 1, 3, 3, 3]), part([2, 1, 2, 2, 2])]) { [$0[0].conv3d(weight: $0[1], stride: [1, 2, 1])] },
    ]
}

/// y = relu(x ⋆ w + b) in one pass. Composed: `convolution`, then `relu`. Inputs: x, w, and b when there is one.
struct RectifiedConvolution: VariadicOperation {
    let geometry: ConvolutionGeometry
    static let name = "convolution_relu"
    static let formula = Formula(
        "max(z, 0), z = x ⋆ w + b",
        gradient:
            "∂L/∂z = ∂L/∂y where y > 0, ∂L/∂x = ∂L/∂z ⋆ᵀ w, ∂L/∂w = ∂L/∂z ⋆ x, ∂L/∂b = Σ ∂L/∂z over batch and places")
    static let keeps: Keeps = [.input, .output]
    func forward(_ inputs: [Tensor]) -> [Tensor] {
        Tensor.list(
            CPU.convolution(geometry, inputs[0], inputs[1], bias: inputs.count > 2 ? inputs[2] : nil, rectified: true))
    }
    func gradients(_ dy: [Tensor?], _ kept: KeptList, needs: [Bool]) -> [Tensor?] {
        guard let dy = dy[0] else { return [] }
        return geometry.gradients(apply(ReluGradient(), to: dy, kept.outputs[0]), kept.inputs, needs: needs)
    }
    /// Positive sums, and negative ones, away from the kink.
    static let samples = [0.1...1, -1 ... -0.1].map { weights in
        Sample([
            Sample.Input(.uniform(0.1...1), shape: [2, 2, 4, 3]), Sample.Input(.uniform(weights), shape: [3, 2, 2, 2]),
            Sample.Input(.uniform(weights), shape: [3]),
        ]) { [$0[0].conv2d(weight: $0[1], bias: $0[2], activation: .relu)] }
    }
}

/// The gradient of a convolution's input from that of its output and the weight.
struct ConvolutionInputGradient: BinaryOperation {
    let geometry: ConvolutionGeometry
    static let name = "convolution_input_gradient"
    static let formula = Formula("dy ⋆ᵀ w", gradient: "∂L/∂dy = ∂L/∂dx ⋆ w, ∂L/∂w = dy ⋆ ∂L/∂dx")
    static let keeps: Keeps = .inputs
    func forward(_ dy: Tensor, _ w: Tensor) -> Tensor { CPU.convolutionInputGradient(geometry, dy, w) }
    func gradientLeft(_ g: Tensor, _ kept: Kept) -> Tensor {
        applyOne(Convolution(geometry: geometry), to: [g, kept.rightInput])
    }
    func gradientRight(_ g: Tensor, _ kept: Kept) -> Tensor {
        apply(ConvolutionWeightGradient(geometry: geometry), to: kept.leftInput, g)
    }
    static let samples = [
        Sample([part([2, 3, 3]), part([3, 2, 3])]) { [$0[0].convTranspose1d(weight: $0[1], stride: 2, padding: 1)] },
        Sample([part([1, 2, 2, 3]), part([2, 1, 2, 2]), part([2])]) {
            [$0[0].convTranspose2d(weight: $0[1], bias: $0[2], stride: 2, outputPadding: 1, groups: 2)]
        },
    ]
}

/// The gradient of a convolution's weight from that of its output and the input.
struct ConvolutionWeightGradient: BinaryOperation {
    let geometry: ConvolutionGeometry
    static let name = "convolution_weight_gradient"
    static let formula = Formula("dy ⋆ x", gradient: "∂L/∂dy = x ⋆ ∂L/∂dw, ∂L/∂x = dy ⋆ᵀ ∂L/∂dw")
    static let keeps: Keeps = .inputs
    func forward(_ dy: Tensor, _ x: Tensor) -> Tensor { CPU.convolutionWeightGradient(geometry, dy, x) }
    func gradientLeft(_ g: Tensor, _ kept: Kept) -> Tensor {
        applyOne(Convolution(geometry: geometry), to: [kept.rightInput, g])
    }
    func gradientRight(_ g: Tensor, _ kept: Kept) -> Tensor {
        apply(ConvolutionInputGradient(geometry: geometry), to: kept.leftInput, g)
    }
    static let samples = [
        Sample([part([2, 3, 3]), part([2, 2, 5])]) { inputs in
            let geometry = ConvolutionGeometry(
                axes: 1, inChannels: 2, outChannels: 3, groups: 1, input: [5], kernel: [3], output: [3], stride: [2],
                padding: [1], dilation: [1])
            return [apply(ConvolutionWeightGradient(geometry: geometry), to: inputs[0], inputs[1])]
        }
    ]
}

private func part(_ shape: Shape) -> Sample.Input { Sample.Input(.uniform(-2...2), shape: shape) }

/// All sizes of a convolution but the batch.
struct ConvolutionGeometry: Hashable, Sendable {
    let axes: Int
    let inChannels, outChannels, groups: Int
    let input, kernel, output, stride, padding, dilation: Triple

    init(
        axes: Int, inChannels: Int, outChannels: Int, groups: Int, input: [Int], kernel: [Int], output: [Int],
        stride: [Int], padding: [Int], dilation: [Int]
    ) {
        self.axes = axes
        self.inChannels = inChannels
        self.outChannels = outChannels
        self.groups = groups
        self.input = Triple(input, filler: 1)
        self.kernel = Triple(kernel, filler: 1)
        self.output = Triple(output, filler: 1)
        self.stride = Triple(stride, filler: 1)
        self.padding = Triple(padding, filler: 0)
        self.dilation = Triple(dilation, filler: 1)
    }

    func inputShape(batch: Int) -> Shape { Shape(batch, inChannels).appending(input.last(axes)) }
    func outputShape(batch: Int) -> Shape { Shape(batch, outChannels).appending(output.last(axes)) }
    /// Of x, w and b, from those of x ⋆ w + b.
    fileprivate func gradients(_ dz: Tensor, _ inputs: [Tensor], needs: [Bool]) -> [Tensor?] {
        [
            needs[0] ? apply(ConvolutionInputGradient(geometry: self), to: dz, inputs[1]) : nil,
            needs[1] ? apply(ConvolutionWeightGradient(geometry: self), to: dz, inputs[0]) : nil,
            needs.count > 2 && needs[2] ? dz.sum(dim: [0] + Array(2..<dz.rank)) : nil,
        ]
    }

    var weightShape: Shape { Shape(outChannels, inChannels / groups).appending(kernel.last(axes)) }
}
