import CKernels
import Testing

@Suite struct VectorsTests {
    /// Around every edge of vectors, and of the sums side by side.
    private static let counts = Array(0...35) + [63, 64, 65, 127, 200]

    private func numbers(_ count: Int, _ random: inout TestRandom) -> [Double] {
        // Two beyond the end, which nothing may touch.
        (0..<count + 2).map { _ in random.uniform() }
    }

    @Test func agreeWithTheLoops() {
        var random = TestRandom(seed: 1)
        for count in Self.counts {
            let (x, y) = (numbers(count, &random), numbers(count, &random))
            withEachInstructionSet { isa in
                let sum = (0..<count).reduce(0) { $0 + x[$1] * y[$1] }
                #expect(abs(ck_dot_f64(Int64(count), x, y) - sum) <= 1e-14 * Double(count), "\(isa) \(count)")

                var added = y
                ck_add_scaled_f64(Int64(count), -0.75, x, &added)
                var (turned, other) = (x, y)
                ck_rotate_f64(Int64(count), 0.6, 0.8, &turned, &other)
                for i in 0..<count {
                    #expect(abs(added[i] - (y[i] - 0.75 * x[i])) <= 4e-16, "\(isa) \(count) \(i)")
                    #expect(abs(turned[i] - (0.6 * x[i] + 0.8 * y[i])) <= 4e-16, "\(isa) \(count) \(i)")
                    #expect(abs(other[i] - (0.6 * y[i] - 0.8 * x[i])) <= 4e-16, "\(isa) \(count) \(i)")
                }
                #expect(
                    added[count...] == y[count...] && turned[count...] == x[count...] && other[count...] == y[count...])
            }
        }
    }

    @Test func whatIsNoNumberStaysInItsPlace() {
        withEachInstructionSet { isa in
            for (count, place) in [(5, 0), (40, 17), (40, 39)] {
                for value in [Double.nan, .infinity] {
                    var x = [Double](repeating: 1, count: count)
                    x[place] = value
                    let ones = [Double](repeating: 1, count: count)
                    let sum = ck_dot_f64(Int64(count), x, ones)
                    #expect(value.isNaN ? sum.isNaN : sum == .infinity, "\(isa)")
                    var y = ones
                    ck_add_scaled_f64(Int64(count), 2, x, &y)
                    #expect(y.indices.allSatisfy { $0 == place ? !y[$0].isFinite : y[$0] == 3 }, "\(isa)")
                }
            }
        }
    }
}
