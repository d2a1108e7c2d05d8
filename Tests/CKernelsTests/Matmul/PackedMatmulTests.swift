import CKernels
import Testing

/// Products large enough for packing: from 128 rows and columns, a k of 64 and 2²⁴ multiplications on.
@Suite struct PackedMatmulTests {
    /// Several steps and several blocks; the last tile of AVX2 is one row high. A is packed where there are many
    /// columns and its rows lie pages apart, or tiles read along its columns.
    @Test(arguments: [false, true], [false, true])
    func largeProducts(aTransposed: Bool, bTransposed: Bool) {
        var p = matmul(277, 620, 130, aTransposed: aTransposed, bTransposed: bTransposed, gap: 3)
        if bTransposed {
            p = matmul(141, 240, 530, aTransposed: aTransposed, bTransposed: true, gap: aTransposed ? 3 : 784)
        }
        p.beta = 0.5
        p.activation = CK_ACTIVATE_GELU
        checkMatmul(Float.self, p)
        checkMatmul(Double.self, p)
    }

    /// C starts from the bias or from itself, in whole vectors.
    @Test func startsInPlace() {
        var p = matmul(141, 520, 256)
        for (beta, activation) in [(0.0, CK_ACTIVATE_RELU), (1, CK_IDENTITY)] {
            p.beta = beta
            p.activation = activation
            checkMatmul(Float.self, p, biased: beta == 0)
        }
    }

    /// Steps of rows, columns, k and items, the next of which is packed beside the products of one; then the fewest blocks there can be. A and
    /// B have rank one and hold small integers, so that every sum is known and exact.
    @Test(
        arguments: [(970, 1100, 1030, 2), (128, 1024, 128, 1), (128, 64, 2048, 1), (2048, 64, 128, 1)], [false, true])
    func stepsPackedAhead(_ shape: (m: Int64, k: Int64, n: Int64, batch: Int64), aTransposed: Bool) {
        let p = matmul(shape.m, shape.k, shape.n, batch: shape.batch, aTransposed: aTransposed)
        var random = TestRandom(seed: 4)
        var example = MatmulCase<Float>(p, random: &random)
        func integers(_ count: Int64) -> [Float] {
            (0..<count).map { _ in Float(Int.random(in: -2...2, using: &random)) }
        }
        let rows = integers(p.m), alongA = integers(2 * p.k), alongB = integers(2 * p.k), columns = integers(p.n)
        for item in 0..<Int(p.batch) {
            for k in 0..<Int(p.k) {
                let a = item * Int(p.a_batch) + k * Int(p.a_column), b = item * Int(p.b_batch) + k * Int(p.b_row)
                for i in 0..<Int(p.m) { example.a[a + i * Int(p.a_row)] = rows[i] * alongA[item * Int(p.k) + k] }
                for j in 0..<Int(p.n) { example.b[b + j] = alongB[item * Int(p.k) + k] * columns[j] }
            }
        }
        let sums = (0..<Int(p.batch)).map { item in
            (0..<Int(p.k)).reduce(Float(0)) { $0 + alongA[item * Int(p.k) + $1] * alongB[item * Int(p.k) + $1] }
        }
        withEachInstructionSet { name in
            for threads: Int32 in [1, 2, 4] {
                let out = example.result(threads: threads)
                for index in stride(from: 0, to: out.count, by: 31) {
                    let (item, i, j) = (index / Int(p.c_batch), index / Int(p.n) % Int(p.m), index % Int(p.n))
                    guard out[index] != rows[i] * columns[j] * sums[item] else { continue }
                    Issue.record("\(name), \(threads) threads: \(out[index]) at \(item), \(i), \(j)")
                    break
                }
            }
        }
    }
}
