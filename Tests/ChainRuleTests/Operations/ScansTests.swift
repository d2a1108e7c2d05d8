import ChainRule
import Testing

struct ScansTests {
    @Test func sumsAndProducts() {
        let x = Tensor([[1, 2, 3], [4, 5, 6]])
        #expect(x.cumsum(dim: 0).toArray(of: Int.self) == [1, 2, 3, 5, 7, 9])
        #expect(x.cumsum(dim: -1).toArray(of: Int.self) == [1, 3, 6, 4, 9, 15])
        #expect(x.t().cumprod(dim: 0).toArray(of: Int.self) == [1, 4, 2, 20, 6, 120])
        let booleans: Tensor = [true, true, false]
        #expect(booleans.cumsum(dim: 0).toArray(of: Int.self) == [1, 2, 2])
        #expect(booleans.cumsum(dim: 0).dtype == .int64)
        #expect(Tensor(3.0).cumsum(dim: 0).item() == 3)
        #expect(Tensor.zeros([2, 0]).cumprod(dim: 1).shape == [2, 0])
    }

    @Test func longSumsStayExact() {
        // A float cannot count to 2^25 by ones; a double, which carries the sum, can.
        let total = Tensor.ones([1 << 25]).cumsum(dim: 0)[-1]
        #expect(total.item() == Double(1 << 25))
    }

    @Test func productsWithZerosHaveGradients() {
        let x = Tensor([2.0, 0, 3, 0, 4], requiresGrad: true)
        (x.cumprod(dim: 0) * Tensor([1.0, 2, 3, 4, 5])).sum().backward()
        #expect(x.grad?.toArray() == [1.0, 22, 0, 0, 0])
    }

    @Test func logarithmsOfSumsDoNotOverflow() {
        let x = Tensor([-Double.infinity, 800, 801], requiresGrad: true)
        let y = x.logcumsumexp(dim: 0)
        #expect(y.toArray() == [-Double.infinity, 800, 801.3132616875182])
        y[1...].sum().backward()
        let gradient: [Double] = x.grad?.toArray() ?? []
        #expect(gradient[0] == 0)
        #expect((gradient[1] - 1.2689414213699868).magnitude < 1e-12)
        #expect((gradient[2] - 0.7310585786300168).magnitude < 1e-12)
    }

    @Test func runningExtrema() {
        let z = Tensor([[2, 2, 1], [0, 5, 5]])
        #expect(z.cummax(dim: 1).indices.toArray(of: Int.self) == [0, 1, 1, 0, 1, 2])
        #expect(z.cummin(dim: 1).indices.toArray(of: Int.self) == [0, 1, 2, 0, 0, 0])
        #expect(z.cummax(dim: 0).values.toArray(of: Int.self) == [2, 2, 1, 2, 5, 5])
        let n = Tensor([1, .nan, 2] as [Float])
        #expect(n.cummax(dim: 0).indices.toArray(of: Int.self) == [0, 1, 1])
        #expect(n.cummin(dim: 0).indices.toArray(of: Int.self) == [0, 1, 1])
    }

    @Test func differences() {
        #expect(Tensor([1, 4, 9, 16]).diff(n: 2).toArray(of: Int.self) == [2, 2])
        #expect(Tensor([1, 4]).diff(prepend: [0], append: [9]).toArray(of: Int.self) == [1, 3, 5])
    }

    @Test func joiningWhatMeets() {
        let x = Tensor([1, 2, 3, 4] as [Float])
        let index = Tensor([0, 0, 1, 2])
        let v = Tensor([5, -1, 2, 0] as [Float])
        func reduced(_ reduction: ScatterReduction, _ includeSelf: Bool = true) -> [Float] {
            x.scatterReduce(dim: 0, index, v, reduce: reduction, includeSelf: includeSelf).toArray()
        }
        #expect(reduced(.sum) == [5, 4, 3, 4])
        #expect(reduced(.sum, false) == [4, 2, 0, 4])
        #expect(reduced(.prod) == [-5, 4, 0, 4])
        #expect(reduced(.prod, false) == [-5, 2, 0, 4])
        #expect(reduced(.mean) == [5 / 3, 2, 1.5, 4])
        #expect(reduced(.mean, false) == [2, 2, 0, 4])
        #expect(reduced(.amax) == [5, 2, 3, 4])
        #expect(reduced(.amax, false) == [5, 2, 0, 4])
        #expect(reduced(.amin) == [-1, 2, 0, 4])
        #expect(reduced(.amin, false) == [-1, 2, 0, 4])
    }
}
