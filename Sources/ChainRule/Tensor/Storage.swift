/// A block of memory that tensors share. Who may write is decided by uniqueness of the reference, never by the storage.
final class Storage: @unchecked Sendable {
    // @unchecked: the memory is written only by the one who made it or holds the only reference.
    let pointer: UnsafeMutableRawPointer
    let byteCount: Int
    private let release: Release

    private enum Release {
        case cachingAllocator
        case caller(@Sendable () -> Void)
    }

    /// Uninitialised memory for `byteCount` bytes, aligned to 64.
    @inline(__always)
    init(byteCount: Int) {
        self.byteCount = byteCount
        pointer = CachingAllocator.allocate(byteCount)
        release = .cachingAllocator
    }

    /// Memory of the caller's; `whenDone` runs when the last tensor that uses it is gone.
    init(unowned pointer: UnsafeMutableRawPointer, byteCount: Int, whenDone: @escaping @Sendable () -> Void) {
        self.pointer = pointer
        self.byteCount = byteCount
        release = .caller(whenDone)
    }

    deinit {
        switch release {
        case .cachingAllocator: CachingAllocator.free(pointer, byteCount)
        case .caller(let whenDone): whenDone()
        }
    }
}
