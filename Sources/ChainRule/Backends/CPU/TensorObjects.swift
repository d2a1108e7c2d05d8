import Synchronization

/// The objects that a plan's tensors are made of. Those of tensors that are gone serve the next ones, so that a run asks the heap for none.
///
/// An object whose last reference goes is lost. So what a step makes is held here until it ends or asks for more memory, and what nobody else
/// holds by then is emptied and kept. So are the values that a plan lets go of.
///
/// Nothing that is called from here comes back, but for what a program does when memory of its own is no longer used: nothing is half done by then.
final class TensorObjects {
    /// How many objects came from the heap.
    static let made = Atomic<Int>(0)

    @exclusivity(unchecked) private var watched = ObjectStack<TensorBody>()
    @exclusivity(unchecked) private var bodies = ObjectStack<TensorBody>()
    /// Without memory of their own.
    @exclusivity(unchecked) private var storages = ObjectStack<Storage>()
    /// With room for 1, 2, 4, ... units in the object.
    @exclusivity(unchecked) private var smallStorages = [ObjectStack<Storage>](
        repeating: ObjectStack(), count: SmallClass.count)

    deinit {
        watched.deallocate()
        bodies.deallocate()
        storages.deallocate()
        for index in smallStorages.indices { smallStorages[index].deallocate() }
    }

    // MARK: Taking

    func body(_ storage: consuming Storage, _ layout: Layout, _ dtype: DType) -> TensorBody {
        if let body = bodies.pop() {
            body.fill(storage, layout, dtype)
            watched.push(body)
            return body
        }
        Self.made.add(1, ordering: .relaxed)
        let body = TensorBody(storage: storage, layout: layout, dtype: dtype)
        watched.push(body)
        return body
    }

    func storage(_ header: Storage.Header) -> Storage {
        if let storage = storages.pop() {
            storage.fill(header)
            return storage
        }
        Self.made.add(1, ordering: .relaxed)
        return .make(header)
    }

    func smallStorage(_ byteCount: Int) -> Storage {
        let sizeClass = SmallClass(holding: byteCount)
        if let storage = smallStorages[sizeClass.number].pop() {
            storage.fillSmall(byteCount, units: sizeClass.units)
            return storage
        }
        Self.made.add(1, ordering: .relaxed)
        return .small(byteCount, units: sizeClass.units)
    }

    // MARK: Giving back

    /// For a body that is about to go: empties it if nobody else holds it.
    @inline(__always)
    func release(_ body: inout TensorBody) {
        if isKnownUniquelyReferenced(&body) { recycle(body) }
    }

    @inline(__always)
    func release(_ storage: inout Storage) {
        if isKnownUniquelyReferenced(&storage) { recycle(storage) }
    }

    /// Empties what nobody else holds.
    func sweep() {
        var index = 0
        while index < watched.count {
            if watched.isUniquelyReferenced(index) { recycle(watched.remove(at: index)) } else { index += 1 }
        }
    }

    /// The same, and lets go of what others hold.
    func endWatch() {
        while var body = watched.pop() { release(&body) }
    }

    private func recycle(_ body: consuming TensorBody) {
        var storage = body.empty()
        bodies.push(body)
        release(&storage)
    }

    private func recycle(_ storage: consuming Storage) {
        if let sizeClass = SmallClass(units: storage.empty()) {
            smallStorages[sizeClass.number].push(storage)
        } else {
            storages.push(storage)
        }
    }

    /// Lets go of what the run that ends did not need.
    func trim() {
        bodies.trim()
        storages.trim()
        for index in smallStorages.indices { smallStorages[index].trim() }
    }

    /// Whether nobody but the caller and the watch holds a body.
    func isUniquelyReferenced(_ body: inout TensorBody) -> Bool {
        sweep()
        guard let index = watched.firstIndex(of: body) else { return isKnownUniquelyReferenced(&body) }
        _ = watched.remove(at: index)
        defer { watched.push(body) }
        return isKnownUniquelyReferenced(&body)
    }
}

/// Objects that are held. Memory of its own, for an array counts references when something is put in or taken out.
private struct ObjectStack<Object: AnyObject> {
    private var memory: UnsafeMutablePointer<Object>?
    private var capacity = 0
    private(set) var count = 0
    /// The least `count` since the latest `trim`.
    private var least = 0

    @inline(__always)
    mutating func push(_ object: consuming Object) {
        if count == capacity { grow() }
        memory.unsafelyUnwrapped.advanced(by: count).initialize(to: object)
        count += 1
    }

    @inline(__always)
    mutating func pop() -> Object? {
        if count == 0 { return nil }
        count -= 1
        least = min(least, count)
        return memory.unsafelyUnwrapped.advanced(by: count).move()
    }

    /// Takes an object out; the last one gets its place.
    mutating func remove(at index: Int) -> Object {
        let objects = memory.unsafelyUnwrapped
        let object = objects.advanced(by: index).move()
        count -= 1
        if index < count { objects.advanced(by: index).moveInitialize(from: objects + count, count: 1) }
        return object
    }

    func isUniquelyReferenced(_ index: Int) -> Bool { isKnownUniquelyReferenced(&memory.unsafelyUnwrapped[index]) }

    func firstIndex(of object: Object) -> Int? {
        (0..<count).first { memory.unsafelyUnwrapped[$0] === object }
    }

    /// Lets go of as many as were never needed since the latest `trim`.
    mutating func trim() {
        for _ in 0..<least { _ = pop() }
        least = count
    }

    mutating func deallocate() {
        while pop() != nil {}
        memory?.deallocate()
    }

    private mutating func grow() {
        let larger = UnsafeMutablePointer<Object>.allocate(capacity: max(16, 2 * capacity))
        if let memory { larger.moveInitialize(from: memory, count: count) }
        memory?.deallocate()
        memory = larger
        capacity = max(16, 2 * capacity)
    }
}

/// Objects with memory for small tensors come with room for a power of two of units.
private struct SmallClass {
    let number: Int
    var units: Int { 1 << number }
    static let count =
        1 + CachingAllocator.smallLimit.trailingZeroBitCount - MemoryLayout<Storage.Unit>.stride.trailingZeroBitCount

    init(holding byteCount: Int) {
        let units = (byteCount + MemoryLayout<Storage.Unit>.stride - 1) / MemoryLayout<Storage.Unit>.stride
        number = units <= 1 ? 0 : Int.bitWidth - (units - 1).leadingZeroBitCount
    }

    /// The class that an object with so many units can serve; nil when it has none.
    init?(units: Int) {
        if units == 0 { return nil }
        number = Int.bitWidth - 1 - units.leadingZeroBitCount
    }
}
