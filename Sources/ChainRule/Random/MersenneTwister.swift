/// MT19937 (Matsumoto and Nishimura 1998): 624 words of state, of which a batch is mixed at a time.
struct MersenneTwister {
    static let size = 624
    private static let middle = 397
    private(set) var words: [UInt32]
    /// The next word to hand out; `size` when a new batch must be mixed first.
    private(set) var position: Int

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
        position += 1
        return Self.temper(words[position - 1])
    }

    /// Two draws, the first one the high half.
    mutating func next64() -> UInt64 {
        let high = UInt64(next())
        return high << 32 | UInt64(next())
    }

    /// The next `count` draws.
    mutating func fill(_ output: UnsafeMutablePointer<UInt32>, _ count: Int) {
        var done = 0
        while done < count {
            if position == Self.size { mix() }
            let batch = Swift.min(count - done, Self.size - position)
            words.withUnsafeBufferPointer { words in
                guard let source = words.baseAddress.map({ $0 + position }) else { return }
                let target = output + done
                for index in 0..<batch { target[index] = Self.temper(source[index]) }
            }
            position += batch
            done += batch
        }
    }

    @inline(__always)
    private static func temper(_ word: UInt32) -> UInt32 {
        var y = word
        y ^= y >> 11
        y ^= (y << 7) & 0x9D2C_5680
        y ^= (y << 15) & 0xEFC6_0000
        return y ^ (y >> 18)
    }

    /// A word from its neighbour's lower bits and a far word.
    @inline(__always)
    private static func mixed(_ word: UInt32, _ next: UInt32, _ far: UInt32) -> UInt32 {
        let y = (word & 0x8000_0000) | (next & 0x7FFF_FFFF)
        return far ^ (y >> 1) ^ ((0 &- (y & 1)) & 0x9908_B0DF)
    }

    private mutating func mix() {
        // Three loops in place of one with a remainder, so that the compiler can take several words at a time.
        words.withUnsafeMutableBufferPointer { words in
            let turn = Self.size - Self.middle
            for index in 0..<turn {
                words[index] = Self.mixed(words[index], words[index + 1], words[index + Self.middle])
            }
            for index in turn..<Self.size - 1 {
                words[index] = Self.mixed(words[index], words[index + 1], words[index - turn])
            }
            words[Self.size - 1] = Self.mixed(words[Self.size - 1], words[0], words[Self.middle - 1])
        }
        position = 0
    }
}
