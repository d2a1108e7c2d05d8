import ChainRule
import Testing

// Expected numbers are PyTorch's.

struct AveragesTests {
    private let x = patterned([2, 4])

    @Test func means() {
        #expect(x.mean().item() == x.sum().item() / 8)
        expectClose(x.mean(dim: 1), (x.sum(dim: 1) / 4).toArray())
        #expect(x.mean(dim: [0, 1], keepDim: true).shape == [1, 1])
        #expect(Tensor.zeros([0]).mean().item().isNaN)
        #expect(Tensor.zeros([2, 0]).mean(dim: 0).shape == [0])
        // 70,000 ones sum to more than a float16 can hold.
        #expect(Tensor.ones([70_000], dtype: .float16).mean().item() == 1)
        expectMistake("mean", "int64") { _ = Tensor([1, 2]).mean() }
        expectMistake("dimension 2", "[2, 4]") { _ = x.mean(dim: 2) }
    }

    @Test func variances() {
        expectClose(x.variance(dim: 1), [0.5520833333, 0.94140625])
        expectClose(x.variance(correction: 0), [0.6306152344])
        expectClose(x.std(dim: 0), [0.8838834765, 0.8838834765, 1.149048519, 0.8838834765])
        #expect(x.std(dim: 1, keepDim: true).shape == [2, 1])
        #expect(Tensor([2.0]).variance().item().isNaN)
        #expect(Tensor.zeros([0]).variance().item().isNaN)
        expectMistake("variance", "bool") { _ = Tensor([true]).variance() }
    }

    /// A large mean costs no digits: one pass over squares would leave none here.
    @Test func varianceOfFarNumbers() {
        let far = Tensor([100_000_001.0, 100_000_002, 100_000_003])
        #expect(far.variance().item() == 1)
        #expect(abs(Tensor([10_001, 10_002, 10_003] as [Float]).variance().item() - 1) < 1e-3)
    }

    /// PyTorch takes the gradient of a standard deviation of 0 as 0.
    @Test func gradientOfEqualNumbers() {
        let equal = Tensor([2.0, 2, 2], requiresGrad: true)
        equal.std().backward()
        expectClose(equal.grad, [0, 0, 0])
    }

    @Test func truth() {
        let flags = Tensor([false, true, false, false], shape: [2, 2])
        #expect(flags.any(dim: 1).toArray(of: Bool.self) == [true, false])
        #expect(flags.all(dim: 0).toArray(of: Bool.self) == [false, false])
        #expect(Tensor([Double.nan, 0]).any().item(Bool.self))
        #expect(!Tensor([Double.nan, 0]).all().item(Bool.self))
        #expect(Tensor([-1, 0]).any().item(Bool.self))
        #expect(!Tensor.zeros([0]).any().item(Bool.self))
        #expect(Tensor.zeros([0]).all().item(Bool.self))
        #expect(Tensor([3, 0] as [UInt8]).any().dtype == .uint8)
        #expect(Tensor.zeros([2, 0]).all(dim: 1, keepDim: true).toArray(of: Bool.self) == [true, true])
        #expect(Tensor([0.5, 0, -3, .nan]).countNonzero().item(Int.self) == 3)
    }

    @Test func withoutNaN() {
        let holes = Tensor([1.0, .nan, 3, .nan, .nan, .nan], shape: [2, 3])
        #expect(holes.nansum().item() == 4)
        expectClose(holes.nanmean(dim: 1), [2, .nan])
        let leaf = holes.requiringGrad()
        leaf.nansum().backward()
        expectClose(leaf.grad, [1, 0, 1, 0, 0, 0])
    }
}
