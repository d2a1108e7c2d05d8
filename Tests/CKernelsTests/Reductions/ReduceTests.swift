import CKernels
import Testing

/// Axes as (length, stride).
typealias ReductionAxis = (length: Int, stride: Int)

func reductionLoop(kept: [ReductionAxis], reduced: [ReductionAxis]) -> ck_reduction_loop {
    var loop = ck_reduction_loop()
    loop.kept_rank = Int32(kept.count)
    loop.reduced_rank = Int32(reduced.count)
    func store(_ values: [Int], _ bytes: UnsafeMutableRawBufferPointer) {
        for (i, value) in values.enumerated() {
            bytes.storeBytes(of: Int64(value), toByteOffset: i * 8, as: Int64.self)
        }
    }
    withUnsafeMutableBytes(of: &loop.kept_shape) { store(kept.map(\.length), $0) }
    withUnsafeMutableBytes(of: &loop.kept_strides) { store(kept.map(\.stride), $0) }
    withUnsafeMutableBytes(of: &loop.reduced_shape) { store(reduced.map(\.length), $0) }
    withUnsafeMutableBytes(of: &loop.reduced_strides) { store(reduced.map(\.stride), $0) }
    return loop
}

private struct Problem {
    var kept: [ReductionAxis], reduced: [ReductionAxis], extent: Int

    var loop: ck_reduction_loop { reductionLoop(kept: kept, reduced: reduced) }
    var outputs: [Int] { nestOffsets(kept.map(\.length), kept.map(\.stride)) }
    var inner: [Int] { nestOffsets(reduced.map(\.length), reduced.map(\.stride)) }
}

/// A shape whose axes are dealt to both sides at random, over memory in any order.
private func problem(_ shape: [Int], random: inout TestRandom) -> Problem {
    let (strides, extent) = inputStrides(shape, random: &random)
    var problem = Problem(kept: [], reduced: [], extent: extent)
    for (length, stride) in zip(shape, strides) {
        if Bool.random(using: &random) {
            problem.kept.append((length, stride))
        } else {
            problem.reduced.append((length, stride))
        }
    }
    return problem
}

private let shapes: [[Int]] = [
    [], [1], [5], [32], [100], [2047], [2049], [5000], [10, 64], [64, 10], [3, 70], [300, 300], [257, 3], [2, 65_537],
    [70_000, 3],
    [7, 5, 9], [33, 2, 40], [20, 30, 40], [2, 3, 4, 5], [3, 2, 2, 3, 2, 2], [0], [3, 0], [0, 4, 2], [700, 260],
    [90, 211],
]

private let operations: [(ck_reduction, Double, @Sendable (Double, Double) -> Double)] = [
    (CK_SUM, 0, { $0 + $1 }), (CK_SUM_SQUARES, 0, { $0 + $1 * $1 }), (CK_PROD, 1, { $0 * $1 }),
    (CK_MAX, -.infinity, { $0.isNaN || $0 > $1 ? $0 : $1 }), (CK_MIN, .infinity, { $0.isNaN || $0 < $1 ? $0 : $1 }),
]

/// Large shapes are there for the work's division among threads: once is enough.
private func rounds(_ shape: [Int], _ most: Int) -> Int { shape.reduce(1, *) > 10_000 ? 1 : most }

/// Each of `count` steps rounds a double, in the kernel as in the reference, and the end rounds once more. `size` bounds what is rounded: the
/// sum of the absolute values that are added, a product itself, nothing for an extremum.
private func agree<T: BinaryFloatingPoint>(_ got: T, _ want: Double, count: Int, size: Double) -> Bool {
    let roundings = Double(2 * count) * 0x1p-53 + Double(T.ulpOfOne) / 2
    return Double(got) == want || abs(Double(got) - want) <= roundings * size + Double(T.leastNonzeroMagnitude)
}

@Suite struct ReduceTests {
    @Test func reductionsOverAnyAxes() {
        var random = TestRandom(seed: 20)
        for shape in shapes {
            for _ in 0..<rounds(shape, 4) {
                let problem = problem(shape, random: &random)
                // The product of many must neither overflow nor underflow.
                let spread = 10 / Double(max(100, shape.reduce(1, *)))
                let x = (0..<problem.extent).map { _ in
                    Float(random.uniform(1 - spread...1 + spread) * (Bool.random(using: &random) ? 1 : -1))
                }
                let wide = x.map(Double.init), outputs = problem.outputs, inner = problem.inner
                var loop = problem.loop
                for (operation, identity, join) in operations {
                    let want = outputs.map { base in inner.reduce(identity) { join($0, wide[base + $1]) } }
                    let sizes = want.map { want -> Double in
                        switch operation {
                        case CK_SUM, CK_SUM_SQUARES: 1.21 * Double(inner.count)
                        case CK_PROD: abs(want)
                        default: 0
                        }
                    }
                    withEachInstructionSet { isa in
                        var got = [Float](repeating: 99, count: outputs.count)
                        var gotDouble = [Double](repeating: 99, count: outputs.count)
                        ck_reduce_f32(operation, &loop, &got, x)
                        ck_reduce_f64(operation, &loop, &gotDouble, wide)
                        for i in want.indices {
                            if !agree(got[i], want[i], count: inner.count, size: sizes[i])
                                || !agree(gotDouble[i], want[i], count: inner.count, size: sizes[i])
                            {
                                Issue.record("\(operation) \(problem) [\(i)] on \(isa): \(got[i]) for \(want[i])")
                            }
                        }
                    }
                }
            }
        }
    }

    @Test func squaredDeviationsOverAnyAxes() {
        var random = TestRandom(seed: 21)
        for shape in shapes {
            for _ in 0..<rounds(shape, 3) {
                let problem = problem(shape, random: &random)
                let x = (0..<problem.extent).map { _ in Double(Float(random.uniform())) }, outputs = problem.outputs
                let center = outputs.map { _ in Double(Float(random.uniform())) }, inner = problem.inner
                let want = zip(outputs, center).map { base, center in
                    inner.reduce(0.0) { $0 + (x[base + $1] - center) * (x[base + $1] - center) }
                }
                var loop = problem.loop
                withEachInstructionSet { isa in
                    var got = [Float](repeating: 99, count: outputs.count)
                    var gotDouble = [Double](repeating: 99, count: outputs.count)
                    ck_squared_deviations_f64(&loop, &gotDouble, x, center)
                    ck_squared_deviations_f32(&loop, &got, x.map(Float.init), center.map(Float.init))
                    for i in want.indices {
                        // Each term is rounded twice.
                        let (count, size) = (inner.count + 2, want[i])
                        #expect(agree(gotDouble[i], want[i], count: count, size: size), "\(problem) [\(i)] on \(isa)")
                        #expect(agree(got[i], want[i], count: count, size: size), "\(problem) [\(i)] on \(isa)")
                    }
                }
            }
        }
    }

    @Test func whereTheExtremaAre() {
        var random = TestRandom(seed: 22)
        for shape in shapes {
            for round in 0..<rounds(shape, 6) {
                let problem = problem(shape, random: &random)
                // Many ties, at times a few NaN, at times nothing but infinities.
                let values: [Float] =
                    [
                        [0, 1, 2, -1, 0.5], [0, -0.0, 1, .nan, .infinity], [-.infinity], [.infinity], [.nan, 1],
                        [3, -.infinity],
                    ][
                        round]
                let x = (0..<problem.extent).map { _ in values.randomElement(using: &random) ?? 0 }
                let outputs = problem.outputs, inner = problem.inner
                var loop = problem.loop
                if inner.isEmpty { continue }
                for minimum in [0, 1] as [Int32] {
                    let want = outputs.map { base in
                        var best = 0
                        for i in inner.indices {
                            let value = x[base + inner[i]], held = x[base + inner[best]]
                            if (minimum == 1 ? value < held : value > held) || (value.isNaN && !held.isNaN) { best = i }
                        }
                        return Int64(best)
                    }
                    withEachInstructionSet { isa in
                        var got = [Int64](repeating: -9, count: outputs.count), gotDouble = got
                        ck_arg_extremum_f32(minimum, &loop, &got, x)
                        ck_arg_extremum_f64(minimum, &loop, &gotDouble, x.map(Double.init))
                        #expect(got == want && gotDouble == want, "\(problem) minimum \(minimum) on \(isa)")
                    }
                }
            }
        }
    }

    @Test func specialValues() {
        withEachInstructionSet { isa in
            for count in [1, 3, 16, 17, 100, 3000] {
                for at in [0, count / 2, count - 1] {
                    var loop = reductionLoop(kept: [], reduced: [(count, 1)])
                    var x = [Float](repeating: 1, count: count), result: Float = 0
                    x[at] = .nan
                    for (operation, _, _) in operations {
                        ck_reduce_f32(operation, &loop, &result, x)
                        #expect(result.isNaN, "\(operation), NaN at \(at) of \(count), on \(isa)")
                    }
                    x[at] = -.infinity
                    for (operation, _, _) in operations {
                        ck_reduce_f32(operation, &loop, &result, x)
                        let want: Float =
                            operation == CK_SUM_SQUARES ? .infinity : operation == CK_MAX && count > 1 ? 1 : -.infinity
                        #expect(result == want, "\(operation), -inf at \(at) of \(count), on \(isa)")
                    }
                    if count > 1 {
                        x[(at + 1) % count] = .infinity
                        ck_reduce_f32(CK_SUM, &loop, &result, x)
                        #expect(result.isNaN)
                    }
                }
            }
        }
    }

    @Test func errorsDoNotGrowWithTheCount() {
        let count = 10_000_000
        let floats = [Float](repeating: 0.1, count: count), doubles = [Double](repeating: 0.1, count: count)
        let want = Double(Float(0.1)) * Double(count)
        withEachInstructionSet { isa in
            for (kept, reduced) in [
                ([ReductionAxis](), [(count, 1)]), ([(5, 1)], [(count / 5, 5)]), ([(4, count / 4)], [(count / 4, 1)]),
            ] as [([ReductionAxis], [ReductionAxis])] {
                var loop = reductionLoop(kept: kept, reduced: reduced)
                let parts = kept.first?.length ?? 1
                var got = [Float](repeating: 0, count: parts), gotDouble = [Double](repeating: 0, count: parts)
                ck_reduce_f32(CK_SUM, &loop, &got, floats)
                ck_reduce_f64(CK_SUM, &loop, &gotDouble, doubles)
                for value in got {
                    #expect(abs(Double(value) * Double(parts) / want - 1) <= 2 * 0x1p-24, "\(parts) on \(isa)")
                }
                for value in gotDouble {
                    #expect(abs(value * Double(parts) / 1e6 - 1) <= 16 * 0x1p-53, "\(value) of \(parts) on \(isa)")
                }
            }
        }
    }

    @Test func threadsChangeNothing() {
        var random = TestRandom(seed: 23)
        let x = (0..<600 * 1000).map { _ in random.uniform() }
        let layouts: [([ReductionAxis], [ReductionAxis])] = [
            ([], [(600_000, 1)]), ([(600, 1000)], [(1000, 1)]), ([(1000, 1)], [(600, 1000)]),
            ([(3, 1)], [(200_000, 3)]),
            ([(3, 200_000)], [(200_000, 1)]), ([(200_000, 3)], [(3, 1)]), ([(2, 1)], [(100, 2), (600, 1000)]),
        ]
        withEachInstructionSet { isa in
            for (kept, reduced) in layouts {
                var loop = reductionLoop(kept: kept, reduced: reduced)
                let results = withEachThreadCount([1, 2, 4]) {
                    var y = [Double](repeating: 0, count: kept.first?.length ?? 1)
                    var at = [Int64](repeating: 0, count: y.count)
                    ck_reduce_f64(CK_SUM, &loop, &y, x)
                    ck_arg_extremum_f64(0, &loop, &at, x)
                    return (y, at)
                }
                #expect(results.allSatisfy { $0 == results[0] }, "\(kept) \(reduced) on \(isa)")
            }
        }
    }
}
