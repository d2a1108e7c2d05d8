import ChainRule

/// Encoder layers on top of each other, then a norm if one is given. All begin with the weights of `layer`, as in PyTorch.
public final class TransformerEncoder: Module, Layer {
    public let layers: [TransformerEncoderLayer]
    public let norm: LayerNorm?

    public init(_ layer: TransformerEncoderLayer, layers: Int, norm: LayerNorm? = nil) {
        self.layers = (0..<layers).map { _ in layer.copy() }
        self.norm = norm
        super.init()
    }

    public func callAsFunction(_ input: Tensor) -> Tensor { self(input, mask: nil) }

    /// The masks are those of `MultiheadAttention`.
    public func callAsFunction(
        _ input: Tensor, mask: Tensor?, keyPaddingMask: Tensor? = nil, isCausal: Bool = false
    ) -> Tensor {
        scope {
            let x = layers.reduce(input) { $1($0, mask: mask, keyPaddingMask: keyPaddingMask, isCausal: isCausal) }
            return norm.map { $0(x) } ?? x
        }
    }
}

/// Decoder layers on top of each other, then a norm if one is given. All begin with the weights of `layer`, as in PyTorch.
public final class TransformerDecoder: Module {
    public let layers: [TransformerDecoderLayer]
    public let norm: LayerNorm?

    public init(_ layer: TransformerDecoderLayer, layers: Int, norm: LayerNorm? = nil) {
        self.layers = (0..<layers).map { _ in layer.copy() }
        self.norm = norm
        super.init()
    }

    /// The masks are those of `TransformerDecoderLayer`.
    public func callAsFunction(
        _ target: Tensor, _ memory: Tensor, mask: Tensor? = nil, memoryMask: Tensor? = nil,
        keyPaddingMask: Tensor? = nil, memoryKeyPaddingMask: Tensor? = nil, isCausal: Bool = false,
        memoryIsCausal: Bool = false
    ) -> Tensor {
        scope {
            let x = layers.reduce(target) { x, layer in
                layer(
                    x, memory, mask: mask, memoryMask: memoryMask, keyPaddingMask: keyPaddingMask,
                    memoryKeyPaddingMask: memoryKeyPaddingMask, isCausal: isCausal, memoryIsCausal: memoryIsCausal)
            }
            return norm.map { $0(x) } ?? x
        }
    }
}

/// An encoder and a decoder that attends to its output (Vaswani et al. 2017, arXiv 1706.03762). All matrices are drawn from Glorot's uniform
/// distribution.
///
/// Sources (S, N, size) and targets (T, N, size), with N first when `batchFirst`, or without N.
public final class Transformer: Module {
    public let encoder: TransformerEncoder
    public let decoder: TransformerDecoder

    public init(
        _ size: Int = 512, heads: Int = 8, encoderLayers: Int = 6, decoderLayers: Int = 6, feedforwardSize: Int = 2048,
        dropout: Double = 0.1, activation: TransformerActivation = .relu, normEps: Double = 1e-5,
        batchFirst: Bool = false, normFirst: Bool = false, bias: Bool = true, dtype: DType = .float32
    ) {
        let norm = { LayerNorm([size], eps: normEps, bias: bias, dtype: dtype) }
        let encoderLayer = TransformerEncoderLayer(
            size, heads: heads, feedforwardSize: feedforwardSize, dropout: dropout, activation: activation,
            normEps: normEps, batchFirst: batchFirst, normFirst: normFirst, bias: bias, dtype: dtype)
        encoder = TransformerEncoder(encoderLayer, layers: encoderLayers, norm: norm())
        let decoderLayer = TransformerDecoderLayer(
            size, heads: heads, feedforwardSize: feedforwardSize, dropout: dropout, activation: activation,
            normEps: normEps, batchFirst: batchFirst, normFirst: normFirst, bias: bias, dtype: dtype)
        decoder = TransformerDecoder(decoderLayer, layers: decoderLayers, norm: norm())
        super.init()
        for parameter in parameters where parameter.rank > 1 {
            parameter.data = Initialization.xavierUniform(parameter.shape, dtype: dtype)
        }
    }

    /// The masks are those of the encoder for the sources, and of the decoder for the targets and their view of the memory.
    public func callAsFunction(
        _ source: Tensor, _ target: Tensor, sourceMask: Tensor? = nil, targetMask: Tensor? = nil,
        memoryMask: Tensor? = nil, sourceKeyPaddingMask: Tensor? = nil, targetKeyPaddingMask: Tensor? = nil,
        memoryKeyPaddingMask: Tensor? = nil, sourceIsCausal: Bool = false, targetIsCausal: Bool = false,
        memoryIsCausal: Bool = false
    ) -> Tensor {
        scope {
            let memory = encoder(
                source, mask: sourceMask, keyPaddingMask: sourceKeyPaddingMask, isCausal: sourceIsCausal)
            return decoder(
                target, memory, mask: targetMask, memoryMask: memoryMask, keyPaddingMask: targetKeyPaddingMask,
                memoryKeyPaddingMask: memoryKeyPaddingMask, isCausal: targetIsCausal, memoryIsCausal: memoryIsCausal)
        }
    }

    /// (size, size) of 0 and, above the diagonal, −∞: added to the scores, no position sees those behind it.
    public static func causalMask(_ size: Int, dtype: DType = .float32) -> Tensor {
        Tensor.full([size, size], -Double.infinity, dtype: dtype).triu(1)
    }
}
