import ChainRule
import Testing

struct LogicTests {
    private func integers(_ tensor: Tensor) -> [Int] { tensor.toArray(of: Int.self) }

    @Test func booleans() {
        let (a, b) = (Tensor([true, true, false, false]), Tensor([true, false, true, false]))
        #expect(integers(a.logicalAnd(b)) == [1, 0, 0, 0])
        #expect(integers(a.logicalOr(b)) == [1, 1, 1, 0])
        #expect(integers(a.logicalXor(b)) == [0, 1, 1, 0])
        #expect(integers(a.logicalNot()) == [0, 0, 1, 1])
        #expect(integers(a & b) == [1, 0, 0, 0] && (a & b).dtype == .bool)
        #expect(integers(a | b) == [1, 1, 1, 0])
        #expect(integers(a ^ b) == [0, 1, 1, 0])
        #expect(integers(~a) == [0, 0, 1, 1] && (~a).dtype == .bool)
    }

    @Test func numbersCountAsTrue() {
        let y = Tensor([1, 2]).logicalAnd(Tensor([0, Double.nan]))
        #expect(y.dtype == .bool)
        #expect(integers(y) == [0, 1])
        #expect(Tensor([true], shape: [1, 1]).logicalOr(Tensor([0.0, 1])).shape == [1, 2])
    }

    @Test func bits() {
        let (a, b) = (Tensor([5, -6]), Tensor([3, 3]))
        #expect(integers(a & b) == [1, 2])
        #expect(integers(a | b) == [7, -5])
        #expect(integers(a ^ b) == [6, -7])
        #expect(integers(~a) == [-6, 5])
        #expect(integers(~Tensor([5] as [UInt8])) == [250])
        #expect((Tensor([true]) & Tensor([3])).dtype == .int64)
    }

    @Test func shifts() {
        #expect(integers(Tensor([5, -6]) << Tensor([2, 1])) == [20, -12])
        #expect(integers(Tensor([5, -6]) >> Tensor([1, 1])) == [2, -3])
        #expect(integers(Tensor([100, 1] as [Int8]) << Tensor([1, 9] as [Int8])) == [-56, 0])
        #expect(integers(Tensor([1, 1]) << Tensor([64, -1])) == [0, 0])
        #expect(integers(Tensor([-5, -5, 5]) >> Tensor([-1, 70, 70])) == [-1, -1, 0])
    }

    @Test func mistakes() {
        expectMistake(in: "&") { Tensor([1.0]) & Tensor([1.0]) }
        expectMistake(in: "~") { ~Tensor([1.0]) }
        expectMistake(in: "<<") { Tensor([true]) << Tensor([true]) }
        expectMistake(in: "logicalAnd") { Tensor([true, false]).logicalAnd(Tensor([true, false, true])) }
    }
}
