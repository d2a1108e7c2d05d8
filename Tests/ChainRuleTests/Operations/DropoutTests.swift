import ChainRule
import Testing

struct DropoutTests {
    private let x = Tensor.ones([1000], dtype: .float64)

    @Test func dropsAndScales() {
        let y = x.dropout(p: 0.2, generator: Generator(seed: 1)).toArray(of: Double.self)
        #expect(Set(y) == [0, 1.25])
        let dropped = y.count { $0 == 0 }
        #expect((150...250).contains(dropped))
        #expect(x.dropout(p: 0.2, generator: Generator(seed: 1)).toArray(of: Double.self) == y)
        #expect(x.dropout(p: 1).sum().item() == 0)
    }

    @Test func isTheIdentityOtherwise() {
        #expect(x.dropout(p: 0.5, training: false).sum().item() == 1000)
        #expect(x.dropout(p: 0).sum().item() == 1000)
        #expect(Tensor.zeros([0]).dropout().shape == [0])
    }

    @Test func gradientIsTheMask() {
        let leaf = x.requiringGrad()
        let y = leaf.dropout(p: 0.5, generator: Generator(seed: 2))
        y.sum().backward()
        #expect(leaf.grad?.toArray(of: Double.self) == y.toArray(of: Double.self))
    }

    @Test func wholeChannels() {
        let y = Tensor.ones([4, 8, 5]).channelDropout(p: 0.5, generator: Generator(seed: 3))
        let sums = y.sum(dim: 2).toArray(of: Double.self)
        #expect(Set(sums) == [0, 10])
    }

    @Test func mistakes() {
        expectMistake("dropout", "1.5") { _ = x.dropout(p: 1.5) }
        expectMistake("dropout", "int64") { _ = Tensor([1]).dropout() }
    }
}
