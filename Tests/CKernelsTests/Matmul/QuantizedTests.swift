import CKernels
import Testing

@Suite struct QuantizedTests {
    /// Rows, outputs and inputs around every edge: the fours of rows, two vectors of each width, blocks of several threads.
    private static let sizes = [
        (1, 1, 1), (1, 4, 16), (2, 3, 15), (1, 5, 17), (3, 9, 31), (1, 8, 32), (2, 6, 33), (1, 7, 64), (1, 2, 0),
        (4, 13, 100), (1, 1030, 300), (5, 700, 129),
    ]

    private struct Case {
        let x, bias, scale: [Float]
        let integers: [Int8]
        let halves: [UInt16]

        init(_ m: Int, _ n: Int, _ k: Int, seed: UInt64) {
            var random = TestRandom(seed: seed)
            x = (0..<m * k).map { _ in Float(random.uniform()) }
            bias = (0..<n).map { _ in Float(random.uniform()) }
            scale = (0..<n).map { _ in Float(random.uniform(0.01...0.1)) }
            integers = (0..<n * k).map { _ in Int8.random(in: -127...127, using: &random) }
            halves = (0..<n * k).map { _ in UInt16(Float(random.uniform()).bitPattern >> 16) }
        }
    }

    /// Both kinds on one case.
    private func results(_ c: Case, _ m: Int, _ n: Int, _ k: Int, withBias: Bool) -> (int8: [Float], bfloat16: [Float])
    {
        var (int8, bfloat16) = ([Float](repeating: .nan, count: m * n), [Float](repeating: .nan, count: m * n))
        c.bias.withUnsafeBufferPointer { bias in
            let bias = withBias ? bias.baseAddress : nil
            ck_linear_int8(Int64(m), Int64(n), Int64(k), &int8, c.x, c.integers, c.scale, bias)
            ck_linear_bfloat16(Int64(m), Int64(n), Int64(k), &bfloat16, c.x, c.halves, bias)
        }
        return (int8, bfloat16)
    }

    @Test func agreesWithPlainSums() {
        for (index, (m, n, k)) in Self.sizes.enumerated() {
            let c = Case(m, n, k, seed: UInt64(index))
            // Each with the sum of the absolute values that were added.
            func want(_ weight: (Int) -> Double) -> [(value: Double, size: Double)] {
                (0..<m * n).map { at in
                    let bias = Double(c.bias[at % n])
                    return (0..<k).reduce((bias, abs(bias))) { sum, i in
                        let term = Double(c.x[at / n * k + i]) * weight(at % n * k + i)
                        return (sum.0 + term, sum.1 + abs(term))
                    }
                }
            }
            let integers = want { Double(c.integers[$0]) * Double(c.scale[$0 / k]) }
            let halves = want { Double(Float(bitPattern: UInt32(c.halves[$0]) << 16)) }
            withEachInstructionSet { name in
                let got = results(c, m, n, k, withBias: true)
                for (got, want) in zip(got.int8 + got.bfloat16, integers + halves) {
                    let error = abs(Double(got) - want.value)
                    #expect(error <= 8 * Double(Float.ulpOfOne) * want.size, "\(name), \(m)×\(k) by \(n)")
                }
            }
        }
    }

    @Test func leavesTheBiasOut() {
        let c = Case(2, 5, 20, seed: 1)
        let (with, without) = (results(c, 2, 5, 20, withBias: true), results(c, 2, 5, 20, withBias: false))
        for at in 0..<10 { #expect(abs(with.int8[at] - c.bias[at % 5] - without.int8[at]) < 1e-4) }
        for at in 0..<10 { #expect(abs(with.bfloat16[at] - c.bias[at % 5] - without.bfloat16[at]) < 1e-5) }
    }

    @Test func givesTheSameForAnyNumberOfThreads() {
        let (m, n, k) = (2, 1030, 300)
        let c = Case(m, n, k, seed: 3)
        withEachInstructionSet { _ in
            let all = withEachThreadCount([1, 3]) { results(c, m, n, k, withBias: true) }
            #expect(all[0] == all[1])
        }
    }

    @Test func handsOnNaNAndInfinity() {
        var c = Case(1, 4, 40, seed: 4).x
        c[7] = .infinity
        var y = [Float](repeating: 0, count: 4)
        let ones = [Int8](repeating: 1, count: 160)
        ck_linear_int8(1, 4, 40, &y, c, ones, [1, 1, 1, 1], nil)
        #expect(y == [.infinity, .infinity, .infinity, .infinity])
        c[39] = .nan
        ck_linear_int8(1, 4, 40, &y, c, ones, [1, 1, 1, 1], nil)
        for value in y { #expect(value.isNaN) }
    }
}
