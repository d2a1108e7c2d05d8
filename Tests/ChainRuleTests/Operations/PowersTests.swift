import ChainRule
import Testing

private let inf = Double.infinity
private let nan = Double.nan

struct PowersTests {
    private let bases = Tensor([0, 0, -2, -2, 2, -8, inf, nan, 1])

    @Test func specialValues() {
        let exponents = Tensor([0, -1, 3, 0.5, -2, 1.0 / 3, -1, 0, nan])
        expectExactElements(bases.pow(exponents), [1, inf, -8, nan, 0.25, nan, 0, 1, 1])
        expectExactElements(specialPoints.sqrt(), [nan, nan, -0.0, 0, 0.7071067811865476, inf, nan])
        expectExactElements(specialPoints.rsqrt(), [nan, nan, -inf, inf, 1.4142135623730951, 0, nan])
        expectExactElements(specialPoints.reciprocal(), [-0.0, -0.5, -inf, inf, 2, 0, nan])
    }

    @Test func numbersAsExponents() {
        expectExactElements(bases.pow(2), [0, 0, 4, 4, 4, 64, inf, nan, 1])
        expectExactElements(bases.squared(), [0, 0, 4, 4, 4, 64, inf, nan, 1])
        expectExactElements(bases.pow(3), [0, 0, -8, -8, 8, -512, inf, nan, 1])
        expectExactElements(bases.pow(0.5), [0, 0, nan, nan, 1.4142135623730951, nan, inf, nan, 1])
        expectExactElements(bases.pow(-1), [inf, inf, -0.5, -0.5, 0.5, -0.125, 0, nan, 1])
        expectExactElements(bases.pow(-0.5), [inf, inf, nan, nan, 0.7071067811865475, nan, 0, nan, 1])
        expectExactElements(bases.pow(0), [1, 1, 1, 1, 1, 1, 1, 1, 1])
        expectExactElements(Tensor.pow(2, bases), [1, 1, 0.25, 0.25, 4, 0.00390625, inf, nan, 2])
    }

    @Test func integersStayIntegers() {
        let y = Tensor([2, -3, 1, -1, 0]).pow(Tensor([3, 3, -1, -1, 0]))
        #expect(y.dtype == .int64)
        #expect(y.toArray(of: Int.self) == [8, -27, 1, -1, 1])
        #expect(Tensor([2, 3] as [UInt8]).pow(7).toArray(of: Int.self) == [128, 139])
        #expect(Tensor.pow(3, Tensor([0, 2, 4])).toArray(of: Int.self) == [1, 9, 81])
        #expect(Tensor([2]).pow(0.5).dtype == .float32)
        #expect(Tensor([true]).squared().dtype == .int64)
        expectMistake(in: "pow") { Tensor([2]).pow(-1) }
        expectMistake(in: "pow") { Tensor([true]).pow(Tensor([true])) }
    }

    @Test func gradientsAtZero() {
        let slopes = gradients([0, 0, 2], [0, 2, 0], of: { $0[0].pow($0[1]) })
        #expect(slopes == [[0, 0, 0], [0, 0, 0.6931471805599453]])
        #expect(gradients([0, 2], of: { $0[0].pow(0) }) == [[0, 0]])
        #expect(gradients([0, 2], of: { Tensor.pow(0.0, $0[0]) }) == [[0, 0]])
    }

    @Test func otherPowers() {
        #expect(Tensor([2]).floatPower(Tensor([3])).dtype == .float64)
        expectExactElements(Tensor([3.0, 1]).ldexp(Tensor([2, -1])), [12, 0.5])
    }
}
