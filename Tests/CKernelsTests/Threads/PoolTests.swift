import CKernels
import Foundation
import Testing

/// How often each block ran. Blocks are run by several threads, each by one.
private final class Tally: @unchecked Sendable {
    private let cells: UnsafeMutablePointer<Int64>
    let count: Int

    init(count: Int) {
        self.count = count
        cells = .allocate(capacity: count)
        cells.initialize(repeating: 0, count: count)
    }

    deinit { cells.deallocate() }

    var context: UnsafeMutableRawPointer { UnsafeMutableRawPointer(cells) }

    func allEqual(_ value: Int64) -> Bool { (0..<count).allSatisfy { cells[$0] == value } }
}

private func countBlock(_ context: UnsafeMutableRawPointer?, _ block: Int64) {
    context?.assumingMemoryBound(to: Int64.self)[Int(block)] += 1
}

/// Each block runs ten blocks of its own.
private func countTenBlocks(_ context: UnsafeMutableRawPointer?, _ block: Int64) {
    ck_parallel(10, countBlock, context?.advanced(by: Int(block) * 10 * MemoryLayout<Int64>.stride))
}

@Suite struct PoolTests {
    @Test func runsEveryBlockOnceWithAnyNumberOfThreads() {
        withEachThreadCount([1, 2, 3, 4, 9]) {
            for blocks in [0, 1, 2, 3, 7, 64, 1000] {
                let tally = Tally(count: blocks)
                for _ in 0..<20 {
                    ck_parallel(Int64(blocks), countBlock, tally.context)
                    ck_parallel_awake(Int64(blocks), countBlock, tally.context)
                }
                #expect(tally.allEqual(40))
            }
        }
    }

    @Test func runsNestedCalls() {
        withEachThreadCount([1, 2, 4]) {
            let tally = Tally(count: 1000)
            for _ in 0..<20 {
                ck_parallel(100, countTenBlocks, tally.context)
                ck_parallel_awake(100, countTenBlocks, tally.context)
            }
            #expect(tally.allEqual(40))
        }
    }

    @Test func servesSeveralCallersWhileTheThreadCountChanges() {
        withEachThreadCount([2]) {
            let tallies = (0..<4).map { _ in Tally(count: 300) }
            DispatchQueue.concurrentPerform(iterations: 4) { caller in
                for turn in 0..<500 {
                    if turn % 50 == 0 { ck_set_thread_count(Int32(1 + turn / 50 % 5)) }
                    ck_parallel(300, countBlock, tallies[caller].context)
                    ck_parallel_awake(300, countBlock, tallies[caller].context)
                }
            }
            for tally in tallies { #expect(tally.allEqual(1000)) }
        }
    }

    @Test func wakesAfterSleep() {
        withEachThreadCount([2, 3]) {
            let tally = Tally(count: 64)
            for _ in 0..<20 {
                usleep(300)
                ck_parallel_awake(64, countBlock, tally.context)
                ck_parallel(64, countBlock, tally.context)
            }
            #expect(tally.allEqual(40))
        }
    }

    @Test func clampsTheThreadCount() {
        withEachThreadCount([1]) {
            ck_set_thread_count(0)
            #expect(ck_thread_count() == 1)
            ck_set_thread_count(100_000)
            #expect(ck_thread_count() == CK_MAX_THREADS)
        }
    }

    @Test func instructionSetsAreOrderedAndNamed() {
        withEachInstructionSet { name in
            #expect(String(cString: ck_isa_name(ck_isa_current())) == name)
            #expect(ck_isa_current().rawValue <= ck_isa_detected().rawValue)
        }
        #expect(ck_isa_force(ck_isa(rawValue: 17)) == 0)
    }
}
