import ChainRule
import Testing

/// Elementwise operations in one pass: the same kernels, hence the same bits.
struct FusionTests {
    private func compare(
        _ function: @escaping ([Tensor]) -> [Tensor], _ shapes: [Shape], dtype: DType = .float32, groups: Int? = nil,
        layout: (Tensor) -> Tensor = { $0 }
    ) {
        let step = compile(function)
        for call in 0..<4 as Range<UInt64> {
            let inputs = shapes.enumerated().map { index, shape in
                layout(Tensor.randn(shape, dtype: dtype, generator: Generator(seed: call * 10 + UInt64(index))))
            }
            let (expected, results) = (function(inputs), step(inputs))
            for (result, expected) in zip(results, expected) {
                #expect(result.equal(expected), "\(shapes) \(dtype), call \(call): \(step.plan)")
            }
        }
        let text = step.plan.description
        if let groups { #expect(text.split(separator: "\n").count { $0.contains("fused (") } == groups, "\(text)") }
    }

    @Test(arguments: [DType.float32, .float64]) func chains(_ dtype: DType) {
        let chain = { (x: [Tensor]) in [(x[0].gelu() * x[1] + x[0] / 2).tanh()] }
        for shape in [[], [1], [5], [3, 7], [64, 65], [3, 5000], [70001], [0, 4]] as [Shape] {
            compare(chain, [shape, shape], dtype: dtype, groups: 1)
            compare(chain, [shape, []], dtype: dtype)
        }
    }

    @Test func broadcasting() {
        let chain = { (x: [Tensor]) in [((x[0] + x[1]) * x[1]).relu() - x[2].exp()] }
        for (row, column) in [([7], [5, 1]), ([5, 7], [1]), ([1, 7], [5, 7]), ([5, 1], [7])] as [(Shape, Shape)] {
            compare(chain, [[5, 7], row, column])
            compare(chain, [[2000, 5, 7], row, column])
        }
    }

    @Test func layouts() {
        let chain = { (x: [Tensor]) in [(x[0].sin() + x[1]) * x[0], x[1].squared() - x[0]] }
        compare(chain, [[60, 90], [60, 90]], groups: 1) { $0.transpose(0, 1) }
        compare(chain, [[60, 90], [60, 90]], groups: 1) { $0.slice(dim: 1, by: 2) }
        compare(chain, [[60, 90], [60, 90]], groups: 1) { $0[0].expand([4, 90]) }
    }

    @Test func selecting() {
        compare({ [Tensor.where($0[0] .> $0[1], $0[0] * 2, $0[1] + 1)] }, [[50, 70], [50, 70]], groups: 1)
        compare({ [$0[0].addcmul($0[1], $0[1].exp(), value: 0.5)] }, [[50, 70], [50, 70]], groups: 1)
    }

    @Test(arguments: [DType.float32, .float64]) func comparingAndFilling(_ dtype: DType) {
        let function = { (x: [Tensor]) in
            let y = (x[0] * 2).maskedFill(x[0] .> 0.1, -Double.infinity).exp()
            return [y.maskedFill(y .== 0, 0.3) + x[1], y .<= 1]
        }
        for shape in [[], [3, 7], [64, 65], [70001]] as [Shape] {
            compare(function, [shape, shape], dtype: dtype, groups: 1)
            compare(function, [shape, shape], dtype: dtype) { $0 / ($0 .> 1).to(dtype) }
        }
        // A mask that is broadcast, and one number that is filled.
        compare({ [($0[0] + 1).maskedFill($0[1] .> 0, 2) * $0[0]] }, [[50, 70], [70]], dtype: dtype)
        compare({ [($0[0] + 1).maskedFill($0[1] .> 0, 2) * $0[1]] }, [[], [50, 70]], dtype: dtype)
    }

    /// Halves are converted by themselves: no kernel of a pass has elements of two bytes.
    @Test(arguments: [DType.float16, .bfloat16, .bool, .uint8, .int64, .float32, .float64])
    func conversionsToAndBack(_ dtype: DType) {
        let function = { (x: [Tensor]) in
            let y = (x[0] * 3 + 1).to(dtype)
            return [y, y.to(.float32) * x[0], (y + 1).to(.float64) + 2]
        }
        compare(function, [[3, 7]])
        compare(function, [[64, 65]])
    }

    @Test(arguments: [DType.float32, .float64]) func boundsPowersAndConversions(_ dtype: DType) {
        let bounds = { (x: [Tensor]) in
            let a = x[0].requiringGrad()
            let y = ((a * 2).clamp(min: -0.5, max: 1.5) + a.clamp(min: 0.1)) * a.clamp(max: 0.2)
            return [y.detach()] + gradient(of: y.sum(), wrt: [a])
        }
        let powers = { (x: [Tensor]) in
            let y = x[0].abs() + 0.5
            return [y.pow(2.5) + y.pow(-2) * y.pow(3) - y.pow(x[1]) + Tensor.pow(2, y) + y.pow(1)]
        }
        let other: DType = dtype == .float32 ? .float64 : .float32
        let conversions = { (x: [Tensor]) in
            let counts = (x[0] .> 0.3).to(dtype) + (x[0] * 10).to(.int16).to(dtype)
            return [(counts * x[1]).to(other).exp(), (counts - 1).to(.int64)]
        }
        for shape in [[], [3, 7], [64, 65], [70001]] as [Shape] {
            compare(bounds, [shape], dtype: dtype)
            compare(powers, [shape, shape], dtype: dtype, groups: 1)
            compare(conversions, [shape, shape], dtype: dtype, groups: 1)
        }
        compare(bounds, [[60, 90]], dtype: dtype, groups: 1) { $0.transpose(0, 1) }
        compare(conversions, [[60, 90], [60, 90]], dtype: dtype) { $0.slice(dim: 1, by: 2) }
        compare(conversions, [[60, 1], [90]], dtype: dtype)
    }

    /// Of operations that round alike under every instruction set, which other tests change meanwhile.
    @Test func graphsAtRandom() {
        for seed in 0..<10 as Range<UInt64> {
            let random = Tensor.randint(0, 60, [180], generator: Generator(seed: seed)).toArray(of: Int.self)
            let function = { (x: [Tensor]) in
                var values = x
                for index in stride(from: 0, to: random.count, by: 3) {
                    let a = values[max(0, values.count - 1 - random[index] % 9)]
                    let b = values[random[index + 1] % values.count]
                    switch random[index + 2] % 5 {
                    case 0: values.append(a.relu())
                    case 1: values.append(a + b)
                    case 2: values.append(a.maximum(b))
                    case 3: values.append((a - 0.5).abs() + b.amax() * 0.01)
                    default: values.append(a.abs() + b.amax(dim: 1, keepDim: true))
                    }
                }
                return Array(values.suffix(4))
            }
            compare(function, [[6, 5], [6, 5]])
        }
    }

    @Test func whatLiesFarApart() {
        // The first and the last read the same, and what lies between them waits for neither.
        let function = { (x: [Tensor]) in
            let first = x[0] * 2
            var y = x[1]
            for _ in 0..<1500 { y = y.matmul(x[2]).softmax(dim: 0) }
            return [first, y, x[0] + 1, first * y]
        }
        compare(function, [[4, 4], [4, 4], [4, 4]])
    }

    @Test func oneOperationTakesTheMemoryOfItsInput() {
        let function = { (x: [Tensor]) in [x[0].cumsum(dim: 0).exp().cumsum(dim: 0)] }
        compare(function, [[128, 128]], groups: 0)
        let step = compile(function)
        for _ in 0..<4 { _ = step([.zeros([128, 128])]) }
        #expect(step.plan.description.contains("one block of 65.5 kB"), "\(step.plan)")
    }

    @Test(arguments: [DType.float32, .float64]) func functionsShareTheirSlope(_ dtype: DType) {
        let functions: [(Tensor) -> Tensor] = [
            { $0.gelu() }, { $0.gelu(approximate: .tanh) }, { $0.silu() }, { $0.gelu() * $0.silu() },
        ]
        for function in functions {
            // In one pass, and with something between the function and its gradient.
            for between in [{ $0 }, { $0 * $0.sum() }] as [(Tensor) -> Tensor] {
                let gradients = { (x: [Tensor]) in
                    let leaf = x[0].requiringGrad()
                    let y = between(function(leaf) * x[1])
                    return [y.detach()] + gradient(of: (y * x[1]).sum(), wrt: [leaf])
                }
                for shape in [[5], [3, 7], [70001]] as [Shape] { compare(gradients, [shape, shape], dtype: dtype) }
                let step = compile(gradients)
                for _ in 0..<3 { _ = step([.ones([40]), .ones([40])]) }
                #expect(step.plan.description.contains("with slope"), "\(step.plan)")
            }
        }
    }

    /// An activation belongs to the product before it, also with others of its group that read the product.
    @Test(arguments: [DType.float32, .float64]) func activationsFoldIntoProducts(_ dtype: DType) {
        let functions: [(Tensor) -> Tensor] = [
            { $0.relu() }, { $0.tanh() }, { $0.sigmoid() }, { $0.silu() }, { $0.gelu() },
            { $0.gelu(approximate: .tanh) },
        ]
        for function in functions {
            for isShared in [false, true] {
                let gradients = { (x: [Tensor]) in
                    let leaves = x.map { $0.requiringGrad() }
                    let z = leaves[0].linear(weight: leaves[1], bias: leaves[2])
                    let y = isShared ? function(z) + z : function(z)
                    return [y.detach()] + gradient(of: (y * y.detach()).sum(), wrt: leaves)
                }
                for (rows, columns) in [(3, 5), (150, 140)] {
                    compare(gradients, [[rows, 70], [columns, 70], [columns]], dtype: dtype)
                }
                let step = compile(gradients)
                for _ in 0..<3 {
                    _ = step([.ones([4, 5], dtype: dtype), .ones([6, 5], dtype: dtype), .ones([6], dtype: dtype)])
                }
                #expect(step.plan.description.contains("linear finished by ("), "\(step.plan)")
            }
        }
    }

    @Test func manyOperationsTakeSeveralGroups() {
        let long = { (x: [Tensor]) in
            var (y, sums) = (x[0], x[1])
            for number in 0..<60 {
                y = (y + Double(number)).sin()
                sums = sums + y * Double(number % 7)
            }
            return [y, sums]
        }
        compare(long, [[300], [300]])
        let wide = { (x: [Tensor]) in
            let parts = (1...20).map { (x[0] * Double($0)).cos() }
            return [parts.reversed().reduce(x[1]) { $0 * 0.5 + $1 }]
        }
        compare(wide, [[300], [300]])
    }

    @Test func somethingBetweenKeepsGroupsApart() {
        // The sum needs the first group, and the second needs the sum.
        let normalised = { (x: [Tensor]) in
            let y = (x[0] * 2).exp()
            return [y / (y.sum() + 1)]
        }
        compare(normalised, [[300]])
        let crossed = { (x: [Tensor]) in
            let (a, b) = (x[0].exp(), x[1].sin())
            let (c, d) = (b.sum() * a, a.sum() * b)
            return [c + d, c.cos(), d * 2]
        }
        compare(crossed, [[300], [300]])
    }

    @Test func memoryIsTakenOnlyWhereNobodyNeedsIt() {
        let function = { (x: [Tensor]) in
            let y = x[0].matmul(x[0])
            let z = (y + 1).exp()
            return [z * y, y.transpose(0, 1) + z, x[0] + 1]
        }
        compare(function, [[40, 40]])
        let w = Tensor.ones([40, 40], dtype: .float32)
        let step = compile { (x: Tensor) in ((w + x) * w, w).0 }
        for _ in 0..<4 { #expect(step(w).equal((w + w) * w)) }
        #expect(w.equal(.ones([40, 40])))
    }

    @Test func theSameBitsOnAnyNumberOfThreads() {
        let threads = Machine.threadCount
        defer { Machine.threadCount = threads }
        let step = compile { (x: Tensor) in ((x * 2).tanh() + x).exp() }
        let x = Tensor.randn([100_003], generator: Generator(seed: 1))
        let results = [1, 2, 3, 1, 2, 3].map { count in
            Machine.threadCount = count
            return step(x)
        }
        for result in results { #expect(result.equal(results[0])) }
    }
}
