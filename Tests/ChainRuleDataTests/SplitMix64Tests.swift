import Testing

@testable import ChainRuleData

struct SplitMix64Tests {
    /// The reference implementation's numbers for this seed.
    @Test func reference() {
        var random = SplitMix64(seed: 1_234_567)
        let numbers = (0..<5).map { _ in random.next() }
        #expect(
            numbers == [
                6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423,
                4_593_380_528_125_082_431, 16_408_922_859_458_223_821,
            ])
    }

    /// Orders are part of what a seed promises: these never change.
    @Test func permutations() {
        #expect(SplitMix64(seed: 3).permutation(of: 10) == [5, 7, 2, 8, 3, 9, 0, 4, 6, 1])
        #expect(SplitMix64(seed: 7, stream: 0).permutation(of: 10) == [3, 1, 2, 5, 6, 4, 0, 8, 7, 9])
        #expect(SplitMix64(seed: 7, stream: 1).permutation(of: 10) == [7, 9, 3, 6, 2, 4, 1, 8, 0, 5])
        #expect(SplitMix64(seed: 1).permutation(of: 0) == [])
        #expect(SplitMix64(seed: 1).permutation(of: 1) == [0])
    }

    @Test func everyOrderIsEquallyLikely() {
        var counts: [[Int]: Int] = [:]
        for seed in 0..<24_000 { counts[SplitMix64(seed: UInt64(seed)).permutation(of: 4), default: 0] += 1 }
        #expect(counts.count == 24)
        // Expected 1000 each with a deviation of 31.
        #expect(counts.values.allSatisfy { (850...1150).contains($0) })
    }

    @Test func distributions() {
        var random = SplitMix64(seed: 5)
        let normals = (0..<100_000).map { _ in random.normal() }
        let mean = normals.reduce(0, +) / 100_000
        let variance = normals.reduce(0) { $0 + $1 * $1 } / 100_000
        #expect(abs(mean) < 0.02 && abs(variance - 1) < 0.02)
        #expect((0..<1000).allSatisfy { _ in (2.0..<3.0).contains(random.uniform(2, 3)) })
        #expect(Set((0..<1000).map { _ in random.below(7) }) == Set(0..<7))
    }
}
