import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Memory for tensors. Freed blocks are kept by size and handed out again: a training step asks for the same sizes each
/// time, and fresh pages from the system cost more than the arithmetic that fills them.
enum CachingAllocator {
    /// Blocks up to this many bytes lie in the object that holds them (see `Storage`) and are only counted here.
    static let smallLimit = 1024

    fileprivate struct State {
        /// By number of the size class, those that were freed last at the end.
        var freeBlocks = [[FreeBlock]](repeating: [], count: SizeClass.count)
        /// Counts what was freed.
        var clock = 0
        var cached = 0
        /// How many scopes of `saving` there are.
        var savers = 0
        var limit = Int.max
        var requests = 0
        var freshBlocks = 0
    }

    fileprivate struct FreeBlock {
        /// Pointers are not Sendable, and this one belongs to whoever takes it out.
        let address: UInt
        let time: Int
    }

    private static let state = Lock(State())
    private static let live = Atomic<Int>(0)
    private static let peak = Atomic<Int>(0)

    @inline(__always)
    static func countSmall(_ byteCount: Int) { count(byteCount) }

    @inline(__always)
    static func uncountSmall(_ byteCount: Int) { live.subtract(byteCount, ordering: .relaxed) }

    static func allocate(_ byteCount: Int) -> UnsafeMutableRawPointer {
        let sizeClass = SizeClass(byteCount)
        let size = sizeClass.byteCount
        let (address, mustTrim) = state.withLock { state -> (UInt?, Bool) in
            state.requests += 1
            if let block = state.freeBlocks[sizeClass.number].popLast() {
                state.cached -= size
                return (block.address, false)
            }
            state.freshBlocks += 1
            if state.savers > 0 {
                state.release(until: Swift.max(1 << 20, live.load(ordering: .relaxed) / 4) - size)
            }
            return (nil, live.load(ordering: .relaxed) + state.cached + size > state.limit)
        }
        if let address, let pointer = UnsafeMutableRawPointer(bitPattern: address) {
            count(size)
            return pointer
        }
        if mustTrim { makeRoom(for: size) }
        if let pointer = SystemMemory.allocate(size, for: byteCount) {
            count(size)
            return pointer
        }
        releaseCached()
        guard let pointer = SystemMemory.allocate(size, for: byteCount) else { outOfMemory(size) }
        count(size)
        return pointer
    }

    /// Runs what will not be repeated: instead of keeping freed blocks beside fresh ones, gives those back that nobody asked for again.
    static func saving<Result>(_ body: () throws -> Result) rethrows -> Result {
        state.withLock { $0.savers += 1 }
        defer { state.withLock { $0.savers -= 1 } }
        return try body()
    }

    static func free(_ pointer: UnsafeMutableRawPointer, _ byteCount: Int) {
        let sizeClass = SizeClass(byteCount)
        let size = sizeClass.byteCount
        live.subtract(size, ordering: .relaxed)
        let address = UInt(bitPattern: pointer)
        state.withLock { state in
            state.clock += 1
            state.freeBlocks[sizeClass.number].append(FreeBlock(address: address, time: state.clock))
            state.cached += size
        }
    }

    /// Gives the cached blocks back to the system.
    static func releaseCached() {
        state.withLock { $0.release(until: 0) }
    }

    private static func makeRoom(for size: Int) {
        releaseCached()
        let limit = state.withLock { $0.limit }
        let used = live.load(ordering: .relaxed)
        if used + size > limit {
            fail(
                "memory",
                "\(size) more bytes would pass the limit of \(limit) bytes set by Memory.limit (\(used) are in use); use smaller batches or raise the limit"
            )
        }
    }

    private static func outOfMemory(_ byteCount: Int) -> Never {
        fatalError("ChainRule: the system has no memory left for a tensor of \(byteCount) bytes.")
    }

    @inline(__always)
    private static func count(_ size: Int) {
        let now = live.add(size, ordering: .relaxed).newValue
        if now > peak.load(ordering: .relaxed) { peak.max(now, ordering: .relaxed) }
    }

    static var liveBytes: Int { live.load(ordering: .relaxed) }
    static var cachedBytes: Int { state.withLock { $0.cached } }
    static var peakBytes: Int { peak.load(ordering: .relaxed) }
    static var requests: (all: Int, fresh: Int) { state.withLock { ($0.requests, $0.freshBlocks) } }
    static func resetPeak() { peak.store(live.load(ordering: .relaxed), ordering: .relaxed) }

    static var limit: Int {
        get { state.withLock { $0.limit } }
        set { state.withLock { $0.limit = newValue } }
    }
}

extension CachingAllocator.State {
    /// Gives blocks back to the system, those first that were freed first, until no more than `byteCount` bytes are kept.
    mutating func release(until byteCount: Int) {
        var excess = cached - Swift.max(0, byteCount)
        guard excess > 0 else { return }
        var oldest: [(time: Int, number: Int)] = []
        for (number, blocks) in freeBlocks.enumerated() { oldest += blocks.map { ($0.time, number) } }
        oldest.sort { $0.time < $1.time }
        var released = freeBlocks.map { _ in 0 }
        for (_, number) in oldest where excess > 0 {
            released[number] += 1
            excess -= SizeClass(number: number).byteCount
        }
        for (number, count) in released.enumerated() where count > 0 {
            let size = SizeClass(number: number).byteCount
            for block in freeBlocks[number].prefix(count) { SystemMemory.free(block.address, size) }
            freeBlocks[number].removeFirst(count)
            cached -= count * size
        }
    }
}

/// Sizes are rounded up to four steps a power of two: a block wastes at most a quarter, and near sizes share. From 16 MB on the steps are 64.
private struct SizeClass {
    let byteCount: Int
    /// Classes are counted by steps: 64 places for each power of two.
    let number: Int
    static let count = 64 * 64

    init(_ wanted: Int) {
        let power = Int.bitWidth - 1 - (wanted - 1).leadingZeroBitCount
        let shift = power - (wanted > 1 << 24 ? 6 : 2)
        let steps = ((wanted - 1) >> shift) + 1
        byteCount = steps << shift
        number = power << 6 | (steps - 1 - 1 << (power - shift))
    }

    init(number: Int) {
        let power = number >> 6
        let shift = power - (power >= 24 ? 6 : 2)
        byteCount = (number & 63 + 1 + 1 << (power - shift)) << shift
        self.number = number
    }
}

/// Where blocks come from and go back to. Large ones are pages of their own, for a heap full of them falls to pieces and gives nothing back.
private enum SystemMemory {
    private static let alignment = 64
    private static let leastMapped = 1 << 18
    /// From here on the pages may be large ones: the system hands them out, and the processor finds them, several times as fast.
    private static let leastHuge = 1 << 22
    private static let hugePage = 1 << 21

    /// A block of `size` bytes, of which `byteCount` will be used.
    static func allocate(_ size: Int, for byteCount: Int) -> UnsafeMutableRawPointer? {
        var pointer: UnsafeMutableRawPointer?
        if size < leastMapped { return posix_memalign(&pointer, alignment, size) == 0 ? pointer : nil }
        pointer = mmap(nil, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANON, -1, 0)
        if pointer == MAP_FAILED { return nil }
        #if os(Linux)
            // What is asked for, not what the size class adds to it: a large page is there as a whole or not at all.
            if byteCount >= leastHuge { madvise(pointer, byteCount & ~(hugePage - 1), MADV_HUGEPAGE) }
        #endif
        return pointer
    }

    static func free(_ address: UInt, _ size: Int) {
        guard let pointer = UnsafeMutableRawPointer(bitPattern: address) else { return }
        if size < leastMapped { libcFree(pointer) } else { munmap(pointer, size) }
    }
}

private func libcFree(_ pointer: UnsafeMutableRawPointer) { free(pointer) }

/// The memory of tensors, in bytes.
public enum Memory {
    /// Held by tensors now.
    public static var current: Int { CachingAllocator.liveBytes }
    /// The most that tensors held at once since the start or `resetPeak()`.
    public static var peak: Int { CachingAllocator.peakBytes }
    /// Freed by tensors and kept for the next ones.
    public static var cached: Int { CachingAllocator.cachedBytes }
    /// The most that may be held and kept together; a tensor that would pass it is an error. No limit at first.
    public static var limit: Int {
        get { CachingAllocator.limit }
        set { CachingAllocator.limit = newValue }
    }

    /// How many blocks above a kilobyte were asked for since the start, and how many of them came from the system.
    package static var requests: (all: Int, fresh: Int) { CachingAllocator.requests }

    /// How many objects the tensors of plans have asked the heap for.
    package static var planObjects: Int { TensorObjects.made.load(ordering: .relaxed) }

    public static func resetPeak() { CachingAllocator.resetPeak() }
    /// Gives kept memory back to the system.
    public static func releaseCached() { CachingAllocator.releaseCached() }
}
