import CKernels
import Testing

@Suite struct DistancesTests {
    private func distances(_ p: ck_distances, _ a: [Float], _ b: [Float]) -> [Float] {
        let count = p.paired != 0 ? p.rows * (p.rows - 1) / 2 : p.batch * p.rows * p.columns
        var (p, y) = (p, [Float](repeating: -1, count: Int(count) + 8))
        ck_distances_f32(&p, &y, a, b)
        #expect(y[Int(count)...].allSatisfy { $0 == -1 }, "written past the end")
        return Array(y[..<Int(count)])
    }

    private func reference(_ p: ck_distances, _ a: [Float], _ b: [Float]) -> [Float] {
        var y: [Float] = []
        for item in 0..<Int(p.batch) {
            for i in 0..<Int(p.rows) {
                for j in 0..<Int(p.columns) where p.paired == 0 || j > i {
                    let (left, right) = (
                        (item * Int(p.rows) + i) * Int(p.width), (item * Int(p.columns) + j) * Int(p.width)
                    )
                    let squares = (0..<Int(p.width)).reduce(0.0) { sum, k in
                        let difference = Double(a[left + k]) - Double(b[right + k])
                        return sum + difference * difference
                    }
                    y.append(Float(squares.squareRoot()))
                }
            }
        }
        return y
    }

    /// Rows, columns and widths around each edge of panels, blocks and vectors.
    @Test func agreeWithTheSumOfSquares() {
        var random = TestRandom(seed: 1)
        let sizes: [(batch: Int64, rows: Int64, columns: Int64, width: Int64)] = [
            (1, 1, 1, 1), (2, 3, 5, 7), (1, 64, 64, 64), (1, 65, 63, 65), (3, 17, 129, 3), (1, 130, 16, 200),
            (2, 4, 4, 0),
            (0, 3, 3, 3), (1, 0, 4, 2),
        ]
        for size in sizes {
            for paired: Int32 in [0, 1] {
                let columns = paired != 0 ? size.rows : size.columns
                let p = ck_distances(
                    batch: paired != 0 ? 1 : size.batch, rows: size.rows, columns: columns, width: size.width,
                    paired: paired)
                let a = (0..<p.batch * p.rows * p.width).map { _ in Float(random.uniform()) }
                let b = paired != 0 ? a : (0..<p.batch * columns * p.width).map { _ in Float(random.uniform()) }
                let expected = reference(p, a, b)
                withEachInstructionSet { isa in
                    let close = zip(distances(p, a, b), expected).allSatisfy { abs($0 - $1) <= $1 * 1.2e-7 }
                    #expect(close, "\(isa) \(size) \(paired)")
                }
            }
        }
    }

    @Test func threadsDoNotChangeResults() {
        var random = TestRandom(seed: 2)
        let p = ck_distances(batch: 1, rows: 300, columns: 300, width: 20, paired: 1)
        let a = (0..<p.rows * p.width).map { _ in Float(random.uniform()) }
        let results = withEachThreadCount([1, 4]) { distances(p, a, a) }
        #expect(results[0] == results[1])
    }

    @Test func whatIsNotFiniteStaysInItsPairs() {
        let a: [Float] = [0, 1, .nan, 2, .infinity, 3]
        let p = ck_distances(batch: 1, rows: 3, columns: 3, width: 2, paired: 0)
        withEachInstructionSet { isa in
            let y = distances(p, a, [0, 0, 1, 1, .infinity, 0])
            #expect(y[0] == 1 && y[1] == 1 && y[2] == .infinity, "\(isa)")
            #expect(y[3].isNaN && y[4].isNaN && y[5].isNaN, "\(isa)")
            #expect(y[6] == .infinity && y[7] == .infinity && y[8].isNaN, "\(isa)")
        }
    }
}
