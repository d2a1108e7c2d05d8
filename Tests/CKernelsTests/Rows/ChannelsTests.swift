import CKernels
import Testing

private let sizes = [
    (1, 1, 2), (4, 1, 1), (3, 2, 5), (2, 3, 16), (5, 7, 17), (2, 40, 33), (9, 15, 1), (4, 16, 1), (3, 131, 1),
    (2, 3, 1000), (64, 300, 1), (16, 40, 64),
    // Neighbours: few rows, strips with and without a rest, several blocks of rows and of channels.
    (1, 7, 1), (2, 17, 1), (3, 64, 1), (3, 100, 1), (1000, 17, 1), (300, 64, 1), (400, 100, 1), (75, 1000, 1),
    (20, 1030, 1), (20000, 1, 1),
]

/// Values with a mean that is large beside their spread.
private func values(_ count: Int, _ random: inout TestRandom) -> [Double] {
    (0..<count).map { _ in Double(Float(random.uniform(20...24))) }
}

/// What a norm of each channel gives, by definition.
private struct Reference {
    var y, dx: [Double]
    var mean, rstd, variance, weightGrad, biasGrad: [Double]

    init(_ x: [Double], _ dy: [Double], _ weight: [Double], _ bias: [Double], _ size: (Int, Int, Int), eps: Double) {
        let (batch, channels, places) = size
        (y, dx) = (x, x)
        (mean, rstd, variance, weightGrad, biasGrad) = ([], [], [], [], [])
        let count = Double(batch * places)
        for channel in 0..<channels {
            let indices = (0..<batch).flatMap { n in (0..<places).map { (n * channels + channel) * places + $0 } }
            let center = indices.reduce(0) { $0 + x[$1] } / count
            let spread = indices.reduce(0) { $0 + (x[$1] - center) * (x[$1] - center) } / count
            let root = 1 / (spread + eps).squareRoot()
            let sum = indices.reduce(0) { $0 + dy[$1] }
            let product = indices.reduce(0) { $0 + dy[$1] * (x[$1] - center) * root }
            for index in indices {
                let normal = (x[index] - center) * root
                y[index] = normal * weight[channel] + bias[channel]
                dx[index] = root * weight[channel] * (dy[index] - sum / count - normal * product / count)
            }
            mean.append(center)
            variance.append(spread)
            rstd.append(root)
            weightGrad.append(product)
            biasGrad.append(sum)
        }
    }
}

private func agree(_ got: [Double], _ want: [Double], _ tolerance: Double) -> Bool {
    zip(got, want).allSatisfy { abs($0 - $1) <= tolerance * max(1, abs($1)) }
}
private func agree(_ got: [Float], _ want: [Double], _ tolerance: Double) -> Bool {
    agree(got.map(Double.init), want, tolerance)
}

@Suite struct ChannelsTests {
    @Test func batchNorm() {
        var random = TestRandom(seed: 70)
        for size in sizes {
            let (batch, channels, places) = (Int64(size.0), Int64(size.1), Int64(size.2))
            let x = values(size.0 * size.1 * size.2, &random)
            let dy = x.map { _ in Double(Float(random.uniform())) }
            let weight = (0..<size.1).map { _ in Double(Float(random.uniform())) }
            let bias = weight.map { _ in Double(Float(random.uniform())) }
            let want = Reference(x, dy, weight, bias, size, eps: 0.1)
            withEachInstructionSet { isa in
                let zeros = [Double](repeating: 9, count: size.1)
                var (y, dx, mean, rstd, variance, dw, db) = (x, x, zeros, zeros, zeros, zeros, zeros)
                ck_batch_norm_f64(batch, channels, places, &y, &mean, &rstd, &variance, x, weight, bias, nil, 0, 0.1)
                ck_batch_norm_grad_f64(batch, channels, places, &dx, &dw, &db, nil, dy, nil, x, mean, rstd, weight)
                let pairs = [
                    (y, want.y), (dx, want.dx), (mean, want.mean), (rstd, want.rstd), (variance, want.variance),
                    (dw, want.weightGrad), (db, want.biasGrad),
                ]
                for (index, pair) in pairs.enumerated() {
                    #expect(agree(pair.0, pair.1, 1e-11), "result \(index) of \(size) on \(isa)")
                }
                checkFloats(size, x, dy, weight, bias, want, isa)
            }
        }
    }

    private func checkFloats(
        _ size: (Int, Int, Int), _ x: [Double], _ dy: [Double], _ weight: [Double], _ bias: [Double],
        _ want: Reference, _ isa: String
    ) {
        let (batch, channels, places) = (Int64(size.0), Int64(size.1), Int64(size.2))
        let (x, dy) = (x.map(Float.init), dy.map(Float.init))
        let (weight, bias) = (weight.map(Float.init), bias.map(Float.init))
        let zeros = [Float](repeating: 9, count: size.1)
        var (y, dx, mean, rstd, variance, dw, db) = (x, x, zeros, zeros, zeros, zeros, zeros)
        ck_batch_norm_f32(batch, channels, places, &y, &mean, &rstd, &variance, x, weight, bias, nil, 0, 0.1)
        ck_batch_norm_grad_f32(batch, channels, places, &dx, &dw, &db, nil, dy, nil, x, mean, rstd, weight)
        let pairs = [
            (y, want.y), (dx, want.dx), (mean, want.mean), (rstd, want.rstd), (variance, want.variance),
            (dw, want.weightGrad), (db, want.biasGrad),
        ]
        for (index, pair) in pairs.enumerated() {
            #expect(agree(pair.0, pair.1, 2e-5), "float result \(index) of \(size) on \(isa)")
        }
    }

    /// With something added to y and a rectifier behind it: what is added gets what the rectifier lets through, NaN included.
    @Test func rectified() {
        var random = TestRandom(seed: 74)
        for size in sizes {
            let (batch, channels, places) = (Int64(size.0), Int64(size.1), Int64(size.2))
            let x = values(size.0 * size.1 * size.2, &random)
            let (dy, z) = (x.map { _ in random.uniform() }, x.map { _ in random.uniform(-2...2) })
            let weight = (0..<size.1).map { _ in random.uniform() }, none = weight.map { _ in 0.0 }
            let plain = Reference(x, dy, weight, none, size, eps: 0.1)
            let sum = zip(plain.y, z).map { $0 + $1 }
            let passed = zip(sum, dy).map { $0 <= 0 ? 0 : $1 }
            let want = Reference(x, passed, weight, none, size, eps: 0.1)
            withEachInstructionSet { isa in
                var (y, dx, dz, mean, rstd, variance, dw, db) = (x, x, x, none, none, none, none, none)
                ck_batch_norm_f64(batch, channels, places, &y, &mean, &rstd, &variance, x, weight, none, z, 1, 0.1)
                #expect(agree(y, sum.map { max($0, 0) }, 1e-11), "y of \(size) on \(isa)")
                for addedGradient in [true, false] {
                    dz.withUnsafeMutableBufferPointer {
                        ck_batch_norm_grad_f64(
                            batch, channels, places, &dx, &dw, &db, addedGradient ? $0.baseAddress : nil, dy, y, x,
                            mean, rstd, weight)
                    }
                    for (index, pair) in [(dx, want.dx), (dw, want.weightGrad), (db, want.biasGrad)].enumerated() {
                        #expect(agree(pair.0, pair.1, 1e-11), "result \(index) of \(size) on \(isa)")
                    }
                }
                #expect(dz == passed, "dz of \(size) on \(isa)")
                checkRectifiedFloats(size, x, dy, z, weight, isa)
            }
        }
    }

    /// An infinity in the first channel makes all of that channel NaN, and leaves the others as they were.
    private func checkRectifiedFloats(
        _ size: (Int, Int, Int), _ x: [Double], _ dy: [Double], _ z: [Double], _ weight: [Double], _ isa: String
    ) {
        let (batch, channels, places) = (Int64(size.0), Int64(size.1), Int64(size.2))
        let (x, dy, z, weight) = (x.map(Float.init), dy.map(Float.init), z.map(Float.init), weight.map(Float.init))
        let none = weight.map { _ in Float(0) }
        var (plain, y, dx, dz, g) = (x, x, x, x, x)
        var (mean, rstd, variance, dw, db) = (none, none, none, none, none)
        ck_batch_norm_f32(batch, channels, places, &plain, &mean, &rstd, &variance, x, weight, none, nil, 0, 0.1)
        ck_batch_norm_f32(batch, channels, places, &y, &mean, &rstd, &variance, x, weight, none, z, 1, 0.1)
        #expect(y == zip(plain, z).map { max($0 + $1, 0) }, "floats of \(size) on \(isa)")
        ck_batch_norm_grad_f32(batch, channels, places, &dx, &dw, &db, &dz, dy, y, x, mean, rstd, weight)
        #expect(dz == zip(y, dy).map { $0 <= 0 ? 0 : $1 }, "floats of \(size) on \(isa)")
        ck_batch_norm_grad_f32(batch, channels, places, &g, &dw, &db, nil, dz, nil, x, mean, rstd, weight)
        #expect(dx == g, "floats of \(size) on \(isa)")
        var spoilt = x
        spoilt[0] = .infinity
        ck_batch_norm_f32(batch, channels, places, &g, &mean, &rstd, &variance, spoilt, weight, none, z, 1, 0.1)
        for (index, value) in g.enumerated() {
            let isFirst = index / size.2 % size.1 == 0
            #expect(isFirst ? value.isNaN : value == y[index], "infinity, element \(index) of \(size) on \(isa)")
        }
    }

    @Test func withoutWeights() {
        var random = TestRandom(seed: 71)
        let x = values(60, &random), ones = [1.0, 1, 1], none = [0.0, 0, 0]
        let want = Reference(x, x, ones, none, (4, 3, 5), eps: 0)
        withEachInstructionSet { isa in
            var (y, dx, mean, rstd, variance, dw, db) = (x, x, none, none, none, none, none)
            ck_batch_norm_f64(4, 3, 5, &y, &mean, &rstd, &variance, x, nil, nil, nil, 0, 0)
            ck_batch_norm_grad_f64(4, 3, 5, &dx, &dw, &db, nil, x, nil, x, mean, rstd, nil)
            #expect(agree(y, want.y, 1e-12) && agree(dx, want.dx, 1e-10), "\(isa)")
        }
    }

    @Test func equalOnAnyNumberOfThreads() {
        var random = TestRandom(seed: 73)
        for size in [(32, 24, 100), (64, 700, 1), (3000, 100, 1), (75, 1030, 1)] {
            let x = values(size.0 * size.1 * size.2, &random).map(Float.init)
            let (batch, channels, places) = (Int64(size.0), Int64(size.1), Int64(size.2))
            withEachInstructionSet { isa in
                let results = withEachThreadCount([1, 2, 4]) {
                    let zeros = [Float](repeating: 0, count: size.1)
                    var (y, mean, rstd, variance, dw, db) = (x, zeros, zeros, zeros, zeros, zeros)
                    ck_batch_norm_f32(batch, channels, places, &y, &mean, &rstd, &variance, x, nil, nil, nil, 0, 0.1)
                    var dx = x
                    ck_batch_norm_grad_f32(batch, channels, places, &dx, &dw, &db, nil, y, nil, x, mean, rstd, nil)
                    return y + dx + dw + db
                }
                #expect(results[0] == results[1] && results[0] == results[2], "\(size) on \(isa)")
            }
        }
    }
}
