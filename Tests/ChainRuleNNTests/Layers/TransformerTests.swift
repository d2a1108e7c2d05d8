import ChainRule
import ChainRuleNN
import Testing

/// The numbers are PyTorch's, after `manual_seed(0)`, for inputs sin(0.37 i).
struct TransformerTests {
    private func seeded<Result>(_ body: () -> Result) -> Result { Generator(seed: 0).asDefault(body) }

    @Test func attentionWithExtraKeys() throws {
        let layer = seeded {
            MultiheadAttention(6, heads: 3, addBiasKV: true, addZeroAttention: true, batchFirst: true)
        }
        let query = wave([2, 4, 6])
        let (output, weights) = layer(query, query * 2, query * 3)
        expect(output, [-0.211788, -0.008605, 0.013821, 0.010378, -0.109306, -0.099919], sum: 7.48477)
        expect(
            try #require(weights), [0.163902, 0.131434, 0.25038, 0.132968, 0.166616, 0.154699], sum: 8)
        let fast = layer(query, query * 2, query * 3, needWeights: false)
        #expect(fast.weights == nil && fast.output.allClose(output, rtol: 1e-4, atol: 1e-6))
    }

    @Test func attentionWithMasks() throws {
        let layer = seeded { MultiheadAttention(6, heads: 2, keySize: 4, valueSize: 5) }
        let padding = Tensor([false, false, false, true, false, true, false, false], shape: [2, 4])
        let (output, weights) = layer(
            wave([3, 2, 6]), wave([4, 2, 4]), wave([4, 2, 5]), keyPaddingMask: padding,
            attentionMask: Tensor.ones([3, 4], dtype: .bool).triu(2), averageWeights: false)
        #expect(weights?.shape == [2, 2, 3, 4])
        expect(output, [0.061022, 0.129432, -0.177431, -0.029404, 0.000158, 0.158324], sum: 5.47043)
        expect(try #require(weights), [0.510552, 0.489448, 0, 0, 0.324891, 0.294524], sum: 12)
    }

    @Test func transformer() throws {
        let model = seeded {
            Transformer(
                6, heads: 3, encoderLayers: 2, decoderLayers: 2, feedforwardSize: 8, dropout: 0, batchFirst: true)
        }
        let output = model(wave([2, 4, 6]), wave([2, 3, 6]), targetMask: Transformer.causalMask(3))
        expect(output, [0.977706, -1.362762, -0.386381, -0.469635, 1.632201, -0.391129], sum: 31.66473)
        let causal = model(wave([2, 4, 6]), wave([2, 3, 6]), targetIsCausal: true)
        #expect(causal.allClose(output, rtol: 1e-4, atol: 1e-5))
        (output * wave([2, 3, 6])).sum().backward()
        let weight = try #require(
            model.namedParameters.first { $0.path == "encoder.layers.1.self_attn.in_proj_weight" })
        let gradient = try #require(weight.tensor.grad).narrow(dim: 0, start: 12, length: 6)
        expect(gradient, [-0.296609, -0.308234, 0.030286, 0.186354, 0.645595, -0.257393], sum: 8.09484)
    }

    @Test func encoderLayersAreCopies() {
        let (encoder, next) = seeded {
            let layer = TransformerEncoderLayer(
                6, heads: 3, feedforwardSize: 8, dropout: 0, activation: .gelu, normFirst: true)
            return (TransformerEncoder(layer, layers: 2), Tensor.rand([1]))
        }
        expect(next, [0.2119], sum: 0.2119, tolerance: 5e-4)
        expect(
            encoder(wave([4, 2, 6])), [-0.511933, -0.442549, 0.258354, 2.001922, 0.602685, 0.736524], sum: 37.88598)
    }

    @Test func decoderLayer() {
        let layer = seeded { TransformerDecoderLayer(6, heads: 3, feedforwardSize: 8) }
        layer.eval()
        let output = layer(wave([4, 2, 6]), wave([3, 2, 6]))
        expect(output, [-1.764807, -0.908284, 0.607332, 1.014192, 0.291154, 0.760413], sum: 39.65949)
    }

    @Test func errorsNameShapes() {
        let error = #expect(throws: TensorError.self) {
            try catchingErrors { MultiheadAttention(6, heads: 2)(wave([3, 6]), wave([3, 5]), wave([3, 6])).output }
        }
        #expect(error?.description.contains("[3, 5]") == true)
    }
}
