import ChainRule

// Max pooling undone, and norms that state what they divided by.

extension OperatorTable {
    mutating func defineUnpoolingAndStatedNorms() {
        defineUnpooling()
        defineStatedNorms()
    }

    private mutating func defineUnpooling() {
        let calls: [@Sendable (Tensor, Tensor, SpatialSize, SpatialSize?, SpatialSize, SpatialSize?) -> Tensor] = [
            { $0.maxUnpool1d($1, kernelSize: $2, stride: $3, padding: $4, outputSize: $5) },
            { $0.maxUnpool2d($1, kernelSize: $2, stride: $3, padding: $4, outputSize: $5) },
            { $0.maxUnpool3d($1, kernelSize: $2, stride: $3, padding: $4, outputSize: $5) },
        ]
        for (index, call) in calls.enumerated() {
            define("nn.functional.max_unpool\(index + 1)d", "input indices kernel_size stride padding output_size") {
                // The output's size may come with its batch and channels in front.
                let size = try $0.output_size.optionalInts.map { SpatialSize(Array($0.suffix(index + 1))) }
                return call(
                    try $0.input.tensor, try $0.indices.tensor, SpatialSize(try $0.kernel_size.ints),
                    try $0.stride.optionalInts.map(SpatialSize.init), SpatialSize(try $0.padding.optionalInts ?? [0]),
                    size)
            }
        }
        // The gradient of the maxima's sum.
        define(
            "max_pool2d_with_indices_backward",
            "input kernel_size stride padding dilation ceil_mode return_indices"
        ) {
            let x = try $0.input.tensor.detach().requiringGrad()
            let y = x.maxPool2d(
                kernelSize: SpatialSize(try $0.kernel_size.ints),
                stride: try $0.stride.optionalInts.map(SpatialSize.init),
                padding: SpatialSize(try $0.padding.optionalInts ?? [0]),
                dilation: SpatialSize(try $0.dilation.optionalInts ?? [1]), ceilMode: try $0.ceil_mode.bool(or: false))
            return gradient(of: y.sum(), wrt: [x]).compactMap { $0 }
        }
    }

    /// Norms that also give the statistics they divided by.
    private mutating func defineStatedNorms() {
        define("native_layer_norm", "input normalized_shape weight bias eps") {
            let (x, shape, eps) = (try $0.input.tensor, try $0.normalized_shape.shape, try $0.eps.double)
            let y = x.layerNorm(
                normalizedShape: shape, weight: try $0.weight.optionalTensor, bias: try $0.bias.optionalTensor, eps: eps
            )
            let dims = Array(-shape.count..<0)
            return [y] + statistics(x.detach(), dims, eps, keepDim: true)
        }
        define("native_group_norm", "input weight bias N C HxW group eps") {
            let (x, groups, eps) = (try $0.input.tensor, try $0.group.int, try $0.eps.double)
            let y = x.groupNorm(
                groups: groups, weight: try $0.weight.optionalTensor, bias: try $0.bias.optionalTensor, eps: eps)
            let rows = x.reshape([try $0.N.int, groups, try $0.C.int / groups * $0.HxW.int])
            return [y] + statistics(rows, [-1], eps, keepDim: false)
        }
    }
}

/// The mean and 1 / √(variance + eps) over some axes.
private func statistics(_ x: Tensor, _ dims: [Int], _ eps: Double, keepDim: Bool) -> [Tensor] {
    [
        x.mean(dim: dims, keepDim: keepDim),
        (x.variance(dim: dims, correction: 0, keepDim: keepDim) + eps).rsqrt(),
    ]
}
