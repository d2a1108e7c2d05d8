import ChainRule
import Testing

/// Elementwise operations on the pieces of a product: the same kernels, hence the same bits.
struct EpilogueTests {
    /// The plan's text after some calls, whose results are compared.
    @discardableResult
    private func compare(
        _ function: @escaping ([Tensor]) -> [Tensor], _ shapes: [Shape], dtype: DType = .float32
    ) -> String {
        let step = compile(function)
        for call in 0..<4 as Range<UInt64> {
            let inputs = shapes.enumerated().map { index, shape in
                Tensor.randn(shape, dtype: dtype, generator: Generator(seed: call * 10 + UInt64(index)))
            }
            for (result, expected) in zip(step(inputs), function(inputs)) {
                #expect(result.equal(expected), "\(shapes) \(dtype), call \(call): \(step.plan)")
            }
        }
        return step.plan.description
    }

    /// In a process of its own, for the instruction set is everybody's.
    @Test func everyInstructionSet() async {
        await #expect(processExitsWith: .success) {
            for set in Machine.InstructionSet.allCases {
                do { try catchingErrors { Machine.instructionSet = set } } catch { continue }
                let tests = EpilogueTests()
                for dtype in [DType.float32, .float64] {
                    tests.activationsFinishLinearLayers(dtype)
                    tests.gradientsOfActivationsFinishTheProductsBehind(dtype)
                }
                tests.otherOperandsMayBroadcastOrBeInputsToo()
                tests.aProductThatOthersUseTooStaysAlone()
            }
        }
    }

    private func activationsFinishLinearLayers(_ dtype: DType) {
        let function = { (x: [Tensor]) in [(x[0].linear(weight: x[1], bias: x[2]).gelu() * 2 + 1).tanh()] }
        let sizes = [
            (1, 1, 2), (5, 7, 3), (64, 784, 50), (280, 140, 65), (300, 260, 520), (1, 300, 700), (700, 30, 1),
            (0, 3, 2),
        ]
        for (rows, inputs, outputs) in sizes {
            let text = compare(function, [[rows, inputs], [outputs, inputs], [outputs]], dtype: dtype)
            #expect(text.contains("linear finished by (gelu, mul, add, tanh)") == (rows > 0), "\(text)")
        }
        compare(function, [[3, 40, 64], [100, 64], [100]], dtype: dtype)
    }

    private func otherOperandsMayBroadcastOrBeInputsToo() {
        let sum = compare({ [$0[0].matmul($0[1]).relu() * $0[2] + $0[0]] }, [[90, 120], [120, 120], [120]])
        #expect(sum.contains("matmul finished by (relu, mul, add)"))
        compare({ [($0[0].matmul($0[1]) + $0[2]).exp()] }, [[6, 90, 40], [6, 40, 70], [90, 1]])
        compare({ [($0[0] * 2).matmul($0[1]) * ($0[0] * 3)] }, [[80, 80], [80, 80]])
    }

    private func gradientsOfActivationsFinishTheProductsBehind(_ dtype: DType) {
        let step = { (x: [Tensor]) in
            let weights = x[1...].map { $0.requiringGrad() }
            let y = x[0].linear(weight: weights[0]).gelu().linear(weight: weights[1])
            return [y.detach()] + gradient(of: (y * y).sum(), wrt: weights)
        }
        let text = compare(step, [[6, 30, 40], [90, 40], [50, 90]], dtype: dtype)
        #expect(text.contains("linear finished by (gelu with slope)"), "\(text)")
        #expect(text.contains("matmul finished by (mul)"), "\(text)")
    }

    private func aProductThatOthersUseTooStaysAlone() {
        let both = compare(
            {
                let z = $0[0].matmul($0[1]); return [z.relu(), z.sum(dim: 0)]
            }, [[30, 40], [40, 50]])
        #expect(!both.contains("finished by"), "\(both)")
        let result = compare(
            {
                let z = $0[0].matmul($0[1]); return [z.relu(), z]
            }, [[30, 40], [40, 50]])
        #expect(!result.contains("finished by"), "\(result)")
        let turned = compare({ [$0[0].matmul($0[1]).transpose(0, 1).relu()] }, [[30, 40], [40, 50]])
        #expect(!turned.contains("finished by"), "\(turned)")
    }

    @Test func aReLUBecomesPartOfAConvolution() {
        let step = { (x: [Tensor]) in
            let (input, weight) = (x[0], x[1].requiringGrad())
            let y = input.conv2d(weight: weight, bias: x[2], padding: 1).relu()
            return [y.detach()] + gradient(of: (y * y).sum(), wrt: [weight])
        }
        let shapes: [Shape] = [[2, 16, 12, 12], [16, 16, 3, 3], [16]]
        let text = compare(step, shapes)
        #expect(text.contains("3 steps") && text.contains("convolution_relu →"), "\(text)")
        let both = compare(
            {
                let z = $0[0].conv2d(weight: $0[1], bias: $0[2]); return [z.relu(), z + 1]
            }, shapes)
        #expect(!both.contains("convolution_relu"), "\(both)")
    }

    @Test func aProductReadsWhatIsThereWhenItIsWritten() {
        final class Counter: @unchecked Sendable { var total = Tensor.zeros([8, 8]) }
        let weight = Tensor.ones([8, 8]).requiringGrad()
        let step = compile { (x: [Tensor]) in
            let z = x[0].matmul(weight)
            weight.data = weight.data * 2
            return [z.relu()]
        }
        for call in 0..<5 {
            let y = step([.ones([8, 8])])[0]
            #expect(y[0][0].item(Float.self) == Float(8 << call), "\(step.plan)")
        }
    }
}
