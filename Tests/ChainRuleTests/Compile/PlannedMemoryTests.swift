import ChainRule
import Synchronization
import Testing

/// Tensors that lie in the block of a plan: nobody may see one change.
struct PlannedMemoryTests {
    fileprivate static func numbers(_ seed: Int, _ shape: Shape = [40, 40]) -> Tensor {
        .randn(shape, generator: Generator(seed: UInt64(seed)))
    }

    /// Many temporaries of several sizes, and results of all kinds: whole, part of something, an argument.
    fileprivate static func manyResults(_ x: Tensor) -> [Tensor] {
        let a = x.matmul(x).tanh()
        let b = (a + x).exp().sum(dim: 0)
        let c = a.matmul(x).softmax(dim: 1)
        let d = cat([a, c], dim: 0)
        return [c * b, d[3...50], a.transpose(0, 1), b, x, d.sum()]
    }

    @Test func resultsStayWhatTheyAre() {
        let step = compile(Self.manyResults)
        let results = (0..<8).map { step(Self.numbers($0)) }
        for (seed, results) in results.enumerated() {
            #expect(agree(results, Self.manyResults(Self.numbers(seed))), "call \(seed)")
        }
        #expect(step.fallbackReason == nil)
    }

    @Test func numbersStayWhatTheyAre() {
        let function = { (x: Tensor) in [x * 2 + 1, (x * 2 + 1).exp() - x] }
        let step = compile(function)
        let kept = (0..<12).map { step(Tensor(Double($0))) }
        for (number, results) in kept.enumerated() { #expect(agree(results, function(Tensor(Double(number))))) }
        for number in 0..<4 { #expect(agree(step(Tensor(Double(number))), kept[number])) }
    }

    @Test func gradientsAndParametersStayWhatTheyAre() throws {
        func make() -> (Tensor, (Tensor) -> Tensor) {
            let w = Self.numbers(100).requiringGrad()
            return (
                w,
                { x in
                    w.zeroGrad()
                    let loss = x.matmul(w).tanh().matmul(w).squared().mean()
                    loss.backward()
                    if let gradient = w.grad { w.data -= gradient * 0.1 }
                    return loss
                }
            )
        }
        let (eager, compiled) = (make(), make())
        let step = compile(compiled.1)
        var (kept, expected): ([Tensor], [Tensor]) = ([], [])
        for seed in 0..<8 {
            expected += [eager.1(Self.numbers(seed)).detach(), try #require(eager.0.grad), eager.0.detach()]
            kept += [step(Self.numbers(seed)), try #require(compiled.0.grad), compiled.0.detach()]
        }
        #expect(agree(kept, expected))
        #expect(step.fallbackReason == nil)
    }

    @Test func whatAnOperationPutsAwayStaysWhatItIs() {
        let step = compile { (x: Tensor) in
            apply(KeepsItsInput(), to: x.matmul(x)).matmul(x).exp().sum(dim: 1) + x.matmul(x.exp()).sum(dim: 0)
        }
        defer { KeepsItsInput.kept.withLock { $0 = [] } }
        // Neither while it is recorded nor when places are found.
        for seed in 0..<12 {
            KeepsItsInput.isOn.withLock { $0 = seed == 5 || seed == 9 }
            let x = Self.numbers(seed) * 0.1
            #expect(agree([step(x)], [x.matmul(x).matmul(x).exp().sum(dim: 1) + x.matmul(x.exp()).sum(dim: 0)]))
        }
        let kept = KeepsItsInput.kept.withLock { $0 }
        let inputs = [5, 9].map { Self.numbers($0) * 0.1 }
        #expect(agree(kept, inputs.map { $0.matmul($0) }))
    }

    @Test func argumentsThatLieDifferently() {
        let step = compile(Self.manyResults)
        for seed in 0..<12 {
            let x = Self.numbers(seed)
            let layout = seed % 4 == 3 ? x.transpose(0, 1) : seed % 5 == 4 ? Self.numbers(seed, [80, 40])[20..<60] : x
            #expect(agree(step(layout), Self.manyResults(layout)), "call \(seed)")
        }
    }

    @Test func aPlanInsideOfAPlan() {
        let step = compile { (x: Tensor) in apply(RunsAPlan(), to: x.matmul(x).tanh()).matmul(x).relu() }
        for seed in 0..<8 {
            let x = Self.numbers(seed)
            let inner = Self.manyResults(x.matmul(x).tanh())[0]
            #expect(agree([step(x)], [inner.matmul(x).relu()]), "call \(seed)")
        }
    }

    @Test func aMistakeHarmsNothing() throws {
        let step = compile { (x: Tensor, index: Tensor) in
            x.matmul(x).exp().gather(dim: 0, index).matmul(x).sum(dim: 0)
        }
        let good = Tensor.zeros([40, 40], dtype: .int64)
        for seed in 0..<8 {
            let x = Self.numbers(seed) * 0.1
            if seed % 2 == 0 && seed >= 2 {
                #expect(throws: TensorError.self) { try catchingErrors { step(x, good + 40) } }
            }
            #expect(agree([step(x, good)], [x.matmul(x).exp().gather(dim: 0, good).matmul(x).sum(dim: 0)]))
        }
    }

    @Test func twoPlansOnTwoThreads() async {
        await withTaskGroup(of: Bool.self) { group in
            for task in 0..<4 {
                group.addTask {
                    let step = compile(Self.manyResults)
                    return (0..<20).allSatisfy { call in
                        let x = Self.numbers(task * 100 + call)
                        return agree(step(x), Self.manyResults(x))
                    }
                }
            }
            for await isRight in group { #expect(isRight) }
        }
    }
}

/// Keeps its input from time to time, which no operation should.
private struct KeepsItsInput: UnaryOperation {
    static let name = "keeps_its_input"
    static let formula = Formula("x", gradient: "∂L/∂x = ∂L/∂y")
    static let keeps: Keeps = []
    static let samples: [Sample] = []
    static let isOn = Mutex(false)
    static let kept = Mutex<[Tensor]>([])

    func forward(_ x: Tensor) -> Tensor {
        if Self.isOn.withLock({ $0 }) { Self.kept.withLock { $0.append(x) } }
        return x
    }
    func gradient(_ dy: Tensor, _ kept: Kept) -> Tensor { dy }
}

private struct RunsAPlan: UnaryOperation {
    static let name = "runs_a_plan"
    static let formula = Formula("f(x)", gradient: "∂L/∂x = 0")
    static let keeps: Keeps = []
    static let samples: [Sample] = []
    nonisolated(unsafe) private static let inner = compile(PlannedMemoryTests.manyResults)

    func forward(_ x: Tensor) -> Tensor { Self.inner(x)[0] }
    func gradient(_ dy: Tensor, _ kept: Kept) -> Tensor { dy }
}
