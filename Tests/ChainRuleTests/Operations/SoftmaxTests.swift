import ChainRule
import Testing

// Expected numbers are PyTorch's.

struct SoftmaxTests {
    private let x = patterned([2, 4])

    @Test func values() {
        expectClose(
            x.softmax(dim: 1),
            [
                0.2631974378, 0.08544769757, 0.4917175491, 0.1596373156, 0.4910186908, 0.1594104295, 0.05175298926,
                0.2978178905,
            ])
        expectClose(
            x.softmax(dim: 0),
            [
                0.2227001388, 0.2227001388, 0.8354835371, 0.2227001388, 0.7772998612, 0.7772998612, 0.1645164629,
                0.7772998612,
            ])
        expectClose(
            x.logSoftmax(dim: -1),
            [
                -1.334850815, -2.459850815, -0.7098508145, -1.834850815, -0.7112730851, -1.836273085, -2.961273085,
                -1.211273085,
            ])
        expectClose(x.softmin(dim: 1), (-x).softmax(dim: 1).toArray())
    }

    @Test func anyAxisAndLayout() {
        let cube = patterned([2, 3, 4])
        for dim in 0..<3 {
            let expected = cube.exp() / cube.exp().sum(dim: dim, keepDim: true)
            expectClose(cube.softmax(dim: dim), expected.toArray())
            expectClose(cube.logSoftmax(dim: dim), expected.log().toArray())
        }
        expectClose(x.t().softmax(dim: 0), x.softmax(dim: 1).t().toArray())
        expectClose(
            patterned([4, 4])[2...].softmax(dim: 1), patterned([4, 4])[2...].contiguous().softmax(dim: 1).toArray())
    }

    @Test func edges() {
        #expect(Tensor(3.0).softmax(dim: 0).item() == 1)
        #expect(Tensor.zeros([0, 3]).softmax(dim: 1).shape == [0, 3])
        #expect(Tensor.zeros([3, 0]).logSoftmax(dim: 1).shape == [3, 0])
        #expect(Tensor([1, 2]).softmax(dim: 0).dtype == .float32)
        #expect(x.to(.bfloat16).softmax(dim: 1).dtype == .bfloat16)
        expectClose(Tensor([1000.0, 0]).logSoftmax(dim: 0), [0, -1000])
        expectClose(Tensor([-Double.infinity, 0]).softmax(dim: 0), [0, 1])
        expectClose(Tensor([-Double.infinity, -.infinity]).softmax(dim: 0), [.nan, .nan])
        expectMistake("softmax", "dimension 2") { _ = x.softmax(dim: 2) }
    }
}
