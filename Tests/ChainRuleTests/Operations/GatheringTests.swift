import ChainRule
import Testing

struct GatheringTests {
    private let x = Tensor(Array(0..<12), shape: [3, 4])

    @Test func gathering() {
        let index = Tensor([3, 0, 1, 1], shape: [2, 2])
        #expect(x.gather(dim: 1, index).toArray(of: Int.self) == [3, 0, 5, 5])
        #expect(x.t().gather(dim: 0, index).toArray(of: Int.self) == [3, 4, 1, 5])
        #expect(x.gather(dim: 1, Tensor([2, 0, 3], shape: [3, 1])).toArray(of: Int.self) == [2, 4, 11])
        #expect(x.takeAlongDim(Tensor([-1, 0], shape: [1, 2]), dim: 1).toArray(of: Int.self) == [3, 0, 7, 4, 11, 8])
        #expect(x.takeAlongDim(Tensor([5, -2])).toArray(of: Int.self) == [5, 10])
    }

    @Test func scattering() {
        let index = Tensor([3, 0, 1, 1], shape: [2, 2])
        let source = Tensor([10, 20, 30, 40], shape: [2, 2])
        #expect(x.scatter(dim: 1, index, source).toArray(of: Int.self) == [20, 1, 2, 10, 4, 40, 6, 7, 8, 9, 10, 11])
        #expect(x.scatter(dim: 1, index, -1).toArray(of: Int.self) == [-1, 1, 2, -1, 4, -1, 6, 7, 8, 9, 10, 11])
        #expect(
            x.scatterAdd(dim: 1, index, source).toArray(of: Int.self) == [20, 1, 2, 13, 4, 75, 6, 7, 8, 9, 10, 11])
        // A source larger than the index: only its first elements are read, the others get no gradient.
        let large = Tensor([1, 2, 3, 4, 5, 6] as [Float], shape: [2, 3], requiresGrad: true)
        let y = Tensor.zeros([2, 3]).scatterAdd(dim: 1, Tensor([2, 0], shape: [1, 2]), large)
        #expect(y.toArray() == [2, 0, 1, 0, 0, 0] as [Float])
        y.sum().backward()
        #expect(large.grad?.toArray() == [1, 1, 0, 0, 0, 0] as [Float])
    }

    @Test func mistakes() {
        #expect(throws: TensorError.self) { try catchingErrors { x.gather(dim: 1, Tensor([0, 1])) } }
        #expect(throws: TensorError.self) { try catchingErrors { x.gather(dim: 0, Tensor([3], shape: [1, 1])) } }
        #expect(throws: TensorError.self) {
            try catchingErrors { x.gather(dim: 1, Tensor.zeros([4, 1], dtype: .int64)) }
        }
        #expect(throws: TensorError.self) {
            try catchingErrors { x.scatter(dim: 1, Tensor.zeros([2, 2], dtype: .int64), x[..<1]) }
        }
    }
}
