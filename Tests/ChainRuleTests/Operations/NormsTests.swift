import ChainRule
import Testing

// Expected numbers are PyTorch's.

struct NormsTests {
    private let x = patterned([2, 4])

    @Test func norms() {
        expectClose(x.norm(dim: 1), [1.380670127, 1.77218086])
        expectClose(x.norm(3), [1.729131384])
        expectClose(x.norm(0.5, dim: 0), [1.25, 2, 3.20613883, 2.474744871])
        expectClose(x.norm(.infinity, dim: 1), [1.125, 1.25])
        expectClose(x.norm(-.infinity, dim: 1), x.abs().amin(dim: 1).toArray())
        expectClose(x.norm(1), [x.abs().sum().item()])
        expectClose(x.norm(0), [7])
        #expect(x.norm(2, dim: [0, 1], keepDim: true).shape == [1, 1])
        #expect(Tensor.zeros([0]).norm().item() == 0)
        #expect(x.to(.float16).norm().dtype == .float16)
        expectMistake("norm", "int64") { _ = Tensor([1]).norm() }
        expectMistake("norm", "size 0") { _ = Tensor.zeros([0]).norm(.infinity) }
    }

    @Test(arguments: [0.5, 1, 1.5, 2, 3, .infinity]) func gradientAtZero(_ p: Double) {
        let zeros = Tensor([0.0, 0], requiresGrad: true)
        zeros.norm(p).backward()
        expectClose(zeros.grad, [0, 0])
    }

    @Test func logsumexp() {
        expectClose(x.logsumexp(dim: 1), [1.334850815, 1.961273085])
        expectClose(x.logsumexp(dim: [0, 1]), [x.exp().sum().log().item()])
        #expect(Tensor([1000.0, 1000]).logsumexp(dim: 0).item() > 1000.69)
        #expect(Tensor([-Double.infinity, -.infinity]).logsumexp(dim: 0).item() == -.infinity)
        #expect(Tensor([Double.infinity, 0]).logsumexp(dim: 0).item() == .infinity)
        #expect(Tensor([1, 2]).logsumexp(dim: 0).dtype == .float32)
        let leaf = x.requiringGrad()
        leaf.logsumexp(dim: 1).sum().backward()
        expectClose(leaf.grad, x.softmax(dim: 1).toArray())
    }
}
