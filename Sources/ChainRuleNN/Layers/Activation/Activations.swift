import ChainRule

// Activations without settings.

/// max(x, 0)
public final class ReLU: Module, ActivationLayer {
    var activation: Activation { .relu }
    public override var summary: String { "ReLU()" }
    public func callAsFunction(_ input: Tensor) -> Tensor { scope { input.relu() } }
}

/// min(max(x, 0), 6)
public final class ReLU6: Module, Layer {
    public override var summary: String { "ReLU6()" }
    public func callAsFunction(_ input: Tensor) -> Tensor { scope { input.relu6() } }
}

/// tanh x
public final class Tanh: Module, ActivationLayer {
    var activation: Activation { .tanh }
    public override var summary: String { "Tanh()" }
    public func callAsFunction(_ input: Tensor) -> Tensor { scope { input.tanh() } }
}

/// x − tanh x
public final class Tanhshrink: Module, Layer {
    public override var summary: String { "Tanhshrink()" }
    public func callAsFunction(_ input: Tensor) -> Tensor { scope { input.tanhshrink() } }
}

/// 1 / (1 + e⁻ˣ)
public final class Sigmoid: Module, ActivationLayer {
    var activation: Activation { .sigmoid }
    public override var summary: String { "Sigmoid()" }
    public func callAsFunction(_ input: Tensor) -> Tensor { scope { input.sigmoid() } }
}

/// −log(1 + e⁻ˣ)
public final class LogSigmoid: Module, Layer {
    public override var summary: String { "LogSigmoid()" }
    public func callAsFunction(_ input: Tensor) -> Tensor { scope { input.logSigmoid() } }
}

/// min(max(x + 3, 0), 6) / 6
public final class Hardsigmoid: Module, Layer {
    public override var summary: String { "Hardsigmoid()" }
    public func callAsFunction(_ input: Tensor) -> Tensor { scope { input.hardsigmoid() } }
}

/// x · min(max(x + 3, 0), 6) / 6 (Howard et al. 2019, arXiv 1905.02244)
public final class Hardswish: Module, Layer {
    public override var summary: String { "Hardswish()" }
    public func callAsFunction(_ input: Tensor) -> Tensor { scope { input.hardswish() } }
}

/// x / (1 + e⁻ˣ), also called swish (Elfwing et al. 2017, arXiv 1702.03118)
public final class SiLU: Module, ActivationLayer {
    var activation: Activation { .silu }
    public override var summary: String { "SiLU()" }
    public func callAsFunction(_ input: Tensor) -> Tensor { scope { input.silu() } }
}

/// x · tanh(log(1 + eˣ)) (Misra 2019, arXiv 1908.08681)
public final class Mish: Module, Layer {
    public override var summary: String { "Mish()" }
    public func callAsFunction(_ input: Tensor) -> Tensor { scope { input.mish() } }
}

/// 1.0507 · x where x > 0, else 1.7581 · (eˣ − 1) (Klambauer et al. 2017, arXiv 1706.02515)
public final class SELU: Module, Layer {
    public override var summary: String { "SELU()" }
    public func callAsFunction(_ input: Tensor) -> Tensor { scope { input.selu() } }
}

/// x / (1 + |x|)
public final class Softsign: Module, Layer {
    public override var summary: String { "Softsign()" }
    public func callAsFunction(_ input: Tensor) -> Tensor { scope { input.softsign() } }
}
