import ChainRule
import Testing

/// Blocks that go back to the system. Each test runs in a process of its own: the counters count the whole process.
struct MemoryTests {
    @Test func keptBlocksServeAgainUntilTheyAreReleased() async {
        await #expect(processExitsWith: .success) {
            // From the C library, pages of their own, large pages.
            for count in [1 << 10, 1 << 17, 1 << 21] {
                func use() { #expect(Tensor.ones([count], dtype: .float32).sum().item() == Double(count)) }
                use()
                let before = Memory.requests.fresh
                for _ in 0..<3 { use() }
                #expect(Memory.requests.fresh == before)
                #expect(Memory.cached >= count * 4)
                Memory.releaseCached()
                #expect(Memory.cached == 0)
                use()
                #expect(Memory.requests.fresh > before)
            }
        }
    }
}
