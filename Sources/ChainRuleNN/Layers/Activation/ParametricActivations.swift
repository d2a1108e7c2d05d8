import ChainRule

// Activations with settings, and one with a parameter.

/// x · Φ(x), Φ the normal distribution function, or its approximation by tanh (Hendrycks and Gimpel 2016, arXiv 1606.08415).
public final class GELU: Module, ActivationLayer {
    public let approximate: GeluApproximation

    public init(approximate: GeluApproximation = .none) {
        self.approximate = approximate
        super.init()
    }

    var activation: Activation { .gelu(approximate: approximate) }
    public override var summary: String { approximate == .none ? "GELU()" : "GELU(approximate: .\(approximate))" }
    public func callAsFunction(_ input: Tensor) -> Tensor { scope { input.gelu(approximate: approximate) } }
}

/// x where x > 0, else negativeSlope · x
public final class LeakyReLU: Module, Layer {
    public let negativeSlope: Double

    public init(negativeSlope: Double = 0.01) {
        self.negativeSlope = negativeSlope
        super.init()
    }

    public override var summary: String { "LeakyReLU(negativeSlope: \(negativeSlope))" }
    public func callAsFunction(_ input: Tensor) -> Tensor { scope { input.leakyRelu(negativeSlope: negativeSlope) } }
}

/// x where x > 0, else slope · x. In training each element draws its slope from U(lower, upper), in evaluation it is the middle (Xu et al.
/// 2015, arXiv 1505.00853).
public final class RReLU: Module, Layer {
    public let lower, upper: Double

    public init(lower: Double = 1.0 / 8, upper: Double = 1.0 / 3) {
        self.lower = lower
        self.upper = upper
        if !(lower <= upper) { fail("RReLU", "lower must be at most upper, they are \(lower) and \(upper)") }
        super.init()
    }

    public override var summary: String { "RReLU(lower: \(lower), upper: \(upper))" }

    public func callAsFunction(_ input: Tensor) -> Tensor {
        scope {
            guard isTraining && lower < upper else { return input.leakyRelu(negativeSlope: (lower + upper) / 2) }
            // As in PyTorch: float64 numbers, drawn for those elements alone that they multiply.
            let isBent = input.detach() .<= 0
            let slopes = Tensor.uniform([isBent.sum().item(Int.self)], lower...upper, dtype: .float64)
            return input * Tensor.ones(like: input.detach()).maskedScatter(isBent, slopes.to(input.dtype))
        }
    }
}

/// x where x > 0, else weight · x with a learned weight, one for all or one for each channel (axis 1) (He et al. 2015, arXiv 1502.01852).
public final class PReLU: Module, Layer {
    @Parameter public var weight: Tensor
    public let channels: Int

    /// - Parameter channels: 1 weight for all, or the number of channels.
    public init(_ channels: Int = 1, initial: Double = 0.25, dtype: DType = .float32) {
        self.channels = channels
        _weight = Parameter(.full([channels], initial, dtype: dtype))
        super.init()
    }

    public override var summary: String { channels == 1 ? "PReLU()" : "PReLU(\(channels))" }
    public func callAsFunction(_ input: Tensor) -> Tensor { scope { input.prelu(weight) } }
}

/// x where x > 0, else alpha · (eˣ − 1) (Clevert et al. 2015, arXiv 1511.07289)
public final class ELU: Module, Layer {
    public let alpha: Double

    public init(alpha: Double = 1) {
        self.alpha = alpha
        super.init()
    }

    public override var summary: String { "ELU(alpha: \(alpha))" }
    public func callAsFunction(_ input: Tensor) -> Tensor { scope { input.elu(alpha: alpha) } }
}

/// max(x, 0) + min(0, alpha · (e^(x / alpha) − 1)) (Barron 2017, arXiv 1704.07483)
public final class CELU: Module, Layer {
    public let alpha: Double

    public init(alpha: Double = 1) {
        self.alpha = alpha
        super.init()
    }

    public override var summary: String { "CELU(alpha: \(alpha))" }
    public func callAsFunction(_ input: Tensor) -> Tensor { scope { input.celu(alpha: alpha) } }
}

/// min(max(x, min), max)
public final class Hardtanh: Module, Layer {
    public let min, max: Double

    public init(min: Double = -1, max: Double = 1) {
        self.min = min
        self.max = max
        super.init()
    }

    public override var summary: String { "Hardtanh(min: \(min), max: \(max))" }
    public func callAsFunction(_ input: Tensor) -> Tensor { scope { input.hardtanh(min: min, max: max) } }
}

/// x where |x| > lambda, else 0
public final class Hardshrink: Module, Layer {
    public let lambda: Double

    public init(lambda: Double = 0.5) {
        self.lambda = lambda
        super.init()
    }

    public override var summary: String { "Hardshrink(lambda: \(lambda))" }
    public func callAsFunction(_ input: Tensor) -> Tensor { scope { input.hardshrink(lambda) } }
}

/// x − lambda where x > lambda, x + lambda where x < −lambda, else 0
public final class Softshrink: Module, Layer {
    public let lambda: Double

    public init(lambda: Double = 0.5) {
        self.lambda = lambda
        super.init()
    }

    public override var summary: String { "Softshrink(lambda: \(lambda))" }
    public func callAsFunction(_ input: Tensor) -> Tensor { scope { input.softshrink(lambda) } }
}

/// log(1 + e^(beta x)) / beta, and x itself where beta · x > threshold
public final class Softplus: Module, Layer {
    public let beta, threshold: Double

    public init(beta: Double = 1, threshold: Double = 20) {
        self.beta = beta
        self.threshold = threshold
        super.init()
    }

    public override var summary: String { "Softplus(beta: \(beta), threshold: \(threshold))" }
    public func callAsFunction(_ input: Tensor) -> Tensor { scope { input.softplus(beta: beta, threshold: threshold) } }
}

/// x where x > threshold, else value
public final class Threshold: Module, Layer {
    public let threshold, value: Double

    public init(_ threshold: Double, _ value: Double) {
        self.threshold = threshold
        self.value = value
        super.init()
    }

    public override var summary: String { "Threshold(\(threshold), \(value))" }
    public func callAsFunction(_ input: Tensor) -> Tensor { scope { input.threshold(threshold, value) } }
}

/// a · σ(b), a and b the halves of the input along an axis (Dauphin et al. 2016, arXiv 1612.08083)
public final class GLU: Module, Layer {
    public let dim: Int

    public init(dim: Int = -1) {
        self.dim = dim
        super.init()
    }

    public override var summary: String { "GLU(dim: \(dim))" }
    public func callAsFunction(_ input: Tensor) -> Tensor { scope { input.glu(dim: dim) } }
}
