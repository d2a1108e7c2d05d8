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
            func want(_ weight: (Int) -> Double) -> [Double] {
                (0..<m * n).map { at in
                    (0..<k).reduce(Double(c.bias[at % n])) {
                        $0 + Double(c.x[at / n * k + $1]) * weight(at % n * k + $1)
                    }
                }
            }
            let integers = want { Double(c.integers[$0]) * Double(c.scale[$0 / k]) }
            let halves = want { Double(Float(bitPattern: UInt32(c.halves[$0]) << 16)) }
            withEachInstructionSet { name in
                let got = results(c, m, n, k, withBias: true)
                for (got, want) in zip(got.int8 + got.bfloat16, integers + halves) {
                    #expect(abs(Double(got) - want) <= 1e-5 * Double(k + 10), "\(name), \(m)×\(k) by \(n)")
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
        let before = ck_thread_count()
        defer { ck_set_thread_count(before) }
        withEachInstructionSet { _ in
            ck_set_thread_count(1)
            let one = results(c, m, n, k, withBias: true)
            ck_set_thread_count(3)
            let three = results(c, m, n, k, withBias: true)
            #expect(one == three)
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
