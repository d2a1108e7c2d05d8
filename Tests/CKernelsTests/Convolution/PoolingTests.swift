import CKernels
import Testing

private struct Pooling: CustomStringConvertible {
    var planes = 1, channels = 0
    var input = [1, 1, 1], kernel = [1, 1, 1], stride = [1, 1, 1], padding = [0, 0, 0], dilation = [1, 1, 1]
    var ceilMode = false, countsPadding = true, divisor = 0

    /// PyTorch's rule: in ceil mode a window may hang over the end, but starts in the input or the left padding.
    var output: [Int] {
        (0..<3).map { a in
            let room = input[a] + 2 * padding[a] - dilation[a] * (kernel[a] - 1) - 1
            var count = (room + (ceilMode ? stride[a] - 1 : 0)) / stride[a] + 1
            if ceilMode && (count - 1) * stride[a] >= input[a] + padding[a] { count -= 1 }
            return count
        }
    }
    var isValid: Bool {
        (0..<3).allSatisfy { input[$0] + 2 * padding[$0] >= dilation[$0] * (kernel[$0] - 1) + 1 }
    }
    var inputCount: Int { input.reduce(1, *) }
    var outputCount: Int { output.reduce(1, *) }

    /// The same windows with planes as `channels` last.
    func withChannelsLast(_ channels: Int) -> Pooling {
        var pooling = self
        (pooling.planes, pooling.channels) = (planes / channels, channels)
        return pooling
    }

    var parameters: ck_pooling {
        func triple(_ values: [Int]) -> (Int64, Int64, Int64) { (Int64(values[0]), Int64(values[1]), Int64(values[2])) }
        return ck_pooling(
            planes: Int64(planes), input: triple(input), kernel: triple(kernel), output: triple(output),
            stride: triple(stride), padding: triple(padding), dilation: triple(dilation),
            count_includes_padding: countsPadding ? 1 : 0, divisor: Int64(divisor), channels: Int64(channels))
    }

    var description: String {
        "planes \(planes) channels \(channels) in\(input) k\(kernel) s\(stride) p\(padding) d\(dilation) "
            + "ceil \(ceilMode) counts \(countsPadding) \(divisor)"
    }

    static func square(
        _ planes: Int, _ height: Int, _ width: Int, kernel: Int, stride: Int, padding: Int = 0
    ) -> Pooling {
        Pooling(
            planes: planes, input: [1, height, width], kernel: [1, kernel, kernel], stride: [1, stride, stride],
            padding: [0, padding, padding])
    }

    /// For each output of a plane: the positions in the input plane that its window covers, in order, and the window's
    /// size with the padding but without the overhang.
    var windows: [(positions: [Int], padded: Int)] {
        func axis(_ a: Int, _ o: Int) -> (inside: [Int], padded: Int) {
            let taps = (0..<kernel[a]).map { o * stride[a] - padding[a] + $0 * dilation[a] }
            return (taps.filter { $0 >= 0 && $0 < input[a] }, taps.filter { $0 < input[a] + padding[a] }.count)
        }
        let output = self.output
        return (0..<outputCount).map { o in
            let z = axis(0, o / output[2] / output[1]), y = axis(1, o / output[2] % output[1])
            let x = axis(2, o % output[2])
            let positions = z.inside.flatMap { z in
                y.inside.flatMap { y in x.inside.map { (z * input[1] + y) * input[2] + $0 } }
            }
            return (positions, z.padded * y.padded * x.padded)
        }
    }
}

/// The kernels of an element type.
private protocol Element: BinaryFloatingPoint {
    static func max(_ p: ck_pooling, _ y: inout [Self], _ indices: inout [Int64], _ x: [Self])
    static func maxGrad(_ p: ck_pooling, _ dx: inout [Self], _ dy: [Self], _ indices: [Int64])
    static func average(_ p: ck_pooling, _ y: inout [Self], _ x: [Self])
    static func averageGrad(_ p: ck_pooling, _ dx: inout [Self], _ dy: [Self])
}

extension Float: Element {
    static func max(_ p: ck_pooling, _ y: inout [Float], _ indices: inout [Int64], _ x: [Float]) {
        withUnsafePointer(to: p) { ck_max_pool_f32($0, &y, &indices, x) }
    }
    static func maxGrad(_ p: ck_pooling, _ dx: inout [Float], _ dy: [Float], _ indices: [Int64]) {
        withUnsafePointer(to: p) { ck_max_pool_grad_f32($0, &dx, dy, indices) }
    }
    static func average(_ p: ck_pooling, _ y: inout [Float], _ x: [Float]) {
        withUnsafePointer(to: p) { ck_average_pool_f32($0, &y, x) }
    }
    static func averageGrad(_ p: ck_pooling, _ dx: inout [Float], _ dy: [Float]) {
        withUnsafePointer(to: p) { ck_average_pool_grad_f32($0, &dx, dy) }
    }
}

extension Double: Element {
    static func max(_ p: ck_pooling, _ y: inout [Double], _ indices: inout [Int64], _ x: [Double]) {
        withUnsafePointer(to: p) { ck_max_pool_f64($0, &y, &indices, x) }
    }
    static func maxGrad(_ p: ck_pooling, _ dx: inout [Double], _ dy: [Double], _ indices: [Int64]) {
        withUnsafePointer(to: p) { ck_max_pool_grad_f64($0, &dx, dy, indices) }
    }
    static func average(_ p: ck_pooling, _ y: inout [Double], _ x: [Double]) {
        withUnsafePointer(to: p) { ck_average_pool_f64($0, &y, x) }
    }
    static func averageGrad(_ p: ck_pooling, _ dx: inout [Double], _ dy: [Double]) {
        withUnsafePointer(to: p) { ck_average_pool_grad_f64($0, &dx, dy) }
    }
}

/// What the kernels answer; each array has a few elements more that must stay as they were.
private struct Results<T: Element> {
    var maxima: [T], indices: [Int64], maxGrad: [T], averages: [T], averageGrad: [T]

    init(_ pooling: Pooling, x: [T], dy: [T]) {
        let p = pooling.parameters, marker: T = -4321, slack = 5
        let planes = pooling.planes * Swift.max(1, pooling.channels)
        let inputs = planes * pooling.inputCount, outputs = planes * pooling.outputCount
        maxima = [T](repeating: marker, count: outputs + slack)
        averages = maxima
        indices = [Int64](repeating: -99, count: outputs + slack)
        maxGrad = [T](repeating: marker, count: inputs + slack)
        averageGrad = maxGrad
        T.max(p, &maxima, &indices, x)
        T.maxGrad(p, &maxGrad, dy, indices)
        if pooling.dilation == [1, 1, 1] {
            T.average(p, &averages, x)
            T.averageGrad(p, &averageGrad, dy)
        }
        #expect(maxima.suffix(slack).allSatisfy { $0 == marker } && indices.suffix(slack).allSatisfy { $0 == -99 })
        let behind = averages.suffix(slack) + maxGrad.suffix(slack) + averageGrad.suffix(slack)
        #expect(behind.allSatisfy { $0 == marker })
    }

    /// Those of planes, with `channels` of them last.
    func withChannelsLast(_ channels: Int, _ pooling: Pooling) -> Results {
        var results = self
        let (inputs, outputs) = (pooling.inputCount, pooling.outputCount)
        results.maxima = channelsLast(channels, maxima, outputs)
        results.indices = channelsLast(channels, indices, outputs)
        results.averages = channelsLast(channels, averages, outputs)
        results.maxGrad = channelsLast(channels, maxGrad, inputs)
        results.averageGrad = channelsLast(channels, averageGrad, inputs)
        return results
    }

    func isIdentical(to other: Results) -> Bool {
        func same(_ a: [T], _ b: [T]) -> Bool { zip(a, b).allSatisfy { $0 == $1 || ($0.isNaN && $1.isNaN) } }
        return indices == other.indices && same(maxima, other.maxima) && same(maxGrad, other.maxGrad)
            && same(averages, other.averages) && same(averageGrad, other.averageGrad)
    }
}

/// (plane, channels, places) as (plane, places, channels); what lies behind whole planes stays.
private func channelsLast<T>(_ channels: Int, _ values: [T], _ places: Int) -> [T] {
    var turned = values
    for start in stride(from: 0, through: values.count - channels * places, by: channels * places) {
        for channel in 0..<channels {
            for place in 0..<places {
                turned[start + place * channels + channel] = values[start + channel * places + place]
            }
        }
    }
    return turned
}

/// Channels last against planes, which `check` holds to plain loops: the same bits, but for the order in which averages' gradients are
/// added where windows overlap.
private func checkChannelsLast<T: Element>(_ planes: Pooling, _ channels: Int, x: [T], dy: [T]) {
    let pooling = planes.withChannelsLast(channels)
    let turned = (
        x: channelsLast(channels, x, planes.inputCount), dy: channelsLast(channels, dy, planes.outputCount)
    )
    withEachInstructionSet { isa in
        let expected = Results(planes, x: x, dy: dy).withChannelsLast(channels, planes)
        var results = Results(pooling, x: turned.x, dy: turned.dy)
        let terms = T(planes.kernel.reduce(1, *))
        let areClose = zip(results.averageGrad, expected.averageGrad).allSatisfy {
            ($0 - $1).magnitude <= 16 * T.ulpOfOne * terms || $0 == $1
        }
        #expect(areClose, "average gradient \(T.self) \(isa) \(pooling)")
        results.averageGrad = expected.averageGrad
        #expect(results.isIdentical(to: expected), "\(T.self) \(isa) \(pooling)")
    }
}

/// All four kernels against plain loops, under each instruction set. `levels` values only, to have ties, when not 0.
private func check<T: Element>(
    _ pooling: Pooling, seed: UInt64, levels: Int = 0, nans: Bool = false, as type: T.Type
) {
    var random = TestRandom(seed: seed)
    func value() -> T {
        if nans && Int.random(in: 0..<6, using: &random) == 0 {
            return [T.nan, .infinity, -.infinity][Int.random(in: 0..<3, using: &random)]
        }
        return levels > 0 ? T(Int.random(in: 0..<levels, using: &random)) : T(random.uniform())
    }
    let inputs = pooling.inputCount, outputs = pooling.outputCount
    let x = (0..<pooling.planes * inputs).map { _ in value() }
    let dy = (0..<pooling.planes * outputs).map { _ in T(random.uniform()) }
    let windows = pooling.windows
    var maxima: [T] = [], indices: [Int64] = []
    var averages: [Double] = [], averageSizes: [Double] = []
    var maxGrad = [Double](repeating: 0, count: x.count), averageGrad = maxGrad
    for plane in 0..<pooling.planes {
        for (o, window) in windows.enumerated() {
            let values = window.positions.map { x[plane * inputs + $0] }
            var best = values.isEmpty ? nil : 0
            for i in values.indices {
                guard let current = best, !values[current].isNaN else { break }
                if values[i].isNaN || values[i] > values[current] { best = i }
            }
            maxima.append(best.map { values[$0] } ?? -.infinity)
            indices.append(best.map { Int64(window.positions[$0]) } ?? -1)
            let share = Double(dy[plane * outputs + o])
            if let best { maxGrad[plane * inputs + window.positions[best]] += share }
            let counted = pooling.countsPadding ? window.padded : values.count
            let divisor = Double(values.isEmpty ? 1 : pooling.divisor != 0 ? pooling.divisor : counted)
            averages.append(values.reduce(0) { $0 + Double($1) } / divisor)
            averageSizes.append(values.reduce(0) { $0 + Double($1.magnitude) } / abs(divisor))
            for position in window.positions { averageGrad[plane * inputs + position] += share / divisor }
        }
    }
    func isClose(_ actual: [T], _ expected: [Double], _ size: (Int) -> Double) -> Bool {
        expected.indices.allSatisfy { i in
            let a = Double(actual[i]), e = expected[i]
            return a == e || (a.isNaN && e.isNaN) || e.isFinite && abs(a - e) <= 16 * Double(T.ulpOfOne) * size(i)
        }
    }
    withEachInstructionSet { isa in
        let results = Results(pooling, x: x, dy: dy)
        let sameMaxima = maxima.indices.allSatisfy {
            maxima[$0] == results.maxima[$0] || (maxima[$0].isNaN && results.maxima[$0].isNaN)
        }
        #expect(sameMaxima, "maxima \(T.self) \(isa) \(pooling)")
        #expect(indices == Array(results.indices.prefix(indices.count)), "indices \(T.self) \(isa) \(pooling)")
        let terms = Double(pooling.kernel.reduce(1, *))
        #expect(isClose(results.maxGrad, maxGrad, { _ in terms }), "max gradient \(T.self) \(isa) \(pooling)")
        guard pooling.dilation == [1, 1, 1] else { return }
        #expect(isClose(results.averages, averages, { averageSizes[$0] }), "averages \(T.self) \(isa) \(pooling)")
        #expect(
            isClose(results.averageGrad, averageGrad, { _ in terms }),
            "average gradient \(T.self) \(isa) \(pooling)")
    }
}

@Suite struct PoolingTests {
    @Test func randomGeometries() {
        var random = TestRandom(seed: 11)
        var seed: UInt64 = 0
        while seed < 400 {
            func pick(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &random) }
            func axes(_ range: ClosedRange<Int>) -> [Int] { (0..<3).map { _ in pick(range) } }
            var p = Pooling(
                planes: pick(1...4), input: axes(1...9), kernel: axes(1...4), stride: axes(1...4), padding: axes(0...3),
                dilation: seed.isMultiple(of: 3) ? axes(1...3) : [1, 1, 1], ceilMode: pick(0...1) == 1,
                countsPadding: pick(0...1) == 1, divisor: pick(0...3) == 0 ? pick(1...7) : 0)
            for a in 0..<pick(0...2) {
                (p.input[a], p.kernel[a], p.stride[a], p.padding[a], p.dilation[a]) = (1, 1, 1, 0, 1)
            }
            guard p.isValid else { continue }
            seed += 1
            check(p, seed: seed, levels: seed.isMultiple(of: 2) ? 3 : 0, nans: seed.isMultiple(of: 5), as: Float.self)
            check(p, seed: seed, levels: seed.isMultiple(of: 2) ? 3 : 0, nans: seed.isMultiple(of: 5), as: Double.self)
        }
    }

    /// The common window of 2 x 2, on widths around every vector.
    @Test func twoByTwo() {
        for width in [2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 24, 31, 32, 33, 34, 35, 63, 64, 65, 66, 67] {
            for (i, height) in [2, 5, 8].enumerated() {
                var p = Pooling.square(3, height, width, kernel: 2, stride: 2)
                check(p, seed: UInt64(width), levels: i == 0 ? 2 : 0, nans: i == 1, as: Float.self)
                check(p, seed: UInt64(width), levels: i == 0 ? 2 : 0, nans: i == 1, as: Double.self)
                p.ceilMode = true
                check(p, seed: UInt64(width), levels: 2, as: Float.self)
                p.divisor = 3
                check(p, seed: UInt64(width), as: Double.self)
            }
        }
    }

    /// Windows of 3 by 3 around whole vectors of them, the last of which overlaps the one before.
    @Test func threeByThree() {
        for width in 3...24 {
            for stride in 1...2 {
                let p = Pooling.square(2, 6, width, kernel: 3, stride: stride, padding: width % 2)
                for (levels, nans) in [(0, false), (2, false), (0, true)] {
                    check(p, seed: UInt64(width), levels: levels, nans: nans, as: Float.self)
                    check(p, seed: UInt64(width), levels: levels, nans: nans, as: Double.self)
                }
            }
        }
    }

    /// Rows, and windows, of more than averages' gradients take at once.
    @Test func longRows() {
        for (width, kernel, stride, padding) in [(1300, 3, 1, 1), (1301, 3, 2, 1), (1302, 5, 3, 0), (700, 600, 1, 300)]
        {
            let p = Pooling(
                planes: 2, input: [1, 3, width], kernel: [1, 2, kernel], stride: [1, 1, stride],
                padding: [0, 1, padding])
            check(p, seed: UInt64(width), as: Float.self)
            check(p, seed: UInt64(width), as: Double.self)
        }
    }

    /// Channels around whole vectors, with ties and NaN; tiles that cover all of the input, or leave some, and planes cut into parts.
    @Test func channelsLast() {
        var random = TestRandom(seed: 12)
        func check<T: Element>(_ planes: Pooling, _ channels: Int, nans: Bool, as type: T.Type) {
            func numbers(_ count: Int, nans: Bool) -> [T] {
                (0..<count).map { _ in
                    let digit = Int.random(in: 0..<12, using: &random)
                    return nans && digit < 3 ? [T.nan, .infinity, -.infinity][digit] : T(digit)
                }
            }
            checkChannelsLast(
                planes, channels, x: numbers(planes.planes * planes.inputCount, nans: nans),
                dy: numbers(planes.planes * planes.outputCount, nans: false))
        }
        let counts = [1, 3, 4, 7, 8, 9, 16, 17, 23]
        var geometries = 0
        while geometries < 150 {
            func pick(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &random) }
            func axes(_ range: ClosedRange<Int>) -> [Int] { (0..<3).map { _ in pick(range) } }
            let channels = counts[geometries % counts.count]
            var p = Pooling(
                planes: pick(1...2) * channels, input: axes(1...5), kernel: axes(1...3), stride: axes(1...3),
                padding: axes(0...2), dilation: geometries.isMultiple(of: 3) ? axes(1...3) : [1, 1, 1],
                ceilMode: pick(0...1) == 1, countsPadding: pick(0...1) == 1,
                divisor: pick(0...3) == 0 ? pick(1...7) : 0)
            for a in 0..<pick(0...2) {
                (p.input[a], p.kernel[a], p.stride[a], p.padding[a], p.dilation[a]) = (1, 1, 1, 0, 1)
            }
            if pick(0...2) == 0 { (p.stride, p.padding, p.dilation) = (p.kernel, [0, 0, 0], [1, 1, 1]) }
            guard p.isValid else { continue }
            geometries += 1
            check(p, channels, nans: geometries.isMultiple(of: 2), as: Float.self)
            check(p, channels, nans: geometries.isMultiple(of: 2), as: Double.self)
        }
        check(.square(16, 61, 61, kernel: 3, stride: 2, padding: 1), 16, nans: false, as: Float.self)
        check(.square(16, 92, 90, kernel: 2, stride: 2), 16, nans: false, as: Float.self)
        check(.square(16, 93, 90, kernel: 2, stride: 2), 16, nans: false, as: Float.self)
    }

    @Test func nothingToDo() {
        check(Pooling.square(0, 4, 4, kernel: 2, stride: 2), seed: 1, as: Float.self)
        var empty = Pooling.square(0, 4, 4, kernel: 2, stride: 2)
        empty.channels = 8
        _ = Results<Float>(empty, x: [], dy: [])
    }

    @Test func threadsDoNotChangeResults() {
        var random = TestRandom(seed: 5)
        let poolings: [Pooling] = [
            .square(300, 24, 24, kernel: 2, stride: 2), .square(40, 33, 31, kernel: 3, stride: 2, padding: 1),
            .square(40, 65, 33, kernel: 3, stride: 2, padding: 1).withChannelsLast(20),
            .square(300, 24, 24, kernel: 2, stride: 2).withChannelsLast(30),
        ]
        for p in poolings {
            let planes = p.planes * max(1, p.channels)
            let x = (0..<planes * p.inputCount).map { _ in Float(random.uniform()) }
            let dy = (0..<planes * p.outputCount).map { _ in Float(random.uniform()) }
            withEachInstructionSet { isa in
                let results = withEachThreadCount([1, 2, 4]) { Results(p, x: x, dy: dy) }
                #expect(results[1].isIdentical(to: results[0]), "2 threads \(isa) \(p)")
                #expect(results[2].isIdentical(to: results[0]), "4 threads \(isa) \(p)")
            }
        }
    }
}
