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
    private static let alignment = 64

    private struct State {
        /// Addresses by size class: pointers are not Sendable, and these belong to whoever takes them out.
        var freeBlocks: [Int: [UInt]] = [:]
        var cached = 0
        var limit = Int.max
        var requests = 0
        var freshBlocks = 0
    }

    private static let state = Lock(State())
    private static let live = Atomic<Int>(0)
    private static let peak = Atomic<Int>(0)

    /// Sizes are rounded up to four steps a power of two: a block wastes at most a quarter, and near sizes share. From 16 MB on the steps
    /// are 64.
    private static func sizeClass(_ byteCount: Int) -> Int {
        let step = 1 << (Int.bitWidth - (byteCount - 1).leadingZeroBitCount - (byteCount > 1 << 24 ? 7 : 3))
        return (byteCount + step - 1) & ~(step - 1)
    }

    @inline(__always)
    static func countSmall(_ byteCount: Int) { count(byteCount) }

    @inline(__always)
    static func uncountSmall(_ byteCount: Int) { live.subtract(byteCount, ordering: .relaxed) }

    static func allocate(_ byteCount: Int) -> UnsafeMutableRawPointer {
        let size = sizeClass(byteCount)
        let (address, mustTrim) = state.withLock { state -> (UInt?, Bool) in
            state.requests += 1
            if let address = state.freeBlocks[size]?.popLast() {
                state.cached -= size
                return (address, false)
            }
            state.freshBlocks += 1
            return (nil, live.load(ordering: .relaxed) + state.cached + size > state.limit)
        }
        if let address, let pointer = UnsafeMutableRawPointer(bitPattern: address) {
            count(size)
            return pointer
        }
        if mustTrim { makeRoom(for: size) }
        var pointer: UnsafeMutableRawPointer?
        if posix_memalign(&pointer, alignment, size) != 0 {
            releaseCached()
            if posix_memalign(&pointer, alignment, size) != 0 { outOfMemory(size) }
        }
        guard let pointer else { outOfMemory(size) }
        count(size)
        return pointer
    }

    static func free(_ pointer: UnsafeMutableRawPointer, _ byteCount: Int) {
        let size = sizeClass(byteCount)
        live.subtract(size, ordering: .relaxed)
        let address = UInt(bitPattern: pointer)
        state.withLock { state in
            state.freeBlocks[size, default: []].append(address)
            state.cached += size
        }
    }

    /// Gives the cached blocks back to the system.
    static func releaseCached() {
        state.withLock { state in
            for address in state.freeBlocks.values.joined() { libcFree(UnsafeMutableRawPointer(bitPattern: address)) }
            state.freeBlocks = [:]
            state.cached = 0
        }
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

private func libcFree(_ pointer: UnsafeMutableRawPointer?) { free(pointer) }

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

    public static func resetPeak() { CachingAllocator.resetPeak() }
    /// Gives kept memory back to the system.
    public static func releaseCached() { CachingAllocator.releaseCached() }
}
