import CKernels
import Testing

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

private let sizes = [
    (1, 1), (3, 2), (5, 3), (4, 7), (2, 8), (3, 10), (2, 15), (2, 16), (2, 17), (3, 33), (2, 100), (3, 1000),
    (2000, 10),
]

private func close(_ got: Double, _ want: Double, _ tolerance: Double) -> Bool {
    got == want || (got.isNaN && want.isNaN) || abs(got - want) <= tolerance * max(1, abs(want))
}

private func allNaN(_ row: [Float]) -> Bool { row.allSatisfy(\.isNaN) }

private func softmax(_ row: ArraySlice<Double>, logarithm: Bool) -> [Double] {
    let largest = row.max() ?? 0, sum = row.reduce(0) { $0 + exp($1 - largest) }
    return row.map { logarithm ? $0 - largest - log(sum) : exp($0 - largest) / sum }
}

/// Workspace for a layer norm's gradient, full of NaN.
private func withSums(_ rows: Int64, _ columns: Int64, _ body: (UnsafeMutableRawPointer) -> Void) {
    let bytes = ck_layer_norm_grad_workspace(rows, columns)
    let workspace = UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: 64)
    defer { workspace.deallocate() }
    workspace.initializeMemory(as: UInt8.self, repeating: 0xFF, count: bytes)
    body(workspace)
}

private func agree<T: BinaryFloatingPoint>(_ got: [T], _ want: [Double], _ tolerance: Double) -> Bool {
    zip(got, want).allSatisfy { abs(Double($0) - $1) <= tolerance * max(1, abs($1)) }
}

@Suite struct RowsTests {
    @Test func softmaxes() {
        var random = TestRandom(seed: 30)
        for (rows, columns) in sizes {
            for logarithm in [false, true] {
                let x = (0..<rows * columns).map { _ in Double(Float(random.uniform(-20...20))) }
                let want = (0..<rows).flatMap { softmax(x[$0 * columns..<($0 + 1) * columns], logarithm: logarithm) }
                let dy = x.map { _ in Double(Float(random.uniform())) }
                var wantGrad = [Double]()
                for row in 0..<rows {
                    let range = row * columns..<(row + 1) * columns
                    let sum = range.reduce(0) { $0 + dy[$1] * (logarithm ? 1 : want[$1]) }
                    wantGrad += range.map { logarithm ? dy[$0] - exp(want[$0]) * sum : want[$0] * (dy[$0] - sum) }
                }
                withEachInstructionSet { isa in
                    let kind: Int32 = logarithm ? 1 : 0, n = Int64(rows), m = Int64(columns)
                    var y = [Double](repeating: 9, count: x.count), grad = y
                    var yFloat = [Float](repeating: 9, count: x.count), gradFloat = yFloat
                    ck_softmax_f64(kind, n, m, &y, x)
                    ck_softmax_f32(kind, n, m, &yFloat, x.map(Float.init))
                    ck_softmax_grad_f64(kind, n, m, &grad, dy, want)
                    ck_softmax_grad_f32(kind, n, m, &gradFloat, dy.map(Float.init), want.map(Float.init))
                    for i in x.indices {
                        #expect(close(y[i], want[i], 1e-14), "\(rows)x\(columns) \(logarithm) on \(isa)")
                        #expect(close(Double(yFloat[i]), want[i], 3e-7), "\(rows)x\(columns) \(logarithm) on \(isa)")
                        #expect(close(grad[i], wantGrad[i], 1e-12), "\(rows)x\(columns) \(logarithm) on \(isa)")
                        #expect(
                            close(Double(gradFloat[i]), wantGrad[i], 2e-5), "\(rows)x\(columns) \(logarithm) on \(isa)")
                    }
                }
            }
        }
    }

    @Test func softmaxOfSpecialRows() {
        withEachInstructionSet { isa in
            for columns in [1, 2, 7, 8, 16, 19, 40] {
                for kind in [0, 1] as [Int32] {
                    var y = [Float](repeating: 9, count: columns)
                    ck_softmax_f32(kind, 1, Int64(columns), &y, [Float](repeating: -.infinity, count: columns))
                    #expect(allNaN(y), "\(columns) on \(isa)")
                    var x = [Float](repeating: 1, count: columns)
                    x[columns - 1] = .nan
                    ck_softmax_f32(kind, 1, Int64(columns), &y, x)
                    #expect(allNaN(y), "\(columns) on \(isa)")
                    x[columns - 1] = -.infinity
                    if columns > 1 {
                        ck_softmax_f32(kind, 1, Int64(columns), &y, x)
                        #expect(y[columns - 1] == (kind == 1 ? -.infinity : 0), "\(columns) on \(isa)")
                        #expect(y[0].isFinite)
                    }
                    ck_softmax_f32(kind, 1, Int64(columns), &y, [Float](repeating: 3e38, count: columns))
                    let even = 1 / Float(columns)
                    #expect(abs(y[0] - (kind == 1 ? log(even) : even)) < 1e-6, "\(columns) on \(isa)")
                }
            }
        }
    }

    @Test func layerNorms() {
        var random = TestRandom(seed: 31)
        for (rows, columns) in sizes where columns > 1 {
            let x = (0..<rows * columns).map { _ in Double(Float(random.uniform(99...102))) }
            let dy = x.map { _ in Double(Float(random.uniform())) }
            let weight = (0..<columns).map { _ in Double(Float(random.uniform())) }
            let bias = (0..<columns).map { _ in Double(Float(random.uniform())) }
            for (scaled, shifted) in [(true, true), (true, false), (false, true), (false, false)] {
                var want = [Double](), mean = [Double](), rstd = [Double](), wantGrad = [Double]()
                for row in 0..<rows {
                    let range = row * columns..<(row + 1) * columns, count = Double(columns)
                    let average = x[range].reduce(0, +) / count
                    let variance = x[range].reduce(0) { $0 + ($1 - average) * ($1 - average) } / count
                    let scale = 1 / (variance + 1e-5).squareRoot()
                    mean.append(average)
                    rstd.append(scale)
                    let z = x[range].map { ($0 - average) * scale }
                    let g = (0..<columns).map { dy[row * columns + $0] * (scaled ? weight[$0] : 1) }
                    let meanG = g.reduce(0, +) / count, meanGZ = zip(g, z).reduce(0) { $0 + $1.0 * $1.1 } / count
                    want += (0..<columns).map { z[$0] * (scaled ? weight[$0] : 1) + (shifted ? bias[$0] : 0) }
                    wantGrad += (0..<columns).map { scale * (g[$0] - meanG - z[$0] * meanGZ) }
                }
                withEachInstructionSet { isa in
                    let n = Int64(rows), m = Int64(columns)
                    var y = [Double](repeating: 9, count: x.count), grad = y, gotMean = mean, gotRstd = rstd
                    let floats = x.map(Float.init), weights = weight.map(Float.init), biases = bias.map(Float.init)
                    var yFloat = floats, gradFloat = floats, meanFloat = mean.map(Float.init),
                        rstdFloat = rstd.map(Float.init)
                    weight.withUnsafeBufferPointer { w in
                        bias.withUnsafeBufferPointer { b in
                            let w = scaled ? w.baseAddress : nil, b = shifted ? b.baseAddress : nil
                            ck_layer_norm_f64(n, m, &y, &gotMean, &gotRstd, x, w, b, 1e-5)
                            ck_layer_norm_grad_f64(n, m, &grad, nil, nil, dy, x, mean, rstd, w, nil)
                        }
                    }
                    weights.withUnsafeBufferPointer { w in
                        biases.withUnsafeBufferPointer { b in
                            let w = scaled ? w.baseAddress : nil, b = shifted ? b.baseAddress : nil
                            ck_layer_norm_f32(n, m, &yFloat, &meanFloat, &rstdFloat, floats, w, b, 1e-5)
                            ck_layer_norm_grad_f32(
                                n, m, &gradFloat, nil, nil, dy.map(Float.init), floats, meanFloat, rstdFloat, w, nil)
                        }
                    }
                    for i in x.indices {
                        #expect(close(y[i], want[i], 1e-10), "\(rows)x\(columns) on \(isa)")
                        #expect(close(grad[i], wantGrad[i], 1e-9), "\(rows)x\(columns) on \(isa)")
                        #expect(close(Double(yFloat[i]), want[i], 1e-6), "\(rows)x\(columns) on \(isa)")
                        // The mean that is kept is a Float near 100.
                        #expect(close(Double(gradFloat[i]), wantGrad[i], 1e-2), "\(rows)x\(columns) on \(isa)")
                    }
                    for row in 0..<rows {
                        #expect(close(gotMean[row], mean[row], 1e-14) && close(gotRstd[row], rstd[row], 1e-10))
                        #expect(close(Double(meanFloat[row]), mean[row], 1e-7))
                        #expect(close(Double(rstdFloat[row]), rstd[row], 1e-6))
                    }
                }
            }
        }
    }

    @Test func layerNormWeights() {
        var random = TestRandom(seed: 72)
        for (rows, columns) in [(1, 1), (3, 5), (7, 16), (40, 129), (5, 300), (100, 1000), (1500, 33)] {
            let (n, m) = (Int64(rows), Int64(columns))
            let x = (0..<rows * columns).map { _ in Double(Float(random.uniform(20...24))) }
            let dy = x.map { _ in Double(Float(random.uniform())) }
            let mean = (0..<rows).map { _ in Double(Float(random.uniform(20...24))) }
            let rstd = mean.map { _ in Double(Float(random.uniform(0.5...2))) }
            var (wantWeight, wantBias) = (
                [Double](repeating: 0, count: columns), [Double](repeating: 0, count: columns)
            )
            for row in 0..<rows {
                for column in 0..<columns {
                    let index = row * columns + column
                    wantBias[column] += dy[index]
                    wantWeight[column] += dy[index] * (x[index] - mean[row]) * rstd[row]
                }
            }
            withEachInstructionSet { isa in
                var (dw, db) = (wantBias.map { _ in 9.0 }, wantBias.map { _ in 9.0 })
                var alone = x, dx = x
                ck_layer_norm_grad_f64(n, m, &alone, nil, nil, dy, x, mean, rstd, nil, nil)
                withSums(n, m) { ck_layer_norm_grad_f64(n, m, &dx, &dw, &db, dy, x, mean, rstd, nil, $0) }
                #expect(dx == alone)
                #expect(agree(dw, wantWeight, 1e-12) && agree(db, wantBias, 1e-12), "\(rows)x\(columns) on \(isa)")
                var (fw, fb) = (dw.map { _ in Float(9) }, db.map { _ in Float(9) })
                var floatGradient = x.map(Float.init)
                withSums(n, m) {
                    ck_layer_norm_grad_f32(
                        n, m, &floatGradient, &fw, &fb, dy.map(Float.init), x.map(Float.init), mean.map(Float.init),
                        rstd.map(Float.init), nil, $0)
                }
                #expect(agree(fw, wantWeight, 1e-5) && agree(fb, wantBias, 1e-5), "\(rows)x\(columns) on \(isa)")
            }
        }
    }

    @Test func threadsChangeNothing() {
        var random = TestRandom(seed: 32)
        let x = (0..<300 * 700).map { _ in Float(random.uniform()) }
        withEachInstructionSet { isa in
            let results = withEachThreadCount([1, 2, 4]) {
                var y = x, z = x, mean = [Float](repeating: 0, count: 300), rstd = mean
                ck_softmax_f32(0, 300, 700, &y, x)
                ck_layer_norm_f32(300, 700, &z, &mean, &rstd, x, nil, nil, 1e-5)
                var dx = x, dw = [Float](repeating: 0, count: 700), db = dw
                withSums(300, 700) { ck_layer_norm_grad_f32(300, 700, &dx, &dw, &db, y, x, mean, rstd, nil, $0) }
                return y + z + mean + rstd + dx + dw + db
            }
            #expect(results[0] == results[1] && results[0] == results[2], "\(isa)")
        }
    }
}
