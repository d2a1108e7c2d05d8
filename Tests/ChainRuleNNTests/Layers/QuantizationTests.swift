import ChainRule
import ChainRuleNN
import Testing

private func model() -> Sequential { Sequential([Linear(6, 8), ReLU(), Linear(8, 3, bias: false)]) }

@Suite struct QuantizationTests {
    @Test(arguments: QuantizedWeight.Format.allCases)
    func linearLayersKeepRoundedWeights(_ format: QuantizedWeight.Format) {
        let (model, x) = (model(), Tensor.randn([4, 6]))
        let exact = model(x)
        model.quantize(format)
        let rounded = withoutGradient { model(x) }
        #expect(rounded.allClose(exact, rtol: 0, atol: 0.05))
        #expect(!rounded.equal(exact))
        #expect(model.namedParameters.map(\.path) == ["0.bias"])
        #expect("\(model)".contains("Linear(6, 8, \(format))"))
    }

    @Test(arguments: QuantizedWeight.Format.allCases)
    func stateLoadsIntoAModelOfTheSameFormat(_ format: QuantizedWeight.Format) throws {
        let (trained, fresh, x) = (model(), model(), Tensor.randn([4, 6]))
        trained.quantize(format)
        let state = trained.stateDictionary
        #expect(state["2.quantized_weight"]?.dtype == (format == .int8 ? .int8 : .bfloat16))
        #expect((state["2.quantized_scale"] != nil) == (format == .int8))
        #expect(throws: StateError.self) { try fresh.load(stateDictionary: state) }
        fresh.quantize(format)
        try fresh.load(stateDictionary: state)
        #expect(withoutGradient { fresh(x).equal(trained(x)) })
    }

    @Test func stateOfAnotherFormatIsRefused() {
        let (small, middle) = (model(), model())
        small.quantize(.int8)
        middle.quantize(.bfloat16)
        #expect(throws: StateError.self) { try middle.load(stateDictionary: small.stateDictionary) }
        #expect(throws: StateError.self) { try small.load(stateDictionary: middle.stateDictionary) }
    }
}
