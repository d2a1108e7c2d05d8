import ChainRule
import ChainRuleTestSupport
import Testing

/// A plan may keep images with their channels last between convolutions: what a function computes stays the same.
struct ImageLayoutTests {
    private let generator = Generator(seed: 3)

    private func values(_ shape: Shape, _ dtype: DType = .float32) -> Tensor {
        Tensor.randn(shape, dtype: dtype, generator: generator)
    }

    /// Calls a function of an image and weights as written and as a plan, and answers whether the plan has other layouts.
    private func check(
        _ inputs: [Tensor], calls: Int = 4, sourceLocation: SourceLocation = #_sourceLocation,
        _ function: @escaping ([Tensor]) -> [Tensor]
    ) -> Bool {
        let step = compile(function)
        for call in 0..<calls {
            let scaled = [inputs[0] * (1 + 0.1 * Double(call))] + inputs.dropFirst()
            let (expected, results) = (function(scaled), step(scaled))
            #expect(step.fallbackReason == nil, sourceLocation: sourceLocation)
            for (result, wanted) in zip(results, expected) {
                #expect(result.shape == wanted.shape, sourceLocation: sourceLocation)
                #expect(result.strides == wanted.strides, sourceLocation: sourceLocation)
                #expect(
                    result.allClose(wanted, rtol: 1e-4, atol: 1e-4, equalNaN: true), "call \(call)",
                    sourceLocation: sourceLocation)
            }
        }
        return step.plan.description.contains("channels last")
    }

    /// Two convolutions with `between` between them, and the gradients of everything.
    private func chain(
        channels: Int = 32, dtype: DType = .float32, sourceLocation: SourceLocation = #_sourceLocation,
        _ between: @escaping (Tensor) -> Tensor
    ) -> Bool {
        let inputs = [
            values([3, channels, 12, 8], dtype), values([channels + 1, channels, 3, 3], dtype) / 20,
            values([channels + 1], dtype), values([channels, channels + 1, 3, 3], dtype),
        ]
        return check(inputs, sourceLocation: sourceLocation) { inputs in
            let leaves = inputs.map { $0.requiringGrad() }
            let inner = between(leaves[0].conv2d(weight: leaves[1], bias: leaves[2], padding: 1))
            let y = inner.conv2d(weight: leaves[3] / 20, padding: 1)
            let loss = (y * y.detach().cos()).sum()
            return [loss.detach()] + gradient(of: loss, wrt: leaves)
        }
    }

    @Test func betweenConvolutions() {
        #expect(chain { $0.relu() })
        #expect(chain { $0.tanh() * 2 + $0 })
    }

    @Test func whatBroadcastsIsTurnedToo() {
        let scale = values([1, 33, 1, 1])
        let row = values([1, 1, 1, 8])
        #expect(chain { $0 * scale + row })
    }

    @Test func normalisedInTraining() {
        let (weight, bias) = (values([33]), values([33]))
        let normalize = { (x: Tensor, other: Tensor?, activation: Activation?) in
            x.batchNorm(
                runningMean: nil, runningVariance: nil, weight: weight, bias: bias, training: true, adding: other,
                activation: activation
            ).output
        }
        #expect(chain { normalize($0, nil, nil) })
        #expect(chain { normalize($0, nil, .relu) })
        #expect(chain { normalize($0, $0.tanh(), .relu) })
    }

    @Test func pooled() {
        #expect(chain { $0.relu().maxPool2d(kernelSize: 2) })
        #expect(chain { $0.maxPool2d(kernelSize: 3, stride: 1, padding: 1).relu() })
        #expect(chain { $0.avgPool2d(kernelSize: [2, 3], stride: 1, padding: 1, ceilMode: true) })
    }

    @Test func whatKnowsOneLayoutGetsIt() {
        // Too much turning for two convolutions, and enough convolutions for some.
        _ = chain { $0.flip(3).relu() }
        _ = chain { $0.cumsum(dim: 1) }
        let inputs = [values([2, 32, 8, 8])] + (0..<4).map { _ in values([32, 32, 3, 3]) / 10 }
        let turned = check(inputs) { inputs in
            var x = inputs[0]
            for weight in inputs.dropFirst() { x = x.conv2d(weight: weight, padding: 1).relu() }
            return [
                x.softmax(dim: 1), x.sum(dim: [2, 3]), x.sum(dim: 3), (x * x).sum(dim: [0, 3]), x.mean(dim: 1),
                x.reshape([2, -1]) * 2,
            ]
        }
        #expect(turned)
    }

    @Test func imagesMayBeWeights() {
        let inputs = [values([32, 32, 3, 3])] + (0..<2).map { _ in values([32, 32, 3, 3]) / 20 }
        let turned = check(inputs) { inputs in
            let leaves = inputs.map { $0.requiringGrad() }
            let inner = leaves[0].conv2d(weight: leaves[1], padding: 1).tanh() / 4
            let y = inner.conv2d(weight: inner, padding: 1).tanh().conv2d(weight: leaves[2], padding: 1)
            return [y.detach()] + gradient(of: (y * y.detach().sin()).sum(), wrt: leaves)
        }
        #expect(turned)
    }

    @Test func otherPoolings() {
        #expect(chain { $0.relu().adaptiveMaxPool2d([5, 3]) })
        #expect(chain { $0.relu().maxPool3d(kernelSize: [1, 2, 2]) + $0.avgPool3d(kernelSize: [1, 2, 2]) })
    }

    @Test func resultsLieAsWritten() {
        let inputs = [values([2, 32, 8, 8])] + (0..<3).map { _ in values([32, 32, 3, 3]) / 10 }
        let turned = check(inputs) { inputs in
            let first = inputs[0].conv2d(weight: inputs[1], padding: 1)
            let second = first.relu().conv2d(weight: inputs[2], padding: 1)
            let third = second.relu().conv2d(weight: inputs[3], padding: 1)
            return [second, third]
        }
        #expect(turned)
    }

    @Test func otherKernels() {
        let inputs = [
            values([2, 64, 9, 7]), values([64, 64, 3, 3]) / 20, values([128, 64, 1, 1]) / 10,
            values([128, 128, 3, 3]) / 30, values([128, 32, 4, 4]) / 10,
        ]
        let turned = check(inputs) { inputs in
            let leaves = inputs.map { $0.requiringGrad() }
            let inner = leaves[0].conv2d(weight: leaves[1], padding: 1).relu()
            let strided = inner.conv2d(weight: leaves[2], stride: 2).relu()
            let again =
                strided.conv2d(weight: leaves[3], stride: 2, padding: 1)
                + strided.conv2d(weight: leaves[3], stride: 2, padding: 1)
            let y = again.relu().convTranspose2d(weight: leaves[4], stride: 2, padding: 1)
            return [y.detach()] + gradient(of: (y * y.detach().sin()).sum(), wrt: leaves)
        }
        #expect(turned)
    }

    @Test func aNumberThatIsNotFiniteSpoilsWhatItMeets() {
        for number in [Double.infinity, .nan] {
            var x = Tensor.ones([2, 32, 12, 12])
            x[1, 3, 5, 5] = Tensor(number, dtype: .float32)
            let inputs = [x, values([32, 32, 3, 3]) / 10, values([32, 32, 3, 3]) / 10]
            let turned = check(inputs) { inputs in
                [inputs[0].conv2d(weight: inputs[1], padding: 1).relu().conv2d(weight: inputs[2], padding: 1)]
            }
            #expect(turned)
        }
    }

    @Test func nothingIsTurnedInVain() {
        let inputs = [values([2, 32, 8, 8]), values([32, 32, 3, 3])]
        #expect(!check(inputs) { [$0[0].conv2d(weight: $0[1], padding: 1).relu()] })
        #expect(!chain(channels: 3) { $0.relu() })
        #expect(!chain(dtype: .float64) { $0.relu() })
    }
}
