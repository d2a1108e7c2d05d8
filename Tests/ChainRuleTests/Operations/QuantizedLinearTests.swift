import ChainRule
import Testing

@Suite struct QuantizedLinearTests {
    private let generator = Generator(seed: 5)

    private func randn(_ shape: Shape) -> Tensor { .randn(shape, generator: generator) }

    @Test(arguments: QuantizedWeight.Format.allCases)
    func computesWithTheRoundedWeight(_ format: QuantizedWeight.Format) {
        let (weight, bias) = (randn([13, 37]), randn([13]))
        let quantized = QuantizedWeight(weight, format)
        // By the kernel, by the kernel in rows, and unpacked; rows that do not lie one behind the other.
        for x in [randn([37]), randn([2, 3, 37]), randn([40, 37]), randn([37, 4]).transpose(0, 1)] {
            let exact = x.linear(weight: quantized.dequantized, bias: bias)
            #expect(x.linear(weight: quantized, bias: bias).allClose(exact, rtol: 1e-4, atol: 1e-4))
            #expect(x.linear(weight: quantized).allClose(exact - bias, rtol: 1e-4, atol: 1e-4))
        }
    }

    @Test func roundsEachRowByItsLargest() {
        let weight = Tensor([[0.5, -1, 0.25], [0, 0, 0], [100, 1, -3]]).to(.float32)
        let quantized = QuantizedWeight(weight, .int8)
        #expect(quantized.values.dtype == .int8)
        #expect(quantized.values.toArray(of: Int8.self) == [64, -127, 32, 0, 0, 0, 127, 1, -4])
        let error = (quantized.dequantized - weight).abs()
        #expect((error .<= weight.abs().amax(dim: 1, keepDim: true) / 254 * 1.0001).all().item(Bool.self))
        let half = QuantizedWeight(weight, .bfloat16)
        #expect(half.values.dtype == .bfloat16 && half.scale == nil)
        #expect(half.dequantized.toArray(of: Float.self) == [0.5, -1, 0.25, 0, 0, 0, 100, 1, -3])
    }

    @Test func refusesGradients() {
        let quantized = QuantizedWeight(randn([4, 3]), .int8)
        for rows in [1, 50] {
            let x = randn([rows, 3]).requiringGrad()
            expectMistake(in: "quantized_linear", "not differentiable", "withoutGradient") {
                x.linear(weight: quantized)
            }
            #expect(withoutGradient { x.linear(weight: quantized) }.shape == [rows, 4])
        }
    }

    @Test func saysWhatDoesNotFit() {
        let quantized = QuantizedWeight(randn([4, 3]), .bfloat16)
        expectMistake(in: "linear", "[2, 5]", "bfloat16", "[4, 3]") { randn([2, 5]).linear(weight: quantized) }
        expectMistake(in: "linear", "float64") { randn([2, 3]).to(.float64).linear(weight: quantized) }
        expectMistake(in: "linear", "bias") { randn([2, 3]).linear(weight: quantized, bias: randn([3])) }
        expectMistake(in: "QuantizedWeight", "finite") {
            QuantizedWeight(Tensor([[1, .infinity]]).to(.float32), .int8)
        }
        expectMistake(in: "QuantizedWeight", "float64") { QuantizedWeight(randn([2, 2]).to(.float64), .int8) }
    }

    @Test func partsMustFit() {
        let values = Tensor.zeros([4, 3], dtype: .int8)
        expectMistake(in: "QuantizedWeight", "int8", "no scale") { QuantizedWeight(values: values, scale: nil).values }
        expectMistake(in: "QuantizedWeight", "[3]") { QuantizedWeight(values: values, scale: .ones([3])).values }
        #expect(QuantizedWeight(values: values, scale: .ones([4])).dequantized.shape == [4, 3])
    }
}
