import CProbes
import ChainRule
import Dispatch
import Foundation

/// What the machine can do at most, as measured: the figures that all others are held against.
struct MachineLimits {
    /// GFLOP/s of threads that do nothing but multiply and add in registers.
    let peak: Double
    /// GB/s of reading, and of copying memory (what is read and what is written), with arrays that no cache holds.
    let read, copy: Double
    /// GB/s of copying 4,194,304 floats: the size of the elementwise and row operations below, part of which a large cache may hold.
    let copyOfArrays: Double
    /// Nanoseconds for a line of memory from one thread to another and back, a few times as many where their cores share no cache; nil
    /// for one thread.
    let roundTrip: Double?

    init(threads: Int) {
        peak = Self.fastest(threads) { _ in
            let width = Machine.instructionSet == .avx512 ? 64 : Machine.instructionSet == .avx2 ? 32 : 16
            return probe_multiply_adds(Int32(width), 5_000_000)
        }
        let large = Memories(bytes: 1 << 28)
        read = Self.fastest(threads) { large.read(part: $0, of: threads) }
        copy = Self.fastest(threads) { large.copy(part: $0, of: threads) }
        let arrays = Memories(bytes: 1 << 24)
        copyOfArrays = Self.fastest(threads) { arrays.copy(part: $0, of: threads) }
        let line = Memories(bytes: 128, of: 0)
        roundTrip = threads < 2 ? nil : 1 / Self.fastest(2) { line.handOver(isFirst: $0 == 0) }
    }

    /// What `work` says it did, of all threads together, in 10⁹ a second: the best of ten times.
    private static func fastest(_ threads: Int, _ work: @escaping @Sendable (Int) -> Double) -> Double {
        (0..<10).map { _ in
            let done = Sums(count: threads)
            let time = ContinuousClock().measure {
                // Threads of its own: `concurrentPerform` may take one for all when the work is short.
                let finished = DispatchSemaphore(value: 0)
                for index in 0..<threads {
                    Thread.detachNewThread {
                        done.set(index, work(index))
                        finished.signal()
                    }
                }
                for _ in 0..<threads { finished.wait() }
            }
            return done.total / milliseconds(time) * 1e-6
        }.max() ?? 0
    }

    func printed() {
        let table = Table(
            "The machine",
            "What all percentages below are of: fused multiply-adds in registers, and memory read or copied (bytes read and written).",
            first: 30, ["measured", "value"])
        table.row(["multiply-adds, GFLOP/s", short(peak)])
        table.row(["reading 268 MB, GB/s", short(read)])
        table.row(["copying 268 MB, GB/s", short(copy)])
        table.row(["copying 16.8 MB, GB/s", short(copyOfArrays)])
        table.row(["a line to and fro, ns", roundTrip.map(short) ?? "–"])
        table.end()
    }
}

/// Two blocks of memory, for measuring. Each thread has its own part.
private final class Memories: @unchecked Sendable {
    private let from, to: UnsafeMutableRawPointer
    private let bytes: Int

    init(bytes: Int, of value: Int32 = 1) {
        self.bytes = bytes
        from = .allocate(byteCount: bytes, alignment: 64)
        to = .allocate(byteCount: bytes, alignment: 64)
        memset(from, value, bytes)
        memset(to, value, bytes)
    }

    deinit {
        from.deallocate()
        to.deallocate()
    }

    func read(part: Int, of parts: Int) -> Double {
        let size = bytes / parts
        consume(Double(probe_read((from + part * size).assumingMemoryBound(to: UInt64.self), size / 8)))
        return Double(size)
    }

    func copy(part: Int, of parts: Int) -> Double {
        let size = bytes / parts
        memcpy(to + part * size, from + part * size, size)
        return Double(2 * size)
    }

    /// Half of the round trips are the other thread's.
    func handOver(isFirst: Bool) -> Double {
        let rounds: Int64 = 50_000
        probe_hand_over(from.assumingMemoryBound(to: Int64.self), isFirst ? 1 : 0, rounds)
        return Double(rounds) / 2
    }
}

/// One number of each thread.
private final class Sums: @unchecked Sendable {
    private let values: UnsafeMutableBufferPointer<Double>

    init(count: Int) {
        values = .allocate(capacity: count)
        values.initialize(repeating: 0)
    }

    deinit { values.deallocate() }

    func set(_ index: Int, _ value: Double) { values[index] = value }
    var total: Double { values.reduce(0, +) }
}
