import ChainRule
import Testing

// Expected numbers are PyTorch's.

struct LossesTests {
    private let x = patterned([2, 3])
    private let y = patterned([2, 3], seed: 1)
    private let z = patterned([2, 3], seed: 2)
    private let w = patterned([2, 3], seed: 3).abs()

    /// 1 where z > 0, else −1.
    private var signs: Tensor { z.sign() }
    private var labels: Tensor { (signs + 1) / 2 }

    @Test func regression() {
        expectClose(x.mseLoss(y), [1.1692708333333333])
        expectClose(x.mseLoss(y, weight: w), [0.6431587837837838])
        expectClose(x.l1Loss(y, reduction: .sum), [5.375])
        expectClose(x.smoothL1Loss(y, beta: 0.5, reduction: .none), [0.375, 0.375, 0.375, 0.375, 2, 0.375])
        expectClose(x.huberLoss(y, delta: 0.5, reduction: .none), [0.1875, 0.1875, 0.1875, 0.1875, 1, 0.1875])
        expectClose(x.huberLoss(y, delta: 0.5, weight: w), [0.17838541666666666])
        // Predictions and targets of two dtypes.
        expectClose(x.to(.float32).huberLoss(y, reduction: .sum), [2.7265625])
        expectClose(x.to(.float32).smoothL1Loss(y, reduction: .sum), [2.7265625])
        expectMistake("mseLoss", "[2, 3]", "[3]") { _ = x.mseLoss(y[0]) }
    }

    @Test func likelihoods() {
        let variance = w.narrow(dim: 1, start: 0, length: 1)
        let expected = [
            1.1142510332046727, 1.1142510332046727, 1.1142510332046727, 1.2202108533093945, 2.9190744896730307,
            1.2202108533093945,
        ]
        expectClose(x.gaussianNLLLoss(y, variance: variance, full: true, eps: 0.5, reduction: .none), expected)
        expectClose(x.gaussianNLLLoss(y, variance: variance[.all, 0], full: true, eps: 0.5, reduction: .none), expected)
        expectClose(
            x.poissonNLLLoss(w * 2, full: true, reduction: .none),
            [
                1.651806484604536, 2.242021216779351, 1.3994959574322223, 3.4381721558723655, 2.8653429574618414,
                1.3424725091262,
            ])
        expectClose(
            w.poissonNLLLoss(w * 2, logInput: false, eps: 1e-3, reduction: .none),
            [
                0.9980009993338331, 1.1795244408270036, 1.1086246016941819, 0.49725296634433247, 0.9411511699251766,
                1.1066810790800548,
            ])
        expectClose(x.klDiv(w, reduction: .sum, perBatch: true), [0.13294389862166106])
        expectClose(x.klDiv(y, logTarget: true, reduction: .sum), [4.931813785043128])
    }

    @Test func margins() {
        expectClose(x.hingeEmbeddingLoss(signs, margin: 0.5, reduction: .none), [0, -1.125, 0, -0.5, 0, 0.125])
        expectClose(
            x.marginRankingLoss(y, signs, margin: 0.25, reduction: .none), [0.875, 0.875, 0, 0.875, 2.5, 0.875])
        expectClose(
            x.softMarginLoss(signs, reduction: .none),
            [
                0.6931471805599453, 1.4061501362483146, 1.0537006782765186, 0.9740769841801067, 1.501929081345373,
                0.6325990353171691,
            ])
        expectClose(
            x.cosineEmbeddingLoss(y, Tensor([1.0, -1]), margin: -0.5, reduction: .none), [0.2965455807959003, 0])
        expectClose(
            x.tripletMarginLoss(positive: y, negative: z, margin: 2, p: 3, swap: true, reduction: .none),
            [0.8850991522766973, 3.3802977325552033])
    }

    @Test func classes() {
        let weight = Tensor([1.0, 2, 3])
        expectClose(
            x.multiMarginLoss([2, 0], p: 2, margin: 0.5, weight: weight, reduction: .none), [0, 2.109375])
        expectClose(
            x.multilabelMarginLoss([[2, -1, 0], [1, 0, -1]], reduction: .none), [0.125, 0.5416666666666666])
        expectClose(
            x.multilabelSoftMarginLoss(labels, weight: w, reduction: .none), [0.7142991790332921, 0.7561207598288376])
        expectClose(x.sigmoid().binaryCrossEntropy(labels, weight: w), [0.7352099694310649])
        expectClose(
            x.binaryCrossEntropyWithLogits(labels, weight: w, positiveWeight: w[0], reduction: .none),
            [
                0.6931471805599453, 0.7909594516396771, 0.39513775435369447, 1.3393558532476466, 0.37548227033634324,
                0.2075715584634461,
            ])
    }

    @Test func distances() {
        expectClose(x.pairwiseDistance(y, p: 1, eps: 0.5, keepDim: true), [0.375, 3])
        expectClose(
            x.cosineSimilarity(y, dim: 0, eps: 1.5), [-0.027777777777777776, -0.27254118695729435, 0.38888888888888895])
        expectClose(
            x.normalize(p: 1, dim: 0),
            [0, -0.47368421052631576, 0.8333333333333334, -1, 0.5263157894736842, 0.16666666666666666])
        expectClose(
            patterned([1, 4, 2]).localResponseNorm(size: 3, alpha: 0.5, beta: 0.5, k: 2),
            [
                0, -0.7495663486194261, 0.4098452443302374, -0.3329481993707178, 0.7918075824648958,
                0.0854877814634182, -0.6418856341919285, 0.5179990167620587,
            ])
    }

    @Test func halfPrecisionRoundsOnce() {
        let (a, b) = (x.to(.bfloat16), y.to(.bfloat16))
        #expect(a.mseLoss(b).equal(x.mseLoss(y).to(.bfloat16)))
        #expect(a.cosineSimilarity(b).equal(x.cosineSimilarity(y).to(.bfloat16)))
        #expect(a.softMarginLoss(b).equal(x.softMarginLoss(y).to(.bfloat16)))
    }
}
