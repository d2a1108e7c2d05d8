import Testing

@testable import ChainRule

struct SlicingTests {
    private let x = Tensor(Array(0..<12), shape: [3, 4])

    @Test func slicesAreViews() {
        #expect(x.narrow(dim: 1, start: 1, length: 2).toArray(of: Int.self) == [1, 2, 5, 6, 9, 10])
        #expect(x.narrow(dim: 0, start: -1, length: 1).toArray(of: Int.self) == [8, 9, 10, 11])
        #expect(x.select(dim: -1, index: -2).toArray(of: Int.self) == [2, 6, 10])
        #expect(x.slice(dim: 1, from: 1, by: 2).toArray(of: Int.self) == [1, 3, 5, 7, 9, 11])
        #expect(x.slice(dim: 0, from: -100, to: 100).shape == [3, 4])
        #expect(x.slice(dim: 0, from: 2, to: 1).shape == [0, 4])
        #expect(x.t().slice(dim: 0, from: 2)[1].toArray(of: Int.self) == [3, 7, 11])
        #expect(x.select(dim: 1, index: 2).rawPointer == x.rawPointer + 2 * 8)
    }

    @Test func replacingParts() {
        let zeros = Tensor.zeros([3, 2], dtype: .int64)
        #expect(
            x.sliceScatter(zeros, dim: 1, from: 0, to: 4, by: 2).toArray(of: Int.self)
                == [0, 1, 0, 3, 0, 5, 0, 7, 0, 9, 0, 11])
        #expect(
            x.selectScatter(Tensor([7, 8, 9]), dim: 1, index: 0).toArray(of: Int.self)
                == [7, 1, 2, 3, 8, 5, 6, 7, 9, 9, 10, 11])
    }

    @Test func splitting() {
        #expect(x.split([1, 3], dim: 1).map(\.shape) == [[3, 1], [3, 3]])
        #expect(x.split(3, dim: 1).map { $0.toArray(of: Int.self) } == [[0, 1, 2, 4, 5, 6, 8, 9, 10], [3, 7, 11]])
        #expect(x.chunk(3, dim: 1).map(\.shape) == [[3, 2], [3, 2]])
        #expect(x.tensorSplit(3, dim: 1).map(\.shape) == [[3, 2], [3, 1], [3, 1]])
        #expect(x.tensorSplit(at: [1, -1], dim: 1).map(\.shape) == [[3, 1], [3, 2], [3, 1]])
        #expect(x.unbind(dim: 1).map { $0.toArray(of: Int.self) }[3] == [3, 7, 11])
        #expect(Tensor.zeros([0, 2]).chunk(2).map(\.shape) == [[0, 2], [0, 2]])
    }

    @Test func gradientOfSomePiecesOnly() {
        let w = Tensor([1, 2, 3, 4] as [Float], requiresGrad: true)
        let parts = w.unbind()
        (parts[1] * parts[1] + parts[3]).backward()
        #expect(w.grad?.toArray() == [0, 4, 0, 1] as [Float])
    }

    @Test func joining() {
        let a = Tensor([1, 2], shape: [1, 2])
        let b = Tensor([3, 4, 5, 6], shape: [2, 2])
        #expect(cat([a, b]).toArray(of: Int.self) == [1, 2, 3, 4, 5, 6])
        #expect(cat([b, b.t()], dim: -1).toArray(of: Int.self) == [3, 4, 3, 5, 5, 6, 4, 6])
        #expect(cat([Tensor.zeros([0]), b]).dtype == .float32)
        #expect(cat([Tensor.zeros([0]), b]).shape == [2, 2])
        #expect(stack([b, b + 10], dim: 1).toArray(of: Int.self) == [3, 4, 13, 14, 5, 6, 15, 16])
        #expect(stack([Tensor(1), Tensor(2)]).toArray(of: Int.self) == [1, 2])
        #expect(hstack([a[0], Tensor([9])]).toArray(of: Int.self) == [1, 2, 9])
        #expect(vstack([a[0], b]).shape == [3, 2])
        #expect(dstack([a, a]).shape == [1, 2, 2])
        #expect(columnStack([a[0], b]).toArray(of: Int.self) == [1, 3, 4, 2, 5, 6])
    }

    @Test func joiningMistakes() {
        #expect(throws: TensorError.self) { try catchingErrors { cat([]) } }
        #expect(throws: TensorError.self) { try catchingErrors { cat([Tensor(1)]) } }
        #expect(throws: TensorError.self) { try catchingErrors { cat([x, x.t()]) } }
        #expect(throws: TensorError.self) { try catchingErrors { stack([x, x.t()]) } }
        #expect(throws: TensorError.self) { try catchingErrors { x.split([1, 1]) } }
        #expect(throws: TensorError.self) { try catchingErrors { Tensor(1).unbind() } }
    }
}
