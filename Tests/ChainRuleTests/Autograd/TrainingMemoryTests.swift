import ChainRule
import Testing

/// What training holds on to. Each test runs in a process of its own: the counters count the whole process.
struct TrainingMemoryTests {
    @Test func flatOverTenThousandSteps() async {
        await #expect(processExitsWith: .success) {
            let w1 = Tensor([Double](repeating: 0.1, count: 12), shape: [3, 4], requiresGrad: true)
            let w2 = Tensor([Double](repeating: 0.2, count: 4), requiresGrad: true)
            let x = Tensor([1.0, 2.0, 3.0], shape: [3, 1])
            func step() {
                let h = (x * w1).sum(dim: 0)
                let y = h * h * w2 - 1
                let loss = (y * y).sum()
                loss.backward()
                for parameter in [w1, w2] {
                    guard let gradient = parameter.grad else { preconditionFailure("no gradient") }
                    parameter.data -= gradient * 1e-4
                    parameter.zeroGrad()
                }
            }
            step()
            let before = Memory.current
            for _ in 0..<10_000 { step() }
            #expect(Memory.current == before)
        }
    }

    /// A step's kept tensors go while backward runs, not after it.
    @Test func keptTensorsAreFreedOnTheWay() async {
        await #expect(processExitsWith: .success) {
            let (steps, size) = (64, 1 << 16)
            func peak(retainGraph: Bool) -> Int {
                let x = Tensor.full([size], 0.5).requiringGrad()
                var h = x
                for _ in 0..<steps { h = h * h }
                let loss = h.sum()
                h = x
                Memory.resetPeak()
                let before = Memory.peak
                loss.backward(retainGraph: retainGraph)
                let current = Memory.current
                if retainGraph {
                    #expect(current > before)
                } else {
                    // What is left is x and its gradient.
                    #expect(current < 4 * size * 4, "\(current)")
                }
                return Memory.peak - before
            }
            // Gradients come while kept tensors go: at no time a handful more than at the start.
            #expect(peak(retainGraph: false) <= 8 * size * 4)
            _ = peak(retainGraph: true)
        }
    }

    @Test func checkpointsKeepOnlyTheirInputs() async {
        await #expect(processExitsWith: .success) {
            let size = 1 << 16
            func held(_ checkpoints: Bool) -> Int {
                let x = Tensor.full([size], 0.5).requiringGrad()
                let before = Memory.current
                let body: ([Tensor]) -> Tensor = { inputs in
                    var h = inputs[0]
                    for _ in 0..<16 { h = h * h }
                    return h
                }
                let y = checkpoints ? checkpoint([x], body) : body([x])
                let held = Memory.current - before
                y.sum().backward()
                return held
            }
            #expect(held(false) >= 16 * size * 4)
            #expect(held(true) <= 2 * size * 4)
        }
    }

    /// Leaves, graphs and gradients of gradients leave nothing behind.
    @Test func nothingStays() async {
        await #expect(processExitsWith: .success) {
            func run() throws {
                let x = Tensor([1.0, 2.0], requiresGrad: true)
                let h = x * x
                h.retainGrad()
                h.registerHook { $0 * 2 }
                (h * h).sum().backward()
                let first = gradient(of: (x * x * x).sum(), wrt: [x], createGraph: true)[0]
                first.sum().backward()
                _ = valueAndGradient(of: { ($0 * x).sum() }, at: x)
                let custom = CustomOperation("same") { inputs, saved in
                    let y = inputs[0] * 1
                    saved.keep(y, inputs[0])
                    return [y]
                } gradient: { dy, _ in
                    [dy[0]]
                }
                _ = custom(x)
                _ = checkpoint([x]) { $0[0] * x }
                do {
                    try catchingErrors { (x * Tensor([1.0, 2.0, 3.0])).sum().backward() }
                    preconditionFailure("the shapes do not fit")
                } catch is TensorError {}
            }
            try? run()
            let before = Memory.current
            for _ in 0..<100 { try run() }
            #expect(Memory.current == before)
        }
    }
}
