import CKernels
#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// A source of random numbers: the Mersenne twister MT19937, drawn from in PyTorch's order, so that the same seed gives the same
/// tensors. Safe to use from several threads; then the order of their draws decides who gets what.
public final class Generator: RandomNumberGenerator, Sendable {
    private let state: Lock<State>

    struct State {
        var twister: MersenneTwister
        /// The second number of a pair that Box and Muller's transform made, for the next normal draw.
        var nextNormal: Double?
        var seed: UInt64

        init(seed: UInt64) {
            twister = MersenneTwister(seed: UInt32(truncatingIfNeeded: seed))
            self.seed = seed
        }
    }

    /// Only the lower 32 bits of `seed` count, as in PyTorch.
    public init(seed: UInt64 = 0) { state = Lock(State(seed: seed)) }

    /// The generator used where none is named.
    public static var `default`: Generator {
        guard let standIn = ck_current_thread().pointee.generator else { return shared }
        return Unmanaged<Generator>.fromOpaque(standIn).takeUnretainedValue()
    }

    private static let shared = Generator(seed: 67_280_421_310_721)

    /// Runs `body` with this generator as the default one of this thread.
    package func asDefault<Result>(_ body: () throws -> Result) rethrows -> Result {
        let thread = ck_current_thread()
        let outer = thread.pointee.generator
        thread.pointee.generator = Unmanaged.passUnretained(self).toOpaque()
        defer { thread.pointee.generator = outer }
        return try withExtendedLifetime(self, body)
    }

    /// The seed it was last given.
    public var seed: UInt64 { state.withLock { $0.seed } }

    /// Begins again from `seed`.
    public func manualSeed(_ seed: UInt64) {
        Recorder.noteReading("it begins a generator again")
        state.withLock { $0 = State(seed: seed) }
    }

    /// 64 random bits, for Swift's own `shuffled(using:)` and its kin.
    public func next() -> UInt64 { draw { $0.twister.next64() } }

    convenience init(_ snapshot: Snapshot) {
        self.init(seed: snapshot.seed)
        self.snapshot = snapshot
    }

    /// Everything that decides the next draws, to be kept in a checkpoint.
    public struct Snapshot: Sendable, Codable, Equatable {
        let words: [UInt32]
        let position: Int
        let nextNormal: Double?
        let seed: UInt64
    }

    public var snapshot: Snapshot {
        get {
            state.withLock {
                Snapshot(
                    words: $0.twister.words, position: $0.twister.position, nextNormal: $0.nextNormal, seed: $0.seed)
            }
        }
        set {
            Recorder.noteReading("it sets the state of a generator")
            state.withLock {
                $0 = State(seed: newValue.seed)
                $0.twister = MersenneTwister(words: newValue.words, position: newValue.position)
                $0.nextNormal = newValue.nextNormal
            }
        }
    }

    /// Draws under the lock.
    func draw<Result>(_ body: (inout State) -> Result) -> Result where Result: Sendable {
        Recorder.noteReading("random numbers are drawn for the program itself")
        return state.withLock { body(&$0) }
    }
}

/// Begins the default generator again from `seed`.
public func manualSeed(_ seed: UInt64) { Generator.default.manualSeed(seed) }

extension Generator.State {
    /// 24 random bits as a number from 0 up to 1.
    mutating func uniformFloat() -> Float { Float(twister.next() & 0xFF_FFFF) * 0x1p-24 }

    /// 53 random bits as a number from 0 up to 1.
    mutating func uniformDouble() -> Double { Double(twister.next64() & ((1 << 53) - 1)) * 0x1p-53 }

    /// A standard normal number by the transform of Box and Muller (1958); every second one was made with the one before.
    mutating func normal() -> Double {
        if let next = nextNormal.take() { return next }
        let u1 = uniformDouble()
        let u2 = uniformDouble()
        let radius = (-2 * log1p(-u2)).squareRoot()
        let angle = 2 * Double.pi * u1
        nextNormal = radius * sin(angle)
        return radius * cos(angle)
    }

    /// A number of the exponential distribution with rate 1, by inversion.
    mutating func exponential() -> Double { -log1p(-uniformDouble()) }

    /// A number from 0 up to `range`; from 2²⁸ on out of 64 bits, as PyTorch draws it.
    mutating func integer(below range: UInt64) -> UInt64 {
        range >= 1 << 28 ? twister.next64() % range : UInt64(twister.next()) % range
    }

    /// The numbers from 0 up to `count` shuffled from the front. PyTorch takes 64 bits a draw once a remainder of 32 would be uneven.
    mutating func permutation(of count: Int) -> [Int64] {
        var order = Array(0..<Int64(count))
        let isShort = count < Int(UInt32.max / 20)
        order.withUnsafeMutableBufferPointer { order in
            for index in 0..<Swift.max(count - 1, 0) {
                let remaining = UInt64(count - index)
                let draw = isShort ? UInt64(twister.next()) : twister.next64()
                order.swapAt(index, index + Int(draw % remaining))
            }
        }
        return order
    }
}

// MARK: - State as bytes

extension Generator.Snapshot {
    /// What is wrong with bytes that should be a state.
    public struct FormatError: Error, CustomStringConvertible {
        public let description: String
    }

    private static let byteCount = 5056

    /// The state in the layout of PyTorch's `get_rng_state()`: 5,056 bytes, little-endian.
    ///
    /// seed (8), words left + 1 (4), seeded (4), next word (8), 624 words of 8 bytes, normal x, y and rho (8 each), whether y is a normal number in
    /// waiting (4), padding.
    public var bytes: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Self.byteCount)
        func append<Number: FixedWidthInteger>(_ number: Number) {
            withUnsafeBytes(of: number.littleEndian) { bytes.append(contentsOf: $0) }
        }
        append(seed)
        append(Int32(MersenneTwister.size - position + 1))
        append(Int32(1))
        append(UInt64(position))
        for word in words { append(UInt64(word)) }
        append(UInt64(0))
        append((nextNormal ?? 0).bitPattern)
        append(UInt64(0))
        append(Int32(nextNormal == nil ? 0 : 1))
        bytes.append(contentsOf: repeatElement(0, count: Self.byteCount - bytes.count))
        return bytes
    }

    /// Reads what `bytes` or PyTorch's `get_rng_state()` wrote.
    public init(bytes: [UInt8]) throws {
        guard bytes.count == Self.byteCount else {
            throw FormatError(
                description:
                    "A random state has \(Self.byteCount) bytes, these are \(bytes.count); was the file cut off?")
        }
        func number<Number: FixedWidthInteger>(at offset: Int, _: Number.Type) -> Number {
            bytes.withUnsafeBytes { Number(littleEndian: $0.loadUnaligned(fromByteOffset: offset, as: Number.self)) }
        }
        let size = MersenneTwister.size
        let left = Int(number(at: 8, Int32.self))
        let next = number(at: 16, UInt64.self)
        let stateWords = (0..<size).map { number(at: 24 + 8 * $0, UInt64.self) }
        guard number(at: 12, Int32.self) == 1, (1...size).contains(left), next <= UInt64(size),
            stateWords.allSatisfy({ $0 <= UInt64(UInt32.max) })
        else {
            throw FormatError(description: "These bytes are no random state: a counter or a word is out of range.")
        }
        // One word left in PyTorch's count means that none is: the next draw mixes first.
        self.init(
            words: stateWords.map(UInt32.init), position: left == 1 ? size : Int(next),
            nextNormal: number(at: 24 + 8 * size + 24, Int32.self) == 0
                ? nil : Double(bitPattern: number(at: 24 + 8 * size + 8, UInt64.self)),
            seed: number(at: 0, UInt64.self))
    }
}
