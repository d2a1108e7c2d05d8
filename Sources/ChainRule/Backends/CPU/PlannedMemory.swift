import CKernels
import Synchronization

/// The memory of a plan's runs: one block, in which every tensor has a place that was found beforehand.
///
/// A run asks for the same blocks each time, in the same order. The first run gets them as always; `MemoryTrace` writes down how large each is,
/// when it comes and when it goes. What goes before the run ends has a place in an `Arena` from then on. What stays (results, gradients, state)
/// is allocated as always, and so is whatever comes out differently.
final class PlannedMemory {
    private var trace: MemoryTrace?
    private var places: [Place] = []
    private var arena: Arena?
    /// The place of the request that comes next, and the end of those of this step.
    private var next = 0
    private var end = 0
    /// The first request of each step.
    private var starts: [Int] = []
    private var misses = 0
    private var traces = 0
    private(set) var size: Size?
    private let objects = TensorObjects()
    /// An array that the latest step gave back.
    private var list: [Tensor] = []

    struct Size {
        /// What all places take together.
        let planned: Int
        /// What a run leaves behind.
        let kept: Int
    }

    struct Place {
        let byteCount: Int
        /// Nil for what stays.
        var offset: Int?
        /// What the arena must hold when this place is taken.
        var expected: UInt64 = 0
    }

    private static let mostTraces = 4

    /// Whether this thread runs a plan.
    @inline(__always)
    static var isUsed: Bool { ck_current_thread().pointee.planned_memory != nil }

    /// Hands over the memory of the plan that this thread runs; nil when it runs none.
    @inline(__always)
    static func withCurrent<Result>(_ body: (PlannedMemory) -> Result) -> Result? {
        // Not retained: who runs it holds it.
        ck_current_thread().pointee.planned_memory.map {
            Unmanaged<PlannedMemory>.fromOpaque($0)._withUnsafeGuaranteedRef(body)
        }
    }

    /// Runs the steps of a plan, which say `begin(step:)`. What the run leaves behind must be held when `body` ends.
    func run<Result>(_ body: () -> Result) -> Result {
        let thread = ck_current_thread()
        let outer = thread.pointee.planned_memory
        thread.pointee.planned_memory = Unmanaged.passUnretained(self).toOpaque()
        prepare()
        let result = withExtendedLifetime(self) { trace == nil ? body() : CachingAllocator.saving(body) }
        objects.endWatch()
        thread.pointee.planned_memory = outer
        finish()
        return result
    }

    private func prepare() {
        (next, end, misses) = (0, 0, 0)
        if size == nil {
            trace = MemoryTrace()
            starts = []
        } else if let size, size.planned > 0 {
            if arena == nil { arena = Arena(byteCount: size.planned) }
            arena?.open()
        }
    }

    private func finish() {
        objects.trim()
        if isKnownUniquelyReferenced(&arena) { arena?.close() } else { arena = nil }
        if let trace {
            self.trace = nil
            if isErrorPending { return }
            (places, size) = trace.places()
            traces += 1
            // What the recordings and this run left in the cache is of little use to the plan.
            CachingAllocator.releaseCached()
        } else if misses > 0, traces < Self.mostTraces, !isErrorPending {
            // It does something else by now: arguments that lie differently, another number of threads.
            size = nil
            arena = nil
        }
    }

    func begin(step: Int) {
        objects.endWatch()
        if let trace {
            starts.append(trace.count)
            return
        }
        next = starts[step]
        end = step + 1 < starts.count ? starts[step + 1] : places.count
    }

    // MARK: What tensors ask for

    func allocate(_ byteCount: Int) -> Storage {
        if byteCount <= CachingAllocator.smallLimit { return objects.smallStorage(byteCount) }
        // What is gone by now must not take room beside what comes.
        objects.sweep()
        return objects.storage(block(byteCount))
    }

    private func block(_ byteCount: Int) -> Storage.Header {
        if let trace { return trace.allocate(byteCount) }
        guard next < end, places[next].byteCount == byteCount else {
            misses += 1
            next += 1
            return .cached(byteCount)
        }
        let (place, number) = (places[next], next)
        next += 1
        guard let offset = place.offset, let arena else { return .cached(byteCount) }
        guard arena.isFree(for: place) else {
            misses += 1
            return .cached(byteCount)
        }
        return arena.take(number, at: offset, byteCount)
    }

    func body(_ storage: Storage, _ layout: Layout, _ dtype: DType) -> TensorBody {
        objects.body(storage, layout, dtype)
    }

    /// Whether nobody else holds a body: a step that asks may write over it.
    func isUniquelyReferenced(_ body: inout TensorBody) -> Bool { objects.isUniquelyReferenced(&body) }

    /// For a tensor that is about to go: if nobody else has its objects, others get them.
    @inline(__always)
    func release(_ tensor: inout Tensor) { objects.release(&tensor.body) }

    static func release(_ tensor: inout Tensor) { withCurrent { $0.objects.release(&tensor.body) } }

    static func release(_ storage: inout Storage) { withCurrent { $0.objects.release(&storage) } }

    /// An array without tensors: while a plan runs, one that was given back.
    fileprivate static func emptyList() -> [Tensor] {
        withCurrent { memory in
            var list: [Tensor] = []
            swap(&list, &memory.list)
            return list
        } ?? []
    }

    /// For an array whose tensors were taken out.
    static func giveBack(_ list: consuming [Tensor]) {
        list.removeAll(keepingCapacity: true)
        withCurrent { if list.capacity > $0.list.capacity { $0.list = list } }
    }
}

extension Tensor {
    /// An array of the tensors that are there, for an operation to hand back. While a plan runs, which gives the array back, it asks the heap for
    /// nothing.
    static func list(
        _ first: Tensor? = nil, _ second: Tensor? = nil, _ third: Tensor? = nil, _ fourth: Tensor? = nil
    ) -> [Tensor] {
        var list = PlannedMemory.emptyList()
        list.reserveCapacity(4)
        if let first { list.append(first) }
        if let second { list.append(second) }
        if let third { list.append(third) }
        if let fourth { list.append(fourth) }
        return list
    }
}

/// The block that planned tensors lie in during one run. A tensor that unexpectedly outlives the run keeps it.
final class Arena: @unchecked Sendable {
    // @unchecked: the block is reached through the storages that lie in it alone.
    private let byteCount: Int
    private var block: UnsafeMutableRawPointer?
    /// The exclusive or of the keys of all requests that are in use: equal for equal sets, and by accident once in 2⁶⁴ times for others.
    private let used = Atomic<UInt64>(0)

    init(byteCount: Int) { self.byteCount = byteCount }

    deinit { close() }

    /// Gets the block for a run.
    func open() { block = CachingAllocator.allocate(byteCount) }

    /// Gives it back, when nothing lies in it any more.
    func close() {
        if let block { CachingAllocator.free(block, byteCount) }
        block = nil
    }

    static func key(_ number: Int) -> UInt64 {
        var z = UInt64(truncatingIfNeeded: number + 1) &* 0x9E37_79B9_7F4A_7C15
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    /// Whether all that lay where this place is has gone: when exactly the requests are in use that were when it was planned.
    func isFree(for place: PlannedMemory.Place) -> Bool { used.load(ordering: .acquiring) == place.expected }

    func take(_ number: Int, at offset: Int, _ byteCount: Int) -> Storage.Header {
        guard let block else { return .cached(byteCount) }
        used.bitwiseXor(Arena.key(number), ordering: .relaxed)
        return Storage.Header(
            pointer: block + offset, byteCount: byteCount, memory: .arena(self, number: number))
    }

    func giveBack(_ number: Int) { used.bitwiseXor(Arena.key(number), ordering: .releasing) }
}

/// Writes down which blocks a run asks for and how long they live.
final class MemoryTrace: Sendable {
    private struct Request {
        let byteCount: Int
        let birth: Int
        var death: Int?
    }

    private struct State {
        var requests: [Request] = []
        /// Counts births and deaths.
        var clock = 0
    }

    private let state = Lock(State())

    var count: Int { state.withLock { $0.requests.count } }

    func allocate(_ byteCount: Int) -> Storage.Header {
        let number = state.withLock { state in
            state.requests.append(Request(byteCount: byteCount, birth: state.clock))
            state.clock += 1
            return state.requests.count - 1
        }
        return Storage.Header(
            pointer: CachingAllocator.allocate(byteCount), byteCount: byteCount,
            memory: .traced(self, number: number))
    }

    func giveBack(_ number: Int) {
        state.withLock { state in
            state.requests[number].death = state.clock
            state.clock += 1
        }
    }

    /// Where each request lies, and what that takes.
    func places() -> ([PlannedMemory.Place], PlannedMemory.Size) {
        let requests = state.withLock { $0.requests }
        var places = requests.map { PlannedMemory.Place(byteCount: $0.byteCount, offset: nil) }
        let mortal = requests.indices.filter { requests[$0].death != nil }
        let lives = mortal.map { Life(requests[$0].birth, requests[$0].death ?? 0, requests[$0].byteCount) }
        let (offsets, planned) = packed(lives)
        for (number, offset) in zip(mortal, offsets) { places[number].offset = offset }
        var events: [(time: Int, number: Int, isBirth: Bool)] = []
        for (number, life) in zip(mortal, lives) {
            events += [(life.birth, number, true), (life.death, number, false)]
        }
        var used: UInt64 = 0
        for event in events.sorted(by: { $0.time < $1.time }) {
            if event.isBirth { places[event.number].expected = used }
            used ^= Arena.key(event.number)
        }
        let kept = requests.reduce(0) { $0 + ($1.death == nil ? $1.byteCount : 0) }
        return (places, PlannedMemory.Size(planned: planned, kept: kept))
    }
}

/// From when to when something lies in memory, and how much it takes.
private struct Life {
    let birth, death, byteCount: Int

    init(_ birth: Int, _ death: Int, _ byteCount: Int) {
        self.birth = birth
        self.death = death
        // The alignment that kernels want.
        self.byteCount = (byteCount + 63) & ~63
    }
}

/// Offsets at which no two lie on each other at one time, and how far they reach: the largest first, each into the smallest gap that fits
/// (Pisarchyk and Lee 2020, arXiv 2001.03288).
private func packed(_ lives: [Life]) -> (offsets: [Int], byteCount: Int) {
    var offsets = lives.map { _ in 0 }
    /// By offset.
    var placed: [Int] = []
    var total = 0
    for number in lives.indices.sorted(by: { lives[$0].byteCount > lives[$1].byteCount }) {
        let life = lives[number]
        var best: (offset: Int, gap: Int)?
        var reached = 0
        for other in placed where lives[other].birth < life.death && life.birth < lives[other].death {
            let gap = offsets[other] - reached
            if gap >= life.byteCount, gap < best?.gap ?? .max { best = (reached, gap) }
            reached = max(reached, offsets[other] + lives[other].byteCount)
        }
        offsets[number] = best?.offset ?? reached
        total = max(total, offsets[number] + life.byteCount)
        let place = placed.firstIndex { offsets[$0] > offsets[number] } ?? placed.count
        placed.insert(number, at: place)
    }
    return (offsets, total)
}
