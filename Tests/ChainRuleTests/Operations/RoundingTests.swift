import ChainRule
import Testing

private let inf = Double.infinity
private let nan = Double.nan

struct RoundingTests {
    @Test func specialValues() {
        let x = specialPoints
        expectExactElements(x.sign(), [-1, -1, 0, 0, 1, 1, 0])
        expectExactElements(x.floor(), [-inf, -2, -0.0, 0, 0, inf, nan])
        expectExactElements(x.ceil(), [-inf, -2, -0.0, 0, 1, inf, nan])
        expectExactElements(x.round(), [-inf, -2, -0.0, 0, 0, inf, nan])
        expectExactElements(x.trunc(), [-inf, -2, -0.0, 0, 0, inf, nan])
        expectExactElements(x.frac(), [nan, 0, 0, 0, 0.5, nan, nan])
        #expect(x.signbit().toArray(of: Bool.self)[..<6] == [true, true, true, false, false, false])
    }

    @Test func halvesGoToTheEvenNumber() {
        expectExactElements(Tensor([0.5, 1.5, 2.5, -0.5, -1.5]).round(), [0, 2, 2, -0.0, -2])
        expectExactElements(Tensor([1.2345, -9.8765]).round(decimals: 2), [1.23, -9.88])
        expectExactElements(Tensor([1251.0, -1749]).round(decimals: -2), [1300, -1700])
    }

    @Test func integers() {
        let x = Tensor([-3, 0, 2])
        for y in [x.floor(), x.ceil(), x.trunc(), x.round(), x.round(decimals: 1)] {
            #expect(y.dtype == .int64)
            #expect(y.equal(x))
        }
        #expect(x.abs().toArray(of: Int.self) == [3, 0, 2])
        #expect(x.sign().toArray(of: Int.self) == [-1, 0, 1])
        #expect(x.signbit().toArray(of: Bool.self) == [true, false, false])
        #expect(Tensor([true, false]).sign().dtype == .bool)
        expectMistake(in: "abs") { Tensor([true]).abs() }
        expectMistake(in: "floor") { Tensor([true]).floor() }
    }

    @Test func gradients() {
        #expect(ChainRuleTests.gradients([-2, 0, 3], of: { $0[0].abs() }) == [[-1, 0, 1]])
        #expect(ChainRuleTests.gradients([0.3, 2], of: { $0[0].floor() + $0[0].round() }) == [[0, 0]])
        #expect(ChainRuleTests.gradients([0.3, -1.5], of: { $0[0].frac() }) == [[1, 1]])
    }
}
