import ChainRule
import ChainRuleNN
import Testing

struct ModelTests {
    @Test func sizesArePyTorchs() {
        #expect(Classifiers.resNet18().parameterCount == 11_173_962)
        #expect(CharacterLSTM(vocabulary: 65).parameterCount == 1_086_017)
        #expect(GPT(vocabulary: 65, context: 128, width: 256, layers: 4, heads: 4).parameterCount == 3_225_600)
    }

    @Test func keysArePyTorchs() {
        let resNet = Classifiers.resNet18()
        let state = resNet.stateDictionary
        #expect(state["3.conv1.weight"]?.shape == [64, 64, 3, 3])
        #expect(state["5.shortcut.1.running_var"]?.shape == [128])
        #expect(CharacterLSTM(vocabulary: 5).stateDictionary["lstm.weight_hh_l1"]?.shape == [1024, 256])
    }

    /// What reads a text at once and what goes on character by character, with fewer characters than the embedding has.
    @Test func aTextGoesOnWhereItStopped() {
        let model = CharacterLSTM(vocabulary: 5, width: 6)
        let text = Tensor([3, 1, 4, 1, 0, 2, 2, 4, 3, 3, 0, 1], shape: [2, 6])
        let whole = model(text)
        let layers = model.head(model.lstm(model.embedding(text)).output)
        #expect(whole.shape == [2, 6, 5] && whole.allClose(layers, rtol: 1e-5, atol: 1e-6))
        var (state, scores) = (LSTM.State?.none, [Tensor]())
        for character in text.split(1, dim: 1) {
            let next = model(character, state: state)
            (state, scores) = (next.state, scores + [next.scores])
        }
        #expect(cat(scores, dim: 1).allClose(whole, rtol: 1e-5, atol: 1e-6))
    }

    @Test func tokensMustBeInTheVocabulary() {
        let model = GPT(vocabulary: 5, context: 4, width: 8, layers: 1, heads: 2)
        let error = #expect(throws: TensorError.self) { try catchingErrors { model(Tensor([[7, 0]])) } }
        #expect(error?.message.contains("index 7") == true)
    }

    @Test func aCacheServesItsModel() {
        let shallow = GPT(vocabulary: 5, context: 4, width: 8, layers: 1, heads: 2)
        let deep = GPT(vocabulary: 5, context: 4, width: 8, layers: 2, heads: 2)
        let cache = KeyValueCache(for: shallow)
        let error = #expect(throws: TensorError.self) { try catchingErrors { deep.decode(Tensor([[1, 2]]), cache) } }
        #expect(error?.message == "was made for a model of 1 layers, this is layer 2")
    }

    @Test func residualBlockAddsItsInput() {
        let block = ResidualBlock(2, 2)
        for (path, parameter) in block.namedParameters where path.hasPrefix("conv") {
            parameter.data = .zeros(like: parameter)
        }
        let x = Tensor.randn([2, 2, 4, 4], generator: Generator(seed: 1))
        #expect(block(x).allClose(x.relu()))
        #expect(ResidualBlock(2, 4, stride: 2)(x).shape == [2, 4, 2, 2])
    }

    /// Token after token with a cache, or in two pieces, gives what one pass over the whole text gives.
    @Test(arguments: [[1, 1, 1, 1, 1, 1], [4, 1, 1], [3, 3]]) func decodingIsOnePass(pieces: [Int]) {
        let model = GPT(vocabulary: 11, context: 8, width: 12, layers: 2, heads: 3)
        let tokens = Tensor([3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8], shape: [2, 6])
        let cache = KeyValueCache(for: model, batch: 2)
        withoutGradient {
            let whole = model(tokens)
            let parts = tokens.split(pieces, dim: 1).map { model.decode($0, cache) }
            #expect(cat(parts, dim: 1).allClose(whole, rtol: 1e-4, atol: 1e-5))
            #expect(cache.count == 6)
            cache.truncate(to: 5)
            let last = model.decode(tokens.narrow(dim: 1, start: 5, length: 1), cache)
            #expect(last.allClose(whole.narrow(dim: 1, start: 5, length: 1), rtol: 1e-4, atol: 1e-5))
        }
    }

    /// With weights of fewer bits a text decodes to nearly the same, by pieces or in one pass.
    @Test(arguments: [(QuantizedWeight.Format.bfloat16, 0.02), (.int8, 0.05)])
    func decodesWithSmallerWeights(format: QuantizedWeight.Format, tolerance: Double) {
        manualSeed(7)
        let model = GPT(vocabulary: 11, context: 8, width: 12, layers: 2, heads: 3)
        let tokens = Tensor([3, 1, 4, 1, 5, 9], shape: [1, 6])
        withoutGradient {
            let exact = model(tokens)
            model.quantize(format)
            let rounded = model(tokens)
            let error = (rounded - exact).abs().max().item()
            #expect(error > 0 && error < tolerance, "\(error)")
            let cache = KeyValueCache(for: model)
            let parts = tokens.split([4, 1, 1], dim: 1).map { model.decode($0, cache) }
            #expect(cat(parts, dim: 1).allClose(rounded, rtol: 1e-4, atol: 1e-5))
        }
        #expect(model.stateDictionary["head.weight"] == nil)
        #expect(model.head.summary == "Linear(12, 11, bias: false, \(format))")
        #expect(throws: TensorError.self) { try catchingErrors { model.blocks[0].fc(.ones([1, 12])) } }
    }
}
