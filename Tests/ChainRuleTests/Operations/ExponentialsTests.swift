import ChainRule
import Testing

private let inf = Double.infinity
private let nan = Double.nan

struct ExponentialsTests {
    @Test func specialValues() {
        let x = specialPoints
        expectExactElements(x.exp(), [0, 0.1353352832366127, 1, 1, 1.6487212707001282, inf, nan])
        expectExactElements(x.exp2(), [0, 0.25, 1, 1, 1.4142135623730951, inf, nan])
        expectExactElements(x.expm1(), [-1, -0.8646647167633873, -0.0, 0, 0.6487212707001282, inf, nan])
        expectExactElements(x.log(), [nan, nan, -inf, -inf, -0.6931471805599453, inf, nan])
        expectExactElements(x.log2(), [nan, nan, -inf, -inf, -1, inf, nan])
        expectExactElements(x.log10(), [nan, nan, -inf, -inf, -0.3010299956639812, inf, nan])
        expectExactElements(x.log1p(), [nan, nan, -0.0, 0, 0.4054651081081644, inf, nan])
    }

    @Test func dtypes() {
        let y = Tensor([1, 2]).exp()
        #expect(y.dtype == .float32)
        expectExactElements(y, [2.7182817459106445, 7.389056205749512], tolerance: 3e-7)
        #expect(Tensor([true]).exp().dtype == .float32)
        expectExactElements(Tensor([1.0, 2]).to(.float16).exp(), [2.71875, 7.390625], tolerance: 0)
        #expect(Tensor([1.0]).to(.bfloat16).log().dtype == .bfloat16)
        #expect(Tensor.zeros([0, 3]).exp().shape == [0, 3])
    }

    @Test func sumsOfExponentialsDoNotOverflow() {
        let (a, b) = (Tensor([1000, -inf, inf, 1]), Tensor([1000, -inf, 1, 2]))
        expectExactElements(a.logaddexp(b), [1000.6931471805599, -inf, inf, 2.313261687518223])
        expectExactElements(Tensor([1000.0, 1]).logaddexp2(Tensor([1000.0, 2])), [1001, 2.584962500721156])
        #expect(gradients([0], [0], of: { $0[0].logaddexp($0[1]) }) == [[0.5], [0.5]])
    }
}
