import Foundation

/// SHA-256 (FIPS 180-4), to know a download for what it should be. Our own because a cryptography library would cost every user a
/// minute of compile time for one checksum.
enum SHA256 {
    /// The digest as 64 hexadecimal digits.
    static func hexDigest(of data: Data) -> String {
        var state: [UInt32] = [
            0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19,
        ]
        var message = [UInt8](data)
        let bitCount = UInt64(message.count) * 8
        message.append(0x80)
        message.append(contentsOf: repeatElement(0, count: (120 - message.count % 64) % 64))
        withUnsafeBytes(of: bitCount.bigEndian) { message.append(contentsOf: $0) }
        message.withUnsafeBufferPointer { bytes in
            var schedule = [UInt32](repeating: 0, count: 64)
            for start in stride(from: 0, to: bytes.count, by: 64) { compress(&state, bytes, start, &schedule) }
        }
        return state.map { word in
            let digits = String(word, radix: 16)
            return String(repeating: "0", count: 8 - digits.count) + digits
        }.joined()
    }

    private static func compress(
        _ state: inout [UInt32], _ bytes: UnsafeBufferPointer<UInt8>, _ start: Int, _ w: inout [UInt32]
    ) {
        for t in 0..<16 { w[t] = (0..<4).reduce(0) { $0 << 8 | UInt32(bytes[start + 4 * t + $1]) } }
        for t in 16..<64 {
            let s0 = rotated(w[t - 15], 7) ^ rotated(w[t - 15], 18) ^ (w[t - 15] >> 3)
            let s1 = rotated(w[t - 2], 17) ^ rotated(w[t - 2], 19) ^ (w[t - 2] >> 10)
            w[t] = w[t - 16] &+ s0 &+ w[t - 7] &+ s1
        }
        var (a, b, c, d) = (state[0], state[1], state[2], state[3])
        var (e, f, g, h) = (state[4], state[5], state[6], state[7])
        for t in 0..<64 {
            let choice = (e & f) ^ (~e & g)
            let majority = (a & b) ^ (a & c) ^ (b & c)
            let first = h &+ (rotated(e, 6) ^ rotated(e, 11) ^ rotated(e, 25)) &+ choice &+ constants[t] &+ w[t]
            let second = (rotated(a, 2) ^ rotated(a, 13) ^ rotated(a, 22)) &+ majority
            (h, g, f, e, d, c, b, a) = (g, f, e, d &+ first, c, b, a, first &+ second)
        }
        for (index, value) in [a, b, c, d, e, f, g, h].enumerated() { state[index] = state[index] &+ value }
    }

    private static func rotated(_ x: UInt32, _ count: UInt32) -> UInt32 { x >> count | x << (32 - count) }

    /// The first 32 bits of the fractional parts of the cube roots of the first 64 primes, taken exactly in integers.
    private static let constants: [UInt32] = {
        var primes: [UInt64] = []
        var candidate: UInt64 = 2
        while primes.count < 64 {
            if primes.allSatisfy({ candidate % $0 != 0 }) { primes.append(candidate) }
            candidate += 1
        }
        return primes.map { prime in UInt32(truncatingIfNeeded: cubeRootTimes2To32(prime)) }
    }()

    /// ⌊∛p · 2³²⌋: the largest r with r³ ≤ p · 2⁹⁶.
    private static func cubeRootTimes2To32(_ prime: UInt64) -> UInt64 {
        var root: UInt64 = 0
        for bit in stride(from: UInt64(35), through: 0, by: -1) {
            let trial = root | 1 << bit
            // trial³ ≤ p · 2⁹⁶, with trial² split so that every product fits 128 bits.
            let square = trial.multipliedFullWidth(by: trial)
            let low = square.low.multipliedFullWidth(by: trial)
            let high = square.high &* trial &+ low.high  // the cube divided by 2⁶⁴
            if high < prime << 32 || (high == prime << 32 && low.low == 0) { root = trial }
            if bit == 0 { break }
        }
        return root
    }
}
