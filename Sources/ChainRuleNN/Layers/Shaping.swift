import ChainRule

/// Several axes made one: (N, C, H, W) → (N, C·H·W).
public final class Flatten: Module, Layer {
    public let startDim, endDim: Int

    public init(startDim: Int = 1, endDim: Int = -1) {
        self.startDim = startDim
        self.endDim = endDim
        super.init()
    }

    public override var summary: String {
        startDim == 1 && endDim == -1 ? "Flatten()" : "Flatten(startDim: \(startDim), endDim: \(endDim))"
    }

    public func callAsFunction(_ input: Tensor) -> Tensor {
        scope { input.flatten(startDim: startDim, endDim: endDim) }
    }
}

/// In training, each element is zero with probability `p` and the others grow by 1 / (1 − p); in evaluation, nothing happens
/// (Srivastava et al. 2014).
public final class Dropout: Module, Layer {
    public let p: Double

    public init(_ p: Double = 0.5) {
        self.p = p
        if !(0...1).contains(p) { fail("Dropout", "the probability must be from 0 to 1, not \(p)") }
        super.init()
    }

    public override var summary: String { "Dropout(\(p))" }
    public func callAsFunction(_ input: Tensor) -> Tensor { scope { input.dropout(p: p, training: isTraining) } }
}

/// A row of `weight` for each index: int64 (...) → (..., dimension). The rows are drawn from N(0, 1).
public final class Embedding: Module, Layer {
    @Parameter public var weight: Tensor
    public let count, dimension: Int

    public init(_ count: Int, _ dimension: Int, dtype: DType = .float32) {
        self.count = count
        self.dimension = dimension
        _weight = Parameter(.randn([count, dimension], dtype: dtype))
        super.init()
    }

    public override var summary: String { "Embedding(\(count), \(dimension))" }
    public func callAsFunction(_ input: Tensor) -> Tensor { scope { ChainRule.embedding(input, weight: weight) } }
}
