import ChainRule
import Testing

// Expected numbers are PyTorch's.

struct CovarianceTests {
    private let x = Tensor([[1.0, 4, 2, 4], [3, 0, 5, 3]])

    @Test func covariances() {
        expectClose(x.cov(), [2.25, -1.75, -1.75, 4.25])
        expectClose(x[0].cov(correction: 0), [1.6875])
        expectClose(
            x.cov(frequencies: Tensor([1, 2, 1, 3]), weights: Tensor([0.5, 1, 2, 0.25])),
            [1.6745562130177514, -2.5088757396449703, -2.5088757396449703, 6.272189349112426])
        expectClose(x.corrcoef(), [1, -0.5659164584181103, -0.5659164584181103, 1])
        #expect(x[0].corrcoef().shape == [])
    }

    @Test func misfits() {
        let error = #expect(throws: TensorError.self) { try catchingErrors { x.cov(weights: Tensor([1.0, 2])) } }
        #expect(error?.message == "4 observations do not fit weights of shape [2]")
        #expect(throws: TensorError.self) {
            try catchingErrors { x.cov(frequencies: Tensor([0.5, 1, 1, 1])) }
        }
    }
}
