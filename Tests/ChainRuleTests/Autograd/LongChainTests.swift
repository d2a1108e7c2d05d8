import ChainRule
import Testing

/// Nothing recurses over the graph: a million operations need no more stack than one, in backward or when they go.
@Suite(.serialized) struct LongChainTests {
    private let length = 1_000_000

    @Test func unaryOperations() {
        let x = Tensor([1.0], requiresGrad: true)
        var h = x
        for _ in 0..<length { h = -h }
        h.backward()
        #expect(x.grad?.item() == 1)
    }

    @Test func keptInputs() {
        let x = Tensor([1.0], requiresGrad: true)
        var h = x
        for _ in 0..<length { h = h * h }
        h.backward(gradient: Tensor([0.0]))
        #expect(x.grad?.item() == 0)
    }

    @Test func releasedWithoutBackward() {
        let x = Tensor([1.0], requiresGrad: true)
        var h = x
        for _ in 0..<length / 2 { h = h * x + h }
        #expect(h.requiresGrad)
        h = x
        var retained = x
        for _ in 0..<length { retained = retained * retained }
        retained.backward(gradient: Tensor([0.0]), retainGraph: true)
        retained = x
    }

    @Test func customOperations() {
        let identity = CustomOperation("same") { inputs, saved in
            saved.keep(inputs[0])
            return [inputs[0]]
        } gradient: { dy, _ in
            [dy[0]]
        }
        let x = Tensor([1.0], requiresGrad: true)
        var h = x
        for _ in 0..<length / 4 { h = identity(h) }
        h.backward()
        #expect(x.grad?.item() == 1)
        for _ in 0..<length / 4 { h = identity(h) }
    }

    /// What a checkpoint's closure captured is part of the chain too.
    @Test func capturedSteps() {
        let x = Tensor([1.0], requiresGrad: true)
        var h = x
        for _ in 0..<length / 10 {
            let captured = h
            h = checkpoint([x]) { $0[0] * captured }
        }
        h = x
    }

    /// A gradient of a gradient hangs on two graphs.
    @Test func gradientGraphs() {
        let x = Tensor([1.0], requiresGrad: true)
        var h = x
        for _ in 0..<length / 10 { h = h * x }
        let first = gradient(of: h, wrt: [x], createGraph: true)[0]
        #expect(first.requiresGrad)
        let second = gradient(of: first, wrt: [x])[0]
        let n = Double(length / 10 + 1)
        #expect(second.item() == n * (n - 1))
    }

    /// All of these wait at once: the time must not grow with the square of their number.
    @Test func manyWaitingGradients() {
        let x = Tensor([1.0], requiresGrad: true)
        let parts = (0..<length / 5).map { _ in x * 1 }
        var sum = parts[0]
        for part in parts.dropFirst() { sum = sum + part }
        sum.backward()
        #expect(x.grad?.item() == Double(length / 5))
    }
}
