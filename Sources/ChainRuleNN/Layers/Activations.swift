import ChainRule

/// max(x, 0)
public final class ReLU: Module, Layer {
    public override var summary: String { "ReLU()" }
    public func callAsFunction(_ input: Tensor) -> Tensor { scope { input.relu() } }
}

/// tanh x
public final class Tanh: Module, Layer {
    public override var summary: String { "Tanh()" }
    public func callAsFunction(_ input: Tensor) -> Tensor { scope { input.tanh() } }
}

/// 1 / (1 + e⁻ˣ)
public final class Sigmoid: Module, Layer {
    public override var summary: String { "Sigmoid()" }
    public func callAsFunction(_ input: Tensor) -> Tensor { scope { input.sigmoid() } }
}

/// x · Φ(x), Φ the normal distribution function, or its approximation by tanh (Hendrycks and Gimpel 2016, arXiv 1606.08415).
public final class GELU: Module, Layer {
    public let approximate: GeluApproximation

    public init(approximate: GeluApproximation = .none) {
        self.approximate = approximate
        super.init()
    }

    public override var summary: String { approximate == .none ? "GELU()" : "GELU(approximate: .\(approximate))" }
    public func callAsFunction(_ input: Tensor) -> Tensor { scope { input.gelu(approximate: approximate) } }
}

/// eˣ / Σ eˣ along an axis
public final class Softmax: Module, Layer {
    public let dim: Int

    public init(dim: Int) {
        self.dim = dim
        super.init()
    }

    public override var summary: String { "Softmax(dim: \(dim))" }
    public func callAsFunction(_ input: Tensor) -> Tensor { scope { input.softmax(dim: dim) } }
}

/// x − log Σ eˣ along an axis
public final class LogSoftmax: Module, Layer {
    public let dim: Int

    public init(dim: Int) {
        self.dim = dim
        super.init()
    }

    public override var summary: String { "LogSoftmax(dim: \(dim))" }
    public func callAsFunction(_ input: Tensor) -> Tensor { scope { input.logSoftmax(dim: dim) } }
}
