import ChainRule
import Testing

/// What compiled functions hold on to. Each test runs in a process of its own: the counters count the whole process.
struct CompiledMemoryTests {
    @Test func aCompiledStepTakesLittleMoreThanTheStepAsWritten() async {
        await #expect(processExitsWith: .success) {
            let size = 1 << 16
            let w = Tensor.full([size], 0.5, dtype: .float32).requiringGrad()
            let function = { (x: Tensor) in
                w.zeroGrad()
                var h = x
                for _ in 0..<32 { h = (h * w).tanh() }
                h.sum().backward()
                if let gradient = w.grad { w.data -= gradient * 1e-3 }
            }
            func peak(_ step: (Tensor) -> Void) -> Int {
                let x = Tensor.ones([size], dtype: .float32)
                let before = Memory.current
                Memory.resetPeak()
                step(x)
                return Memory.peak - before
            }
            _ = peak(function)
            let written = peak(function)
            #expect(written > 32 * size * 4)
            let step = compile(function)
            let compiled = (0..<4).map { _ in peak { step($0) } }
            // The calls that are recorded, too.
            for peak in compiled { #expect(peak <= written + written / 4, "\(compiled) bytes, as written \(written)") }
            #expect(step.fallbackReason == nil)
        }
    }

    @Test func aRecordedGradientIsNotCopied() async {
        await #expect(processExitsWith: .success) {
            let w = Tensor.ones([1 << 12], dtype: .float32).requiringGrad()
            let function = { (x: Tensor) in (w.exp().sum() * x.sum()).backward() }
            func requests(_ step: (Tensor) -> Void) -> Int {
                w.zeroGrad()
                let x = Tensor.ones([1 << 12], dtype: .float32)
                let before = Memory.requests.all
                step(x)
                return Memory.requests.all - before
            }
            let written = requests(function)
            let step = compile(function)
            for _ in 0..<2 { #expect(requests { step($0) } == written) }
        }
    }

    @Test func aRecordingLeavesLittleBehind() async {
        await #expect(processExitsWith: .success) {
            // Each block has a size of its own, so that none serves again.
            let function = { (x: Tensor) in (8...24).reduce(Tensor(0)) { $0 + (x[..<($1 << 16)] * 2).sum() } }
            let (x, step) = (Tensor.ones([24 << 16], dtype: .float32), compile(function))
            for _ in 0..<3 {
                _ = step(x)
                #expect(Memory.cached < 16 << 20)
            }
            _ = function(x)
            #expect(Memory.cached > 24 << 20)
        }
    }

    @Test func aPlanAsksForItsBlockAndForWhatStays() async {
        await #expect(processExitsWith: .success) {
            let w = Tensor.ones([64, 64], dtype: .float32).requiringGrad()
            let x = Tensor.ones([64, 64], dtype: .float32)
            func requests(_ step: @escaping (Tensor) -> Tensor) -> (all: Int, fresh: Int) {
                let step = compile(step)
                for _ in 0..<5 { _ = step(x) }
                let before = Memory.requests
                for _ in 0..<10 { _ = step(x) }
                #expect(step.fallbackReason == nil)
                return (Memory.requests.all - before.all, Memory.requests.fresh - before.fresh)
            }
            let prediction = requests { x in withoutGradient { x.matmul(w).relu().matmul(w).softmax(dim: 1).exp() } }
            #expect(prediction == (20, 0))
            let number = requests { x in withoutGradient { x.matmul(w).relu().matmul(w).softmax(dim: 1).sum() } }
            #expect(number == (10, 0))
            // The gradient stays.
            let training = requests { x in
                w.zeroGrad()
                let loss = x.matmul(w).relu().matmul(w).softmax(dim: 1).squared().sum()
                loss.backward()
                return loss
            }
            #expect(training == (20, 0))
        }
    }

    @Test func aPlanAsksTheHeapForWhatItGivesAway() async {
        await #expect(processExitsWith: .success) {
            /// In ten calls.
            func objects(_ step: CompiledFunction<[Tensor], Tensor>) -> Int {
                let x = Tensor.randn([40, 40], generator: Generator(seed: 0))
                for _ in 0..<6 { _ = step(x) }
                let before = Memory.planObjects
                for _ in 0..<10 { _ = step(x) }
                return Memory.planObjects - before
            }
            let w = Tensor.randn([40, 40], generator: Generator(seed: 1)).requiringGrad()
            let training = compile { (x: Tensor) in
                w.zeroGrad()
                let h = x.linear(weight: w).transpose(0, 1).matmul(x.matmul(w).softmax(dim: 1)[1...].transpose(0, 1))
                let loss = (h.sum(dim: 0) + h.to(.float64).mean().to(.float32)).squared().sum()
                loss.backward()
                if let gradient = w.grad { w.data -= gradient * 1e-3 }
                return [Tensor]()
            }
            #expect(objects(training) == 0)
            #expect(training.fallbackReason == nil)
            // Each result is two objects, a part too.
            let prediction = compile { (x: Tensor) in
                let y = x.matmul(x).tanh()
                return [y.matmul(x), y.matmul(y).transpose(0, 1), y.matmul(x.exp())[3...5]]
            }
            #expect(objects(prediction) == 10 * 3 * 2)
            #expect(prediction.fallbackReason == nil)
        }
    }
}
