import ChainRule

/// A row of `weight` for each index: int64 (...) → (..., dimension). The rows are drawn from N(0, 1), that of `paddingIndex` is zero.
public final class Embedding: Module, Layer {
    @Parameter public var weight: Tensor
    public let count, dimension: Int
    public let paddingIndex: Int?
    public let maxNorm: Double?
    public let normOrder: Double
    public let scalesGradientByFrequency: Bool

    /// - Parameters:
    ///   - paddingIndex: A row that learns nothing; negative ones count from the end.
    ///   - maxNorm: Rows that are longer are shortened to this length, in `weight` itself, when they are looked up.
    ///   - normOrder: The order p of that norm.
    ///   - scalesGradientByFrequency: Whether the gradient of a row is divided by how often it is looked up.
    public init(
        _ count: Int, _ dimension: Int, paddingIndex: Int? = nil, maxNorm: Double? = nil, normOrder: Double = 2,
        scalesGradientByFrequency: Bool = false, dtype: DType = .float32
    ) {
        self.count = count
        self.dimension = dimension
        self.paddingIndex = paddingIndex
        self.maxNorm = maxNorm
        self.normOrder = normOrder
        self.scalesGradientByFrequency = scalesGradientByFrequency
        _weight = Parameter(rows(count, dimension, paddingIndex, dtype))
        super.init()
    }

    public override var summary: String {
        "Embedding(\(count), \(dimension)\(paddingIndex.map { ", paddingIndex: \($0)" } ?? ""))"
    }

    /// Whether a result is rows of `weight` and nothing else.
    var isPlain: Bool { paddingIndex == nil && maxNorm == nil && !scalesGradientByFrequency }

    public func callAsFunction(_ input: Tensor) -> Tensor {
        scope {
            if let maxNorm { $weight.leaf?.shortenRows(input, to: maxNorm, order: normOrder) }
            return ChainRule.embedding(
                input, weight: weight, paddingIndex: paddingIndex,
                scalesGradientByFrequency: scalesGradientByFrequency)
        }
    }
}

/// The rows of a bag of indices added, averaged, or their maxima, without a tensor of all rows for a user to see. The rows are drawn from
/// N(0, 1), that of `paddingIndex` is zero.
public final class EmbeddingBag: Module, Layer {
    @Parameter public var weight: Tensor
    public let count, dimension: Int
    public let reduction: BagReduction
    public let paddingIndex: Int?
    public let maxNorm: Double?
    public let normOrder: Double
    public let scalesGradientByFrequency, includesLastOffset: Bool

    /// - Parameters:
    ///   - paddingIndex: A row that counts in no bag and learns nothing.
    ///   - includesLastOffset: Whether the last offset is not a bag of its own but where the last one ends.
    ///   - maxNorm, normOrder, scalesGradientByFrequency: As for `Embedding`.
    public init(
        _ count: Int, _ dimension: Int, reduction: BagReduction = .mean, paddingIndex: Int? = nil,
        maxNorm: Double? = nil, normOrder: Double = 2, scalesGradientByFrequency: Bool = false,
        includesLastOffset: Bool = false, dtype: DType = .float32
    ) {
        self.count = count
        self.dimension = dimension
        self.reduction = reduction
        self.paddingIndex = paddingIndex
        self.maxNorm = maxNorm
        self.normOrder = normOrder
        self.scalesGradientByFrequency = scalesGradientByFrequency
        self.includesLastOffset = includesLastOffset
        _weight = Parameter(rows(count, dimension, paddingIndex, dtype))
        super.init()
    }

    public override var summary: String { "EmbeddingBag(\(count), \(dimension), reduction: .\(reduction))" }

    /// Bags of equal length: (bags, length) → (bags, dimension).
    public func callAsFunction(_ input: Tensor) -> Tensor { self(input, offsets: nil) }

    /// - Parameters:
    ///   - input: int64 (bags, length), or (count) with offsets.
    ///   - offsets: Where each bag begins.
    ///   - perSampleWeights: A factor for each index, for sums.
    public func callAsFunction(_ input: Tensor, offsets: Tensor?, perSampleWeights: Tensor? = nil) -> Tensor {
        scope {
            if let maxNorm { $weight.leaf?.shortenRows(input, to: maxNorm, order: normOrder) }
            return embeddingBag(
                input, weight: weight, offsets: offsets, reduction: reduction, perSampleWeights: perSampleWeights,
                includesLastOffset: includesLastOffset, paddingIndex: paddingIndex,
                scalesGradientByFrequency: scalesGradientByFrequency)
        }
    }
}

/// Normal random rows, the padding's zero.
private func rows(_ count: Int, _ dimension: Int, _ paddingIndex: Int?, _ dtype: DType) -> Tensor {
    var rows = Tensor.randn([count, dimension], dtype: dtype)
    if let paddingIndex {
        guard paddingIndex >= -count && paddingIndex < count else {
            return fail("Embedding", "the padding index \(paddingIndex) is none of the \(count) rows")
        }
        rows[paddingIndex] = .zeros([dimension], dtype: dtype)
    }
    return rows
}

extension Tensor {
    /// Shortens the rows of a leaf that indices name and that are longer than `limit`.
    fileprivate func shortenRows(_ indices: Tensor, to limit: Double, order: Double) {
        withoutGradient {
            let places = indices.reshape(-1)
            let rows = detach().indexSelect(dim: 0, places)
            let norms = rows.norm(order, dim: -1, keepDim: true)
            // The small number is PyTorch's, so that the numbers are too.
            let shortened = Tensor.where(norms .> limit, rows * (limit / (norms + 1e-7)), rows)
            data = detach().indexCopy(dim: 0, places, shortened)
        }
    }
}
