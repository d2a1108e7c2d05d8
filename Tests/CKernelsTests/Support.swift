import CKernels
import Foundation

/// Runs `body` once under each instruction set this machine has. Only this thread's kernels use it: tests run side by side.
func withEachInstructionSet(_ body: (_ name: String) throws -> Void) rethrows {
    let before = ck_isa_forced_here()
    defer { ck_isa_force_here(before) }
    for isa in [CK_ISA_BASELINE, CK_ISA_AVX2, CK_ISA_AVX512] where ck_isa_force_here(Int32(isa.rawValue)) == 1 {
        try body(String(cString: ck_isa_name(isa)))
    }
}

/// The number of threads is one setting for the whole process, and tests run side by side.
private let threadCountLock = NSLock()

/// What `body` returns under each of these numbers of threads.
@discardableResult
func withEachThreadCount<Result>(_ counts: [Int32], _ body: () throws -> Result) rethrows -> [Result] {
    threadCountLock.lock()
    defer { threadCountLock.unlock() }
    let before = ck_thread_count()
    defer { ck_set_thread_count(before) }
    return try counts.map { count in
        ck_set_thread_count(count)
        return try body()
    }
}

/// A small reproducible generator for test data (SplitMix64).
struct TestRandom: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    mutating func uniform(_ range: ClosedRange<Double> = -1...1) -> Double { Double.random(in: range, using: &self) }
}
