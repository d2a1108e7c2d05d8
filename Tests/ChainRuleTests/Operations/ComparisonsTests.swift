import ChainRule
import Testing

private let inf = Double.infinity
private let nan = Double.nan

struct ComparisonsTests {
    private func booleans(_ tensor: Tensor) -> [Bool] { tensor.dtype == .bool ? tensor.toArray(of: Bool.self) : [] }

    @Test func ofTensors() {
        let (a, b) = (Tensor([1, 2, nan]), Tensor([2.0, 2, 2]))
        #expect(booleans(a .== b) == [false, true, false])
        #expect(booleans(a .!= b) == [true, false, true])
        #expect(booleans(a .< b) == [true, false, false])
        #expect(booleans(a .<= b) == [true, true, false])
        #expect(booleans(a .> b) == [false, false, false])
        #expect(booleans(a .>= b) == [false, true, false])
        #expect(booleans(Tensor([1, 2]) .> Tensor([1.5] as [Float])) == [false, true])
        #expect(booleans(Tensor([1, 2]) .== Tensor([1, 3] as [UInt8])) == [true, false])
        #expect((Tensor.zeros([2, 1]) .== Tensor.zeros([3])).shape == [2, 3])
        expectMistake(in: "==") { Tensor.zeros([2]) .== Tensor.zeros([3]) }
    }

    @Test func withNumbers() {
        #expect(booleans(Tensor([1, 2]) .== 1.5) == [false, false])
        #expect(booleans(Tensor([1, 2]) .>= 2) == [false, true])
        #expect(booleans(Tensor([true, false]) .== 1) == [true, false])
        #expect(booleans(Tensor([0.1] as [Float]) .== 0.1) == [true])
        #expect(booleans(Tensor([0.5, 1]).to(.bfloat16) .< 1) == [true, false])
        #expect(booleans(Tensor.zeros([2, 3]).mT .!= 0) == [Bool](repeating: false, count: 6))
        #expect((Tensor([1.0], requiresGrad: true) .> 0).requiresGrad == false)
    }

    @Test func kindsOfNumbers() {
        let x = Tensor([-inf, 1, inf, nan])
        #expect(booleans(x.isnan()) == [false, false, false, true])
        #expect(booleans(x.isinf()) == [true, false, true, false])
        #expect(booleans(x.isfinite()) == [false, true, false, false])
        #expect(booleans(x.isposinf()) == [false, false, true, false])
        #expect(booleans(x.isneginf()) == [true, false, false, false])
        #expect(booleans(Tensor([1]).isfinite()) == [true])
        #expect(booleans(Tensor([true]).isnan()) == [false])
    }

    @Test func closeness() {
        let (a, b) = (Tensor([1, inf, nan, 1, inf]), Tensor([1.000001, inf, nan, 1.1, -inf]))
        #expect(booleans(a.isClose(b)) == [true, true, false, false, false])
        #expect(booleans(a.isClose(b, equalNaN: true)) == [true, true, true, false, false])
        #expect(booleans(Tensor([100000]).isClose(Tensor([100001]))) == [true])
        #expect(!a.allClose(b))
        #expect(Tensor([1.0, 2]).allClose(Tensor([1.0, 2.00001])))
        #expect(Tensor.zeros([0]).allClose(.zeros([0])))
        expectMistake(in: "isClose") { a.isClose(b, rtol: -1) }
    }

    @Test func equality() {
        #expect(Tensor([1.0, 2]).equal(Tensor([1.0, 2])))
        #expect(!Tensor([1.0, 2]).equal(Tensor([1.0, 3])))
        #expect(!Tensor([1.0, 2]).equal(Tensor([1.0, 2], shape: [1, 2])))
        #expect(!Tensor([nan]).equal(Tensor([nan])))
        #expect(Tensor([1, 2]).equal(Tensor([1.0, 2])))
    }
}
