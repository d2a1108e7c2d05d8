import ChainRule
import Testing

private let matrix = Tensor.randn([6, 6], generator: Generator(seed: 4))
private let other = Tensor.rand([6, 6], generator: Generator(seed: 5)) + 0.3

/// What operations of several steps do with 16-bit floats and with integers.
struct DTypesTests {
    /// The result is that of float32, rounded.
    @Test(arguments: [DType.float16, .bfloat16])
    func sixteenBitsAreRoundedOnce(dtype: DType) {
        let batch = { (x: Tensor) in x.reshape([2, 3, 6]) }
        let image = { (x: Tensor) in x.reshape([1, 2, 3, 6]) }
        let places = Tensor([0, 1, 1, 2, 3, 5, 5, 5])
        let (a, b) = (matrix.to(dtype), other.to(dtype))
        func check(_ name: String, _ function: (Tensor, Tensor) -> Tensor) {
            let wide = function(a.to(.float32), b.to(.float32))
            #expect(function(a, b).equal(wide.to(dtype)), "\(name)")
        }
        check("addmm") { $0.addmm($0, $1, beta: 0.3, alpha: 0.7) }
        check("addmv") { $0[0].addmv($0, $1[0], beta: 0.3, alpha: 0.7) }
        check("addr") { $0.addr($0[0], $1[0], beta: 0.3, alpha: 0.7) }
        check("addbmm") { $0[0..<3, 0..<3].addbmm(batch($0), batch($1).mT, beta: 0.3, alpha: 0.7) }
        check("baddbmm") { $0[0..<3, 0..<3].baddbmm(batch($0), batch($1).mT, beta: 0.3, alpha: 0.7) }
        check("addcdiv") { $0.addcdiv($0, $1, value: 0.3) }
        check("lerp by a number") { $0.lerp($1, 0.3) }
        check("lerp") { $0.lerp($1, $1) }
        check("adaptive average") { x, _ in image(x).adaptiveAvgPool2d([2, 4]) }
        check("group norm") { batch($0).groupNorm(groups: 1, weight: $1[0, 0..<3], bias: $1[1, 0..<3]) }
        check("instance norm") { batch($0).instanceNorm(weight: $1[0, 0..<3], bias: $1[1, 0..<3]) }
        check("bag") { x, _ in embeddingBag(places, weight: x, offsets: Tensor([0, 3])) }
        check("renorm") { x, _ in x.renorm(p: 2, dim: 0, maxNorm: 1) }
        check("sinc") { x, _ in x.sinc() }
        check("gradient") { $0.gradient(coordinates: [$1[0], $1[1]], edgeOrder: 2)[0] }
        check("dist") { $0.dist($1, p: 3) }
        check("cdist") { $0.cdist($1, p: 3) }
        check("matrix power") { LinearAlgebra.matrixPower($0, 5) + $1 * 0 }
        check("triplet") { $0.tripletMarginLoss(positive: $1, negative: $0.flip([1])) }
        check("poisson") { $0.poissonNLLLoss($1, full: true) }
    }

    @Test func sumsOfMixedDTypesUseTheWidest() {
        let x = Tensor([1.0, 2.0]).addcdiv(Tensor([1, 2]).to(.bfloat16), Tensor([3, 7]).to(.float32))
        #expect(x.dtype == .float64)
        expectExactElements(x, [1 + 1.0 / 3, 2 + 2.0 / 7])
    }

    /// Expected values are PyTorch's.
    @Test func integersAreMultipliedAndPooled() {
        let line = Tensor.arange(-6, 6).reshape([1, 1, 12])
        let y = line.to(.int32).conv1d(
            weight: Tensor([[[1, -2, 3]]]).to(.int32), bias: Tensor([7]).to(.int32), stride: 3)
        #expect(y.equal(Tensor([[[-1, 5, 11, 17]]]).to(.int32)))
        #expect(
            Tensor([[[1, 2, 3]]]).convTranspose1d(weight: Tensor([[[1, -1]]]), stride: 2)
                .equal(Tensor([[[1, -1, 2, -2, 3, -3]]])))
        #expect(line.maxPool1d(kernelSize: 4, stride: 2).equal(Tensor([[[-3, -1, 1, 3, 5]]])))
        #expect(line.avgPool1d(kernelSize: 5, stride: 3).equal(Tensor([[[-4, -1, 2]]])))
        let m = Tensor([[1, 2], [3, 4]])
        #expect(m.linear(weight: m, bias: Tensor([10, 20])).equal(Tensor([[15, 31], [21, 45]])))
        #expect(LinearAlgebra.matrixPower(m, 5).equal(Tensor([[1069, 1558], [2337, 3406]])))
        #expect(m.l1Loss(m.mT, reduction: .sum).equal(Tensor(2)))
        // The factors are cut to 1 and 2.
        #expect(m.addmm(m, m, beta: 2.9, alpha: 1.9).equal(Tensor([[9, 14], [21, 30]])))
    }

    @Test func booleansAddUpToBooleans() {
        let (v, m) = (Tensor([true, false]), Tensor([[false, true], [false, false]]))
        #expect(m.addr(v, v, beta: 0, alpha: 2).equal(Tensor([[true, false], [false, false]])))
        #expect(m.addr(v, v, beta: 3, alpha: -1).equal(Tensor([[true, true], [false, false]])))
    }

    /// Expected values are PyTorch's.
    /// Whether the right side is a tensor or a number.
    @Test func inPlaceResultsMustFit() {
        var integers = Tensor([1, 2])
        integers *= 3
        integers += Tensor([1, 1])
        #expect(integers.toArray(of: Int.self) == [4, 7] && integers.dtype == .int64)
        expectMistake("float32, which int64 cannot hold") { integers /= 2 }
        expectMistake("float32, which int64 cannot hold") { integers += 0.5 }
        expectMistake("float64, which int64 cannot hold") { integers *= Tensor([0.5, 0.5]) }
        var halves = Tensor.ones([2], dtype: .float16)
        halves /= 2
        #expect(halves.toArray(of: Double.self) == [0.5, 0.5] && halves.dtype == .float16)
    }

    @Test func imagesOfBytesAreResampled() {
        let image = Tensor([[[[10, 20], [31, 45]]]]).to(.uint8)
        let smooth = Tensor([[[[10, 15, 20], [21, 27, 33], [31, 38, 45]]]]).to(.uint8)
        #expect(image.interpolate(size: [3, 3], mode: .linear).equal(smooth))
        let coarse = image.repeatInterleave(2, dim: 2).repeatInterleave(2, dim: 3)
        #expect(image.interpolate(scaleFactor: [2]).equal(coarse))
    }
}
