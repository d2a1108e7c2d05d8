import ChainRule
import Testing

// Expected numbers are PyTorch's.

struct OrderStatisticsTests {
    private let x = Tensor([[1.0, 4, 2, 4], [3, 0, 5, 3]])
    private let withNaN = Tensor([[1.0, .nan, 2], [.nan, .nan, .nan]])

    @Test func medians() {
        #expect(x.median().item() == 3)
        #expect(x.median(dim: 1).values.toArray(of: Double.self) == [2, 3])
        #expect(x.median(dim: 0, keepDim: true).indices.toArray(of: Int.self) == [0, 1, 0, 1])
        #expect(x.median(dim: 0, keepDim: true).values.shape == [1, 4])
        #expect(Tensor(7.0).median(dim: -1, keepDim: true).values.shape == [])
        #expect(Tensor([3, 1, 2]).median().dtype == .int64)
        #expect(Tensor([Double]()).median().item().isNaN)
    }

    @Test func mediansWithNaN() {
        #expect(withNaN.median().item().isNaN)
        #expect(withNaN.nanmedian().item() == 1)
        let (values, indices) = withNaN.median(dim: 1)
        expectClose(values, [.nan, .nan])
        #expect(indices.toArray(of: Int.self) == [1, 0])
        expectClose(withNaN.nanmedian(dim: 1).values, [1, .nan])
    }

    @Test func equalMediansShareTheGradient() {
        let x = Tensor([2.0, 5, 2, 2, 1], requiresGrad: true)
        x.median().backward()
        expectClose(x.grad, [1.0 / 3, 0, 1.0 / 3, 1.0 / 3, 0])
    }

    @Test func modes() {
        let (values, indices) = Tensor([[1.0, 4, 2, 4], [3, 3, 5, 5]]).mode()
        #expect(values.toArray(of: Double.self) == [4, 3])
        #expect(indices.toArray(of: Int.self) == [3, 1])
        #expect(x.mode(dim: 0, keepDim: true).values.toArray(of: Double.self) == [1, 0, 2, 3])
        #expect(Tensor(7.0).mode(dim: 0).values.shape == [])
        #expect(throws: TensorError.self) { try catchingErrors { Tensor.zeros([2, 0]).mode(dim: 1).values } }
    }

    @Test func membership() {
        let elements = Tensor([[1, 2], [3, 4]])
        #expect(elements.isin(Tensor([4, 1, 9])).toArray(of: Bool.self) == [true, false, false, true])
        #expect(elements.isin(Tensor([4, 1, 9]), invert: true).toArray(of: Bool.self) == [false, true, true, false])
        #expect(elements.isin(Tensor([Int]())).toArray(of: Bool.self) == [false, false, false, false])
        #expect(Tensor([Double.nan, 1]).isin(Tensor([Double.nan, 1])).toArray(of: Bool.self) == [false, true])
    }
}
