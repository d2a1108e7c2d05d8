import ChainRule
import ChainRuleNN
import Testing

private let classes = Tensor([Int64(2), 0])
private let probabilities = regressionTarget.sigmoid()

/// A loss, its target, and PyTorch's value and gradient for `scores`.
private struct Row: Sendable, CustomTestStringConvertible {
    let name: String
    let loss: any Loss
    let target: Tensor
    let value: Double
    let gradient: [Double]

    var testDescription: String { name }
}

private let rows: [Row] = [
    Row(
        name: "MSE", loss: MSELoss(), target: regressionTarget, value: 1.436666667,
        gradient: [0.1, -0.066666667, -0.233333333, 0.666666667, 0, 0.666666667]),
    Row(
        name: "MSE, sum", loss: MSELoss(reduction: .sum), target: regressionTarget, value: 8.62,
        gradient: [0.6, -0.4, -1.4, 4, 0, 4]),
    Row(
        name: "L1", loss: L1Loss(), target: regressionTarget, value: 0.866666667,
        gradient: [0.166666667, -0.166666667, -0.166666667, 0.166666667, 0, 0.166666667]),
    Row(
        name: "SmoothL1", loss: SmoothL1Loss(), target: regressionTarget, value: 0.551666667,
        gradient: [0.05, -0.033333333, -0.116666667, 0.166666667, 0, 0.166666667]),
    Row(
        name: "SmoothL1, beta", loss: SmoothL1Loss(beta: 0.5), target: regressionTarget, value: 0.68,
        gradient: [0.1, -0.066666667, -0.166666667, 0.166666667, 0, 0.166666667]),
    Row(
        name: "CrossEntropy", loss: CrossEntropyLoss(), target: classes, value: 0.545028636,
        gradient: [0.24982334, 0.045638608, -0.295461948, -0.089077392, 0.061461127, 0.027616265]),
    Row(
        name: "CrossEntropy, smoothed", loss: CrossEntropyLoss(labelSmoothing: 0.1), target: classes,
        value: 0.643361969,
        gradient: [0.233156674, 0.028971942, -0.262128615, -0.055744058, 0.04479446, 0.010949598]),
    Row(
        name: "CrossEntropy, weighted", loss: CrossEntropyLoss(weight: Tensor([1.0, 2, 3])), target: classes,
        value: 0.719441353,
        gradient: [0.37473501, 0.068457912, -0.443192923, -0.044538696, 0.030730564, 0.013808132]),
    Row(
        name: "MultiMargin", loss: MultiMarginLoss(), target: classes, value: 0.2,
        gradient: [0.166666667, 0, -0.166666667, 0, 0, 0]),
    Row(
        name: "MultiMargin, squared", loss: MultiMarginLoss(p: 2, margin: 0.5), target: classes, value: 0.081666667,
        gradient: [0.233333333, 0, -0.233333333, 0, 0, 0]),
    Row(
        name: "BCEWithLogits", loss: BCEWithLogitsLoss(), target: probabilities, value: 0.69771733,
        gradient: [0.012104222, -0.006244367, -0.026102677, 0.06346618, 0, 0.044806479]),
    Row(
        name: "BCEWithLogits, weighted", loss: BCEWithLogitsLoss(positiveWeight: Tensor([1.0, 2, 3])),
        target: probabilities, value: 0.977935175,
        gradient: [0.012104222, -0.040692392, -0.12980516, 0.06346618, -0.041562673, 0.03078047]),
]

struct LossTests {
    @Test(arguments: rows)
    private func valueAndGradient(_ row: Row) {
        let leaf = scores.requiringGrad()
        let loss = row.loss(leaf, row.target)
        loss.backward()
        #expect(isClose([loss.item()], [row.value]))
        #expect(isClose(leaf.grad?.doubles ?? [], row.gradient))
    }

    /// Torch 7's way gives the same.
    @Test(arguments: rows)
    private func explicitCalls(_ row: Row) {
        #expect(isClose([row.loss.forward(scores, row.target).item()], [row.value]))
        #expect(isClose(row.loss.backward(scores, row.target).doubles, row.gradient))
    }

    @Test func negativeLogLikelihoodOfLogSoftmax() {
        let leaf = scores.requiringGrad()
        let loss = NLLLoss()(leaf.logSoftmax(dim: -1), classes)
        loss.backward()
        #expect(isClose([loss.item()], [0.545028636]))
        #expect(
            isClose(
                leaf.grad?.doubles ?? [],
                [0.24982334, 0.045638608, -0.295461948, -0.089077392, 0.061461127, 0.027616265]))
    }

    @Test func binaryCrossEntropyOfSigmoid() {
        let leaf = scores.requiringGrad()
        let loss = BCELoss()(leaf.sigmoid(), probabilities)
        loss.backward()
        #expect(isClose([loss.item()], [0.69771733]))
        #expect(
            isClose(leaf.grad?.doubles ?? [], [0.012104222, -0.006244367, -0.026102677, 0.06346618, 0, 0.044806479]))
    }

    @Test func binaryCrossEntropyOfCertainties() {
        let leaf = Tensor([0.0, 1.0]).requiringGrad()
        let loss = BCELoss()(leaf, Tensor([1.0, 1.0]))
        loss.backward()
        #expect(loss.item() == 50)
        #expect(leaf.grad?.doubles.allSatisfy(\.isFinite) == true)
    }

    @Test func shapesMustBeEqual() {
        #expect(throws: TensorError.self) { try catchingErrors { MSELoss()(scores, regressionTarget[0]) } }
    }
}
