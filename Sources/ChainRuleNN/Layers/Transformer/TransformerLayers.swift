import ChainRule

/// The function between the two linear layers of a transformer layer.
public enum TransformerActivation: Sendable {
    case relu, gelu
    case function(@Sendable (Tensor) -> Tensor)

    func callAsFunction(_ x: Tensor) -> Tensor {
        switch self {
        case .relu: x.relu()
        case .gelu: x.gelu()
        case .function(let body): body(x)
        }
    }
}

/// What encoder and decoder layers are made of.
struct TransformerOptions {
    let size, heads, feedforwardSize: Int
    let dropout: Double
    let activation: TransformerActivation
    let normEps: Double
    let batchFirst, normFirst, bias: Bool
    let dtype: DType

    func attention() -> MultiheadAttention {
        MultiheadAttention(size, heads: heads, dropout: dropout, bias: bias, batchFirst: batchFirst, dtype: dtype)
    }

    func norm() -> LayerNorm { LayerNorm([size], eps: normEps, bias: bias, dtype: dtype) }
}

/// What both layers compute alike.
private protocol TransformerLayer: Module {
    var options: TransformerOptions { get }
    var linear1: Linear { get }
    var linear2: Linear { get }
}

extension TransformerLayer {
    func attend(
        _ attention: MultiheadAttention, _ x: Tensor, _ memory: Tensor, _ mask: Tensor?, _ keyPaddingMask: Tensor?,
        _ isCausal: Bool
    ) -> Tensor {
        let (output, _) = attention(
            x, memory, memory, keyPaddingMask: keyPaddingMask, needWeights: false, attentionMask: mask,
            isCausal: isCausal)
        return drop(output)
    }

    func feedForward(_ x: Tensor) -> Tensor { drop(linear2(drop(options.activation(linear1(x))))) }

    private func drop(_ x: Tensor) -> Tensor { x.dropout(p: options.dropout, training: isTraining) }
}

/// Self-attention, then two linear layers, each with a residual connection and a layer norm behind it, or before it with
/// `normFirst` (Vaswani et al. 2017, arXiv 1706.03762). (S, N, size), with N first when `batchFirst`, or without N.
public final class TransformerEncoderLayer: Module, TransformerLayer, Layer {
    public let attention: MultiheadAttention
    public let linear1, linear2: Linear
    public let norm1, norm2: LayerNorm
    fileprivate let options: TransformerOptions

    public convenience init(
        _ size: Int, heads: Int, feedforwardSize: Int = 2048, dropout: Double = 0.1,
        activation: TransformerActivation = .relu, normEps: Double = 1e-5, batchFirst: Bool = false,
        normFirst: Bool = false, bias: Bool = true, dtype: DType = .float32
    ) {
        self.init(
            TransformerOptions(
                size: size, heads: heads, feedforwardSize: feedforwardSize, dropout: dropout, activation: activation,
                normEps: normEps, batchFirst: batchFirst, normFirst: normFirst, bias: bias, dtype: dtype))
    }

    private init(_ options: TransformerOptions) {
        self.options = options
        attention = options.attention()
        linear1 = Linear(options.size, options.feedforwardSize, bias: options.bias, dtype: options.dtype)
        linear2 = Linear(options.feedforwardSize, options.size, bias: options.bias, dtype: options.dtype)
        norm1 = options.norm()
        norm2 = options.norm()
        super.init()
    }

    override var stateNames: [String: String] { ["attention": "self_attn"] }

    /// A layer of its own with the same weights.
    public func copy() -> TransformerEncoderLayer { copyWeights(to: withScratchDraws { Self(options) }) }

    public func callAsFunction(_ input: Tensor) -> Tensor { self(input, mask: nil) }

    /// The masks are those of `MultiheadAttention`.
    public func callAsFunction(
        _ input: Tensor, mask: Tensor?, keyPaddingMask: Tensor? = nil, isCausal: Bool = false
    ) -> Tensor {
        scope {
            let attend = { self.attend(self.attention, $0, $0, mask, keyPaddingMask, isCausal) }
            if options.normFirst {
                let x = input + attend(norm1(input))
                return x + feedForward(norm2(x))
            }
            let x = norm1(input + attend(input))
            return norm2(x + feedForward(x))
        }
    }
}

/// `TransformerEncoderLayer` with attention to an encoder's output between its two parts. Targets (T, N, size) and memory (S, N, size),
/// with N first when `batchFirst`, or without N.
public final class TransformerDecoderLayer: Module, TransformerLayer {
    public let attention, memoryAttention: MultiheadAttention
    public let linear1, linear2: Linear
    public let norm1, norm2, norm3: LayerNorm
    fileprivate let options: TransformerOptions

    public convenience init(
        _ size: Int, heads: Int, feedforwardSize: Int = 2048, dropout: Double = 0.1,
        activation: TransformerActivation = .relu, normEps: Double = 1e-5, batchFirst: Bool = false,
        normFirst: Bool = false, bias: Bool = true, dtype: DType = .float32
    ) {
        self.init(
            TransformerOptions(
                size: size, heads: heads, feedforwardSize: feedforwardSize, dropout: dropout, activation: activation,
                normEps: normEps, batchFirst: batchFirst, normFirst: normFirst, bias: bias, dtype: dtype))
    }

    private init(_ options: TransformerOptions) {
        self.options = options
        attention = options.attention()
        memoryAttention = options.attention()
        linear1 = Linear(options.size, options.feedforwardSize, bias: options.bias, dtype: options.dtype)
        linear2 = Linear(options.feedforwardSize, options.size, bias: options.bias, dtype: options.dtype)
        norm1 = options.norm()
        norm2 = options.norm()
        norm3 = options.norm()
        super.init()
    }

    override var stateNames: [String: String] {
        ["attention": "self_attn", "memoryAttention": "multihead_attn"]
    }

    /// A layer of its own with the same weights.
    public func copy() -> TransformerDecoderLayer { copyWeights(to: withScratchDraws { Self(options) }) }

    /// The masks are those of `MultiheadAttention`: for the targets among themselves, and for their view of the memory.
    public func callAsFunction(
        _ target: Tensor, _ memory: Tensor, mask: Tensor? = nil, memoryMask: Tensor? = nil,
        keyPaddingMask: Tensor? = nil, memoryKeyPaddingMask: Tensor? = nil, isCausal: Bool = false,
        memoryIsCausal: Bool = false
    ) -> Tensor {
        scope {
            let attend = { self.attend(self.attention, $0, $0, mask, keyPaddingMask, isCausal) }
            let remember = {
                self.attend(self.memoryAttention, $0, memory, memoryMask, memoryKeyPaddingMask, memoryIsCausal)
            }
            if options.normFirst {
                var x = target + attend(norm1(target))
                x = x + remember(norm2(x))
                return x + feedForward(norm3(x))
            }
            var x = norm1(target + attend(target))
            x = norm2(x + remember(x))
            return norm3(x + feedForward(x))
        }
    }
}

/// Builds a module without taking numbers from the program's generator.
private func withScratchDraws<M: Module>(_ build: () -> M) -> M { Generator(seed: 0).asDefault(build) }

extension Module {
    fileprivate func copyWeights<M: Module>(to copy: M) -> M {
        for (target, source) in zip(copy.namedParameters, namedParameters) { target.tensor.data = source.tensor.data }
        copy.train(isTraining)
        return copy
    }
}
