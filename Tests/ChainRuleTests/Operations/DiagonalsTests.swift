import Testing

@testable import ChainRule

struct DiagonalsTests {
    private let x = Tensor(Array(0..<6), shape: [2, 3])
    private let y = Tensor(Array(0..<24), shape: [2, 3, 4])

    @Test func diagonals() {
        let diagonal = y.diagonal(offset: 1, dim1: 2, dim2: 0)
        #expect(diagonal.shape == [3, 1])
        #expect(diagonal.toArray(of: Int.self) == [12, 16, 20])
        #expect(x.diagonal(offset: -1).toArray(of: Int.self) == [3])
        #expect(x.diagonal(offset: 5).shape == [0])
        #expect(x.diagonal().rawPointer == x.rawPointer)
        #expect(Tensor([1, 2]).diagEmbed(offset: -1).toArray(of: Int.self) == [0, 0, 0, 1, 0, 0, 0, 2, 0])
        let embedded = x.diagEmbed(dim1: 0, dim2: 2)
        #expect(embedded.shape == [3, 2, 3])
        #expect(embedded.toArray(of: Int.self) == [0, 0, 0, 3, 0, 0, 0, 1, 0, 0, 4, 0, 0, 0, 2, 0, 0, 5])
        #expect(Tensor([1, 2]).diag(1).diag(1).toArray(of: Int.self) == [1, 2])
        #expect(x.diagonalScatter([9, 8], offset: 1).toArray(of: Int.self) == [0, 9, 2, 3, 4, 8])
    }

    @Test func triangles() {
        #expect(y[0].tril(-1).toArray(of: Int.self) == [0, 0, 0, 0, 4, 0, 0, 0, 8, 9, 0, 0])
        #expect(y[0].triu(1).toArray(of: Int.self) == [0, 1, 2, 3, 0, 0, 6, 7, 0, 0, 0, 11])
        #expect(y.tril()[1].toArray(of: Int.self) == [12, 0, 0, 0, 16, 17, 0, 0, 20, 21, 22, 0])
        #expect(Tensor.zeros([2, 0, 3]).triu().shape == [2, 0, 3])
        #expect(Tensor.trilIndices(3, 3, offset: -1).toArray(of: Int.self) == [1, 2, 2, 0, 0, 1])
    }

    @Test func windows() {
        let x = Tensor(Array(0..<7))
        #expect(x.unfold(dim: 0, size: 3, step: 2).toArray(of: Int.self) == [0, 1, 2, 2, 3, 4, 4, 5, 6])
        var windows = x.unfold(dim: 0, size: 3, step: 2)
        // The windows overlap in memory; writing one must not show in its neighbours.
        windows[0, 2] = 9
        #expect(windows.toArray(of: Int.self) == [0, 1, 9, 2, 3, 4, 4, 5, 6])
    }

    @Test func mistakes() {
        #expect(throws: TensorError.self) { try catchingErrors { x.diagonal(dim1: 1, dim2: 1) } }
        #expect(throws: TensorError.self) { try catchingErrors { y.diag() } }
        #expect(throws: TensorError.self) { try catchingErrors { Tensor([1]).tril() } }
        #expect(throws: TensorError.self) { try catchingErrors { x.unfold(dim: 0, size: 3, step: 1) } }
    }
}
