import ChainRule
import Testing

// Expected numbers are PyTorch's.

struct EmbeddingBagTests {
    private let weight = patterned([3, 4])
    private let indices = Tensor([0, 2, 1, 1], shape: [2, 2])

    @Test func reductions() {
        expectClose(
            embeddingBag(indices, weight: weight, paddingIndex: 1), [-0.1875, 0.125, 0.4375, -0.6875, 0, 0, 0, 0])
        expectClose(
            embeddingBag(
                indices.reshape(4), weight: weight, offsets: [0, 3, 3, 4], reduction: .max, includesLastOffset: true),
            [1.25, 1.375, 0.625, 0.75, 0, 0, 0, 0, 1.25, 0.125, -1, 0.75])
        expectClose(
            embeddingBag(
                indices, weight: weight, reduction: .sum, perSampleWeights: Tensor([1.0, 2, 3, 4], shape: [2, 2])),
            [-0.75, 1.625, 1.125, -2.25, 8.75, 0.875, -7, 5.25])
    }

    /// Rows that are wider than a strip of columns, and bags that leave out what is padding.
    @Test func sumsOfWideRows() {
        let generator = Generator(seed: 1)
        let wide = Tensor.randn([5, 71], generator: generator)
        let index = Tensor.randint(0, 5, [4, 3], generator: generator),
            dy = Tensor.randn([4, 71], generator: generator)
        let factors = Tensor.rand([4, 3], generator: generator)
        func gradients(_ function: ([Tensor]) -> Tensor) -> [Tensor] {
            let leaves = [wide, factors].map { $0.requiringGrad() }
            let y = function(leaves)
            y.backward(gradient: dy)
            return [y.detach()] + leaves.compactMap(\.grad)
        }
        let joined = gradients {
            embeddingBag(index, weight: $0[0], reduction: .sum, perSampleWeights: $0[1], paddingIndex: 2)
        }
        let composed = gradients {
            let used = $0[1].maskedFill(index .== 2, 0).unsqueeze(dim: 2)
            return (embedding(index, weight: $0[0]) * used).sum(dim: 1)
        }
        for (one, other) in zip(joined, composed) { expectClose(one, other.toArray(of: Double.self), tolerance: 1e-5) }
    }

    @Test func noBags() {
        let factors = Tensor([1.0, 2]).requiringGrad()
        let y = embeddingBag(
            [0, 2], weight: weight, offsets: [0], reduction: .sum, perSampleWeights: factors, includesLastOffset: true)
        y.sum().backward()
        #expect(y.shape == [0, 4])
        expectClose(factors.grad, [0, 0])
    }

    @Test func maximaAndMistakes() {
        let leaf = Tensor([1.0, 5, 1, 7, 1, 5], shape: [3, 2]).requiringGrad()
        embeddingBag([2, 0, 1], weight: leaf, offsets: [0, 0], reduction: .max).sum().backward()
        // The first of equal ones receives the gradient.
        expectClose(leaf.grad, [0, 0, 0, 1, 1, 0])
        expectMistake(in: "embeddingBag") { embeddingBag([0, 1], weight: weight, offsets: [1, 2]) }
        expectMistake(in: "embeddingBag") { embeddingBag([0, 1], weight: weight, offsets: [0, 3]) }
        expectMistake(in: "embeddingBag") { embeddingBag([0, 3], weight: weight, offsets: [0]) }
        expectMistake(in: "embeddingBag") { embeddingBag(indices, weight: weight, paddingIndex: 3) }
    }

    @Test func longRowsAndFrequentOnes() {
        expectClose(
            embedding([1], weight: weight, maxNorm: 0.5),
            [0.35267278802880275, 0.035267278802880275, -0.2821382304230422, 0.21160367281728165])
        let leaf = weight.requiringGrad()
        embedding(indices, weight: leaf, scalesGradientByFrequency: true).sum().backward()
        expectClose(leaf.grad, [Double](repeating: 1, count: 12))
    }
}
