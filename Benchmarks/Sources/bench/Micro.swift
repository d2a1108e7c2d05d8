import CPeak
import ChainRule

/// Small measurements: matrix products against the machine's measured peak, and the cost of one operation on a tiny tensor.
enum Micro {
    static func run(seconds: Double, threads: Int) {
        let peak = measuredPeak()
        print("fused multiply-add peak, one thread: \(rounded(peak)) GFLOP/s (\(Machine.instructionSet))")
        for size in [512, 1024, 2048] { product(size, size, size, seconds, threads, peak) }
        for (m, k, n) in [
            (64, 784, 256), (64, 256, 128), (64, 128, 10), (784, 64, 256), (1000, 784, 50), (1, 768, 768),
        ] {
            product(m, k, n, seconds, threads, peak)
        }
        smallOperations(seconds)
    }

    /// GFLOP/s of one thread that does nothing but multiply and add in registers.
    private static func measuredPeak() -> Double {
        let width = Machine.instructionSet == .avx512 ? 64 : Machine.instructionSet == .avx2 ? 32 : 16
        var best = 0.0
        for _ in 0..<10 {
            var operations = 0.0
            let time = ContinuousClock().measure { operations = cpeak_multiply_adds(Int32(width), 2_000_000) }
            best = max(best, operations / milliseconds(time) * 1e-6)
        }
        return best
    }

    private static func product(_ m: Int, _ k: Int, _ n: Int, _ seconds: Double, _ threads: Int, _ peak: Double) {
        let a = Tensor.randn([m, k])
        let b = Tensor.randn([k, n])
        let operations = 2 * Double(m) * Double(k) * Double(n)
        var line = "matmul \(m)×\(k) · \(k)×\(n):"
        for count in Set([1, threads]).sorted() {
            Machine.threadCount = count
            let time = measure(seconds: seconds) { _ = a.matmul(b) }
            let rate = operations / time.median * 1e-6
            line += "  \(count) thread\(count == 1 ? "" : "s") \(rounded(rate)) GFLOP/s"
            line +=
                " (\(rounded(100 * rate / (peak * Double(count)))) % of peak, best \(rounded(operations / time.minimum * 1e-6)))"
        }
        print(line)
    }

    private static func smallOperations(_ seconds: Double) {
        let a = Tensor.randn([8])
        let b = Tensor.randn([8])
        let leaf = Tensor.randn([8]).requiringGrad()
        let one = Tensor.ones([8])
        report("add, 8 elements, not recorded", seconds) { _ = a + b }
        report("add, 8 elements, recorded", seconds) { _ = leaf + b }
        report("multiply, 8 elements, forward and backward", seconds) {
            (leaf * b).backward(gradient: one)
            leaf.zeroGrad()
        }
    }

    private static func report(_ name: String, _ seconds: Double, _ body: () -> Void) {
        let repetitions = 10_000
        let time = measure(seconds: seconds) { for _ in 0..<repetitions { body() } }
        print("\(name): \(rounded(time.median * 1e6 / Double(repetitions))) ns")
    }

    private static func rounded(_ value: Double) -> String { String(Int(value.rounded())) }
}
