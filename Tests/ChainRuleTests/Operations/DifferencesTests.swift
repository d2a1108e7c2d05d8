import ChainRule
import Testing

// Expected numbers are PyTorch's.

struct DifferencesTests {
    private let x = Tensor([[1.0, 4, 2, 4], [3, 0, 5, 3]])

    @Test func derivatives() {
        let slopes = x.gradient(spacing: [2, 0.5])
        expectClose(slopes[0], [1, -2, 1.5, -0.5, 1, -2, 1.5, -0.5])
        expectClose(slopes[1], [6, 1, 0, 4, -6, 2, 3, -4])
        let uneven = x[0].gradient(coordinates: [Tensor([0.0, 1, 3, 4])], edgeOrder: 2)
        expectClose(uneven[0], [4.333333333333334, 1.6666666666666667, 1, 3])
        expectClose(Tensor([1, 4, 9, 16]).gradient(edgeOrder: 2)[0], [2, 4, 6, 8])
        #expect(throws: TensorError.self) { try catchingErrors { x.gradient(edgeOrder: 2) } }
    }

    @Test func integrals() {
        expectClose(x.trapezoid(), [8.5, 8])
        expectClose(x.trapezoid(x: Tensor([0.0, 1, 3, 4])), [11.5, 10.5])
        expectClose(x.cumulativeTrapezoid(dx: 2, dim: 0), [4, 4, 7, 7])
        expectClose(x.cumulativeTrapezoid(x: Tensor([[0.0], [2]]), dim: 0), [4, 4, 7, 7])
        expectClose(Tensor([Double]()).trapezoid(), [0])
        #expect(throws: TensorError.self) { try catchingErrors { x.trapezoid(x: Tensor([0.0, 1])) } }
    }
}
