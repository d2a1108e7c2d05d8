import ChainRule
import Testing

private let inf = Double.infinity
private let nan = Double.nan

struct SpecialFunctionsTests {
    @Test func specialValues() {
        let x = specialPoints
        expectExactElements(x.erf(), [-1, -0.9953222650189527, -0.0, 0, 0.5204998778130465, 1, nan])
        expectExactElements(x.erfc(), [2, 1.9953222650189528, 1, 1, 0.4795001221869535, 0, nan])
        expectExactElements(x.erfinv(), [nan, nan, -0.0, 0, 0.4769362762044699, nan, nan])
        expectExactElements(x.lgamma(), [inf, inf, inf, inf, 0.5723649429247001, inf, nan])
        expectExactElements(x.digamma(), [nan, nan, inf, -inf, -1.9635100260214229, inf, nan])
    }

    @Test func inverseOfErf() {
        expectExactElements(
            Tensor([0.5, -0.999999, 1e-9, 0.9, 1, -1]).erfinv(),
            [0.4769362762044699, -3.458910737275499, 8.86226925452758e-10, 1.1630871536766743, inf, -inf])
        let x = Tensor((-19...19).map { Double($0) / 20 })
        expectExactElements(x.erfinv().erf(), x.toArray(of: Double.self), tolerance: 1e-15)
    }

    @Test func gammaFamily() {
        expectExactElements(
            Tensor([-1.5, -1, 10, 1e-3]).digamma(), [0.7031566406452433, nan, 2.251752589066721, -1000.5755719318104])
        expectExactElements(Tensor([-1.5, 100]).lgamma(), [0.860047015376481, 359.1342053695754])
        expectExactElements(
            Tensor([0.5, -0.5, 3]).polygamma(1), [4.934802200544679, 8.934802200544679, 0.39493406684822647])
        expectExactElements(
            Tensor([0.5, 12]).polygamma(3), [97.40909103400244, 0.0013100932310708265], tolerance: 1e-13)
        expectMistake(in: "polygamma") { Tensor([1.0]).polygamma(-1) }
    }

    @Test func sincAndLogit() {
        expectExactElements(Tensor([0, 0.5]).sinc(), [1, 0.6366197723675814])
        #expect(gradients([0], of: { $0[0].sinc() }) == [[0]])
        expectExactElements(Tensor([0.3, 0, 1]).logit(), [-0.8472978603872036, -inf, inf])
        let slopes = gradients([0.05, 0.5, 0.95], of: { $0[0].logit(eps: 0.1) })
        #expect(slopes == [[0, 4, 0]])
        // Crossed bounds: an element below the lower one becomes the lower one.
        expectExactElements(Tensor([0.0]).logit(eps: 0.6), [0.4054651081081643], tolerance: 1e-12)
    }
}
