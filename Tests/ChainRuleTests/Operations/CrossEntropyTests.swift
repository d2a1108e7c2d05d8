import ChainRule
import Testing

struct CrossEntropyTests {
    /// Targets that are a slice of a longer list lie behind its beginning in memory.
    @Test func targetsMayBeSlices() {
        let scores = Tensor([0.5, -1.2, 0.3, 2.0, 0.1, -0.7], shape: [2, 3])
        let all = Tensor([Int64(1), 1, 2, 0, 1])
        let sliced = scores.crossEntropy(all[2..<4]).item()
        #expect(sliced == scores.crossEntropy(Tensor([Int64(2), 0])).item())
        #expect(abs(sliced - 0.545028636) < 1e-8)
        #expect(scores.logSoftmax(dim: 1).nllLoss(all[2..<4]).item() == sliced)
    }
}
