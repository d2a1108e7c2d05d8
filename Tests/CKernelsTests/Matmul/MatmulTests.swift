import CKernels
import Foundation
import Testing

/// An element type and its two entry points.
private protocol MatmulElement: BinaryFloatingPoint, SIMDScalar, Codable {
    static var tolerance: Double { get }
    static func workspace(_ p: ck_matmul) -> Int
    static func multiply(
        _ p: ck_matmul, _ a: [Self], _ b: [Self], _ c: inout [Self], _ bias: [Self]?,
        _ workspace: UnsafeMutableRawPointer)
}

extension Float: MatmulElement {
    fileprivate static var tolerance: Double { 2e-6 }
    fileprivate static func workspace(_ p: ck_matmul) -> Int {
        withUnsafePointer(to: p) { ck_matmul_workspace_f32($0) }
    }
    fileprivate static func multiply(
        _ p: ck_matmul, _ a: [Float], _ b: [Float], _ c: inout [Float], _ bias: [Float]?,
        _ workspace: UnsafeMutableRawPointer
    ) {
        var p = p
        ck_matmul_f32(&p, a, b, &c, bias, workspace)
    }
}

extension Double: MatmulElement {
    fileprivate static var tolerance: Double { 4e-15 }
    fileprivate static func workspace(_ p: ck_matmul) -> Int {
        withUnsafePointer(to: p) { ck_matmul_workspace_f64($0) }
    }
    fileprivate static func multiply(
        _ p: ck_matmul, _ a: [Double], _ b: [Double], _ c: inout [Double], _ bias: [Double]?,
        _ workspace: UnsafeMutableRawPointer
    ) {
        var p = p
        ck_matmul_f64(&p, a, b, &c, bias, workspace)
    }
}

/// A product with its data. Gaps between the elements of C hold values that must survive.
private struct Case<Element: MatmulElement> {
    var p: ck_matmul
    var a: [Element], b: [Element], c: [Element], bias: [Element]?

    init(_ p: ck_matmul, biased: Bool = false, random: inout TestRandom) {
        func values(_ extents: (Int64, Int64)...) -> [Element] {
            let last = extents.reduce(0) { $0 + max(0, $1.0 - 1) * $1.1 }
            return (0...last).map { _ in Element(random.uniform()) }
        }
        self.p = p
        a = values((p.m, p.a_row), (p.k, p.a_column), (p.batch, p.a_batch))
        b = values((p.k, p.b_row), (p.n, p.b_column), (p.batch, p.b_batch))
        c = values((p.m, p.c_row), (p.n, p.c_column), (p.batch, p.c_batch))
        bias = biased ? values((p.m, p.bias_row), (p.n, p.bias_column)) : nil
    }

    func result(threads: Int32 = 1) -> [Element] {
        let workspace = UnsafeMutableRawPointer.allocate(byteCount: Element.workspace(p), alignment: 64)
        defer { workspace.deallocate() }
        var out = c
        withEachThreadCount([threads]) { Element.multiply(p, a, b, &out, bias, workspace) }
        return out
    }

    /// The plain triple loop in doubles, and for each element of C how large its terms are.
    func reference() -> (values: [Double], magnitudes: [Double?]) {
        var values = c.map { Double($0) }
        var magnitudes = [Double?](repeating: nil, count: c.count)
        for item in 0..<p.batch {
            for i in 0..<p.m {
                for j in 0..<p.n {
                    let at = Int(item * p.c_batch + i * p.c_row + j * p.c_column)
                    let (sum, magnitude) = dot(item, i, j)
                    var value = p.k == 0 ? 0 : p.alpha * sum
                    if p.beta != 0 { value += p.beta * values[at] }
                    if let bias { value += Double(bias[Int(i * p.bias_row + j * p.bias_column)]) }
                    values[at] = activated(value)
                    magnitudes[at] = magnitude * abs(p.alpha) + 3
                }
            }
        }
        return (values, magnitudes)
    }

    private func dot(_ item: Int64, _ i: Int64, _ j: Int64) -> (Double, Double) {
        var sum = 0.0, magnitude = 0.0
        for k in 0..<p.k {
            let x = Double(a[Int(item * p.a_batch + i * p.a_row + k * p.a_column)])
            let term = x * Double(b[Int(item * p.b_batch + k * p.b_row + j * p.b_column)])
            sum += term
            magnitude += abs(term)
        }
        return (sum, magnitude)
    }

    private func activated(_ x: Double) -> Double {
        switch p.activation {
        case CK_ACTIVATE_RELU: x < 0 ? 0 : x
        case CK_ACTIVATE_TANH: tanh(x)
        case CK_ACTIVATE_SIGMOID: 1 / (1 + exp(-x))
        case CK_ACTIVATE_GELU: x * 0.5 * erfc(-x / 2.0.squareRoot())
        case CK_ACTIVATE_GELU_TANH: 0.5 * x * (1 + tanh((2 / Double.pi).squareRoot() * (x + 0.044715 * x * x * x)))
        default: x
        }
    }

    /// Compares with the reference; what C does not cover must not change; threads must not matter.
    func check(_ name: String) { check(name, reference()) }

    func check(_ name: String, _ reference: (values: [Double], magnitudes: [Double?])) {
        let out = result(), (values, magnitudes) = reference
        let wrong = out.indices.first { index in
            guard let magnitude = magnitudes[index] else { return out[index] != c[index] }
            if values[index].isNaN { return !out[index].isNaN }
            if values[index].isInfinite { return Double(out[index]) != values[index] }
            return !(abs(Double(out[index]) - values[index]) <= Element.tolerance * magnitude)
        }
        if let wrong {
            Issue.record("\(name) \(Element.self): \(out[wrong]) for \(values[wrong]) at \(wrong) of \(p)")
        }
        for threads: Int32 in [2, 4] {
            let same = zip(out, result(threads: threads)).allSatisfy { $0 == $1 || ($0.isNaN && $1.isNaN) }
            if !same { Issue.record("\(name) \(Element.self): differs with \(threads) threads, \(p)") }
        }
    }
}

/// Row-major operands, or column-major where told.
private func product(
    _ m: Int64, _ k: Int64, _ n: Int64, batch: Int64 = 1, aTransposed: Bool = false, bTransposed: Bool = false,
    cTransposed: Bool = false, spacing: Int64 = 1, gap: Int64 = 0
) -> ck_matmul {
    func strides(_ rows: Int64, _ columns: Int64, _ transposed: Bool) -> (row: Int64, column: Int64, batch: Int64) {
        let line = (transposed ? rows : columns) * spacing + gap
        let batch = max(1, line * (transposed ? columns : rows))
        return transposed ? (spacing, line, batch) : (line, spacing, batch)
    }
    let a = strides(m, k, aTransposed), b = strides(k, n, bTransposed), c = strides(m, n, cTransposed)
    return ck_matmul(
        m: m, n: n, k: k, batch: batch, a_row: a.row, a_column: a.column, a_batch: a.batch, b_row: b.row,
        b_column: b.column, b_batch: b.batch, c_row: c.row, c_column: c.column, c_batch: c.batch, bias_row: 0,
        bias_column: 1, alpha: 1, beta: 0, activation: CK_IDENTITY, slope: nil, finish: nil, finish_context: nil)
}

@Suite struct MatmulTests {
    private static let edges: [Int64] = [
        1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 13, 14, 15, 16, 17, 28, 31, 32, 33, 47, 48, 64, 65,
    ]

    /// The same check for both element types.
    private func check(_ name: String, _ p: ck_matmul, biased: Bool = false, seed: UInt64 = 1) {
        var random = TestRandom(seed: seed)
        Case<Float>(p, biased: biased, random: &random).check(name)
        Case<Double>(p, biased: biased, random: &random).check(name)
    }

    @Test func randomShapesAndStrides() {
        withEachInstructionSet { name in
            var random = TestRandom(seed: 5)
            func coin() -> Bool { Bool.random(using: &random) }
            for turn in 0..<250 {
                func size() -> Int64 {
                    coin() ? Self.edges.randomElement(using: &random) ?? 1 : Int64.random(in: 1...40, using: &random)
                }
                let k = turn % 25 == 0 ? 0 : turn % 10 == 1 ? Int64.random(in: 200...700, using: &random) : size()
                var p = product(
                    size(), k, size(), batch: turn % 3 == 0 ? Int64.random(in: 1...5, using: &random) : 1,
                    aTransposed: coin(), bTransposed: coin(), cTransposed: turn % 4 == 0,
                    spacing: turn % 6 == 0 ? 2 : 1, gap: turn % 2 == 0 ? 3 : 0)
                if turn % 7 == 0 { p.a_batch = 0 }
                if turn % 11 == 0 { p.b_batch = 0 }
                if turn % 31 == 0 { p.a_row = 0 }
                if turn % 37 == 0 { p.b_column = 0 }
                if turn % 5 == 0 { (p.bias_row, p.bias_column) = (1, 0) }
                if turn % 9 == 0 { (p.bias_row, p.bias_column) = (p.n, 1) }
                p.alpha = coin() ? 1 : -0.75
                p.beta = coin() ? 0 : 0.5
                p.activation = coin() ? CK_IDENTITY : CK_ACTIVATE_RELU
                check(name, p, biased: coin(), seed: UInt64(turn))
            }
        }
    }

    @Test func everyTileEdge() {
        withEachInstructionSet { name in
            for m in Self.edges { check(name, product(m, 19, 37)) }
            for n in Self.edges { check(name, product(15, 19, n, bTransposed: n % 2 == 0)) }
            for k in Self.edges { check(name, product(15, k, 18, aTransposed: k % 2 == 0)) }
        }
    }

    /// Large enough for packing, several steps and several blocks; the last tile of AVX2 is one row high. A is packed where there are many
    /// columns and its rows lie pages apart, or tiles read along its columns.
    @Test(arguments: [false, true], [false, true])
    func largeProducts(aTransposed: Bool, bTransposed: Bool) {
        var p = product(277, 620, 130, aTransposed: aTransposed, bTransposed: bTransposed, gap: 3)
        if bTransposed {
            p = product(141, 240, 530, aTransposed: aTransposed, bTransposed: true, gap: aTransposed ? 3 : 784)
        }
        p.beta = 0.5
        p.activation = CK_ACTIVATE_GELU
        checkLarge(Float.self, p)
        checkLarge(Double.self, p)
    }

    /// C starts from the bias or from itself, in whole vectors.
    @Test func startsInPlace() {
        var p = product(141, 520, 256)
        for (beta, activation) in [(0.0, CK_ACTIVATE_RELU), (1, CK_IDENTITY)] {
            p.beta = beta
            p.activation = activation
            checkLarge(Float.self, p, biased: beta == 0)
        }
    }

    /// Steps of rows, columns, k and items, the next of which is packed beside the products of one. A and B have rank one and hold small
    /// integers, so that every sum is known and exact.
    @Test(arguments: [false, true])
    func stepsPackedAhead(aTransposed: Bool) {
        let p = product(970, 1100, 1030, batch: 2, aTransposed: aTransposed)
        var random = TestRandom(seed: 4)
        var example = Case<Float>(p, random: &random)
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

    /// The reference takes longest: once for all instruction sets.
    private func checkLarge<Element: MatmulElement>(_: Element.Type, _ p: ck_matmul, biased: Bool = true) {
        var random = TestRandom(seed: 1)
        let example = Case<Element>(p, biased: biased, random: &random), reference = example.reference()
        withEachInstructionSet { example.check($0, reference) }
    }

    /// Columns that fill vectors badly: the last go by themselves, or rows take their place.
    @Test func narrowProducts() {
        withEachInstructionSet { name in
            for n: Int64 in [9, 10, 17, 18, 20, 33, 36, 50, 65, 66] {
                for bTransposed in [false, true] {
                    var p = product(40, 130, n, bTransposed: bTransposed)
                    p.activation = CK_ACTIVATE_RELU
                    check(name, p, biased: true)
                    p = product(280, 140, n, aTransposed: true, bTransposed: bTransposed)
                    p.beta = 0.5
                    check(name, p, biased: n % 2 == 0)
                }
            }
        }
    }

    /// Three vectors at the end of a row, in tiles of every height.
    @Test func oddNumbersOfVectors() {
        for m: Int64 in [17, 20, 21, 23, 28] {
            for n: Int64 in [12, 24, 26, 40, 45, 48] {
                var p = product(m, 66, n, bTransposed: m % 2 == 0 && n < 40, gap: n == 48 ? 3 : 0)
                p.activation = n % 3 == 0 ? CK_ACTIVATE_TANH : CK_ACTIVATE_RELU
                p.alpha = m == 21 ? 0.5 : 1
                checkLarge(Float.self, p, biased: m % 2 == 1)
                checkLarge(Double.self, p, biased: m % 2 == 1)
            }
        }
    }

    /// Few columns in rounds of items, in several steps of k, where B need not be packed; and operands that trade places for it.
    @Test func narrowBatchesAndSteps() {
        for (n, bTransposed): (Int64, Bool) in [(18, false), (33, true), (40, true)] {
            var p = product(45, 70, n, batch: 19, bTransposed: bTransposed)
            p.alpha = 0.5
            checkLarge(Float.self, p)
            checkLarge(Double.self, p)
        }
        for (m, n, bTransposed): (Int64, Int64, Bool) in [(260, 18, false), (50, 34, false), (30, 50, true)] {
            var p = product(m, 1100, n, bTransposed: bTransposed, gap: 1)
            p.beta = 0.5
            p.activation = CK_ACTIVATE_TANH
            checkLarge(Float.self, p)
        }
    }

    /// What the caller does to finished pieces is done once to each element, after everything else.
    @Test func finishesPieces() {
        let shapes: [(Int64, Int64, Int64)] = [
            (1, 1, 1), (1, 300, 700), (700, 300, 1), (3, 4, 0), (10, 40, 50), (40, 130, 20), (280, 140, 50),
            (33, 65, 17),
            (277, 620, 130), (150, 1, 170), (3, 40_000, 4), (4, 300, 256), (130, 520, 520),
        ]
        withEachInstructionSet { name in
            for (m, k, n) in shapes {
                for transposed in [false, true] {
                    for threads: Int32 in [1, 2] {
                        var random = TestRandom(seed: 3)
                        var p = product(
                            m, k, n, batch: m < 50 ? 2 : 1, aTransposed: transposed, bTransposed: transposed)
                        p.activation = CK_ACTIVATE_TANH
                        var example = Case<Float>(p, biased: true, random: &random)
                        let expected = example.result(threads: threads).map { 2 - $0 }
                        example.p.finish = { _, piece, rows, columns, row, column in
                            guard let piece = piece?.assumingMemoryBound(to: Float.self) else { return }
                            for i in 0..<rows {
                                for j in 0..<columns {
                                    piece[Int(i * row + j * column)] = 2 - piece[Int(i * row + j * column)]
                                }
                            }
                        }
                        let finished = example.result(threads: threads)
                        #expect(finished.prefix(Int(m * n)) == expected.prefix(Int(m * n)), "\(name): \(m) \(k) \(n)")
                    }
                }
            }
        }
    }

    @Test func longSums() {
        withEachInstructionSet { name in
            for (m, n): (Int64, Int64) in [(1, 1), (1, 50), (9, 1), (10, 50), (3, 4)] {
                var p = product(m, 40_000, n, aTransposed: m == 10, bTransposed: n == 50)
                p.alpha = 0.5
                p.activation = CK_ACTIVATE_RELU
                check(name, p, biased: true)
            }
        }
    }

    @Test func vectorsAndOuterProducts() {
        withEachInstructionSet { name in
            for transposed in [false, true] {
                check(name, product(1, 300, 700, bTransposed: transposed), biased: true)
                check(name, product(700, 300, 1, aTransposed: transposed), biased: true)
                check(name, product(150, 1, 170, aTransposed: transposed, cTransposed: transposed))
                check(name, product(3, 1030, 1100, bTransposed: transposed))
                check(name, product(8, 400, 260, aTransposed: true, bTransposed: transposed))
                check(name, product(70, 50, 1, aTransposed: transposed), biased: true)
                check(name, product(40, 1, 50, bTransposed: transposed), biased: transposed)
            }
        }
    }

    @Test func manySmallProducts() {
        withEachInstructionSet { name in
            for size: Int64 in [1, 4, 8, 20] {
                check(name, product(size, size, size, batch: 300, bTransposed: size == 8))
            }
            check(name, product(3, 5, 2, batch: 1), biased: true)
        }
    }

    @Test(arguments: [CK_ACTIVATE_RELU, CK_ACTIVATE_TANH, CK_ACTIVATE_SIGMOID, CK_ACTIVATE_GELU, CK_ACTIVATE_GELU_TANH])
    func activations(activation: ck_activation) {
        withEachInstructionSet { name in
            for k: Int64 in [0, 7, 300] {
                for transposed in [false, true] {
                    var p = product(21, k, 19, batch: 2, cTransposed: transposed, gap: 1)
                    p.activation = activation
                    check(name, p, biased: true)
                }
            }
        }
    }

    /// What the kernels of single operations give, the same bits: in tiles and blocks, with columns that go by themselves, with C transposed.
    @Test(arguments: [
        (CK_ACTIVATE_GELU, CK_GELU), (CK_ACTIVATE_GELU_TANH, CK_GELU_TANH), (CK_ACTIVATE_SILU, CK_SILU),
    ])
    func slopes(activation: ck_activation, function: ck_unary) {
        let shapes: [(Int64, Int64, Int64, Bool)] = [
            (21, 7, 19, true), (40, 130, 65, false), (3, 40_000, 4, false), (141, 240, 530, false), (5, 0, 3, false),
        ]
        withEachInstructionSet { name in
            for (m, k, n, transposed) in shapes {
                var random = TestRandom(seed: 8)
                var example = Case<Float>(product(m, k, n, cTransposed: transposed), biased: true, random: &random)
                let z = example.result()
                var (values, slopes) = (z, z)
                var loop = ck_loop()
                loop.rank = 1
                loop.shape.0 = Int64(z.count)
                (loop.strides.0.0, loop.strides.1.0, loop.strides.2.0) = (1, 1, 1)
                ck_with_slope_f32(function, &loop, &values, &slopes, z)
                example.p.activation = activation
                #expect(example.result() == values, "\(name) \(m) \(k) \(n)")
                var written = z
                let results = written.withUnsafeMutableBufferPointer {
                    example.p.slope = UnsafeMutableRawPointer($0.baseAddress)
                    return example.result(threads: 2)
                }
                #expect(results == values && written == slopes, "\(name) \(m) \(k) \(n)")
            }
        }
    }

    /// As in the plain loop: 0 times NaN or infinity is NaN, and nothing leaks into other rows and columns.
    @Test func notANumberAndInfinity() {
        withEachInstructionSet { name in
            for (m, k, n): (Int64, Int64, Int64) in [
                (5, 7, 9), (1, 130, 40), (40, 130, 1), (20, 33, 35), (40, 130, 18), (40, 130, 50), (257, 260, 258),
            ] {
                var random = TestRandom(seed: 3)
                var example = Case<Float>(product(m, k, n, bTransposed: n == 9), random: &random)
                for index in example.a.indices where index % 3 == 0 { example.a[index] = 0 }
                example.b[example.b.count / 2] = .nan
                example.b[example.b.count / 3] = .infinity
                example.check(name)
                example.p.activation = CK_ACTIVATE_RELU
                example.check(name)
            }
        }
    }

    @Test func doesNotReadTheOldResultWhenBetaIsZero() {
        withEachInstructionSet { name in
            for (m, k, n): (Int64, Int64, Int64) in [
                (5, 7, 9), (1, 300, 40), (30, 300, 33), (3, 0, 4), (256, 256, 256),
            ] {
                var random = TestRandom(seed: 4)
                var example = Case<Double>(product(m, k, n), random: &random)
                for index in example.c.indices { example.c[index] = .nan }
                example.check(name)
            }
        }
    }

    @Test func subnormalNumbersSurvive() {
        withEachInstructionSet { name in
            var random = TestRandom(seed: 6)
            var example = Case<Double>(product(9, 1, 17), random: &random)
            example.a = example.a.map { _ in 0x1p-1000 }
            example.b = example.b.map { _ in 0x1p-60 }
            #expect(example.result().allSatisfy { $0 == 0x1p-1060 }, "\(name)")
        }
    }

    @Test func nothingToDo() {
        withEachInstructionSet { name in
            for (m, n, batch): (Int64, Int64, Int64) in [(0, 3, 1), (3, 0, 1), (3, 3, 0)] {
                var random = TestRandom(seed: 7)
                let example = Case<Float>(product(m, 4, n, batch: batch), random: &random)
                #expect(example.result() == example.c, "\(name)")
            }
        }
    }
}
