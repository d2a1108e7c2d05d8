import ChainRule
import Testing

// Expected numbers are PyTorch's.

struct DistancesTests {
    private let x = Tensor([[1.0, 4, 2, 4], [3, 0, 5, 3]])

    @Test func betweenRows() {
        let y = x.flip(1)
        expectClose(x.cdist(y), [5.0990195135927845, 3.1622776601683795, 3.1622776601683795, 7.0710678118654755])
        expectClose(
            x.cdist(y, p: 3), [4.121285299808556, 2.6207413942088964, 2.6207413942088964, 6.299605249474365])
        expectClose(x.cdist(y, p: .infinity), [3, 2, 2, 5])
        expectClose(x.cdist(y, p: 0), [4, 4, 4, 2])
        #expect(x.to(.float32).cdist(y.to(.float32)).dtype == .float32)
        #expect(Tensor.ones([2, 1, 3, 0]).cdist(Tensor.ones([5, 4, 0])).equal(Tensor.zeros([2, 5, 3, 4])))
        let pairs = stack([x[0], x[1], x[0] * 2]).pdist()
        expectClose(pairs, [5.477225575051661, 6.082762530298219, 9.539392014169456])
        #expect(x[..<1].pdist().shape == [0])
    }

    /// The difference of two near rows keeps its digits, and a distance of 0 has a gradient of 0.
    @Test func nearRows() {
        expectClose(Tensor([[1e8, 0]]).cdist(Tensor([[1e8, 1e-3]])), [1e-3], tolerance: 1e-12)
        for p in [1.0, 1.5, 2, 3, .infinity] {
            let a = Tensor([[1.0, 2]], requiresGrad: true)
            a.cdist(Tensor([[1.0, 2]]), p: p).sum().backward()
            expectClose(a.grad, [0, 0])
        }
    }

    /// Many long rows of floats go by products: rows that are equal, near, far away or infinite must not show it.
    @Test(arguments: [12, 300]) func manyRows(width: Int) {
        let generator = Generator(seed: 3)
        let a = Tensor.randn([2, 20, width], generator: generator) * 10 + 300
        let others = Tensor.randn([2, 9, width], generator: generator)
        let b = cat([a[.all, 3..<7], a[.all, 2..<9] * 1.0001, others], dim: 1)
        let want = a.to(.float64).cdist(b.to(.float64))
        let got = a.cdist(b)
        #expect(got.dtype == .float32)
        expectClose(got, want.toArray(), tolerance: 1e-6)
        #expect(got[0, 3, 0].item() == 0 && got[1, 6, 3].item() == 0)
        let far = cat([a, Tensor.full([2, 1, width], Double.infinity, dtype: .float32)], dim: 1)
        #expect(far.cdist(b)[.all, 20].equal(Tensor.full([2, 20], Double.infinity, dtype: .float32)))
        let broadcast = a[0].cdist(b)
        #expect(broadcast[0].equal(got[0]))
    }

    /// The 16-bit floats are rounded at the end only.
    @Test(arguments: [DType.float16, .bfloat16]) func gradientsOfHalves(_ dtype: DType) {
        let x = Tensor.randn([6, 4], generator: Generator(seed: 4)).to(dtype) + 10
        let far = x.flip(0) * 1.5
        for distances in [{ $0.pdist() }, { $0.cdist(far.to($0.dtype)) }] as [(Tensor) -> Tensor] {
            let gradients = [dtype, .float32].map { kind in
                let rows = x.to(kind).requiringGrad()
                return gradient(of: distances(rows).sum(), wrt: [rows])[0]
            }
            #expect(gradients[0].equal(gradients[1].to(dtype)))
        }
    }

    @Test func scaledDown() {
        expectClose(
            x.renorm(p: 2, dim: 0, maxNorm: 5),
            [
                0.8219949230132731, 3.2879796920530926, 1.6439898460265463, 3.2879796920530926, 2.2874785201053496, 0,
                3.8124642001755826, 2.2874785201053496,
            ])
        #expect(x.renorm(p: 1, dim: -1, maxNorm: 100).equal(x))
        expectClose(x.dist(x[1], p: 1), [10])
    }
}
