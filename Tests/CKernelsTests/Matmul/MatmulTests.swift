import CKernels
import Testing

@Suite struct MatmulTests {
    private static let edges: [Int64] = [
        1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 13, 14, 15, 16, 17, 28, 31, 32, 33, 47, 48, 64, 65,
    ]

    /// The same check for both element types.
    private func check(_ name: String, _ p: ck_matmul, biased: Bool = false, seed: UInt64 = 1) {
        var random = TestRandom(seed: seed)
        MatmulCase<Float>(p, biased: biased, random: &random).check(name)
        MatmulCase<Double>(p, biased: biased, random: &random).check(name)
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
                var p = matmul(
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
            for m in Self.edges { check(name, matmul(m, 19, 37)) }
            for n in Self.edges { check(name, matmul(15, 19, n, bTransposed: n % 2 == 0)) }
            for k in Self.edges { check(name, matmul(15, k, 18, aTransposed: k % 2 == 0)) }
        }
    }

    /// Columns that fill vectors badly: the last go by themselves, or rows take their place.
    @Test func narrowProducts() {
        withEachInstructionSet { name in
            for n: Int64 in [9, 10, 17, 18, 20, 33, 36, 50, 65, 66] {
                for bTransposed in [false, true] {
                    var p = matmul(40, 130, n, bTransposed: bTransposed)
                    p.activation = CK_ACTIVATE_RELU
                    check(name, p, biased: true)
                    p = matmul(280, 140, n, aTransposed: true, bTransposed: bTransposed)
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
                var p = matmul(m, 66, n, bTransposed: m % 2 == 0 && n < 40, gap: n == 48 ? 3 : 0)
                p.activation = n % 3 == 0 ? CK_ACTIVATE_TANH : CK_ACTIVATE_RELU
                p.alpha = m == 21 ? 0.5 : 1
                checkMatmul(Float.self, p, biased: m % 2 == 1)
                checkMatmul(Double.self, p, biased: m % 2 == 1)
            }
        }
    }

    /// Few columns in rounds of items, in several steps of k, where B need not be packed; and operands that trade places for it.
    @Test func narrowBatchesAndSteps() {
        for (n, bTransposed): (Int64, Bool) in [(18, false), (33, true), (40, true)] {
            var p = matmul(45, 70, n, batch: 19, bTransposed: bTransposed)
            p.alpha = 0.5
            checkMatmul(Float.self, p)
            checkMatmul(Double.self, p)
        }
        for (m, n, bTransposed): (Int64, Int64, Bool) in [(260, 18, false), (50, 34, false), (30, 50, true)] {
            var p = matmul(m, 1100, n, bTransposed: bTransposed, gap: 1)
            p.beta = 0.5
            p.activation = CK_ACTIVATE_TANH
            checkMatmul(Float.self, p)
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
                        var p = matmul(
                            m, k, n, batch: m < 50 ? 2 : 1, aTransposed: transposed, bTransposed: transposed)
                        p.activation = CK_ACTIVATE_TANH
                        var example = MatmulCase<Float>(p, biased: true, random: &random)
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
                var p = matmul(m, 40_000, n, aTransposed: m == 10, bTransposed: n == 50)
                p.alpha = 0.5
                p.activation = CK_ACTIVATE_RELU
                check(name, p, biased: true)
            }
        }
    }

    @Test func vectorsAndOuterProducts() {
        withEachInstructionSet { name in
            for transposed in [false, true] {
                check(name, matmul(1, 300, 700, bTransposed: transposed), biased: true)
                check(name, matmul(700, 300, 1, aTransposed: transposed), biased: true)
                check(name, matmul(150, 1, 170, aTransposed: transposed, cTransposed: transposed))
                check(name, matmul(3, 1030, 1100, bTransposed: transposed))
                check(name, matmul(8, 400, 260, aTransposed: true, bTransposed: transposed))
                check(name, matmul(70, 50, 1, aTransposed: transposed), biased: true)
                check(name, matmul(40, 1, 50, bTransposed: transposed), biased: transposed)
            }
        }
    }

    @Test func manySmallProducts() {
        withEachInstructionSet { name in
            for size: Int64 in [1, 4, 8, 20] {
                check(name, matmul(size, size, size, batch: 300, bTransposed: size == 8))
            }
            check(name, matmul(3, 5, 2, batch: 1), biased: true)
        }
    }

    @Test(arguments: [CK_ACTIVATE_RELU, CK_ACTIVATE_TANH, CK_ACTIVATE_SIGMOID, CK_ACTIVATE_GELU, CK_ACTIVATE_GELU_TANH])
    func activations(activation: ck_activation) {
        withEachInstructionSet { name in
            for k: Int64 in [0, 7, 300] {
                for transposed in [false, true] {
                    var p = matmul(21, k, 19, batch: 2, cTransposed: transposed, gap: 1)
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
                var example = MatmulCase<Float>(matmul(m, k, n, cTransposed: transposed), biased: true, random: &random)
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
                var example = MatmulCase<Float>(matmul(m, k, n, bTransposed: n == 9), random: &random)
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
                var example = MatmulCase<Double>(matmul(m, k, n), random: &random)
                for index in example.c.indices { example.c[index] = .nan }
                example.check(name)
            }
        }
    }

    @Test func subnormalNumbersSurvive() {
        withEachInstructionSet { name in
            var random = TestRandom(seed: 6)
            var example = MatmulCase<Double>(matmul(9, 1, 17), random: &random)
            example.a = example.a.map { _ in 0x1p-1000 }
            example.b = example.b.map { _ in 0x1p-60 }
            #expect(example.result().allSatisfy { $0 == 0x1p-1060 }, "\(name)")
        }
    }

    @Test func nothingToDo() {
        withEachInstructionSet { name in
            for (m, n, batch): (Int64, Int64, Int64) in [(0, 3, 1), (3, 0, 1), (3, 3, 0)] {
                var random = TestRandom(seed: 7)
                let example = MatmulCase<Float>(matmul(m, 4, n, batch: batch), random: &random)
                #expect(example.result() == example.c, "\(name)")
            }
        }
    }
}
