import ChainRule
import ChainRuleNN
import ChainRuleTestSupport
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

/// A loss of any number of inputs: as a function, and called by hand.
private struct Other: Sendable, CustomTestStringConvertible {
    typealias Ways = (
        call: ([Tensor]) -> Tensor, explicit: ([Tensor]) -> (value: Tensor, gradients: [Tensor])
    )
    let testDescription: String
    let inputs: [Tensor]
    let make: @Sendable (Reduction) -> Ways

    init(_ name: String, _ inputs: [Tensor], _ make: @escaping @Sendable (Reduction) -> Ways) {
        testDescription = name
        self.inputs = inputs
        self.make = make
    }

    init(_ name: String, target: Tensor, input: Tensor = scores, _ make: @escaping @Sendable (Reduction) -> any Loss) {
        self.init(name, [input]) { reduction in
            let loss = make(reduction)
            return ({ loss($0[0], target) }, { (loss.forward($0[0], target), [loss.backward($0[0], target)]) })
        }
    }

    init(_ name: String, pairTarget: Tensor, _ make: @escaping @Sendable (Reduction) -> any PairLoss) {
        self.init(name, [scores, regressionTarget]) { reduction in
            let loss = make(reduction)
            return (
                { loss($0[0], $0[1], pairTarget) },
                {
                    let gradients = loss.backward($0[0], $0[1], pairTarget)
                    return (loss.forward($0[0], $0[1], pairTarget), [gradients.0, gradients.1])
                }
            )
        }
    }
}

private let signs = Tensor([1.0, -1, 1, -1, -1, 1], shape: [2, 3])

private let more: [Other] = [
    Other("Huber", target: regressionTarget) { HuberLoss(delta: 0.6, reduction: $0) },
    Other("PoissonNLL", target: probabilities * 4) { PoissonNLLLoss(full: true, reduction: $0) },
    Other("PoissonNLL of means", target: probabilities, input: probabilities + 0.5) {
        PoissonNLLLoss(logInput: false, reduction: $0)
    },
    Other("KLDiv", target: probabilities) { KLDivLoss(reduction: $0) },
    Other("KLDiv of logarithms", target: regressionTarget) {
        KLDivLoss(logTarget: true, perBatch: true, reduction: $0)
    },
    Other("MultiLabelMargin", target: Tensor([Int64(2), 0, -1, 1, -1, 0], shape: [2, 3])) {
        MultiLabelMarginLoss(reduction: $0)
    },
    Other("MultiLabelSoftMargin", target: probabilities) {
        MultiLabelSoftMarginLoss(weight: Tensor([1.0, 2, 3]), reduction: $0)
    },
    Other("SoftMargin", target: signs) { SoftMarginLoss(reduction: $0) },
    Other("HingeEmbedding", target: signs) { HingeEmbeddingLoss(margin: 0.9, reduction: $0) },
    Other("MarginRanking", pairTarget: signs) { MarginRankingLoss(margin: 0.35, reduction: $0) },
    Other("CosineEmbedding", pairTarget: Tensor([1.0, -1])) { CosineEmbeddingLoss(margin: -0.9, reduction: $0) },
    Other("TripletMargin", [scores, regressionTarget, probabilities]) {
        let loss = TripletMarginLoss(margin: 1.5, reduction: $0)
        return (
            { loss($0[0], $0[1], $0[2]) },
            {
                let gradients = loss.backward($0[0], $0[1], $0[2])
                return (
                    loss.forward($0[0], $0[1], $0[2]), [gradients.anchor, gradients.positive, gradients.negative]
                )
            }
        )
    },
    Other("GaussianNLL", [scores, probabilities + 0.1]) {
        let loss = GaussianNLLLoss(full: true, reduction: $0)
        return (
            { loss($0[0], regressionTarget, variance: $0[1]) },
            {
                let gradients = loss.backward($0[0], regressionTarget, variance: $0[1])
                return (
                    loss.forward($0[0], regressionTarget, variance: $0[1]), [gradients.mean, gradients.variance]
                )
            }
        )
    },
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

    /// Both ways give the gradient of finite differences, whatever the reduction.
    @Test(arguments: more, [Reduction.mean, .sum, .none])
    private func bothWays(_ row: Other, _ reduction: Reduction) {
        let inputs = row.inputs.map { $0.detach() }
        let leaves = inputs.map { $0.requiringGrad() }
        let (call, explicit) = row.make(reduction)
        let loss = call(leaves)
        loss.backward(gradient: .ones(like: loss))
        let found = explicit(inputs)
        #expect(isClose(found.value.doubles, loss.doubles, tolerance: 1e-12))
        for (gradient, leaf) in zip(found.gradients, leaves) {
            #expect(isClose(gradient.doubles, leaf.grad?.doubles ?? [], tolerance: 1e-12))
        }
        let report = GradientCheck.check(inputs) { [call($0)] }
        #expect(report.passed, "\(report)")
    }

    @Test func sequencesOfLabels() {
        let scores = Tensor([0.1, 0.2, 0.3, -1, 0.5, 0.2, 0.3, 0.3, -0.7, 0.9, -0.2, 0.4], shape: [4, 3])
        let leaf = scores.logSoftmax(dim: -1).requiringGrad()
        let loss = CTCLoss()(leaf, Tensor([1, 2]), inputLengths: [4], targetLengths: [2])
        loss.backward()
        #expect(isClose([loss.item()], [0.8454408866]))
        #expect(
            isClose(
                leaf.grad?.doubles ?? [],
                [
                    -0.0250125179, -0.1585701827, 0.1835827006, 0.0178773191, -0.0887291705, 0.0708518514,
                    0.0082036206, 0.0835014267, -0.0917050473, 0.0783642621, 0.0858179809, -0.164182243,
                ]))
        let explicit = CTCLoss()
            .backward(leaf.detach(), Tensor([1, 2]), inputLengths: [4], targetLengths: [2])
        #expect(explicit.doubles == leaf.grad?.doubles)
        let single = leaf.detach().to(.float32)
        let value = CTCLoss().forward(single, Tensor([1, 2]), inputLengths: [4], targetLengths: [2])
        #expect(value.dtype == .float32 && abs(value.item() - 0.8454408866) < 1e-6)
    }

    @Test func sequencesThatDoNotFit() {
        let leaf = scores.logSoftmax(dim: -1).requiringGrad()
        let target = Tensor([1, 1])
        #expect(CTCLoss().forward(leaf, target, inputLengths: [2], targetLengths: [2]).item() == .infinity)
        let loss = CTCLoss(zeroInfinity: true)(leaf, target, inputLengths: [2], targetLengths: [2])
        loss.backward()
        #expect(loss.item() == 0)
        #expect(leaf.grad?.doubles == [0, 0, 0, 0, 0, 0])
        #expect(throws: TensorError.self) {
            try catchingErrors { CTCLoss()(leaf, Tensor([1, 3]), inputLengths: [2], targetLengths: [2]) }
        }
        #expect(throws: TensorError.self) {
            try catchingErrors { CTCLoss()(leaf, target, inputLengths: [3], targetLengths: [2]) }
        }
    }

    @Test func descriptions() {
        #expect(HuberLoss(delta: 2, reduction: .sum).description == "HuberLoss(delta: 2.0, reduction: .sum)")
        #expect(MSELoss().description == "MSELoss()")
        #expect(CTCLoss(blank: 3).description == "CTCLoss(blank: 3)")
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

    @Test func tripletsWithADistance() {
        let (a, p, n) = (
            Tensor.arange(6).to(.float64), Tensor.arange(6).to(.float64) * 2, Tensor.arange(6).to(.float64) * 3
        )
        let loss = TripletMarginWithDistanceLoss(
            distance: { ($0 - $1).abs().sum(dim: -1) }, margin: 0.5, swap: true, reduction: .none)
        let parts = [a, p, n].map { $0.reshape([2, 3]).sin() }
        #expect(isClose(loss(parts[0], parts[1], parts[2]).doubles, [0.98836184, 0.98115921]))
    }

    @Test func shapesMustBeEqual() {
        #expect(throws: TensorError.self) { try catchingErrors { MSELoss()(scores, regressionTarget[0]) } }
    }
}
