import Testing

@testable import ChainRule

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

    /// Heads as a network has them: cut from rows, so that they lie inside the time steps.
    private func heads(_ generator: Generator, _ heads: Int, length: Int, width: Int) -> Tensor {
        Tensor.randn([2, length, heads * width], dtype: .float64, generator: generator)
            .unflatten(dim: 2, [heads, -1]).transpose(1, 2)
    }

    @Test(arguments: [(false, false), (true, false), (false, true)])
    func theCellIsItsComposition(isCausal: Bool, hasMask: Bool) {
        let generator = Generator(seed: 3)
        let inputs = [
            heads(generator, 3, length: 20, width: 5), heads(generator, 3, length: 140, width: 5),
            heads(generator, 3, length: 140, width: 4),
        ]
        let mask = hasMask ? Tensor.randn([20, 140], dtype: .float64, generator: generator) .> 0.5 : nil
        let weight = Tensor.randn([2, 3, 20, 4], dtype: .float64, generator: generator)
        let results = [true, false].map { isCell -> [Tensor] in
            let inputs = inputs.map { $0.requiringGrad() }
            let y =
                isCell
                ? inputs[0].attentionInBlocks(inputs[1], inputs[2], mask, scale: 0.3, isCausal: isCausal)
                : inputs[0].composedAttention(inputs[1], inputs[2], mask, scale: 0.3, isCausal: isCausal)
            let first = gradient(of: (y * weight).sum(), wrt: inputs, createGraph: true)
            let sum = first.map { $0.squared().sum() }.reduce(Tensor(0.0), +)
            return [y] + first + gradient(of: sum, wrt: inputs)
        }
        for (cell, composed) in zip(results[0], results[1]) {
            expectClose(cell, composed.toArray(of: Double.self), tolerance: 1e-11)
        }
    }

    /// One tensor cut into queries, keys and values, in any order and with what else may lie between them.
    @Test(arguments: [[0, 1, 2], [2, 0, 1], [0, 2, 3], [1, 1, 0]])
    func headsCutFromTheSameRows(places: [Int]) {
        let generator = Generator(seed: 6)
        let x = Tensor.randn([2, 9, 4 * 6], dtype: .float64, generator: generator).requiringGrad()
        let weight = Tensor.randn([2, 2, 9, 3], dtype: .float64, generator: generator)
        let gradients = [true, false].map { (isCell: Bool) -> Tensor in
            let cuts = x.split(6, dim: 2).map { $0.unflatten(dim: 2, [2, -1]).transpose(1, 2) }
            let (q, k, v) = (cuts[places[0]], cuts[places[1]], cuts[places[2]])
            let y =
                isCell
                ? q.attentionInBlocks(k, v, nil, scale: 0.3, isCausal: true)
                : q.composedAttention(k, v, nil, scale: 0.3, isCausal: true)
            return gradient(of: (y * weight).sum(), wrt: [x])[0]
        }
        expectClose(gradients[0], gradients[1].toArray(of: Double.self), tolerance: 1e-12)
    }

    @Test func gradientsOfHeadsThatMakeUpTheirRowsAreNotCopied() throws {
        let x = Tensor.randn([2, 9, 18], generator: Generator(seed: 7))
        let cuts = x.split(6, dim: 2).map { $0.unflatten(dim: 2, [2, -1]).transpose(1, 2) }
        let attention = Attention(scale: 0.3, isCausal: true, hasMask: false)
        let gradients = apply(
            AttentionGradient(scale: 0.3, isCausal: true, hasMask: false),
            to: [cuts[0]] + apply(attention, to: cuts) + cuts)
        let split = Split(axis: 2, sizes: [6, 6, 6], from: x.shape)
        let rows = gradients.map { $0.transpose(1, 2).flatten(startDim: 2) }
        let whole = try #require(split.gradients(rows, KeptList(inputs: [], outputs: []), needs: [true])[0])
        #expect(whole.isContiguous)
        #expect(gradients.allSatisfy { $0.body.storage === whole.body.storage })
        #expect(whole.equal(cat(rows, dim: 2)))
        #expect(cat(rows, dim: 2).body.storage !== whole.body.storage)
        let others = [rows[0], rows[2], rows[1]]
        let copied = try #require(split.gradients(others, KeptList(inputs: [], outputs: []), needs: [true])[0])
        #expect(copied.equal(cat(others, dim: 2)))
    }

    @Test func groupedHeadsAndMasksInBlocks() {
        let generator = Generator(seed: 4)
        let q = heads(generator, 4, length: 9, width: 3)
        let (k, v) = (heads(generator, 2, length: 10, width: 3), heads(generator, 2, length: 10, width: 3))
        for maskShape: Shape in [[9, 10], [2, 1, 9, 10], [2, 4, 9, 10], [1, 10]] {
            let mask = Tensor.randn(maskShape, dtype: .float64, generator: generator)
            let y = q.scaledDotProductAttention(key: k, value: v, mask: mask, groupedHeads: true)
            let (all, values) = (k.repeatInterleave(2, dim: -3), v.repeatInterleave(2, dim: -3))
            let wanted = q.composedAttention(all, values, mask, scale: 1 / 3.0.squareRoot(), isCausal: false)
            expectClose(y, wanted.toArray(of: Double.self), tolerance: 1e-12)
        }
        #expect(q.scaledDotProductAttention(key: q, value: q).transpose(1, 2).isContiguous)
    }

    @Test func whatIsNoNumberStaysInItsRows() {
        let x = Tensor.randn([16, 4], dtype: .float64, generator: Generator(seed: 5))
        var q = x
        q[3, 1] = Tensor(Double.nan)
        q[7, 0] = Tensor(Double.infinity)
        let y = q.scaledDotProductAttention(key: x, value: x, isCausal: true)
        let clean = x.scaledDotProductAttention(key: x, value: x, isCausal: true)
        for row in 0..<16 {
            let isBad = row == 3 || row == 7
            #expect(y[row].toArray(of: Double.self).allSatisfy(\.isNaN) == isBad)
            if !isBad { #expect(y[row].equal(clean[row])) }
        }
    }

    @Test func aMaskCanBeLearnt() {
        let x = Tensor.randn([8, 4], dtype: .float64, generator: Generator(seed: 6))
        let mask = Tensor.zeros([8, 8], dtype: .float64).requiringGrad()
        let y = x.scaledDotProductAttention(key: x, value: x, mask: mask)
        #expect(gradient(of: y.squared().sum(), wrt: [mask])[0].abs().sum().item() > 0)
    }
}
