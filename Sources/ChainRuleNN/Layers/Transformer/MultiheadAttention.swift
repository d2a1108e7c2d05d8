import ChainRule

/// Attention in several subspaces at once (Vaswani et al. 2017, arXiv 1706.03762): queries, keys and values are projected, split into
/// heads, attended to by scaled dot products, joined and projected again.
///
/// Queries (L, N, E), keys (S, N, keySize) and values (S, N, valueSize), with N first when `batchFirst`, or without N.
/// The projections are drawn from Glorot's uniform distribution, the biases begin at zero.
public final class MultiheadAttention: Module {
    @Parameter public var queryWeight: Tensor?
    @Parameter public var keyWeight: Tensor?
    @Parameter public var valueWeight: Tensor?
    /// The three projections as one (3 E, E), where keys and values have the queries' size.
    @Parameter public var projectionWeight: Tensor?
    @Parameter public var projectionBias: Tensor?
    /// (1, 1, E): a key and a value that every query sees, learnt.
    @Parameter public var extraKey: Tensor?
    @Parameter public var extraValue: Tensor?
    public let output: Linear
    public let size, heads, keySize, valueSize: Int
    public let dropout: Double
    public let addZeroAttention, batchFirst: Bool

    /// - Parameters:
    ///   - dropout: The probability with which an attention weight is dropped in training.
    ///   - addBiasKV: Whether there is a learnt key and value behind those given.
    ///   - addZeroAttention: Whether there is a key and a value of zeros behind all others.
    ///   - keySize: The size of the keys, `size` unless given; `valueSize` likewise.
    public init(
        _ size: Int, heads: Int, dropout: Double = 0, bias: Bool = true, addBiasKV: Bool = false,
        addZeroAttention: Bool = false, keySize: Int? = nil, valueSize: Int? = nil, batchFirst: Bool = false,
        dtype: DType = .float32
    ) {
        self.size = size
        self.heads = heads
        self.dropout = dropout
        self.keySize = keySize ?? size
        self.valueSize = valueSize ?? size
        self.addZeroAttention = addZeroAttention
        self.batchFirst = batchFirst
        if heads < 1 || size % max(heads, 1) != 0 {
            fail("MultiheadAttention", "\(heads) heads do not divide the size \(size)")
        }
        let isJoint = self.keySize == size && self.valueSize == size
        output = Linear(size, size, bias: bias, dtype: dtype)
        if bias { output.bias = .zeros([size], dtype: dtype) }
        let draw = { (rows: Int, columns: Int) in Initialization.xavierUniform([rows, columns], dtype: dtype) }
        _projectionWeight = Parameter(isJoint ? draw(3 * size, size) : nil)
        _queryWeight = Parameter(isJoint ? nil : draw(size, size))
        _keyWeight = Parameter(isJoint ? nil : draw(size, self.keySize))
        _valueWeight = Parameter(isJoint ? nil : draw(size, self.valueSize))
        _projectionBias = Parameter(bias ? .zeros([3 * size], dtype: dtype) : nil)
        // Glorot's normal distribution for (1, 1, E), which counts E inputs and outputs.
        let normal = { Tensor.normal([1, 1, size], mean: 0, std: (1 / Double(size)).squareRoot(), dtype: dtype) }
        _extraKey = Parameter(addBiasKV ? normal() : nil)
        _extraValue = Parameter(addBiasKV ? normal() : nil)
        super.init()
    }

    public override var summary: String { "MultiheadAttention(\(size), heads: \(heads))" }

    override var stateNames: [String: String] {
        [
            "queryWeight": "q_proj_weight", "keyWeight": "k_proj_weight", "valueWeight": "v_proj_weight",
            "projectionWeight": "in_proj_weight", "projectionBias": "in_proj_bias", "extraKey": "bias_k",
            "extraValue": "bias_v", "output": "out_proj",
        ]
    }

    /// - Parameters:
    ///   - keyPaddingMask: (N, S), or (S) without a batch: true where a key is padding, or numbers added to its scores.
    ///   - needWeights: Whether the weights are wanted; without them the computation is faster.
    ///   - attentionMask: (L, S) or (N · heads, L, S): true where a query may not look, or numbers added to the scores.
    ///   - averageWeights: Whether the weights are averaged over the heads.
    ///   - isCausal: Each query looks at the keys up to its own position, in addition to the masks.
    /// - Returns: (L, N, E) in the layout of the queries, and the weights (N, L, S), or (N, heads, L, S) if not averaged.
    public func callAsFunction(
        _ query: Tensor, _ key: Tensor, _ value: Tensor, keyPaddingMask: Tensor? = nil, needWeights: Bool = true,
        attentionMask: Tensor? = nil, averageWeights: Bool = true, isCausal: Bool = false
    ) -> (output: Tensor, weights: Tensor?) {
        scope {
            guard checkShapes(query, key, value) else { return (query, nil) }
            let isBatch = query.rank == 3
            let batched = { (x: Tensor) in
                !isBatch ? x.unsqueeze(dim: 0) : self.batchFirst ? x : x.transpose(0, 1)
            }
            let masks = AttentionMasks(
                padding: isBatch ? keyPaddingMask : keyPaddingMask?.unsqueeze(dim: 0), attention: attentionMask,
                isCausal: isCausal)
            let (mixed, weights) = attend(
                batched(query), batched(key), batched(value), masks, needWeights: needWeights)
            let result = !isBatch ? mixed.squeeze(dim: 0) : batchFirst ? mixed : mixed.transpose(0, 1)
            guard var weights else { return (result, nil) }
            if averageWeights { weights = weights.mean(dim: 1) }
            return (result, isBatch ? weights : weights.squeeze(dim: 0))
        }
    }

    private func checkShapes(_ query: Tensor, _ key: Tensor, _ value: Tensor) -> Bool {
        let fits =
            (query.rank == 2 || query.rank == 3) && key.rank == query.rank && value.rank == query.rank
            && query.shape[query.rank - 1] == size && key.shape[key.rank - 1] == keySize
            && value.shape[value.rank - 1] == valueSize && key.shape.dropLast() == value.shape.dropLast()
        if !fits {
            fail(
                "MultiheadAttention",
                "expects queries, keys and values of sizes \(size), \(keySize) and \(valueSize) on the last axis, keys and values of one length; got shapes \(query.shape), \(key.shape) and \(value.shape)"
            )
        }
        return fits
    }

    // MARK: With the batch first

    private func attend(
        _ query: Tensor, _ key: Tensor, _ value: Tensor, _ masks: AttentionMasks, needWeights: Bool
    ) -> (output: Tensor, weights: Tensor?) {
        var (q, k, v) = projections(query, key, value)
        let given = k.shape[1]
        if let extraKey, let extraValue {
            k = cat([k, extraKey.expand([k.shape[0], 1, size])], dim: 1)
            v = cat([v, extraValue.expand([v.shape[0], 1, size])], dim: 1)
        }
        if addZeroAttention {
            let zeros = Tensor.zeros([k.shape[0], 1, size], dtype: k.dtype)
            (k, v) = (cat([k, zeros], dim: 1), cat([v, zeros], dim: 1))
        }
        (q, k, v) = (split(q), split(k), split(v))
        let probability = isTraining ? dropout : 0
        let isPlain = masks.padding == nil && masks.attention == nil && k.shape[2] == given
        if !needWeights && isPlain {
            let mixed = q.scaledDotProductAttention(
                key: k, value: v, dropout: probability, isCausal: masks.isCausal)
            return (output(join(mixed)), nil)
        }
        let mask = masks.merged(
            queries: q.shape[2], keys: given, extra: k.shape[2] - given, heads: heads, dtype: q.dtype)
        if !needWeights {
            return (output(join(q.scaledDotProductAttention(key: k, value: v, mask: mask, dropout: probability))), nil)
        }
        let scores = (q * (1 / Double(size / heads).squareRoot())).matmul(k.mT)
        let weights = (mask.map { scores + $0 } ?? scores).softmax(dim: -1).dropout(p: probability)
        return (output(join(weights.matmul(v))), weights)
    }

    private func projections(_ query: Tensor, _ key: Tensor, _ value: Tensor) -> (Tensor, Tensor, Tensor) {
        let biases = projectionBias?.split(size)
        let weights =
            projectionWeight?.split(size) ?? [queryWeight, keyWeight, valueWeight].compactMap { $0 }
        return (
            query.linear(weight: weights[0], bias: biases?[0]), key.linear(weight: weights[1], bias: biases?[1]),
            value.linear(weight: weights[2], bias: biases?[2])
        )
    }

    /// (N, length, E) to (N, heads, length, E / heads).
    private func split(_ x: Tensor) -> Tensor {
        x.reshape([x.shape[0], x.shape[1], heads, size / heads]).transpose(1, 2)
    }

    private func join(_ x: Tensor) -> Tensor { x.transpose(1, 2).flatten(startDim: 2) }
}

/// What hides keys from queries.
private struct AttentionMasks {
    let padding, attention: Tensor?
    let isCausal: Bool

    /// All masks as numbers to add to the scores (N, heads, L, S), −∞ where a query may not look. Nothing hides the `extra` keys at the end.
    func merged(queries: Int, keys: Int, extra: Int, heads: Int, dtype: DType) -> Tensor? {
        var parts: [Tensor] = []
        if let padding { parts.append(numbers(padding, dtype).unsqueeze(dim: 1).unsqueeze(dim: 1)) }
        if let attention {
            let mask = numbers(attention, dtype)
            parts.append(
                mask.rank == 3 ? mask.reshape([mask.shape[0] / heads, heads, mask.shape[1], mask.shape[2]]) : mask)
        }
        if isCausal { parts.append(numbers(Tensor.ones([queries, keys], dtype: .bool).triu(1), dtype)) }
        guard let first = parts.first else { return nil }
        let sum = parts.dropFirst().reduce(first, +)
        if extra == 0 { return sum }
        var open = sum.shape
        open[sum.rank - 1] = extra
        return cat([sum, .zeros(open, dtype: dtype)], dim: -1)
    }

    private func numbers(_ mask: Tensor, _ dtype: DType) -> Tensor {
        mask.dtype == .bool ? Tensor.zeros(mask.shape, dtype: dtype).maskedFill(mask, -Double.infinity) : mask.to(dtype)
    }
}
