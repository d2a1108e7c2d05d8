import ChainRule
import Testing

// Expected numbers are PyTorch's.

struct CrossEntropyTests {
    @Test func oneNumberHasNoClasses() {
        for target in [Tensor(0), Tensor(0.5)] {
            expectMistake(in: "crossEntropy", "axis of classes") { Tensor(1.0).crossEntropy(target) }
        }
        expectMistake(in: "nllLoss", "axis of classes") { Tensor(1.0).nllLoss(Tensor(0)) }
    }

    private let scores = patterned([3, 4])
    private let target = Tensor([2, 0, 3])
    private let weight = Tensor([0.5, 1, 2, 0.25])

    @Test func values() {
        expectClose(scores.crossEntropy(target), [1.381171899])
        expectClose(scores.crossEntropy(target, weight: weight), [0.8930676803])
        expectClose(scores.crossEntropy(target, ignoreIndex: 0), [1.716121306])
        expectClose(scores.crossEntropy(target, weight: weight, reduction: .sum), [2.455936121])
        expectClose(scores.crossEntropy(target, reduction: .none), [0.7098508145, 0.7112730851, 2.722391797])
        expectClose(scores.crossEntropy(target, labelSmoothing: 0.1), [1.410338566])
        expectClose(
            scores.crossEntropy(target, weight: weight, ignoreIndex: 0, labelSmoothing: 0.1), [0.9563938291])
        let probabilities = patterned([3, 4], seed: 1).softmax(dim: 1)
        expectClose(scores.crossEntropy(probabilities, weight: weight, labelSmoothing: 0.2), [1.50737214])
    }

    @Test func likelihoods() {
        let (x, classes) = (patterned([2, 3, 2]), Tensor([0, 2, 1, 1], shape: [2, 2]))
        expectClose(x.nllLoss(classes), [-0.28125])
        expectClose(x.nllLoss(classes, reduction: .none), [0, -0.125, 0.375, -1.375])
        #expect(x.nllLoss(classes, reduction: .none).shape == [2, 2])
        #expect(x[0].t()[0].nllLoss(Tensor(1), reduction: .none).shape == [])
        #expect(x.to(.float16).nllLoss(classes).dtype == .float16)
        expectClose(x.permute(0, 2, 1).contiguous().permute(0, 2, 1).nllLoss(classes), [-0.28125])
    }

    /// Targets that are a slice of a longer list lie behind its beginning in memory.
    @Test func targetsMayBeSlices() {
        let scores = Tensor([0.5, -1.2, 0.3, 2.0, 0.1, -0.7], shape: [2, 3])
        let all = Tensor([Int64(1), 1, 2, 0, 1])
        let sliced = scores.crossEntropy(all[2..<4]).item()
        #expect(sliced == scores.crossEntropy(Tensor([Int64(2), 0])).item())
        #expect(abs(sliced - 0.545028636) < 1e-8)
        #expect(scores.logSoftmax(dim: 1).nllLoss(all[2..<4]).item() == sliced)
    }

    /// The fused loss is its composition, in value and gradient.
    @Test(arguments: [Reduction.none, .mean, .sum]) func isItsComposition(_ reduction: Reduction) {
        func run(_ x: Tensor, _ t: Tensor, _ loss: (Tensor) -> Tensor) -> (Tensor, Tensor?) {
            let leaf = x.requiringGrad()
            let y = loss(leaf)
            (y * patterned(y.shape, seed: 3)).sum().backward()
            return (y, leaf.grad)
        }
        for (x, t) in [(scores, target), (patterned([2, 4, 3]), Tensor([0, 3, 2, 1, 1, 0], shape: [2, 3]))] {
            for weight in [nil, weight] {
                let fused = run(x, t) { $0.crossEntropy(t, weight: weight, ignoreIndex: 1, reduction: reduction) }
                let composed = run(x, t) {
                    $0.logSoftmax(dim: 1).nllLoss(t, weight: weight, ignoreIndex: 1, reduction: reduction)
                }
                expectClose(fused.0, composed.0.toArray())
                expectClose(fused.1, composed.1?.toArray() ?? [])
            }
        }
    }

    @Test func nothingToAverage() {
        let leaf = scores.requiringGrad()
        let loss = leaf.crossEntropy(Tensor([1, 1, 1]), ignoreIndex: 1)
        #expect(loss.item().isNaN)
        loss.backward()
        expectClose(leaf.grad, [Double](repeating: 0, count: 12))
        #expect(Tensor.zeros([0, 3]).nllLoss(Tensor.zeros([0], dtype: .int64)).item().isNaN)
        #expect(Tensor.zeros([0, 3]).crossEntropy(Tensor.zeros([0], dtype: .int64), reduction: .sum).item() == 0)
    }

    @Test func mistakesNameTheRow() {
        expectMistake("nllLoss", "target 4 in row 1", "4 classes") { _ = scores.nllLoss(Tensor([0, 4, 1])) }
        expectMistake("crossEntropy", "target -1 in row 0") { _ = scores.crossEntropy(Tensor([-1, 0, 1])) }
        expectMistake("need a target of shape [3]", "[2]") { _ = scores.crossEntropy(Tensor([0, 1])) }
        expectMistake("float64 of shape [4]", "[3]") { _ = scores.nllLoss(target, weight: Tensor([1.0, 1, 1])) }
        expectMistake("as integers", "bool") { _ = scores.nllLoss(Tensor([true, true, false])) }
        expectMistake("smoothing") { _ = scores.crossEntropy(target, labelSmoothing: 2) }
        expectMistake("[3, 3]", "[3, 4]") { _ = scores.crossEntropy(Tensor.zeros([3, 3], dtype: .float64)) }
    }
}
