import Foundation
import Synchronization

/// A source of random numbers: the Mersenne twister MT19937, drawn from in PyTorch's order, so that the same seed gives the same
/// tensors. Safe to use from several threads; then the order of their draws decides who gets what.
public final class Generator: Sendable {
    private let state: Mutex<State>

    struct State {
        var twister: MersenneTwister
        /// The second number of a pair that the polar transform made, for the next normal draw.
        var nextNormal: Double?
        var seed: UInt64
    }

    public init(seed: UInt64 = 0) {
        state = Mutex(
            State(twister: MersenneTwister(seed: UInt32(truncatingIfNeeded: seed)), nextNormal: nil, seed: seed))
    }

    /// The generator used where none is named.
    public static let `default` = Generator(seed: 67_280_421_310_721)

    /// The seed it was last given.
    public var seed: UInt64 { state.withLock { $0.seed } }

    /// Begins again from `seed`.
    public func manualSeed(_ seed: UInt64) {
        state.withLock {
            $0 = State(twister: MersenneTwister(seed: UInt32(truncatingIfNeeded: seed)), nextNormal: nil, seed: seed)
        }
    }

    /// Everything that decides the next draws, to be kept in a checkpoint.
    public struct Snapshot: Sendable, Codable, Equatable {
        var words: [UInt32]
        var position: Int
        var nextNormal: Double?
        var seed: UInt64
    }

    public var snapshot: Snapshot {
        get {
            state.withLock {
                Snapshot(
                    words: $0.twister.words, position: $0.twister.position, nextNormal: $0.nextNormal, seed: $0.seed)
            }
        }
        set {
            let twister = MersenneTwister(words: newValue.words, position: newValue.position)
            state.withLock { $0 = State(twister: twister, nextNormal: newValue.nextNormal, seed: newValue.seed) }
        }
    }

    /// Draws under the lock.
    func draw<Result: Sendable>(_ body: (inout State) -> Result) -> Result { state.withLock { body(&$0) } }
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

    /// A number from 0 up to `range`; from 2²⁸ on out of 64 bits, as PyTorch draws it.
    mutating func integer(below range: UInt64) -> UInt64 {
        range >= 1 << 28 ? twister.next64() % range : UInt64(twister.next()) % range
    }
}

/// MT19937 (Matsumoto and Nishimura 1998): 624 words of state, of which a batch is mixed at a time.
struct MersenneTwister {
    private(set) var words: [UInt32]
    private(set) var position: Int
    private static let size = 624
    private static let middle = 397

    init(seed: UInt32) {
        words = [seed]
        words.reserveCapacity(Self.size)
        for index in 1..<UInt32(Self.size) {
            let last = words[words.count - 1]
            words.append(1_812_433_253 &* (last ^ (last >> 30)) &+ index)
        }
        position = Self.size
    }

    init(words: [UInt32], position: Int) {
        self.words = words
        self.position = position
    }

    mutating func next() -> UInt32 {
        if position == Self.size { mix() }
        var y = words[position]
        position += 1
        y ^= y >> 11
        y ^= (y << 7) & 0x9D2C_5680
        y ^= (y << 15) & 0xEFC6_0000
        return y ^ (y >> 18)
    }

    /// Two draws, the first one the high half.
    mutating func next64() -> UInt64 {
        let high = UInt64(next())
        return high << 32 | UInt64(next())
    }

    private mutating func mix() {
        words.withUnsafeMutableBufferPointer { words in
            for index in 0..<Self.size {
                let following = words[index + 1 == Self.size ? 0 : index + 1]
                let y = (words[index] & 0x8000_0000) | (following & 0x7FFF_FFFF)
                let far = index + Self.middle
                words[index] =
                    words[far >= Self.size ? far - Self.size : far] ^ (y >> 1) ^ (y & 1 == 0 ? 0 : 0x9908_B0DF)
            }
        }
        position = 0
    }
}
