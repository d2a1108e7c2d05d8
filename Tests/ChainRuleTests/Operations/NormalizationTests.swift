@testable import ChainRule
import Testing

// Expected numbers are PyTorch's.

struct NormalizationTests {
    @Test func batchNorm() {
        let leaves = [patterned([2, 2, 3]), patterned([2], seed: 1), patterned([2], seed: 2)].map { $0.requiringGrad() }
        let result = leaves[0].batchNorm(
            runningMean: nil, runningVariance: nil, weight: leaves[1], bias: leaves[2], training: true)
        expectClose(
            result.output,
            [
                1.411772702, 0.4411364921, 1.95101504, 0.5908570897, -0.4667644112, 0.2131351251, 0.5489849598,
                2.058863508, 1.088227298, -0.5423088042, 0.1375907322, 0.8174902685,
            ])
        expectClose(result.batchMean, [-0.1875, 0.2708333333])
        expectClose(result.batchVariance, [0.6296875, 0.8213541667])
        (result.output * patterned([2, 2, 3], seed: 4)).sum().backward()
        expectClose(
            leaves[0].grad,
            [
                -0.2749284045, 1.374642023, 0.1867073345, 6.806081506e-06, -8.645562994e-06, 1.287637042e-06,
                -1.013545587, 0.2790344823, -0.551909848, -9.749251886e-06, 1.839481488e-07, 1.011714818e-05,
            ])
        expectClose(leaves[1].grad, [0.6255211128, 4.963896152])
        expectClose(leaves[2].grad, [-0.5, -0.625])
    }

    @Test func batchNormInEvaluation() {
        let y = patterned([2, 2, 3]).batchNorm(
            runningMean: Tensor([0.1, -0.2]), runningVariance: Tensor([2, 0.5]), weight: patterned([2], seed: 1),
            bias: patterned([2], seed: 2))
        expectClose(
            y.output,
            [
                1.205805937, 0.7086227241, 1.482018833, 0.3371299131, -0.9002945798, -0.1048074058, 0.7638653033,
                1.537261412, 1.040078199, -0.9886820436, -0.1931948696, 0.6022923044,
            ])
        #expect(y.batchMean == nil)
    }

    /// Fused and composed give equal values and gradients, those of the statistics too; in evaluation as well.
    @Test(arguments: [true, false], [Activation.relu, .tanh]) func added(_ training: Bool, _ activation: Activation) {
        func run(_ forward: ([Tensor]) -> (output: Tensor, batchMean: Tensor?, batchVariance: Tensor?)) -> [Tensor] {
            let shapes: [Shape] = [[2, 2, 3], [2], [2], [2, 2, 3]]
            let leaves = shapes.enumerated().map { patterned($1, seed: $0).requiringGrad() }
            let result = forward(leaves)
            var loss = (result.output * patterned([2, 2, 3], seed: 4)).sum()
            for case let statistic? in [result.batchMean, result.batchVariance] { loss = loss + statistic.sum() }
            loss.backward()
            return [result.output] + leaves.compactMap(\.grad)
        }
        let (mean, variance) = (Tensor([0.1, -0.2]), Tensor([2, 0.5]))
        let fused = run {
            $0[0].batchNorm(
                runningMean: mean, runningVariance: variance, weight: $0[1], bias: $0[2], training: training,
                adding: $0[3], activation: activation)
        }
        let composed = run {
            var result = $0[0].batchNorm(
                runningMean: mean, runningVariance: variance, weight: $0[1], bias: $0[2], training: training)
            result.output = activation(result.output + $0[3])
            return result
        }
        #expect(fused.count == 5)
        for (left, right) in zip(fused, composed) { expectClose(left, right.toArray()) }
    }

    @Test func rectifiedWithoutWeights() {
        let (x, y) = (patterned([2, 2, 3]).requiringGrad(), patterned([2, 2, 3]).requiringGrad())
        let fused = x.batchNorm(runningMean: nil, runningVariance: nil, training: true, activation: .relu).output
        let composed = y.batchNorm(runningMean: nil, runningVariance: nil, training: true).output.relu()
        expectClose(fused, composed.toArray())
        for output in [fused, composed] { (output * patterned([2, 2, 3], seed: 4)).sum().backward() }
        expectClose(x.grad, y.grad?.toArray() ?? [])
    }

    /// The statistics are differentiable too.
    @Test func gradientThroughTheStatistics() {
        let (x, y) = (patterned([3, 2]).requiringGrad(), patterned([3, 2]).requiringGrad())
        let result = x.batchNorm(runningMean: nil, runningVariance: nil, training: true)
        for case let statistic? in [result.batchMean, result.batchVariance] {
            (statistic * patterned([2], seed: 1)).sum().backward(retainGraph: true)
        }
        ((y.mean(dim: 0) + y.variance(dim: 0)) * patterned([2], seed: 1)).sum().backward()
        expectClose(x.grad, y.grad?.toArray() ?? [])
    }

    @Test func layerNorm() {
        let leaves = [patterned([2, 3]), patterned([3], seed: 1), patterned([3], seed: 2)].map { $0.requiringGrad() }
        let y = leaves[0].layerNorm(normalizedShape: [3], weight: leaves[1], bias: leaves[2])
        expectClose(
            y, [1.393857463, 0.7867443277, 0.3666458941, 0.566677053, -0.5367443277, -1.287714925])
        (y * patterned([2, 3], seed: 4)).sum().backward()
        expectClose(
            leaves[0].grad,
            [-0.170054249, 0.06072060809, 0.1093336409, -0.1125383735, -0.06251977905, 0.1750581525])
        expectClose(leaves[1].grad, [0.8703376483, -0.6617443277, 0.3308721638])
        expectClose(leaves[2].grad, [-1.25, 2.25, 0])
        let permuted = patterned([3, 2, 4]).permute(1, 2, 0)
        expectClose(
            permuted.layerNorm(normalizedShape: [4, 3]),
            permuted.contiguous().layerNorm(normalizedShape: [4, 3]).toArray())
        #expect(Tensor.zeros([0, 3]).layerNorm(normalizedShape: [3]).shape == [0, 3])
    }

    @Test func others() {
        expectClose(
            patterned([1, 4, 2]).groupNorm(groups: 2, weight: patterned([4], seed: 1), bias: patterned([4], seed: 2)),
            [
                1.492818533, 0.4001351329, -0.5548918937, 0.3192548268, 0.441117801, -1.232438355, 0.5594005489,
                0.8197315065,
            ])
        expectClose(
            patterned([2, 3]).rmsNorm(normalizedShape: [3], weight: patterned([3], seed: 1)),
            [0, 0.757042408, 1.051447789, -0.4003203845, -0.800640769, 0.2001601923])
        expectClose(
            patterned([1, 2, 3]).instanceNorm(),
            [0.2301719401, -1.323488655, 1.093316715, -1.093316715, 1.323488655, -0.2301719401])
    }

    @Test(arguments: [DType.float16, .bfloat16, .float32]) func otherTypes(_ dtype: DType) {
        let x = patterned([4, 3], dtype: dtype)
        let tolerance = dtype == .float32 ? 1e-5 : 1e-2
        let layer = x.layerNorm(normalizedShape: [3])
        #expect(layer.dtype == dtype)
        expectClose(layer, x.to(.float64).layerNorm(normalizedShape: [3]).toArray(), tolerance: tolerance)
        let batch = x.batchNorm(runningMean: nil, runningVariance: nil, training: true).output
        #expect(batch.dtype == dtype)
        let exact = x.to(.float64).batchNorm(runningMean: nil, runningVariance: nil, training: true).output
        expectClose(batch, exact.toArray(), tolerance: tolerance)
    }

    @Test func mistakesNameTheShapes() {
        let x = patterned([2, 3])
        expectMistake("batchNorm", "more than one value", "[1, 3]") {
            _ = patterned([1, 3]).batchNorm(runningMean: nil, runningVariance: nil, training: true)
        }
        expectMistake("[3]", "[2]") {
            _ = x.batchNorm(runningMean: nil, runningVariance: nil, weight: patterned([2]), training: true)
        }
        expectMistake("added", "[2, 3]", "[3]") {
            _ = x.batchNorm(runningMean: nil, runningVariance: nil, training: true, adding: patterned([3]))
        }
        expectMistake("running mean") { _ = x.batchNorm(runningMean: nil, runningVariance: nil) }
        expectMistake("layerNorm", "[2, 3]", "[2]") { _ = x.layerNorm(normalizedShape: [2]) }
        expectMistake("groupNorm", "2 groups", "3 channels") { _ = x.groupNorm(groups: 2) }
        expectMistake("layerNorm", "int64") { _ = Tensor([1, 2]).layerNorm(normalizedShape: [2]) }
    }
}
