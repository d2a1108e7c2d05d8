import CKernels
import Testing

/// Convolutions with many channels that Winograd's way is not open to, against the kernels for double.
@Suite struct ConvolutionRowsTests {
    /// Channels, results, pixels, taps and phases around each edge of vectors, panels, blocks and chunks.
    private static let geometries: [ConvolutionGeometry] = {
        var all: [ConvolutionGeometry] = []
        for (inChannels, outChannels) in [(32, 32), (33, 40), (47, 65), (130, 34), (40, 129), (32, 300)] {
            for stride in 1...3 {
                all.append(.square(2, inChannels, outChannels, size: 7, kernel: 3, stride: stride, padding: 1))
            }
            all.append(.square(3, inChannels, outChannels, size: 8, kernel: 1, stride: 2))
        }
        all.append(.square(1, 600, 32, size: 3, kernel: 1))
        all.append(.square(1, 200, 33, size: 5, kernel: 3, stride: 2, padding: 1))
        all.append(.square(6, 128, 32, size: 8, kernel: 1))
        all.append(.square(9, 32, 36, size: 9, kernel: 2, stride: 2))
        all.append(.square(2, 32, 32, size: 2, kernel: 3, stride: 4, padding: 1))
        all.append(.square(2, 36, 32, size: 9, kernel: 3, stride: 2, padding: 3, dilation: 2))
        all.append(.square(1, 32, 32, size: 17, kernel: 16, stride: 5))
        // Blocks whose pixels 3 does not divide, by all the channels of a block.
        all.append(
            ConvolutionGeometry(
                batch: 8, inChannels: 256, outChannels: 32, input: [1, 21, 12], kernel: [1, 3, 3], stride: [1, 3, 3]))
        all.append(.square(1, 32, 32, size: 130, kernel: 1, stride: 129))
        all.append(
            ConvolutionGeometry(
                batch: 2, inChannels: 40, outChannels: 35, input: [1, 8, 11], kernel: [1, 3, 2], stride: [1, 3, 2],
                padding: [0, 2, 1], dilation: [1, 1, 2]))
        all.append(
            ConvolutionGeometry(
                batch: 1, inChannels: 48, outChannels: 40, input: [1, 1, 250], kernel: [1, 1, 4], stride: [1, 1, 3],
                padding: [0, 0, 3]))
        return all
    }()

    @Test func agreesWithTheSumOfProducts() {
        for (i, g) in Self.geometries.enumerated() { ConvolutionData(g, seed: UInt64(i)).check(g, tolerance: 4) }
    }

    @Test func threadsDoNotChangeResults() {
        for g in [
            ConvolutionGeometry.square(8, 64, 130, size: 13, kernel: 3, stride: 2, padding: 1),
            .square(4, 160, 70, size: 9, kernel: 3, stride: 2), .square(16, 64, 64, size: 9, kernel: 1),
        ] {
            ConvolutionData(g, seed: 5).checkThreads(g)
        }
    }

    /// What is not finite reaches the results it takes part in, and no others.
    @Test func specialValues() {
        let g = ConvolutionGeometry.square(1, 130, 36, size: 9, kernel: 3, stride: 2)
        for value in [Float.nan, .infinity, -.infinity] {
            withEachInstructionSet { isa in
                func holds(_ result: Float) -> Bool { value.isNaN ? result.isNaN : result == value }
                var x = [Float](repeating: 1, count: g.xCount), dy = [Float](repeating: 1, count: g.yCount)
                x[4 * 9 + 4] = value  // the middle of channel 0
                let w = [Float](repeating: 1, count: g.wCount)
                let passes = ConvolutionPasses<Float>(g, x: x, w: w, dy: dy, bias: nil)
                for (i, y) in passes.y.enumerated() {
                    let meets = (1...2).contains(i % 16 / 4) && (1...2).contains(i % 4)
                    #expect(meets ? holds(y) : y == 1170, "\(value) \(isa) at \(i)")
                }
                for (i, dw) in passes.dw.enumerated() {
                    let meets = i / 9 % 130 == 0 && i % 9 / 3 != 1 && i % 3 != 1
                    #expect(meets ? holds(dw) : dw == 16, "\(value) \(isa) at \(i)")
                }
                dy[4 + 1] = value
                let dx = ConvolutionPasses<Float>(g, x: x, w: w, dy: dy, bias: nil).dx
                for (i, dx) in dx.enumerated() {
                    let meets = (2...4).contains(i % 81 / 9) && (2...4).contains(i % 9)
                    #expect(meets ? holds(dx) : dx.isFinite, "\(value) \(isa) at \(i)")
                }
            }
        }
    }
}
