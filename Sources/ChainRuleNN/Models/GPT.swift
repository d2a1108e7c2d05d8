import ChainRule

/// One layer of a GPT: x + attention(norm x), then x + mlp(norm x), the mlp four times as wide with tanh-GELU (Radford et al. 2019).
public final class GPTBlock: Module, Layer {
    public let ln1: LayerNorm
    public let qkv, proj: Linear
    public let ln2: LayerNorm
    public let fc, mp: Linear
    public let heads: Int

    public init(width: Int, heads: Int, dtype: DType = .float32) {
        self.heads = heads
        if heads < 1 || width % max(heads, 1) != 0 { fail("GPTBlock", "\(heads) heads do not divide width \(width)") }
        ln1 = LayerNorm(width, dtype: dtype)
        qkv = Linear(width, 3 * width, dtype: dtype)
        proj = Linear(width, width, dtype: dtype)
        ln2 = LayerNorm(width, dtype: dtype)
        fc = Linear(width, 4 * width, dtype: dtype)
        mp = Linear(4 * width, width, dtype: dtype)
        super.init()
    }

    public override var summary: String { "GPTBlock(width: \(qkv.inFeatures), heads: \(heads))" }

    /// (N, time, width) to the same shape; a position sees itself and those before.
    public func callAsFunction(_ input: Tensor) -> Tensor { self(input, cache: nil, layer: 0) }

    func callAsFunction(_ input: Tensor, cache: KeyValueCache?, layer: Int) -> Tensor {
        scope {
            let x = input + proj(attention(ln1(input), cache, layer))
            return x + mp(fc(ln2(x), activation: .gelu(approximate: .tanh)))
        }
    }

    private func attention(_ x: Tensor, _ cache: KeyValueCache?, _ layer: Int) -> Tensor {
        guard x.rank == 3 else {
            return fail("GPTBlock", "expects (batch, time, \(qkv.inFeatures)), got shape \(x.shape)")
        }
        let (batch, time, width) = (x.shape[0], x.shape[1], x.shape[2])
        let parts = qkv(x).split(width, dim: 2).map { $0.unflatten(dim: 2, [heads, -1]).transpose(1, 2) }
        guard parts.count == 3 else { return x }  // after a mistake
        let (query, key, value) = (parts[0], parts[1], parts[2])
        let known = cache?.append(key, value, layer: layer) ?? (keys: key, values: value)
        let before = known.keys.shape[2] - time
        // Behind known positions the triangle is not the one from the corner.
        let mask = before > 0 && time > 1 ? Tensor.ones([time, before + time], dtype: .bool).tril(before) : nil
        return query.scaledDotProductAttention(
            key: known.keys, value: known.values, mask: mask, isCausal: before == 0
        ).transpose(1, 2).reshape([batch, time, width])
    }
}

/// A transformer that reads tokens and scores what comes next (Radford et al. 2019): embeddings of token and position, blocks, a layer
/// norm, and a linear head without bias.
///
/// ```swift
/// let model = GPT(vocabulary: 65, context: 128, width: 256, layers: 4, heads: 4)
/// let scores = model(tokens)                       // (N, time, 65)
///
/// let cache = KeyValueCache(for: model, batch: 1)
/// var scores = model.decode(prompt, cache)         // then token after token, each (1, 1)
///
/// model.quantize(.int8)                            // reads a quarter of the memory for each token
/// ```
public final class GPT: Module, Layer {
    public let tok, pos: Embedding
    public let blocks: [GPTBlock]
    public let lnf: LayerNorm
    public let head: Linear

    public init(vocabulary: Int, context: Int, width: Int, layers: Int, heads: Int, dtype: DType = .float32) {
        tok = Embedding(vocabulary, width, dtype: dtype)
        pos = Embedding(context, width, dtype: dtype)
        if layers < 0 { fail("GPT", "the number of layers must not be negative, it is \(layers)") }
        blocks = (0..<max(layers, 0)).map { _ in GPTBlock(width: width, heads: heads, dtype: dtype) }
        lnf = LayerNorm(width, dtype: dtype)
        head = Linear(width, vocabulary, bias: false, dtype: dtype)
        super.init()
    }

    /// The most positions a text can have.
    public var context: Int { pos.count }

    /// Scores (N, time, vocabulary) of the token after each of `input` (N, time).
    public func callAsFunction(_ input: Tensor) -> Tensor { scope { scores(of: input, from: 0, cache: nil) } }

    /// The same for tokens that follow those already in `cache`, which takes them in.
    public func decode(_ input: Tensor, _ cache: KeyValueCache) -> Tensor {
        scope {
            let scores = scores(of: input, from: cache.count, cache: cache)
            cache.advance(by: input.shape[input.rank - 1])
            return scores
        }
    }

    private func scores(of input: Tensor, from first: Int, cache: KeyValueCache?) -> Tensor {
        guard input.rank == 2, first + input.shape[1] <= context else {
            return fail(
                "GPT",
                "expects tokens (batch, time) and at most \(context) positions, got shape \(input.shape) after \(first)"
            )
        }
        var x = tok(input) + pos.weight.narrow(dim: 0, start: first, length: input.shape[1])
        for (layer, block) in blocks.enumerated() { x = block(x, cache: cache, layer: layer) }
        return head(lnf(x))
    }
}

/// The keys and values of the positions that a `GPT` has read, so that a further token costs one step and not a whole pass.
public final class KeyValueCache {
    /// For each layer (N, heads, capacity, width / heads).
    private var keys, values: [Tensor]
    /// How many positions have been read.
    public private(set) var count = 0
    public let capacity: Int

    /// An empty cache for `batch` texts of up to `capacity` tokens, the model's context unless given.
    public init(for model: GPT, batch: Int = 1, capacity: Int? = nil) {
        self.capacity = capacity ?? model.context
        let blank = model.blocks.map { block in
            let width = block.qkv.inFeatures
            return Tensor.zeros(
                [batch, block.heads, capacity ?? model.context, width / block.heads], dtype: model.pos.weight.dtype)
        }
        keys = blank
        values = blank
    }

    /// Forgets all but the first `count` positions.
    public func truncate(to count: Int) { self.count = min(max(count, 0), self.count) }

    /// Writes keys and values (N, heads, time, width) behind the known ones; all of them up to there.
    func append(_ key: Tensor, _ value: Tensor, layer: Int) -> (keys: Tensor, values: Tensor) {
        let end = count + key.shape[2]
        guard end <= capacity else {
            return (fail("KeyValueCache", "has room for \(capacity) positions, \(end) are needed"), value)
        }
        guard layer < keys.count else {
            return (
                fail("KeyValueCache", "was made for a model of \(keys.count) layers, this is layer \(layer + 1)"), value
            )
        }
        keys[layer][.all, .all, count..<end] = key.detach()
        values[layer][.all, .all, count..<end] = value.detach()
        return (
            keys[layer].narrow(dim: 2, start: 0, length: end), values[layer].narrow(dim: 2, start: 0, length: end)
        )
    }

    func advance(by tokens: Int) { count += tokens }
}
