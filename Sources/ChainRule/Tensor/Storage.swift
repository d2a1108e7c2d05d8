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
        case inObject(units: Int)
        case cachingAllocator
        case arena(Arena, number: Int)
        /// The allocator's too, written down for later runs of a plan.
        case traced(MemoryTrace, number: Int)
        /// The closure runs when the last tensor that uses the memory is gone.
        case caller(@Sendable () -> Void)
        /// The object waits for the memory of another tensor.
        case nothing
    }

    @inline(__always)
    var pointer: UnsafeMutableRawPointer { fixedHeader.pointer }
    @inline(__always)
    var byteCount: Int { fixedHeader.byteCount }

    /// The header, read without the exclusivity check of `header`: it never changes while a tensor uses it.
    @inline(__always)
    private var fixedHeader: Header {
        withUnsafeMutablePointerToHeader { $0.pointee }
    }

    /// Uninitialised memory for `byteCount` bytes; large blocks are aligned to 64.
    @inline(__always)
    static func allocate(_ byteCount: Int) -> Storage {
        if PlannedMemory.isUsed, let planned = planned(byteCount) { return planned }
        if byteCount > CachingAllocator.smallLimit { return make(.cached(byteCount)) }
        let unit = MemoryLayout<Unit>.stride
        return small(byteCount, units: (byteCount + unit - 1) / unit)
    }

    @inline(never)
    private static func planned(_ byteCount: Int) -> Storage? { PlannedMemory.withCurrent { $0.allocate(byteCount) } }

    /// Memory of the caller's; `whenDone` runs when the last tensor that uses it is gone.
    static func unowned(
        _ pointer: UnsafeMutableRawPointer, byteCount: Int, whenDone: @escaping @Sendable () -> Void
    ) -> Storage {
        make(Header(pointer: pointer, byteCount: byteCount, memory: .caller(whenDone)))
    }

    /// Memory in an object with room for `units`.
    @inline(__always)
    static func small(_ byteCount: Int, units: Int) -> Storage {
        CachingAllocator.countSmall(byteCount)
        return make(units: units) { .inObject($0, byteCount, units: units) }
    }

    static func make(_ header: Header) -> Storage { make(units: 0) { _ in header } }

    @inline(__always)
    private static func make(units: Int, _ header: (ManagedBuffer<Header, Unit>) -> Header) -> Storage {
        unsafeDowncast(create(minimumCapacity: units, makingHeaderWith: header), to: Storage.self)
    }

    deinit {
        // Small tensors take the short way.
        if case .inObject = fixedHeader.memory {
            CachingAllocator.uncountSmall(byteCount)
        } else {
            giveBack(fixedHeader)
        }
    }

    @inline(never)
    private func giveBack(_ header: Header) {
        switch header.memory {
        case .inObject: CachingAllocator.uncountSmall(header.byteCount)
        case .cachingAllocator: CachingAllocator.free(header.pointer, header.byteCount)
        case .arena(let arena, let number): arena.giveBack(number)
        case .traced(let trace, let number):
            trace.giveBack(number)
            CachingAllocator.free(header.pointer, header.byteCount)
        case .caller(let whenDone): whenDone()
        case .nothing: break
        }
    }

    // MARK: Using the object again. Only for who alone holds it.

    /// Gives the memory back, as when the object goes.
    /// - Returns: How many units of memory are in the object.
    func empty() -> Int {
        let header = fixedHeader
        fill(Header(pointer: header.pointer, byteCount: 0, memory: .nothing))
        giveBack(header)
        if case .inObject(let units) = header.memory { return units }
        return 0
    }

    func fill(_ header: Header) { withUnsafeMutablePointerToHeader { $0.pointee = header } }

    func fillSmall(_ byteCount: Int, units: Int) {
        CachingAllocator.countSmall(byteCount)
        fill(.inObject(self, byteCount, units: units))
    }
}

extension Storage.Header {
    /// A large block of the allocator's.
    static func cached(_ byteCount: Int) -> Self {
        Self(pointer: CachingAllocator.allocate(byteCount), byteCount: byteCount, memory: .cachingAllocator)
    }

    @inline(__always)
    fileprivate static func inObject(
        _ object: ManagedBuffer<Storage.Header, Storage.Unit>, _ byteCount: Int, units: Int
    ) -> Self {
        let pointer = object.withUnsafeMutablePointerToElements { UnsafeMutableRawPointer($0) }
        return Self(pointer: pointer, byteCount: byteCount, memory: .inObject(units: units))
    }
}
