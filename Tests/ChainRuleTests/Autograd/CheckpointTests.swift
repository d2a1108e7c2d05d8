import ChainRule
import ChainRuleTestSupport
import Synchronization
import Testing

struct CheckpointTests {
    private let counter = Counter()

    private final class Counter: Sendable {
        private let count = Mutex(0)
        func increment() { count.withLock { $0 += 1 } }
        var value: Int { count.withLock { $0 } }
    }

    @Test func computesAgainInBackward() {
        let x = Tensor([2.0, 3.0], requiresGrad: true)
        let y = checkpoint([x]) { inputs -> Tensor in
            counter.increment()
            return inputs[0] * inputs[0] * inputs[0]
        }
        #expect(counter.value == 1 && y.requiresGrad && !y.isLeaf)
        y.sum().backward()
        #expect(counter.value == 2)
        #expect(x.grad?.toArray(of: Double.self) == [12, 27])
    }

    @Test func firstAndSecondOrder() {
        let inputs = [Tensor([0.5, -2.0]), Tensor([1.5, 1.0])]
        let report = GradientCheck.check(inputs, order: 2) { arguments in
            let h = arguments[0] * 2
            return checkpoint([h, arguments[1]]) { [$0[0] * $0[1] * $0[1], $0[0] / ($0[1] + 3)] }
        }
        #expect(report.passed, "\(report)")
    }

    /// Parameters that the body captures, leaves or not, and none of them an input.
    @Test func capturedTensors() {
        let report = GradientCheck.check([Tensor([0.5, -2.0]), Tensor([1.5, 1.0])], order: 2) { arguments in
            let w = arguments[1] * arguments[1]
            let y = checkpoint([arguments[0]]) { $0[0] * w + arguments[1] } + w
            return checkpoint([Tensor([1.0, 2.0])]) { $0[0] * y }
        }
        #expect(report.passed, "\(report)")
        let w = Tensor([3.0], requiresGrad: true)
        checkpoint([Tensor([2.0])]) { $0[0] * w * w }.backward()
        #expect(w.grad?.item() == 12)
    }

    /// A captured tensor used outside as well, with one of the paths asked for alone.
    @Test func wantedInputs() {
        let (w, x) = (Tensor([3.0], requiresGrad: true), Tensor([2.0], requiresGrad: true))
        let h = w * w
        let y = checkpoint([x]) { $0[0] * h } * w  // x w³
        #expect(gradient(of: y, wrt: [w, h], retainGraph: true).map { $0.item() } == [54, 6])
        #expect(gradient(of: y, wrt: [x])[0].item() == 27)
        #expect(w.grad == nil && x.grad == nil)
    }

    @Test func nested() {
        let x = Tensor([2.0], requiresGrad: true)
        let y = checkpoint([x]) { outer -> Tensor in
            let inner: Tensor = checkpoint([outer[0] * 2]) { $0[0] * $0[0] }
            return inner * outer[0]
        }
        y.backward(retainGraph: true)
        #expect(x.grad?.item() == 48)  // 4x³
        y.backward()
        #expect(x.grad?.item() == 96)
        #expect(throws: TensorError.self) { try catchingErrors { y.backward() } }
    }

    @Test func whatNeedsNoGradientIsNotRecorded() {
        let y = checkpoint([Tensor([2.0])]) { $0[0] * 3 }
        #expect(!y.requiresGrad)
        let z = withoutGradient { checkpoint([Tensor([2.0], requiresGrad: true)]) { $0[0] * 3 } }
        #expect(!z.requiresGrad)
        let pair = checkpoint([Tensor([2.0], requiresGrad: true)]) { [$0[0], $0[0].detach() * 2] }
        #expect(pair[0].requiresGrad && !pair[1].requiresGrad)
    }

    @Test func randomNumbersAreDrawnAgain() async {
        await #expect(processExitsWith: .success) {  // the default generator is everybody's
            manualSeed(3)
            let x = Tensor.ones([8]).requiringGrad()
            let noise = checkpoint([x]) { $0[0] * Tensor.rand([8]) }
            let following = Tensor.rand([8]).toArray(of: Float.self)
            noise.sum().backward()
            #expect(x.grad?.toArray(of: Float.self) == noise.toArray(of: Float.self))
            manualSeed(3)
            _ = Tensor.rand([8])
            #expect(Tensor.rand([8]).toArray(of: Float.self) == following)
            let next = Tensor.rand([8]).toArray(of: Float.self)
            manualSeed(3)
            checkpoint([x]) { $0[0] * Tensor.rand([8]) }.sum().backward()
            _ = Tensor.rand([8])
            #expect(Tensor.rand([8]).toArray(of: Float.self) == next, "backward disturbs no draw")
        }
    }

    @Test func valuesAreThoseOfForward() {
        let w = Tensor([3.0], requiresGrad: true)
        let y = checkpoint([w]) { $0[0] * $0[0] }
        w.data = Tensor([100.0])
        y.backward()
        #expect(w.grad?.item() == 6)
    }
}
