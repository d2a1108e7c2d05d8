import ChainRule
import Testing

private let inf = Double.infinity
private let nan = Double.nan

struct PairsTests {
    @Test func extremes() {
        let (a, b) = (Tensor([1, nan, 2]), Tensor([2, 1, nan]))
        expectExactElements(a.maximum(b), [2, nan, nan])
        expectExactElements(a.minimum(b), [1, nan, nan])
        expectExactElements(a.fmax(b), [2, 1, 2])
        expectExactElements(a.fmin(b), [1, 1, 2])
        let mixed = Tensor([1, 2]).maximum(Tensor([1.5, 1.5] as [Float]))
        #expect(mixed.dtype == .float32)
        expectExactElements(mixed, [1.5, 2])
        #expect(Tensor([3, -1]).minimum(Tensor([2, 5])).toArray(of: Int.self) == [2, -1])
    }

    /// Arithmetic of every integer type wraps around within it.
    @Test func narrowIntegers() {
        func check(_ dtype: DType, least: Int, most: Int) {
            let x = Tensor([least, most, 3]).to(dtype)
            let one = Tensor(1).to(dtype)
            #expect((x + one).toArray(of: Int.self) == [least + 1, least, 4], "\(dtype)")
            #expect((x - one).toArray(of: Int.self) == [most, most - 1, 2], "\(dtype)")
            #expect((x * x).dtype == dtype)
            #expect((x .< one).toArray(of: Int.self) == [least < 1 ? 1 : 0, 0, 0], "\(dtype)")
            #expect(x.maximum(x.flip(0)).toArray(of: Int.self) == [3, most, 3], "\(dtype)")
            if least < 0 {
                #expect(x.floorDivide(-one).toArray(of: Int.self) == [least, -most, -3], "\(dtype)")
                #expect(x.remainder(-one).toArray(of: Int.self) == [0, 0, 0], "\(dtype)")
                #expect(x.abs().toArray(of: Int.self) == [least, most, 3], "\(dtype)")
            }
        }
        check(.uint8, least: 0, most: 255)
        check(.int8, least: -128, most: 127)
        check(.int16, least: -32_768, most: 32_767)
        check(.int32, least: -2_147_483_648, most: 2_147_483_647)
        let wide = Tensor.arange(100_000).reshape([100_000])
        #expect(wide.sum().item(Int.self) == 4_999_950_000)
        #expect(wide.amax().item(Int.self) == 99_999)
        #expect(Tensor.zeros([3, 0], dtype: .int64).sum(dim: 1).toArray(of: Int.self) == [0, 0, 0])
        #expect(Tensor([true, false]).logicalNot().toArray(of: Bool.self) == [false, true])
    }

    @Test func tiesShareTheGradient() {
        #expect(gradients([1, 2, 0], [1, 0, 3], of: { $0[0].maximum($0[1]) }) == [[0.5, 1, 0], [0.5, 0, 1]])
        #expect(gradients([1, 2, 0], [1, 0, 3], of: { $0[0].minimum($0[1]) }) == [[0.5, 0, 1], [0.5, 1, 0]])
        #expect(gradients([1], [1], of: { $0[0].fmax($0[1]) }) == [[0.5], [0.5]])
        #expect(gradients([nan, nan, 1], [nan, 1, nan], of: { $0[0].fmax($0[1]) }) == [[1, 0, 1], [0, 1, 0]])
    }

    /// Remainders of floats are exact, however long the quotient is.
    @Test func remaindersOfFloats() {
        let generator = Generator(seed: 5)
        let spread = (Tensor.rand([4000], generator: generator) * 50 - 25).exp2()
        let a = cat([
            spread * Tensor.randn([4000], generator: generator), Tensor([-4, -0.0, 6, 1e30, 0x1p-148, 1] as [Float]),
        ])
        let b = cat([
            Tensor.randn([4000], generator: generator), Tensor([2, 3, -3, 7e-20, 0x1p-149, .infinity] as [Float]),
        ])
        let (x, y) = (a.toArray(of: Float.self), b.toArray(of: Float.self))
        let want = zip(x, y).map { $0.truncatingRemainder(dividingBy: $1) }
        #expect(a.fmod(b).toArray(of: Float.self).map(\.bitPattern) == want.map(\.bitPattern))
        let positive = zip(want, y).map { $0 != 0 && ($0 < 0) != ($1 < 0) ? $0 + $1 : $0 }
        #expect(a.remainder(b).toArray(of: Float.self).map(\.bitPattern) == positive.map(\.bitPattern))
    }

    @Test func divisionsOfFloats() {
        let a = Tensor([7, -7, 7, -7, 1, -1, 0, inf, 5.5])
        let b = Tensor([3, 3, -3, -3, 0, 0, 0, 2, inf])
        expectExactElements(a.fmod(b), [1, -1, 1, -1, nan, nan, nan, nan, 5.5])
        expectExactElements(a.remainder(b), [1, 2, -2, -1, nan, nan, nan, nan, 5.5])
        expectExactElements(a.floorDivide(b), [2, -3, -3, 2, inf, -inf, nan, nan, 0])
        expectExactElements(a.truncDivide(b), [2, -2, -2, 2, inf, -inf, nan, inf, 0])
        // 1 / 0.1 rounds to 10, but 0.1 is a little more than a tenth.
        #expect(Tensor([1] as [Float]).floorDivide(Tensor([0.1] as [Float])).item() == 9)
    }

    @Test func divisionsOfIntegers() {
        let (a, b) = (Tensor([7, -7, 7, -7]), Tensor([3, 3, -3, -3]))
        #expect(a.fmod(b).toArray(of: Int.self) == [1, -1, 1, -1])
        #expect(a.remainder(b).toArray(of: Int.self) == [1, 2, -2, -1])
        #expect(a.floorDivide(b).toArray(of: Int.self) == [2, -3, -3, 2])
        #expect(a.truncDivide(b).toArray(of: Int.self) == [2, -2, -2, 2])
        #expect(a.remainder(4).toArray(of: Int.self) == [3, 1, 3, 1])
        #expect((a.floorDivide(2.0)).dtype == .float32)
        for divide in [Tensor.fmod, Tensor.remainder, Tensor.floorDivide, Tensor.truncDivide]
            as [(Tensor) -> (Tensor) -> Tensor]
        {
            #expect(throws: TensorError.self) { try catchingErrors { divide(a)(Tensor([0])) } }
        }
    }

    @Test func signsAndSteps() {
        expectExactElements(Tensor([1, -2, 0]).copysign(Tensor([-0.0, 3, -1])), [-1, 2, -0.0])
        #expect(gradients([1, -2, 0], [1, -1, 1], of: { $0[0].copysign($0[1]) }) == [[1, 1, 0], [0, 0, 0]])
        expectExactElements(Tensor([-1, 0, 2, nan]).heaviside(Tensor([0.5])), [0, 0.5, 1, 0])
        expectMistake(in: "heaviside") { Tensor([1.0], requiresGrad: true).heaviside(Tensor([0.5])) }
    }

    @Test func logarithmicProduct() {
        expectExactElements(Tensor([0, 0, 2, 1]).xlogy(Tensor([0, nan, 3, 0])), [0, nan, 2.1972245773362196, -inf])
        #expect(gradients([0, 0], [0, 1], of: { $0[0].xlogy($0[1]) })[0] == [0, 0])
    }

    @Test func divisors() {
        #expect(Tensor([12, -18, 0, 0]).gcd(Tensor([18, 12, 5, 0])).toArray(of: Int.self) == [6, 6, 5, 0])
        #expect(Tensor([12, -4, 0]).lcm(Tensor([18, 6, 5])).toArray(of: Int.self) == [36, 12, 0])
        expectMistake(in: "gcd") { Tensor([1.0]).gcd(Tensor([2.0])) }
    }

    @Test func shapesThatDoNotFit() {
        expectMistake(in: "maximum") { Tensor.zeros([2, 3]).maximum(.zeros([2])) }
        expectMistake(in: "fmod") { Tensor.zeros([2, 3]).fmod(.zeros([2])) }
        expectMistake(in: "fmod") { Tensor([1, 2]).fmod(Tensor([1, 2, 3])) }
    }
}
