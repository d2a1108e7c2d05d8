import ChainRule
import Testing

struct ExtremaTests {
    private let x = Tensor([3.0, 7, 7, -1, 0, -1], shape: [2, 3])

    @Test func values() {
        #expect(x.max().item() == 7)
        #expect(x.min().item() == -1)
        let (values, indices) = x.max(dim: 1)
        expectClose(values, [7, 0])
        #expect(indices.toArray(of: Int.self) == [1, 1])
        #expect(x.min(dim: 1, keepDim: true).indices.toArray(of: Int.self) == [0, 0])
        #expect(x.min(dim: 1, keepDim: true).values.shape == [2, 1])
        expectClose(x.amax(dim: [0, 1]), [7])
        expectClose(x.amin(dim: 0), [-1, 0, -1])
        #expect(x.argmax().item(Int.self) == 1)
        #expect(x.argmin(dim: -1).toArray(of: Int.self) == [0, 0])
        #expect(x.argmax(dim: 0, keepDim: true).shape == [1, 3])
        #expect(x.aminmax(dim: 1).max.toArray(of: Double.self) == [7, 0])
    }

    @Test func otherTypes() {
        #expect(Tensor([3, 9, -2]).max().item(Int.self) == 9)
        #expect(Tensor([3, 9, -2] as [Int8]).amin().dtype == .int8)
        #expect(Tensor([false, true]).max().item(Bool.self))
        #expect(Tensor([3, 9, -2]).max(dim: 0).values.dtype == .int64)
        #expect(x.to(.float16).max(dim: 1).values.dtype == .float16)
        #expect(Tensor(5.0).max(dim: 0).values.item() == 5)
        #expect(Tensor.zeros([0, 3]).amax(dim: 1).shape == [0])
    }

    @Test func notANumberWins() {
        let holes = Tensor([1.0, .nan, 3, .nan])
        #expect(holes.max().item().isNaN)
        #expect(holes.argmax().item(Int.self) == 1)
        #expect(holes.argmin().item(Int.self) == 1)
        #expect(holes.min(dim: 0).values.item().isNaN)
    }

    /// Of equal extremes `max(dim:)` gives the gradient to the first, `amax` and `max()` to all in equal parts.
    @Test func gradientOfEqualOnes() {
        let first = x.requiringGrad()
        first.max(dim: 1).values.sum().backward()
        expectClose(first.grad, [0, 1, 0, 0, 1, 0])
        let shared = x.requiringGrad()
        shared.amax(dim: 1).sum().backward()
        expectClose(shared.grad, [0, 0.5, 0.5, 0, 1, 0])
        let all = x.requiringGrad()
        all.min().backward()
        expectClose(all.grad, [0, 0, 0, 0.5, 0, 0.5])
    }

    @Test func nothingHasNoExtreme() {
        expectMistake("max", "size 0", "[0]") { _ = Tensor.zeros([0]).max() }
        expectMistake("argmin", "[2, 0]") { _ = Tensor.zeros([2, 0]).argmin(dim: 1) }
        expectMistake("amax", "named twice") { _ = x.amax(dim: [1, -1]) }
    }
}
