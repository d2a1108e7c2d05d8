import CKernels
import Testing

/// Convolutions whose channels are the last axis, against the same pass on the turned arrays: the same bits.
@Suite struct ConvolutionChannelsLastTests {
    private static let passes = [CK_CONV_FORWARD, CK_CONV_INPUT_GRAD, CK_CONV_WEIGHT_GRAD]
    private static let layouts: [(x: Bool, y: Bool)] = [(true, true), (true, false), (false, true)]

    private static func plane(
        _ batch: Int, _ inChannels: Int, _ outChannels: Int, _ height: Int, _ width: Int, kernel: Int, stride: Int = 1,
        padding: Int
    ) -> ConvolutionGeometry {
        ConvolutionGeometry(
            batch: batch, inChannels: inChannels, outChannels: outChannels, input: [1, height, width],
            kernel: [1, kernel, kernel], stride: [1, stride, stride], padding: [0, padding, padding])
    }

    /// (batch, rows, columns) to (batch, columns, rows).
    private static func turned(_ values: [Float], batch: Int, rows: Int) -> [Float] {
        let columns = values.count / batch / rows
        var result = values
        for image in 0..<batch {
            for row in 0..<rows {
                let from = (image * rows + row) * columns, to = image * columns * rows + row
                for column in 0..<columns { result[to + column * rows] = values[from + column] }
            }
        }
        return result
    }

    /// The arrays of a geometry in both layouts.
    private struct Case {
        let g: ConvolutionGeometry, data: ConvolutionData, x: [Float], dy: [Float]

        init(_ g: ConvolutionGeometry, seed: UInt64) {
            self.g = g
            data = ConvolutionData(g, seed: seed)
            x = turned(data.x, batch: g.batch, rows: g.inChannels)
            dy = turned(data.dy, batch: g.batch, rows: g.outChannels)
        }

        func count(_ pass: ck_convolution_pass) -> Int {
            pass == CK_CONV_FORWARD ? g.yCount : pass == CK_CONV_INPUT_GRAD ? g.xCount : g.wCount
        }

        func expected(_ pass: ck_convolution_pass, rectified: Bool) -> [Float] {
            let p = g.parameters
            return runConvolution(p, pass, count: count(pass)) { result, workspace in
                switch pass {
                case CK_CONV_FORWARD:
                    Float.forward(p, result, data.x, data.w, data.bias, rectified: rectified, workspace)
                case CK_CONV_INPUT_GRAD: Float.inputGrad(p, result, data.dy, data.w, workspace)
                default: Float.weightGrad(p, result, data.dy, data.x, workspace)
                }
            }
        }

        /// The result as (batch, channels, ...), or nil where it was not done.
        func channelsLast(_ pass: ck_convolution_pass, _ layout: (x: Bool, y: Bool), rectified: Bool) -> [Float]? {
            var p = g.parameters
            (p.x_channels_last, p.y_channels_last) = (layout.x ? 1 : 0, layout.y ? 1 : 0)
            let (x, dy) = (layout.x ? self.x : data.x, layout.y ? self.dy : data.dy)
            var isDone: Int32 = 0
            let result: [Float] = runConvolution(p, pass, count: count(pass)) { result, workspace in
                isDone =
                    switch pass {
                    case CK_CONV_FORWARD:
                        ck_convolution_channels_last(
                            &p, pass, result, x, data.w, data.bias, rectified ? 1 : 0, workspace)
                    case CK_CONV_INPUT_GRAD:
                        ck_convolution_channels_last(&p, pass, result, dy, data.w, nil, 0, workspace)
                    default: ck_convolution_channels_last(&p, pass, result, dy, x, nil, 0, workspace)
                    }
            }
            if isDone == 0 { return nil }
            switch pass {
            case CK_CONV_FORWARD where layout.y:
                return turned(result, batch: g.batch, rows: g.yCount / g.outChannels / g.batch)
            case CK_CONV_INPUT_GRAD where layout.x:
                return turned(result, batch: g.batch, rows: g.xCount / g.inChannels / g.batch)
            default: return result
            }
        }
    }

    /// Each pass gives the bits of the other layout, with any number of threads, or where that goes another way about the same.
    private func check(
        _ g: ConvolutionGeometry, passes: [ck_convolution_pass] = Self.passes,
        layouts: [(x: Bool, y: Bool)] = Self.layouts,
        exactly: Bool = true
    ) {
        let arrays = Case(g, seed: 3)
        withEachInstructionSet { isa in
            for pass in passes {
                for rectified in pass == CK_CONV_FORWARD ? [false, true] : [false] {
                    let expected = arrays.expected(pass, rectified: rectified)
                    for layout in layouts {
                        let results = withEachThreadCount([1, 2]) {
                            arrays.channelsLast(pass, layout, rectified: rectified)
                        }
                        let agrees = results.allSatisfy { $0.map { same($0, expected, exactly: exactly) } ?? false }
                        #expect(agrees, "pass \(pass.rawValue) \(layout) \(isa) \(g)")
                    }
                }
            }
        }
    }

    private func same(_ a: [Float], _ b: [Float], exactly: Bool) -> Bool {
        let most = exactly ? 0 : 1e-5 * b.reduce(0) { max($0, abs($1)) }
        return zip(a, b).allSatisfy { exactly ? $0.bitPattern == $1.bitPattern : abs($0 - $1) <= most }
    }

    @Test func winograd() {
        for (inChannels, outChannels) in [(16, 17), (33, 16), (64, 48), (100, 33), (20, 130)] {
            for padding in 0...2 { check(Self.plane(3, inChannels, outChannels, 13, 11, kernel: 3, padding: padding)) }
            check(Self.plane(16, inChannels, outChannels, 5, 7, kernel: 3, padding: 1))
        }
        check(Self.plane(1, 32, 16, 17, 38, kernel: 3, padding: 1))
        check(Self.plane(16, 16, 20, 1, 1, kernel: 3, padding: 2), passes: [CK_CONV_FORWARD])
    }

    @Test func rows() {
        check(Self.plane(3, 130, 160, 7, 10, kernel: 3, stride: 2, padding: 1))
        check(Self.plane(1, 144, 264, 8, 7, kernel: 1, stride: 2, padding: 0))
        for (inChannels, outChannels) in [(32, 33), (64, 32), (100, 48)] {
            for (kernel, stride, padding) in [(3, 2, 1), (1, 2, 0), (3, 3, 2), (2, 1, 1)] {
                let g = Self.plane(3, inChannels, outChannels, 7, 10, kernel: kernel, stride: stride, padding: padding)
                check(g, layouts: [(true, true), (true, false)], exactly: false)
            }
        }
    }

    @Test func place() {
        for (inChannels, outChannels) in [(1, 16), (3, 9), (16, 32), (17, 33)] {
            for (kernel, padding) in [(5, 0), (5, 2), (3, 1)] {
                let g = Self.plane(3, inChannels, outChannels, 8, 14, kernel: kernel, padding: padding)
                check(g, passes: [CK_CONV_WEIGHT_GRAD])
                if kernel == 5 && inChannels >= 16 { check(g) }
                check(g, passes: [CK_CONV_FORWARD], layouts: [(true, true), (false, true)], exactly: false)
            }
        }
        check(Self.plane(2, 3, 64, 9, 8, kernel: 3, padding: 1), passes: [CK_CONV_WEIGHT_GRAD])
        check(Self.plane(2, 5, 24, 9, 11, kernel: 3, stride: 2, padding: 1), passes: [CK_CONV_WEIGHT_GRAD])
    }

    /// Winograd's way loses whole tiles to what is not finite: it is not done then.
    @Test func whatIsNotFiniteIsNotDone() {
        let g = Self.plane(4, 32, 16, 9, 9, kernel: 3, padding: 1)
        for value in [Float.nan, .infinity] {
            let data = ConvolutionData(g, seed: 1)
            var p = g.parameters
            (p.x_channels_last, p.y_channels_last) = (1, 1)
            var x = data.x
            x[70] = value
            withEachInstructionSet { isa in
                let _: [Float] = runConvolution(p, CK_CONV_FORWARD, count: g.yCount) { y, workspace in
                    #expect(
                        ck_convolution_channels_last(&p, CK_CONV_FORWARD, y, x, data.w, nil, 0, workspace) == 0,
                        "\(isa)")
                }
                let _: [Float] = runConvolution(p, CK_CONV_WEIGHT_GRAD, count: g.wCount) { dw, workspace in
                    #expect(
                        ck_convolution_channels_last(&p, CK_CONV_WEIGHT_GRAD, dw, data.dy, x, nil, 0, workspace) == 0,
                        "\(isa)")
                }
            }
        }
    }

    @Test func whatNoWayServesIsNotDone() {
        for g in [
            Self.plane(2, 2, 2, 6, 6, kernel: 2, padding: 0),
            .square(2, 64, 64, size: 6, kernel: 3, padding: 1, groups: 2),
        ] {
            for pass in Self.passes {
                for layout in Self.layouts {
                    var p = g.parameters
                    (p.x_channels_last, p.y_channels_last) = (layout.x ? 1 : 0, layout.y ? 1 : 0)
                    #expect(ck_convolution_channels_last_serves(&p, pass) == 0)
                    #expect(Case(g, seed: 1).channelsLast(pass, layout, rectified: false) == nil)
                }
            }
        }
    }
}
