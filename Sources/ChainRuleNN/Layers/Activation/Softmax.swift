import ChainRule

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

/// e⁻ˣ / Σ e⁻ˣ along an axis
public final class Softmin: Module, Layer {
    public let dim: Int

    public init(dim: Int) {
        self.dim = dim
        super.init()
    }

    public override var summary: String { "Softmin(dim: \(dim))" }
    public func callAsFunction(_ input: Tensor) -> Tensor { scope { input.softmin(dim: dim) } }
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

/// The softmax over the channels at each place: (N, C, H, W) or (C, H, W).
public final class Softmax2d: Module, Layer {
    public override var summary: String { "Softmax2d()" }

    public func callAsFunction(_ input: Tensor) -> Tensor {
        scope {
            guard input.rank == 3 || input.rank == 4 else {
                return fail("Softmax2d", "expects (N, C, H, W) or (C, H, W), got shape \(input.shape)")
            }
            return input.softmax(dim: -3)
        }
    }
}
