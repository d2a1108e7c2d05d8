import ChainRule
import Testing

// Expected numbers are PyTorch's.

struct AttentionTests {
    private let q = Tensor([1, 0.5, -1, 2], shape: [2, 2])
    private let k = Tensor([0.5, -1, 1, 1, 2, 0], shape: [3, 2])
    private let v = Tensor([1.0, 2, 3, 4, 5, 7], shape: [3, 2])

    @Test func masks() {
        expectClose(
            q.scaledDotProductAttention(key: k, value: v),
            [3.7781640142142345, 5.292222158723838, 3.059299406384802, 4.158858030966026])
        expectClose(
            q.scaledDotProductAttention(key: k, value: v, isCausal: true),
            [1, 2, 2.8447229918631627, 3.8447229918631627])
        expectClose(
            q.scaledDotProductAttention(
                key: k, value: v, mask: Tensor([0, 1, 2, 0.5, -1, -.infinity], shape: [2, 3])),
            [4.497956183690372, 6.272415755095384, 2.452179739600797, 3.4521797396007967])
        expectClose(
            q.scaledDotProductAttention(key: k, value: v, scale: 0.25),
            [3.316163104215863, 4.717926433456403, 3.0587589388312306, 4.308790385336435])
    }

    @Test func aQueryThatMayLookNowhere() {
        let q = q.requiringGrad()
        let mask = Tensor([true, false, true, false, false, false], shape: [2, 3])
        let y = q.scaledDotProductAttention(key: k, value: v, mask: mask)
        expectClose(y, [4.217718730027828, 6.022148412534785, 0, 0])
        expectClose(gradient(of: y.sum(), wrt: [q])[0].slice(dim: 0, from: 1), [0, 0])
    }

    @Test func dropoutAndGroupedHeads() {
        expectClose(
            q.scaledDotProductAttention(key: k, value: v, dropout: 0.5, generator: Generator(seed: 42)),
            [7.556328028428469, 10.584444317447677, 1.1354040885898846, 1.6734564296924261])
        let queries = Tensor.arange(8, dtype: .float64).reshape(4, 1, 2) / 4
        let keys = Tensor.arange(8, dtype: .float64).reshape(2, 2, 2) / 8
        expectClose(
            queries.scaledDotProductAttention(key: keys, value: keys + 1, groupedHeads: true),
            [
                1.1277616863854145, 1.2527616863854143, 1.1387547565664913, 1.2637547565664913, 1.6495365920415042,
                1.774536592041504, 1.6599516169268578, 1.7849516169268578,
            ])
        #expect(throws: TensorError.self) {
            try catchingErrors { queries.scaledDotProductAttention(key: keys, value: keys) }
        }
    }

    @Test func halfPrecisionRoundsOnce() {
        let y = q.to(.bfloat16).scaledDotProductAttention(key: k.to(.bfloat16), value: v.to(.bfloat16))
        #expect(y.dtype == .bfloat16)
        #expect(y.equal(q.scaledDotProductAttention(key: k, value: v).to(.bfloat16)))
    }
}
