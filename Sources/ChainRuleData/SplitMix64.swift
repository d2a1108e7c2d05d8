/// The generator of Steele, Lea and Flood (2014): a counter and a mixing function, in integers, the same on every machine.
///
/// For what this target draws by itself (orders, splits, synthetic images); weights and dropout use the core's generator.
struct SplitMix64 {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    /// One of 2⁶⁴ streams of a seed. Seed and stream are mixed, so that neighbours have nothing in common.
    init(seed: UInt64, stream: UInt64) {
        state = Self.mixed(Self.mixed(seed &+ Self.step) &+ stream)
    }

    /// A seed that has nothing in common with `seed` or its streams 0, 1, 2, ...
    static func independentSeed(of seed: UInt64) -> UInt64 {
        var random = SplitMix64(seed: seed, stream: .max)
        return random.next()
    }

    private static let step: UInt64 = 0x9E37_79B9_7F4A_7C15

    private static func mixed(_ x: UInt64) -> UInt64 {
        var z = x
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    mutating func next() -> UInt64 {
        state &+= Self.step
        return Self.mixed(state)
    }

    /// From 0 to `bound` − 1, each equally likely: the upper half of a product, drawn again where the lower half would favour some
    /// (Lemire 2019). `bound` is 1 or more.
    mutating func below(_ bound: Int) -> Int {
        let n = UInt64(bound)
        var product = next().multipliedFullWidth(by: n)
        if product.low < n {
            let threshold = (0 &- n) % n
            while product.low < threshold { product = next().multipliedFullWidth(by: n) }
        }
        return Int(product.high)
    }

    mutating func uniform(_ low: Double, _ high: Double) -> Double {
        low + (high - low) * (Double(next() >> 11) * 0x1p-53)
    }

    /// Nearly normal, mean 0 and deviation 1: the sum of four uniform numbers. Needs no logarithm, which machines round differently,
    /// and has no far tails (at most ±2√3).
    mutating func normal() -> Double {
        let bits = next()
        let first = Double(bits & 0xFFFF) + Double((bits >> 16) & 0xFFFF)
        let second = Double((bits >> 32) & 0xFFFF) + Double(bits >> 48)
        return ((first + second) / 65_535 - 2) * 3.0.squareRoot()
    }

    /// The numbers from 0 to `count` − 1 in random order (Fisher and Yates).
    func permutation(of count: Int) -> [Int] {
        var random = self
        var order = Array(0..<count)
        for last in stride(from: count - 1, to: 0, by: -1) { order.swapAt(last, random.below(last + 1)) }
        return order
    }
}
