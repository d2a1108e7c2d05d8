import ChainRule
import Testing

// Expected numbers are PyTorch's.

struct PaddingTests {
    private let row = patterned([1, 1, 4])

    @Test func modes() {
        expectClose(row.pad([2, 1], mode: .reflect), [0.625, -1.125, 0, -1.125, 0.625, -0.5, 0.625])
        expectClose(row.pad([-1, 2], mode: .reflect), [-1.125, 0.625, -0.5, 0.625, -1.125])
        expectClose(row.pad([2, 1], mode: .replicate), [0, 0, 0, -1.125, 0.625, -0.5, -0.5])
        expectClose(row.pad([-1, 2], mode: .replicate), [-1.125, 0.625, -0.5, -0.5, -0.5])
        expectClose(row.pad([2, 1], mode: .circular), [0.625, -0.5, 0, -1.125, 0.625, -0.5, 0])
        expectClose(row.pad([-1, 2], mode: .circular), [-1.125, 0.625, -0.5, -1.125, 0.625])
        expectClose(patterned([2, 2]).pad([1, 0, -1, 1], value: 9), [9, 0.625, -0.5, 9, 9, 9])
        #expect(Tensor([1, 2]).pad([1, 1], value: 7).toArray(of: Int.self) == [7, 1, 2, 7])
        #expect(Tensor.zeros([0, 2]).pad([0, 0, 1, 1], value: 1).equal(Tensor.ones([2, 2])))
    }

    @Test func mistakes() {
        expectMistake("pad", "reflect", "at most 3") { _ = row.pad([4, 0], mode: .reflect) }
        expectMistake("pad", "[1, 1, 4]") { _ = row.pad([-3, -2]) }
        expectMistake("two sizes") { _ = row.pad([1]) }
    }
}
