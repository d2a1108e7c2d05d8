import ChainRule
import ChainRuleNN
import Testing

/// Expected numbers are PyTorch's, after the same seed.
struct AdaptiveLogSoftmaxTests {
    private let model = Generator(seed: 3).asDefault {
        AdaptiveLogSoftmaxWithLoss(6, 9, cutoffs: [3, 5], divisor: 2)
    }
    private let input = Tensor.arange(24).to(.float32).reshape([4, 6]).sin()

    @Test func logProbabilitiesOfTargets() {
        let (output, loss) = model(input, Tensor([0, 8, 4, 3]))
        #expect(
            isClose(output.doubles, [-1.787825107574463, -2.8196029663, -2.0243430138, -2.3267493248], tolerance: 1e-6))
        loss.backward()
        #expect(isClose([loss.item()], [2.2396302223], tolerance: 1e-6))
        let weight = model.namedParameters.first(where: { $0.path == "tail.1.0.weight" })
        let gradient = weight?.tensor.grad
        #expect(isClose([gradient?.abs().sum().item() ?? 0], [0.3549614549], tolerance: 1e-6))
        let (one, _) = model(input[1], Tensor(8))
        #expect(one.shape == [] && isClose([one.item()], [-2.8196029663], tolerance: 1e-6))
    }

    @Test func logProbabilitiesOfAllClasses() {
        let all = model.logProbabilities(input)
        #expect(isClose(all.exp().sum(dim: 1).doubles, [1, 1, 1, 1], tolerance: 1e-6))
        let expected = [
            -1.71966386, -1.60806346, -2.23020005, -2.15568614, -1.88193154, -2.73271132, -2.78082514, -2.84193587,
            -2.81960297,
        ]
        #expect(isClose(all[1].doubles, expected, tolerance: 1e-6))
        #expect(model.predict(input).toArray(of: Int.self) == [1, 1, 1, 0])
    }

    @Test func mistakesNameTheClasses() {
        #expect(throws: TensorError.self) { try catchingErrors { model(input, Tensor([0, 9, 4, 3])) } }
        #expect(throws: TensorError.self) { try catchingErrors { AdaptiveLogSoftmaxWithLoss(6, 9, cutoffs: [5, 3]) } }
    }
}
