import CKernels
import Testing

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

private struct Sizes {
    var items = 1
    var queries, keys: Int
    var width = 3
    var valueWidth = 2
    var isCausal = false
    var mask = CK_MASK_NONE
}

/// The inputs of attention in double, and what plain loops make of them.
private struct PlainAttention {
    let sizes: Sizes
    let q, k, v, dy: [Double]
    /// One for all items; every fifth row hides all.
    let seen: [UInt8]
    let added: [Double]
    var (y, dq, dk, dv) = ([Double](), [Double](), [Double](), [Double]())

    init(_ sizes: Sizes, seed: UInt64) {
        self.sizes = sizes
        var random = TestRandom(seed: seed)
        let draw = { (rows: Int, width: Int) in
            (0..<sizes.items * rows * width).map { _ in Double(Float(random.uniform(-2...2))) }
        }
        (q, k) = (draw(sizes.queries, sizes.width), draw(sizes.keys, sizes.width))
        (v, dy) = (draw(sizes.keys, sizes.valueWidth), draw(sizes.queries, sizes.valueWidth))
        let places = (0..<sizes.queries * sizes.keys)
        let seen = places.map { place in UInt8(place / sizes.keys % 5 == 2 || random.uniform() < -0.3 ? 0 : 1) }
        added = seen.map { $0 == 0 ? -.infinity : Double(Float(random.uniform())) }
        self.seen = seen
        y = .init(repeating: 0, count: dy.count)
        (dq, dk, dv) = (q.map { _ in 0 }, k.map { _ in 0 }, v.map { _ in 0 })
        for item in 0..<sizes.items {
            for row in 0..<sizes.queries { attend(item * sizes.queries + row, row, item * sizes.keys) }
        }
    }

    /// One query, `row` of its item, whose keys begin at `first`.
    private mutating func attend(_ query: Int, _ row: Int, _ first: Int) {
        let (width, valueWidth) = (sizes.width, sizes.valueWidth)
        let dot = { (a: [Double], i: Int, b: [Double], j: Int, n: Int) in
            (0..<n).reduce(0) { $0 + a[i * n + $1] * b[j * n + $1] }
        }
        var weights = (0..<sizes.keys).map { key -> Double in
            if sizes.isCausal && key > row { return -.infinity }
            let place = row * sizes.keys + key
            if sizes.mask == CK_MASK_BYTES && seen[place] == 0 { return -.infinity }
            return 0.4 * dot(q, query, k, first + key, width) + (sizes.mask == CK_MASK_ADDED ? added[place] : 0)
        }
        let largest = weights.max() ?? 0
        weights = weights.map { largest == -.infinity ? 0 : exp($0 - largest) }
        let sum = weights.reduce(0, +)
        if sum == 0 { return }
        for key in 0..<sizes.keys {
            for column in 0..<valueWidth {
                y[query * valueWidth + column] += weights[key] / sum * v[(first + key) * valueWidth + column]
            }
        }
        let product = dot(dy, query, y, query, valueWidth)
        for key in first..<first + sizes.keys {
            let p = weights[key - first] / sum
            let ds = 0.4 * p * (dot(dy, query, v, key, valueWidth) - product)
            for column in 0..<valueWidth { dv[key * valueWidth + column] += p * dy[query * valueWidth + column] }
            for column in 0..<width {
                dq[query * width + column] += ds * k[key * width + column]
                dk[key * width + column] += ds * q[query * width + column]
            }
        }
    }
}

private struct Results<Element: BinaryFloatingPoint>: Equatable {
    var y, dq, dk, dv: [Element]

    /// The largest difference from plain loops.
    func error(_ plain: PlainAttention) -> Double {
        zip([y, dq, dk, dv], [plain.y, plain.dq, plain.dk, plain.dv]).map { got, want in
            // `max` alone would pass over a NaN.
            zip(got, want).reduce(0) { max($0, $1.0.isNaN ? .infinity : abs(Double($1.0) - $1.1) / max(1, abs($1.1))) }
        }.max() ?? 0
    }
}

/// Runs the kernels; every other row of each matrix is somebody else's.
private func run<Element: BinaryFloatingPoint>(_ plain: PlainAttention, as _: Element.Type) -> Results<Element> {
    let sizes = plain.sizes
    var offsets: [UnsafeMutablePointer<Int64>] = []
    var arrays: [UnsafeMutablePointer<Element>] = []
    let place = { (values: [Double], width: Int) in
        let array = UnsafeMutablePointer<Element>.allocate(capacity: 2 * values.count)
        array.initialize(repeating: .nan, count: 2 * values.count)
        for (index, value) in values.enumerated() { array[index / width * 2 * width + index % width] = Element(value) }
        arrays.append(array)
        let begin = UnsafeMutablePointer<Int64>.allocate(capacity: sizes.items)
        for item in 0..<sizes.items { begin[item] = Int64(item * 2 * values.count / sizes.items) }
        offsets.append(begin)
    }
    let (e, d) = (sizes.width, sizes.valueWidth)
    let widths = [e, e, d, d, d, e, e, d]
    func unset(_ values: [Double]) -> [Double] { values.map { _ in .nan } }
    let values = [
        plain.q, plain.k, plain.v, unset(plain.y), plain.dy, unset(plain.q), unset(plain.k), unset(plain.v),
    ]
    for (values, width) in zip(values, widths) { place(values, width) }
    var statistics = [Element](repeating: .nan, count: 2 * sizes.items * sizes.queries)
    let added = plain.added.map { Element($0) }
    let shared = [Int64](repeating: 0, count: sizes.items)
    defer {
        for array in arrays { array.deallocate() }
        for begin in offsets { begin.deallocate() }
    }

    func describe(_ body: (inout ck_attention) -> Void) {
        let matrices = (0..<8).map { index in
            ck_matrices(start: arrays[index], offsets: offsets[index], row: Int64(2 * widths[index]), column: 1)
        }
        var mask = ck_matrices(start: nil, offsets: nil, row: Int64(sizes.keys), column: 1)
        shared.withUnsafeBufferPointer { shared in
            plain.seen.withUnsafeBytes { seen in
                added.withUnsafeBytes { added in
                    statistics.withUnsafeMutableBytes { statistics in
                        mask.offsets = shared.baseAddress
                        let chosen = sizes.mask == CK_MASK_BYTES ? seen.baseAddress : added.baseAddress
                        mask.start = UnsafeMutableRawPointer(mutating: chosen)
                        var p = ck_attention()
                        (p.items, p.queries, p.keys) = (Int64(sizes.items), Int64(sizes.queries), Int64(sizes.keys))
                        (p.width, p.value_width, p.scale) = (Int64(e), Int64(d), 0.4)
                        (p.is_causal, p.mask_kind, p.mask) = (sizes.isCausal ? 1 : 0, sizes.mask, mask)
                        (p.q, p.k, p.v, p.y) = (matrices[0], matrices[1], matrices[2], matrices[3])
                        (p.dy, p.dq, p.dk, p.dv) = (matrices[4], matrices[5], matrices[6], matrices[7])
                        p.statistics = statistics.baseAddress
                        p.slots = 2
                        body(&p)
                    }
                }
            }
        }
    }
    describe { p in
        let isDouble = Element.self == Double.self
        let forward = isDouble ? ck_attention_workspace_f64(&p) : ck_attention_workspace_f32(&p)
        let backward = isDouble ? ck_attention_grad_workspace_f64(&p) : ck_attention_grad_workspace_f32(&p)
        let bytes = max(forward, backward)
        let workspace = UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: 64)
        defer { workspace.deallocate() }
        workspace.initializeMemory(as: UInt8.self, repeating: 0xFF, count: bytes)
        p.workspace = workspace
        if isDouble { ck_attention_f64(&p) } else { ck_attention_f32(&p) }
        if isDouble { ck_attention_grad_f64(&p) } else { ck_attention_grad_f32(&p) }
    }
    let read = { (index: Int) in
        let width = widths[index]
        return (0..<values[index].count).map { arrays[index][$0 / width * 2 * width + $0 % width] }
    }
    return Results(y: read(3), dq: read(5), dk: read(6), dv: read(7))
}

@Suite struct AttentionKernelTests {
    private static let sizes = [
        Sizes(queries: 1, keys: 1, width: 1, valueWidth: 1),
        Sizes(items: 3, queries: 5, keys: 7, isCausal: true),
        Sizes(items: 2, queries: 13, keys: 128, width: 17, valueWidth: 33),
        Sizes(queries: 71, keys: 129, width: 16, valueWidth: 32, isCausal: true),
        Sizes(queries: 90, keys: 40, isCausal: true),
        Sizes(items: 17, queries: 6, keys: 9, mask: CK_MASK_ADDED),
        Sizes(items: 2, queries: 15, keys: 257, width: 2, mask: CK_MASK_BYTES),
        Sizes(queries: 150, keys: 260, width: 2, isCausal: true),
    ]

    @Test(arguments: sizes.indices) func agreesWithPlainLoops(_ index: Int) {
        let plain = PlainAttention(Self.sizes[index], seed: 5)
        withEachInstructionSet { isa in
            #expect(run(plain, as: Double.self).error(plain) < 1e-12, "\(isa)")
            #expect(run(plain, as: Float.self).error(plain) < 2e-5, "\(isa)")
        }
    }

    @Test func threadsDoNotMatter() {
        let plain = PlainAttention(Sizes(queries: 150, keys: 140, isCausal: true), seed: 6)
        withEachInstructionSet { isa in
            let results = withEachThreadCount([1, 2, 3]) { run(plain, as: Float.self) }
            let isSame = results[0] == results[1] && results[0] == results[2]
            #expect(isSame, "\(isa)")
        }
    }
}
