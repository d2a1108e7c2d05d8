/// A block of memory that tensors share. Who may write is decided by uniqueness of the reference, never by the storage.
///
/// A small block lies in the object itself, behind its header: one allocation instead of two.
final class Storage: ManagedBuffer<Storage.Header, Storage.Unit> {
    /// What the memory of small blocks is counted in. Anything that asks for more alignment than 8 takes the runtime's slow way to allocate.
    typealias Unit = UInt64

    struct Header {
        let pointer: UnsafeMutableRawPointer
        let byteCount: Int
        let memory: Memory
    }

    enum Memory {
        case inObject
        case cachingAllocator
        case arena(Arena, number: Int)
        /// The allocator's too, written down for later runs of a plan.
        case traced(MemoryTrace, number: Int)
        /// The closure runs when the last tensor that uses the memory is gone.
        case caller(@Sendable () -> Void)
    }

    @inline(__always)
    var pointer: UnsafeMutableRawPointer { fixedHeader.pointer }
    @inline(__always)
    var byteCount: Int { fixedHeader.byteCount }

    /// The header, read without the exclusivity check of `header`: it never changes.
    @inline(__always)
    private var fixedHeader: Header {
        withUnsafeMutablePointerToHeader { $0.pointee }
    }

    /// Uninitialised memory for `byteCount` bytes; large blocks are aligned to 64.
    @inline(__always)
    static func allocate(_ byteCount: Int) -> Storage {
        if byteCount > CachingAllocator.smallLimit {
            return PlannedMemory.current?.allocate(byteCount) ?? cached(byteCount)
        }
        CachingAllocator.countSmall(byteCount)
        let unit = MemoryLayout<Unit>.stride
        return make(units: (byteCount + unit - 1) / unit) { buffer in
            let pointer = buffer.withUnsafeMutablePointerToElements { UnsafeMutableRawPointer($0) }
            return Header(pointer: pointer, byteCount: byteCount, memory: .inObject)
        }
    }

    /// A large block, whether or not a plan runs.
    static func cached(_ byteCount: Int) -> Storage {
        let pointer = CachingAllocator.allocate(byteCount)
        return make(units: 0) { _ in Header(pointer: pointer, byteCount: byteCount, memory: .cachingAllocator) }
    }

    static func traced(_ byteCount: Int, trace: MemoryTrace, number: Int) -> Storage {
        let pointer = CachingAllocator.allocate(byteCount)
        return make(units: 0) { _ in
            Header(pointer: pointer, byteCount: byteCount, memory: .traced(trace, number: number))
        }
    }

    static func planned(_ pointer: UnsafeMutableRawPointer, byteCount: Int, arena: Arena, number: Int) -> Storage {
        make(units: 0) { _ in Header(pointer: pointer, byteCount: byteCount, memory: .arena(arena, number: number)) }
    }

    /// Memory of the caller's; `whenDone` runs when the last tensor that uses it is gone.
    static func unowned(
        _ pointer: UnsafeMutableRawPointer, byteCount: Int, whenDone: @escaping @Sendable () -> Void
    ) -> Storage {
        make(units: 0) { _ in Header(pointer: pointer, byteCount: byteCount, memory: .caller(whenDone)) }
    }

    @inline(__always)
    private static func make(units: Int, _ header: (ManagedBuffer<Header, Unit>) -> Header) -> Storage {
        unsafeDowncast(create(minimumCapacity: units, makingHeaderWith: header), to: Storage.self)
    }

    deinit {
        switch fixedHeader.memory {
        case .inObject: CachingAllocator.uncountSmall(byteCount)
        case .cachingAllocator: CachingAllocator.free(pointer, byteCount)
        case .arena(let arena, let number): arena.giveBack(number)
        case .traced(let trace, let number):
            trace.giveBack(number)
            CachingAllocator.free(pointer, byteCount)
        case .caller(let whenDone): whenDone()
        }
    }
}
