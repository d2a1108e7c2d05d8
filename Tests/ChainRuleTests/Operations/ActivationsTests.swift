import ChainRule
import Testing

private let inf = Double.infinity
private let nan = Double.nan

struct ActivationsTests {
    @Test func smoothOnes() {
        let x = specialPoints
        expectExactElements(x.tanh(), [-1, -0.9640275800758169, -0.0, 0, 0.46211715726000974, 1, nan])
        expectExactElements(x.sigmoid(), [0, 0.11920292202211755, 0.5, 0.5, 0.6224593312018546, 1, nan])
        let finite = Tensor([-2, 0, 0.5, 30])
        expectExactElements(finite.gelu(), [-0.04550026389635842, 0, 0.34573123063700656, 30])
        expectExactElements(finite.gelu(approximate: .tanh), [-0.04540230591222494, 0, 0.34571400982514394, 30])
        expectExactElements(finite.silu(), [-0.2384058440442351, 0, 0.3112296656009273, 29.999999999997193])
        expectExactElements(finite.mish(), [-0.2525014826957089, 0, 0.3752452113048951, 30])
        expectExactElements(
            x.softplus(), [0, 0.1269280110429725, 0.6931471805599453, 0.6931471805599453, 0.9740769841801067, inf, nan])
        expectExactElements(
            Tensor([0.4, 0.6]).softplus(beta: 2, threshold: 1), [0.5855503329738889, 0.6], tolerance: 1e-14)
        expectExactElements(Tensor([-2, 0.5]).softsign(), [-0.6666666666666666, 0.3333333333333333])
        expectExactElements(
            Tensor([-1000.0, -2, 0, 1000]).logSigmoid(), [-1000, -2.1269280110429727, -0.6931471805599453, -0.0])
    }

    @Test func piecewiseOnes() {
        let x = Tensor([-inf, -2, 0.5, 7, nan])
        expectExactElements(x.relu(), [0, 0, 0.5, 7, nan])
        expectExactElements(x.leakyRelu(), [-inf, -0.02, 0.5, 7, nan])
        expectExactElements(x.elu(), [-1, -0.8646647167633873, 0.5, 7, nan])
        expectExactElements(
            x.selu(), [-1.7580993408473766, -1.5201664685956948, 0.5253504936777402, 7.3549069114883635, nan])
        expectExactElements(x.celu(alpha: 2), [-2, -1.2642411176571153, 0.5, 7, nan])
        expectExactElements(x.relu6(), [0, 0, 0.5, 6, nan])
        expectExactElements(x.hardtanh(), [-1, -1, 0.5, 1, nan])
        expectExactElements(x.hardsigmoid(), [0, 0.16666666666666666, 0.5833333333333334, 1, nan])
        expectExactElements(x.hardswish(), [nan, -0.3333333333333333, 0.2916666666666667, 7, nan])
        expectExactElements(x.threshold(0.6, 20), [20, 20, 20, 7, nan])
        expectExactElements(x.hardshrink(), [-inf, -2, 0, 7, nan])
        expectExactElements(x.softshrink(), [-inf, -1.5, 0, 6.5, nan])
        expectExactElements(Tensor([-2, 0.5]).tanhshrink(), [-1.0359724199241831, 0.03788284273999026])
        #expect(Tensor([-1, 7]).relu().toArray(of: Int.self) == [0, 7])
        #expect(Tensor([-1, 7]).relu6().dtype == .int64)
        expectMistake(in: "relu") { Tensor([true]).relu() }
        expectMistake(in: "celu") { Tensor([1.0]).celu(alpha: 0) }
        expectMistake(in: "softshrink") { Tensor([1.0]).softshrink(-1) }
    }

    @Test func gradientsAtTheKinks() {
        #expect(gradients([0], of: { $0[0].relu() }) == [[0]])
        #expect(gradients([0], of: { $0[0].leakyRelu() }) == [[0.01]])
        #expect(gradients([0], of: { $0[0].elu() }) == [[1]])
        #expect(gradients([0, 6], of: { $0[0].relu6() }) == [[0, 0]])
        #expect(gradients([-1, 1], of: { $0[0].hardtanh() }) == [[0, 0]])
        #expect(gradients([-3, 3, 4], of: { $0[0].hardswish() }) == [[0, 1, 1]])
        #expect(gradients([-3, 3], of: { $0[0].hardsigmoid() }) == [[0, 0]])
        #expect(gradients([0.5, 0.7], of: { $0[0].hardshrink() }) == [[0, 1]])
        #expect(gradients([0.5, 0.7, -0.5], of: { $0[0].softshrink() }) == [[0, 1, 0]])
        #expect(gradients([1, 2], of: { $0[0].threshold(1, 5) }) == [[0, 1]])
    }

    /// The exponential of a large number is infinite where ELU does not use it.
    @Test func higherDerivativesOfEluStayFinite() {
        let x = Tensor([1000.0, -1], requiresGrad: true)
        let first = gradient(of: x.elu().sum(), wrt: [x], createGraph: true)
        first[0].sum().backward()
        expectExactElements(x.grad ?? .zeros([0]), [0, 0.36787944117144233])
    }

    @Test func gatedHalves() {
        let x = Tensor([1.0, 2, 0, -2], shape: [2, 2])
        expectExactElements(x.glu(dim: 0), [0.5, 0.2384058440442351])
        expectExactElements(x.glu(), [0.8807970779778823, 0])
        expectMistake(in: "glu") { Tensor.zeros([2, 3]).glu() }
        expectMistake(in: "glu") { Tensor(1.0).glu() }
    }

    @Test func weightsOfPrelu() {
        let x = Tensor([-1.0, 2, -3, -4], shape: [1, 2, 2])
        expectExactElements(x.prelu(Tensor([0.5, 0.1])), [-0.5, 2, -0.30000000000000004, -0.4])
        expectExactElements(x.prelu(Tensor([0.5])), [-0.5, 2, -1.5, -2])
        // What is above 0 gives the weight nothing, be it infinite.
        #expect(gradients([.infinity, -3, 2], [0.5], of: { $0[0].prelu($0[1]) }) == [[1, 0.5, 1], [-3]])
        expectMistake(in: "prelu") { x.prelu(Tensor([0.5, 0.1, 0.2])) }
    }
}
