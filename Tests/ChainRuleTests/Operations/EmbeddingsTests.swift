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

    @Test func longRowsAndFrequentOnes() {
        expectClose(
            embedding([1], weight: weight, maxNorm: 0.5),
            [0.35267278802880275, 0.035267278802880275, -0.2821382304230422, 0.21160367281728165])
        let leaf = weight.requiringGrad()
        embedding(indices, weight: leaf, scalesGradientByFrequency: true).sum().backward()
        expectClose(leaf.grad, [Double](repeating: 1, count: 12))
    }
}
