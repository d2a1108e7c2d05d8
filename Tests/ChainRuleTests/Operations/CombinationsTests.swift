import ChainRule
import Testing

struct CombinationsTests {
    @Test func blocks() {
        let matrix = blockDiagonal([Tensor([[1, 2], [3, 4]]), Tensor([5, 6]), Tensor(7)])
        #expect(
            matrix.equal(
                Tensor([[1, 2, 0, 0, 0], [3, 4, 0, 0, 0], [0, 0, 5, 6, 0], [0, 0, 0, 0, 7]])))
        #expect(throws: TensorError.self) { try catchingErrors { blockDiagonal([Tensor.zeros([1, 1, 1])]) } }
    }

    @Test func products() {
        let (x, y) = (Tensor([1, 2]), Tensor([3, 4, 5]))
        #expect(cartesianProduct([x, y]).equal(Tensor([[1, 3], [1, 4], [1, 5], [2, 3], [2, 4], [2, 5]])))
        #expect(cartesianProduct([x]).equal(x))
        #expect(x.unsqueeze(dim: 0).kron(y).equal(Tensor([[3, 4, 5, 6, 8, 10]])))
        #expect(Tensor([[1, 2], [3, 4]]).kron(Tensor([[1, 1]])).equal(Tensor([[1, 1, 2, 2], [3, 3, 4, 4]])))
    }

    @Test func choices() {
        let x = Tensor([7, 8, 9])
        #expect(x.combinations().equal(Tensor([[7, 8], [7, 9], [8, 9]])))
        #expect(x.combinations(3).equal(Tensor([[7, 8, 9]])))
        #expect(x.combinations(4).shape == [0, 4])
        #expect(x.combinations(0).shape == [0])
        let repeated = x[..<2].combinations(3, replacement: true)
        #expect(repeated.equal(Tensor([[7, 7, 7], [7, 7, 8], [7, 8, 8], [8, 8, 8]])))
        #expect(x[..<0].combinations(2, replacement: true).shape == [0, 2])
    }

    @Test func sumsOverPairsOfAxes() {
        let (x, y) = (patterned([2, 3, 4]), patterned([4, 3, 5], seed: 1))
        expectClose(x.tensordot(y, dims: [2, 1], [0, 1]), einsum("ijk,kjl->il", x, y).toArray())
        expectClose(
            x.tensordot(patterned([3, 4, 2]), dims: 2), einsum("ijk,jkl->il", x, patterned([3, 4, 2])).toArray())
        #expect(x.tensordot(y, dims: 0).shape == [2, 3, 4, 4, 3, 5])
        // An axis of size 1 goes with any size.
        expectClose(
            x.sum(dim: 1, keepDim: true).tensordot(y, dims: [1, 2], [1, 0]),
            einsum("ik,kl->il", x.sum(dim: 1), y.sum(dim: 1)).toArray())
        #expect(throws: TensorError.self) { try catchingErrors { x.tensordot(y, dims: [0], [0]) } }
    }
}
