import ChainRule
import Testing

// Expected numbers are PyTorch's.

struct EinsumTests {
    private let a = patterned([2, 3])

    @Test func products() {
        expectClose(
            einsum("ij,jk,k->i", a, patterned([3, 4], seed: 1), patterned([4], seed: 2)), [-0.818359375, 0.423828125])
        let (x, y) = (patterned([4, 2, 3]), patterned([4, 3, 5], seed: 1))
        expectClose(einsum("bij,bjk->bik", x, y), x.matmul(y).toArray())
        expectClose(einsum("bij , bjk -> kbi", x, y), x.matmul(y).permute(2, 0, 1).toArray())
        expectClose(einsum("i,j->ij", a[0], a[1]), a[0].outer(a[1]).toArray())
        expectClose(einsum("ij,ij->", a, a), [a.squared().sum().item()])
        expectClose(einsum("ij,ij->ij", a, a), a.squared().toArray())
    }

    @Test func emptyAxes() {
        let batch = Tensor.zeros([0, 3], dtype: .float64)
        #expect(
            einsum("...i,oij,...j->...o", batch, patterned([5, 3, 4]), Tensor.zeros([0, 4], dtype: .float64)).shape == [
                0, 5,
            ])
        #expect(einsum("ij,jk->ik", Tensor.zeros([2, 0]), Tensor.zeros([0, 3])).equal(Tensor.zeros([2, 3])))
    }

    @Test func oneOperand() {
        expectClose(
            einsum("...ij->...ji", patterned([2, 2, 3])),
            [0, -0.5, -1.125, 1.25, 0.625, 0.125, -1, 1.375, 0.75, 0.25, -0.375, -0.875])
        expectClose(einsum("iij->ij", patterned([2, 2, 3])), [0, -1.125, 0.625, 1.375, 0.25, -0.875])
        expectClose(
            einsum("ii->", patterned([3, 3])), [patterned([3, 3]).reshape([9]).slice(dim: 0, by: 4).sum().item()])
        expectClose(einsum("iii->i", patterned([2, 2, 2])), [0, patterned([8])[7].item()])
        expectClose(einsum("ij->", a), [a.sum().item()])
        #expect(einsum("ij", a).shape == [2, 3])
        #expect(einsum("ba", a).shape == [3, 2])
    }

    @Test func impliedOutputAndEllipsis() {
        expectClose(
            einsum("ji,jk", a, patterned([2, 2])), [-0.3125, 0.25, 0.78125, 0.640625, 0.078125, -0.765625])
        let (x, y) = (patterned([4, 1, 2, 3]), patterned([5, 3, 2], seed: 1))
        expectClose(einsum("...ij,...jk->...ik", x, y), x.matmul(y).toArray())
        expectClose(einsum("...ij,...jk", x, y), x.matmul(y).toArray())
        // A size of 1 stands for every size.
        expectClose(
            einsum("ij,kj->ik", a, patterned([4, 1])), (a.sum(dim: 1, keepDim: true) * patterned([4])).toArray())
    }

    @Test func integersAndEmptyAxes() {
        let numbers = Tensor([1, 2, 3, 4], shape: [2, 2])
        #expect(einsum("ij,jk->ik", numbers, numbers).toArray(of: Int.self) == [7, 10, 15, 22])
        #expect(
            einsum("ij,jk->ik", Tensor.zeros([2, 0]), Tensor.zeros([0, 3])).toArray(of: Float.self) == [
                0, 0, 0, 0, 0, 0,
            ])
        #expect(einsum("ii->i", Tensor.zeros([0, 0])).shape == [0])
    }

    @Test func gradient() {
        let (x, y) = (a.requiringGrad(), patterned([3, 4], seed: 1).requiringGrad())
        (einsum("ij,jk->ki", x, y) * patterned([4, 2], seed: 2)).sum().backward()
        let dz = patterned([4, 2], seed: 2).t()
        expectClose(x.grad, dz.matmul(y.detach().t()).toArray())
        expectClose(y.grad, x.detach().t().matmul(dz).toArray())
    }

    @Test func mistakes() {
        expectMistake("einsum", "2 operands, but 1") { _ = einsum("ij,jk->ik", a) }
        expectMistake("does not fit an operand of 2 axes") { _ = einsum("ijk->i", a) }
        expectMistake("label 'j'", "3 and 2") { _ = einsum("ij,jk->ik", a, a) }
        expectMistake("output label 'z'") { _ = einsum("ij->z", a) }
        expectMistake("more than one arrow") { _ = einsum("ij->ij->ij", a) }
        expectMistake("name each letter once") { _ = einsum("ij->ii", a) }
        expectMistake("not made of letters") { _ = einsum("i1->i", a) }
    }
}
