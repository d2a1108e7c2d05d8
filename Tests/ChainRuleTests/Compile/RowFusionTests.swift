import ChainRule
import Testing

/// Operations on rows, with their neighbours, a few rows at a time: the same kernels, hence the same bits.
struct RowFusionTests {
    private func compare(
        _ function: @escaping ([Tensor]) -> [Tensor], _ shapes: [Shape], dtype: DType = .float32, groups: Int? = nil,
        _ change: (Tensor) -> Tensor = { $0 }
    ) {
        let step = compile(function)
        for call in 0..<4 as Range<UInt64> {
            let inputs = shapes.enumerated().map { index, shape in
                change(Tensor.randn(shape, dtype: dtype, generator: Generator(seed: call * 10 + UInt64(index))))
            }
            for (number, (result, expected)) in zip(step(inputs), function(inputs)).enumerated() {
                let same = result.shape == expected.shape && result.allClose(expected, rtol: 0, atol: 0, equalNaN: true)
                #expect(same, "\(shapes) \(dtype), call \(call), result \(number): \(step.plan)")
            }
        }
        let text = step.plan.description
        if let groups { #expect(text.split(separator: "\n").count { $0.contains("fused (") } == groups, "\(text)") }
    }

    private static let shapes: [Shape] = [
        [1, 1], [3, 7], [64, 65], [5, 1], [1, 300], [2, 3, 40], [2000, 33], [300, 1024], [0, 4],
    ]

    /// layerNorm and softmax, forward and backward with the gradients of weight and bias.
    private func normalised(_ x: [Tensor]) -> [Tensor] {
        let leaves = x[0..<3].map { $0.requiringGrad() }
        let size = x[0].shape.last ?? 1
        let y = (leaves[0] * 2).layerNorm(normalizedShape: [size], weight: leaves[1], bias: leaves[2]).softmax(dim: -1)
        return [y.detach()] + gradient(of: (y * x[3]).sum(), wrt: leaves)
    }

    @Test(arguments: [DType.float32, .float64]) func normsAndSoftmax(_ dtype: DType) {
        for shape in Self.shapes {
            let parameters: Shape = [shape.last ?? 1]
            compare(normalised, [shape, parameters, parameters, shape], dtype: dtype)
        }
        compare(normalised, [[64, 65], [65], [65], [64, 65]], groups: 1)
    }

    /// In a process of its own, for the instruction set is everybody's.
    @Test func everyInstructionSet() async {
        await #expect(processExitsWith: .success) {
            for set in Machine.InstructionSet.allCases {
                do { try catchingErrors { Machine.instructionSet = set } } catch { continue }
                for dtype in [DType.float32, .float64] {
                    RowFusionTests().normsAndSoftmax(dtype)
                    RowFusionTests().reductionsOfRows(dtype)
                }
            }
        }
    }

    @Test(arguments: [DType.float32, .float64]) func reductionsOfRows(_ dtype: DType) {
        let functions: [([Tensor]) -> [Tensor]] = [
            { x in
                let e = (x[0] - x[0].amax(dim: -1, keepDim: true)).exp()
                return [e / e.sum(dim: -1, keepDim: true)]
            },
            { x in
                let centered = x[0] - x[0].mean(dim: -1, keepDim: true)
                let root = (centered.squared().mean(dim: -1, keepDim: true) + 1e-5).rsqrt()
                return [centered * root * x[1], root, centered]
            },
            { x in
                [(x[0] * 2).logSoftmax(dim: -1) + 1, (x[0] + x[1]).sum(dim: -1), x[0].amin(dim: -1, keepDim: true) * 3]
            },
            { x in
                let mean = x[0].mean(dim: -1, keepDim: true)
                return [Tensor.where(mean .> 0, x[0] - mean, x[1])]
            },
            { x in
                let leaf = x[0].requiringGrad()
                let loss = ((leaf * 2).logSoftmax(dim: -1) * x[1]).sum()
                return [loss.detach()] + gradient(of: loss, wrt: [leaf])
            },
        ]
        for function in functions {
            for shape in Self.shapes where shape.elementCount > 0 { compare(function, [shape, shape], dtype: dtype) }
        }
        compare(functions[0], [[50, 70]], groups: 1)
        compare(functions[1], [[50, 70], [70]], groups: 1)
    }

    @Test func otherAxesAndLongRowsStayApart() {
        compare({ [($0[0] * 2).softmax(dim: 0) + 1, ($0[0] + 1).sum(dim: 0)] }, [[30, 40]])
        compare({ [($0[0] * 2).softmax(dim: -1) + 1, ($0[0] + 1).sum(dim: -1)] }, [[3, 20000]])
        compare({ [($0[0] * 2).sum(dim: -1, keepDim: true) + 1] }, [[3, 3000]])
        compare({ [($0[0] * 2).sum() + 1] }, [[]])
    }

    @Test func whatIsNotANumber() {
        compare(normalised, [[6, 20], [20], [20], [6, 20]]) { $0 / ($0 .> 1.5).to(.float32).squared() }
        compare({ [($0[0] * 2).softmax(dim: -1).log() + $0[0].amax(dim: -1, keepDim: true)] }, [[6, 20]]) {
            $0.maskedFill($0 .> 0.5, -Double.infinity)
        }
    }

    @Test func layouts() {
        let function = { (x: [Tensor]) in [(x[0] * x[1]).softmax(dim: -1) - x[1]] }
        compare(function, [[60, 90], [60, 90]], groups: 1) { $0.transpose(0, 1) }
        compare(function, [[60, 90], [60, 90]], groups: 1) { $0.slice(dim: 1, by: 2) }
        compare(function, [[60, 90], [90]])
        compare(function, [[60, 90], [60, 1]])
    }

    /// Values that several operations share, in any order, with operations on rows between.
    @Test func anyGraph() {
        for seed in 0..<60 as Range<UInt64> {
            let shape: Shape = [[7, 19], [130, 40], [3, 4, 33]][Int(seed % 3)]
            compare({ randomGraph($0, seed) }, [shape, shape], dtype: seed % 4 == 3 ? .float64 : .float32)
        }
    }

    @Test func theSameBitsOnAnyNumberOfThreads() {
        let threads = Machine.threadCount
        defer { Machine.threadCount = threads }
        let step = compile { (x: [Tensor]) in self.normalised(x) }
        let inputs = [[700, 200], [200], [200], [700, 200]].enumerated().map {
            Tensor.randn($1, generator: Generator(seed: UInt64($0)))
        }
        let results = [1, 2, 3, 1, 2, 3].map { count in
            Machine.threadCount = count
            return step(inputs)
        }
        for result in results { #expect(zip(result, results[0]).allSatisfy { $0.equal($1) }) }
    }
}

/// Twenty operations on values drawn from all that were made before; some of the values are results.
private func randomGraph(_ inputs: [Tensor], _ seed: UInt64) -> [Tensor] {
    var state = SplitMix(seed)
    var values = inputs
    func pick() -> Tensor { values[Int(state.next() % UInt64(values.count))] }
    for _ in 0..<20 {
        let (a, b) = (pick(), pick())
        let result: Tensor =
            switch state.next() % 14 {
            case 0: a + b
            case 1: a * b.sigmoid()
            case 2: (a - b).tanh()
            case 3: a * 0.5 + 1
            case 4: Tensor.where(a .> b, a, b * 2)
            case 5: a.softmax(dim: -1)
            case 6: a.logSoftmax(dim: -1)
            case 7: a - a.mean(dim: -1, keepDim: true)
            case 8: a.tanh().layerNorm(normalizedShape: [a.shape.last ?? 1])
            case 9: a.amax(dim: -1, keepDim: true).sigmoid() * b.gelu()
            case 10: a.sum(dim: -1, keepDim: true).tanh() + b
            case 11: a.addcmul(b.tanh(), b.sigmoid(), value: 0.3)
            case 12: a.relu() - b.abs().sqrt()
            default: a.silu()
            }
        values.append(result.tanh())
    }
    return [values[values.count - 1], values[values.count - 5], pick(), pick().sum(dim: -1)]
}

private struct SplitMix {
    private var state: UInt64
    init(_ seed: UInt64) { state = seed }
    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = (state ^ (state >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }
}
