import CKernels
import Testing

/// The convolutions of 3 by 3 that take the fast way, against the kernels for double, which take the direct one.
@Suite struct WinogradTests {
    private static func square(
        _ batch: Int, _ inChannels: Int, _ outChannels: Int, height: Int, width: Int, padding: Int = 1
    ) -> ConvolutionGeometry {
        ConvolutionGeometry(
            batch: batch, inChannels: inChannels, outChannels: outChannels, input: [1, height, width],
            kernel: [1, 3, 3], padding: [0, padding, padding])
    }

    /// Channels, tiles and images around each edge of vectors, tiles, strips, chunks and parts.
    private static let geometries: [ConvolutionGeometry] = {
        var all: [ConvolutionGeometry] = []
        for (inChannels, outChannels) in [(16, 16), (17, 19), (31, 33), (64, 65), (129, 16), (20, 131)] {
            all.append(square(4, inChannels, outChannels, height: 8, width: 8))
            all.append(square(16, inChannels, outChannels, height: 3, width: 4))
        }
        for padding in 0...2 { all.append(square(3, 18, 21, height: 13, width: 11, padding: padding)) }
        for width in [31, 32, 33, 34, 35, 70] { all.append(square(2, 16, 20, height: 6, width: width)) }
        all.append(square(16, 48, 40, height: 12, width: 13))
        all.append(square(1, 17, 18, height: 5, width: 262))
        return all
    }()

    @Test func agreesWithTheSumOfProducts() {
        for (i, g) in Self.geometries.enumerated() { ConvolutionData(g, seed: UInt64(i)).check(g, tolerance: 8) }
    }

    @Test func threadsDoNotChangeResults() {
        for g in [
            Self.square(8, 64, 64, height: 32, width: 32), Self.square(4, 140, 70, height: 9, width: 10),
        ] {
            ConvolutionData(g, seed: 5).checkThreads(g)
        }
    }

    /// What is not finite spoils what it takes part in and nothing else, though the fast way would lose whole tiles.
    @Test func specialValuesStayWhereTheyBelong() {
        let g = Self.square(4, 16, 16, height: 8, width: 8)
        for value in [Float.nan, .infinity, -.infinity, 0x1p127] {
            var x = [Float](repeating: 0.5, count: g.xCount), dy = x
            (x[20], dy[300]) = (value, value)
            let w = [Float](repeating: 0.25, count: g.wCount)
            let exact = ConvolutionPasses<Double>(
                g, x: x.map { Double($0) }, w: w.map { Double($0) }, dy: dy.map { Double($0) }, bias: nil)
            withEachInstructionSet { isa in
                let passes = ConvolutionPasses<Float>(g, x: x, w: w, dy: dy, bias: nil)
                for (actual, expected) in [(passes.y, exact.y), (passes.dx, exact.dx)] {
                    let agrees = zip(actual, expected).allSatisfy { actual, expected in
                        let close = abs(Double(actual) - expected) <= 1e-5 * abs(expected)
                        return expected.isFinite ? close : Double(actual) == expected || actual.isNaN && expected.isNaN
                    }
                    #expect(agrees, "\(value) \(isa)")
                }
            }
        }
    }
}
