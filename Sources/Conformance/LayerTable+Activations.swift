import ChainRule
import ChainRuleNN

extension LayerTable {
    mutating func defineActivations() {
        layer("ReLU", "inplace") { _ in ReLU() }
        layer("ReLU6", "inplace") { _ in ReLU6() }
        layer("Tanh") { _ in Tanh() }
        layer("Tanhshrink") { _ in Tanhshrink() }
        layer("Sigmoid") { _ in Sigmoid() }
        layer("LogSigmoid") { _ in LogSigmoid() }
        layer("Hardsigmoid", "inplace") { _ in Hardsigmoid() }
        layer("Hardswish", "inplace") { _ in Hardswish() }
        layer("SiLU", "inplace") { _ in SiLU() }
        layer("Mish", "inplace") { _ in Mish() }
        layer("SELU", "inplace") { _ in SELU() }
        layer("Softsign") { _ in Softsign() }
        layer("Softmax2d") { _ in Softmax2d() }
        layer("Softmax", "dim") { Softmax(dim: try $0.dim.int) }
        layer("Softmin", "dim") { Softmin(dim: try $0.dim.int) }
        layer("LogSoftmax", "dim") { LogSoftmax(dim: try $0.dim.int) }
        layer("GELU", "approximate") {
            GELU(approximate: try $0.approximate.string(or: "none") == "tanh" ? .tanh : .none)
        }
        layer("GLU", "dim") { GLU(dim: try $0.dim.int(or: -1)) }
        layer("ELU", "alpha inplace") { ELU(alpha: try $0.alpha.double(or: 1)) }
        layer("CELU", "alpha inplace") { CELU(alpha: try $0.alpha.double(or: 1)) }
        layer("LeakyReLU", "negative_slope inplace") {
            LeakyReLU(negativeSlope: try $0.negative_slope.double(or: 0.01))
        }
        layer("RReLU", "lower upper inplace") {
            RReLU(lower: try $0.lower.double(or: 1.0 / 8), upper: try $0.upper.double(or: 1.0 / 3))
        }
        layer("PReLU", "num_parameters init") {
            PReLU(try $0.num_parameters.int(or: 1), initial: try $0.`init`.double(or: 0.25), dtype: .float64)
        }
        layer("Hardtanh", "min_val max_val inplace") {
            Hardtanh(min: try $0.min_val.double(or: -1), max: try $0.max_val.double(or: 1))
        }
        layer("Hardshrink", "lambd") { Hardshrink(lambda: try $0.lambd.double(or: 0.5)) }
        layer("Softshrink", "lambd") { Softshrink(lambda: try $0.lambd.double(or: 0.5)) }
        layer("Softplus", "beta threshold") {
            Softplus(beta: try $0.beta.double(or: 1), threshold: try $0.threshold.double(or: 20))
        }
        layer("Threshold", "threshold value inplace") { Threshold(try $0.threshold.double, try $0.value.double) }
    }
}
