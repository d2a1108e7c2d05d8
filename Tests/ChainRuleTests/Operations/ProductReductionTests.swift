import ChainRule
import Testing

struct ProductReductionTests {
    @Test func values() {
        let x = Tensor([2.0, -3, 0.5, 4, 1, 5], shape: [2, 3])
        #expect(x.prod().item() == -60)
        expectClose(x.prod(dim: 1), [-3, 20])
        #expect(x.prod(dim: 0, keepDim: true).shape == [1, 3])
        #expect(Tensor([2, 3, 4]).prod().item(Int.self) == 24)
        #expect(Tensor([true, false]).prod().dtype == .int64)
        #expect(Tensor.zeros([0]).prod().item() == 1)
        #expect(Tensor(3.0).prod(dim: 0).item() == 3)
    }

    /// y / x would be NaN or wrong; with two zeros every first derivative is 0, and one second derivative is not.
    @Test func gradientWithZeros() {
        for (elements, expected) in [
            ([2.0, 0, 3, 4], [0.0, 24, 0, 0]), ([0.0, 0, 3, 4], [0, 0, 0, 0]), ([2.0, 5, 3], [15, 6, 10]), ([7.0], [1]),
        ] {
            let x = Tensor(elements, requiresGrad: true)
            x.prod().backward()
            expectClose(x.grad, expected)
        }
        let x = Tensor([0.0, 0, 3, 4], requiresGrad: true)
        let first = gradient(of: x.prod(), wrt: [x], createGraph: true)[0]
        expectClose(gradient(of: first[0], wrt: [x])[0], [0, 12, 0, 0])
    }
}
