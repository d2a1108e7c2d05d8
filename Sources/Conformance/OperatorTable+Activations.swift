import ChainRule

// What neural networks put between their layers: activations, softmax, and normalisation.

extension OperatorTable {
    mutating func defineActivations() {
        definePlainActivations()
        defineParametricActivations()
        defineSoftmax()
        defineNormalizations()
    }

    /// The names without a parameter but PyTorch's `inplace`.
    private mutating func activation(_ name: String, _ call: @escaping @Sendable (Tensor) -> Tensor) {
        define("nn.functional.\(name)", "input inplace") { call(try $0.input.tensor) }
    }

    private mutating func definePlainActivations() {
        activation("hardsigmoid") { $0.hardsigmoid() }
        activation("hardswish") { $0.hardswish() }
        activation("logsigmoid") { $0.logSigmoid() }
        activation("mish") { $0.mish() }
        activation("relu") { $0.relu() }
        activation("relu6") { $0.relu6() }
        activation("selu") { $0.selu() }
        activation("silu") { $0.silu() }
        activation("softsign") { $0.softsign() }
        activation("tanhshrink") { $0.tanhshrink() }
    }

    private mutating func defineParametricActivations() {
        define("nn.functional.celu", "input alpha inplace") { try $0.input.tensor.celu(alpha: $0.alpha.double(or: 1)) }
        define("nn.functional.elu", "input alpha inplace") { try $0.input.tensor.elu(alpha: $0.alpha.double(or: 1)) }
        define("nn.functional.gelu", "input approximate") {
            try $0.input.tensor.gelu(approximate: $0.approximate.string(or: "none") == "tanh" ? .tanh : .none)
        }
        define("nn.functional.glu", "input dim") { try $0.input.tensor.glu(dim: $0.dim.int(or: -1)) }
        define("nn.functional.hardshrink", "input lambd") { try $0.input.tensor.hardshrink($0.lambd.double(or: 0.5)) }
        define("nn.functional.hardtanh", "input min_val max_val inplace") {
            try $0.input.tensor.hardtanh(min: $0.min_val.double(or: -1), max: $0.max_val.double(or: 1))
        }
        define("nn.functional.leaky_relu", "input negative_slope inplace") {
            try $0.input.tensor.leakyRelu(negativeSlope: $0.negative_slope.double(or: 0.01))
        }
        define("nn.functional.prelu", "input weight") { try $0.input.tensor.prelu($0.weight.tensor) }
        define("nn.functional.softplus", "input beta threshold") {
            try $0.input.tensor.softplus(beta: $0.beta.double(or: 1), threshold: $0.threshold.double(or: 20))
        }
        define("nn.functional.softshrink", "input lambd") { try $0.input.tensor.softshrink($0.lambd.double(or: 0.5)) }
        define("nn.functional.threshold", "input threshold value inplace") {
            try $0.input.tensor.threshold($0.threshold.double, $0.value.double)
        }
    }

    private mutating func defineSoftmax() {
        define("softmax", "input dim dtype") { try $0.input.tensor(as: $0.dtype).softmax(dim: $0.dim.int) }
        define("log_softmax", "input dim dtype") { try $0.input.tensor(as: $0.dtype).logSoftmax(dim: $0.dim.int) }
        define("nn.functional.softmin", "input dim _stacklevel dtype") {
            try $0.input.tensor(as: $0.dtype).softmin(dim: $0.dim.int)
        }
    }

    private mutating func defineNormalizations() {
        define("nn.functional.batch_norm", "input running_mean running_var weight bias training momentum eps") {
            try $0.input.tensor.batchNorm(
                runningMean: $0.running_mean.optionalTensor, runningVariance: $0.running_var.optionalTensor,
                weight: $0.weight.optionalTensor, bias: $0.bias.optionalTensor, training: $0.training.bool(or: false),
                eps: $0.eps.double(or: 1e-5)
            ).output
        }
        define("nn.functional.instance_norm", "input running_mean running_var weight bias use_input_stats momentum eps")
        {
            try $0.input.tensor.instanceNorm(
                runningMean: $0.running_mean.optionalTensor, runningVariance: $0.running_var.optionalTensor,
                weight: $0.weight.optionalTensor, bias: $0.bias.optionalTensor,
                useInputStatistics: $0.use_input_stats.bool(or: true), eps: $0.eps.double(or: 1e-5))
        }
        define("nn.functional.layer_norm", "input normalized_shape weight bias eps") {
            try $0.input.tensor.layerNorm(
                normalizedShape: $0.normalized_shape.shape, weight: $0.weight.optionalTensor,
                bias: $0.bias.optionalTensor, eps: $0.eps.double(or: 1e-5))
        }
        define("nn.functional.rms_norm", "input normalized_shape weight eps") {
            try $0.input.tensor.rmsNorm(
                normalizedShape: $0.normalized_shape.shape, weight: $0.weight.optionalTensor,
                eps: $0.eps.optionalDouble)
        }
        define("nn.functional.group_norm", "input num_groups weight bias eps") {
            try $0.input.tensor.groupNorm(
                groups: $0.num_groups.int, weight: $0.weight.optionalTensor, bias: $0.bias.optionalTensor,
                eps: $0.eps.double(or: 1e-5))
        }
    }
}
