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
                for i in 0..<count {
                    #expect(abs(added[i] - (y[i] - 0.75 * x[i])) <= 4e-16, "\(isa) \(count) \(i)")
                }
                #expect(added[count...] == y[count...])
            }
        }
    }

    @Test func runsOfRotations() {
        var random = TestRandom(seed: 2)
        // Runs of two, four and no rotations.
        let (c, s) = (0.6, 0.8)
        let turns = [1, 2, c, s, s, -c, 0, 4, c, -s, 1, 0, s, c, -c, s, 2, 0]
        for columns in Self.counts {
            let x = numbers(5 * columns, &random)
            var want = x
            for (row, c, s) in [
                (1, c, s), (2, s, -c), (0, c, -s), (1, 1, 0), (2, s, c), (3, -c, s),
            ] as [(Int, Double, Double)] {
                for column in 0..<columns {
                    let (upper, lower) = (row * columns + column, (row + 1) * columns + column)
                    (want[upper], want[lower]) = (
                        c * want[upper] + s * want[lower], c * want[lower] - s * want[upper]
                    )
                }
            }
            withEachInstructionSet { isa in
                var got = x
                var scratch = [Double](repeating: .nan, count: 5 * Int(CK_ROTATED_COLUMNS))
                ck_rotate_rows_f64(5, Int64(columns), &got, Int64(turns.count), turns, &scratch)
                #expect(zip(got, want).allSatisfy { abs($0 - $1) <= 2e-15 }, "\(columns) on \(isa)")
                #expect(got[(5 * columns)...] == x[(5 * columns)...])
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
