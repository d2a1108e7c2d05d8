import CKernels
import Foundation
import Testing

/// A convolution's sizes as a test writes them; three axes each.
struct ConvolutionGeometry: CustomStringConvertible {
    var batch = 1, inChannels = 1, outChannels = 1, groups = 1
    var input = [1, 1, 1], kernel = [1, 1, 1], stride = [1, 1, 1], padding = [0, 0, 0], dilation = [1, 1, 1]

    var output: [Int] {
        (0..<3).map { (input[$0] + 2 * padding[$0] - dilation[$0] * (kernel[$0] - 1) - 1) / stride[$0] + 1 }
    }
    /// Whether the kernel fits at least once.
    var isValid: Bool {
        (0..<3).allSatisfy { input[$0] + 2 * padding[$0] >= dilation[$0] * (kernel[$0] - 1) + 1 }
    }
    var xCount: Int { batch * inChannels * input.reduce(1, *) }
    var yCount: Int { batch * outChannels * output.reduce(1, *) }
    var wCount: Int { outChannels * inChannels / groups * kernel.reduce(1, *) }

    var parameters: ck_convolution {
        func triple(_ values: [Int]) -> (Int64, Int64, Int64) { (Int64(values[0]), Int64(values[1]), Int64(values[2])) }
        return ck_convolution(
            batch: Int64(batch), in_channels: Int64(inChannels), out_channels: Int64(outChannels),
            groups: Int64(groups), input: triple(input), kernel: triple(kernel), output: triple(output),
            stride: triple(stride), padding: triple(padding), dilation: triple(dilation), x_channels_last: 0,
            y_channels_last: 0)
    }

    var description: String {
        "n\(batch) c\(inChannels)->\(outChannels) g\(groups) in\(input) k\(kernel) s\(stride) p\(padding) d\(dilation)"
    }

    /// A plane with one kernel, stride, padding and dilation for both axes.
    static func square(
        _ batch: Int, _ inChannels: Int, _ outChannels: Int, size: Int, kernel: Int, stride: Int = 1, padding: Int = 0,
        dilation: Int = 1, groups: Int = 1
    ) -> ConvolutionGeometry {
        ConvolutionGeometry(
            batch: batch, inChannels: inChannels, outChannels: outChannels, groups: groups, input: [1, size, size],
            kernel: [1, kernel, kernel], stride: [1, stride, stride], padding: [0, padding, padding],
            dilation: [1, dilation, dilation])
    }

    /// Calls `body` with the positions in x, w and y of every product of the convolution's sum.
    func forEachProduct(_ body: (_ x: Int, _ w: Int, _ y: Int) -> Void) {
        let output = self.output, groupIn = inChannels / groups, groupOut = outChannels / groups
        let taps = (0..<kernel[0]).flatMap { z in
            (0..<kernel[1]).flatMap { y in (0..<kernel[2]).map { x in (z, y, x) } }
        }
        var y = 0
        for n in 0..<batch {
            for outChannel in 0..<outChannels {
                let firstIn = outChannel / groupOut * groupIn
                for oz in 0..<output[0] {
                    for oy in 0..<output[1] {
                        for ox in 0..<output[2] {
                            for (tap, (kz, ky, kx)) in taps.enumerated() {
                                let iz = oz * stride[0] - padding[0] + kz * dilation[0]
                                let iy = oy * stride[1] - padding[1] + ky * dilation[1]
                                let ix = ox * stride[2] - padding[2] + kx * dilation[2]
                                guard iz >= 0, iz < input[0], iy >= 0, iy < input[1], ix >= 0, ix < input[2] else {
                                    continue
                                }
                                for c in 0..<groupIn {
                                    let plane = n * inChannels + firstIn + c
                                    body(
                                        ((plane * input[0] + iz) * input[1] + iy) * input[2] + ix,
                                        (outChannel * groupIn + c) * taps.count + tap, y)
                                }
                            }
                            y += 1
                        }
                    }
                }
            }
        }
    }
}

/// The kernels of an element type.
protocol ConvolutionElement: BinaryFloatingPoint {
    static func workspace(_ p: ck_convolution, _ pass: ck_convolution_pass) -> Int
    static func forward(
        _ p: ck_convolution, _ y: UnsafeMutablePointer<Self>, _ x: [Self], _ w: [Self], _ bias: [Self]?,
        rectified: Bool, _ workspace: UnsafeMutableRawPointer)
    static func inputGrad(
        _ p: ck_convolution, _ dx: UnsafeMutablePointer<Self>, _ dy: [Self], _ w: [Self],
        _ workspace: UnsafeMutableRawPointer)
    static func weightGrad(
        _ p: ck_convolution, _ dw: UnsafeMutablePointer<Self>, _ dy: [Self], _ x: [Self],
        _ workspace: UnsafeMutableRawPointer)
}

extension Float: ConvolutionElement {
    static func workspace(_ p: ck_convolution, _ pass: ck_convolution_pass) -> Int {
        withUnsafePointer(to: p) { ck_convolution_workspace_f32($0, pass) }
    }
    static func forward(
        _ p: ck_convolution, _ y: UnsafeMutablePointer<Float>, _ x: [Float], _ w: [Float], _ bias: [Float]?,
        rectified: Bool, _ workspace: UnsafeMutableRawPointer
    ) {
        withUnsafePointer(to: p) { p in
            guard let bias else { return ck_convolution_f32(p, y, x, w, nil, rectified ? 1 : 0, workspace) }
            ck_convolution_f32(p, y, x, w, bias, rectified ? 1 : 0, workspace)
        }
    }
    static func inputGrad(
        _ p: ck_convolution, _ dx: UnsafeMutablePointer<Float>, _ dy: [Float], _ w: [Float],
        _ workspace: UnsafeMutableRawPointer
    ) {
        withUnsafePointer(to: p) { ck_convolution_input_grad_f32($0, dx, dy, w, workspace) }
    }
    static func weightGrad(
        _ p: ck_convolution, _ dw: UnsafeMutablePointer<Float>, _ dy: [Float], _ x: [Float],
        _ workspace: UnsafeMutableRawPointer
    ) {
        withUnsafePointer(to: p) { ck_convolution_weight_grad_f32($0, dw, dy, x, workspace) }
    }
}

extension Double: ConvolutionElement {
    static func workspace(_ p: ck_convolution, _ pass: ck_convolution_pass) -> Int {
        withUnsafePointer(to: p) { ck_convolution_workspace_f64($0, pass) }
    }
    static func forward(
        _ p: ck_convolution, _ y: UnsafeMutablePointer<Double>, _ x: [Double], _ w: [Double], _ bias: [Double]?,
        rectified: Bool, _ workspace: UnsafeMutableRawPointer
    ) {
        withUnsafePointer(to: p) { p in
            guard let bias else { return ck_convolution_f64(p, y, x, w, nil, rectified ? 1 : 0, workspace) }
            ck_convolution_f64(p, y, x, w, bias, rectified ? 1 : 0, workspace)
        }
    }
    static func inputGrad(
        _ p: ck_convolution, _ dx: UnsafeMutablePointer<Double>, _ dy: [Double], _ w: [Double],
        _ workspace: UnsafeMutableRawPointer
    ) {
        withUnsafePointer(to: p) { ck_convolution_input_grad_f64($0, dx, dy, w, workspace) }
    }
    static func weightGrad(
        _ p: ck_convolution, _ dw: UnsafeMutablePointer<Double>, _ dy: [Double], _ x: [Double],
        _ workspace: UnsafeMutableRawPointer
    ) {
        withUnsafePointer(to: p) { ck_convolution_weight_grad_f64($0, dw, dy, x, workspace) }
    }
}

/// Runs a kernel into an array full of a value that no result has, with a workspace full of NaN; what lies just behind
/// both must stay untouched.
func runConvolution<T: ConvolutionElement>(
    _ p: ck_convolution, _ pass: ck_convolution_pass, count: Int,
    _ kernel: (UnsafeMutablePointer<T>, UnsafeMutableRawPointer) -> Void
) -> [T] {
    let bytes = T.workspace(p, pass), guardBytes = 64
    let workspace = UnsafeMutableRawPointer.allocate(byteCount: bytes + guardBytes, alignment: 64)
    defer { workspace.deallocate() }
    memset(workspace, 0xFF, bytes + guardBytes)
    let marker: T = -12345
    var out = [T](repeating: marker, count: count + 8)
    out.withUnsafeMutableBufferPointer { buffer in
        if let base = buffer.baseAddress { kernel(base, workspace) }
    }
    #expect(out[count...].allSatisfy { $0 == marker }, "written past the end")
    let behind = UnsafeRawBufferPointer(start: workspace + bytes, count: guardBytes)
    #expect(behind.allSatisfy { $0 == 0xFF }, "workspace too small")
    return Array(out[..<count])
}

/// The three passes of one geometry on the same data.
struct ConvolutionPasses<T: ConvolutionElement> {
    var y: [T], dx: [T], dw: [T]

    init(_ g: ConvolutionGeometry, x: [T], w: [T], dy: [T], bias: [T]?) {
        let p = g.parameters
        y = runConvolution(p, CK_CONV_FORWARD, count: g.yCount) { T.forward(p, $0, x, w, bias, rectified: false, $1) }
        dx = runConvolution(p, CK_CONV_INPUT_GRAD, count: g.xCount) { T.inputGrad(p, $0, dy, w, $1) }
        dw = runConvolution(p, CK_CONV_WEIGHT_GRAD, count: g.wCount) { T.weightGrad(p, $0, dy, x, $1) }
        let rectified = runConvolution(p, CK_CONV_FORWARD, count: g.yCount) {
            T.forward(p, $0, x, w, bias, rectified: true, $1)
        }
        #expect(same(rectified, y.map { $0 < 0 ? 0 : $0 }), "ReLU of \(g)")
    }

    private func same(_ a: [T], _ b: [T]) -> Bool { zip(a, b).allSatisfy { $0 == $1 || ($0.isNaN && $1.isNaN) } }

    func isIdentical(to other: ConvolutionPasses) -> Bool {
        same(y, other.y) && same(dx, other.dx) && same(dw, other.dw)
    }
}

/// Random data for one geometry. The kernels for double, which take the direct way, are the reference of those for float that don't.
struct ConvolutionData {
    let x: [Float], w: [Float], dy: [Float], bias: [Float]

    init(_ g: ConvolutionGeometry, seed: UInt64) {
        var random = TestRandom(seed: seed)
        func values(_ count: Int) -> [Float] { (0..<count).map { _ in Float(random.uniform()) } }
        (x, w, dy, bias) = (values(g.xCount), values(g.wCount), values(g.yCount), values(g.outChannels))
    }

    func passes(_ g: ConvolutionGeometry) -> ConvolutionPasses<Float> {
        ConvolutionPasses(g, x: x, w: w, dy: dy, bias: bias)
    }

    func exact(_ g: ConvolutionGeometry, _ transform: (Float) -> Double = { Double($0) }) -> ConvolutionPasses<Double> {
        ConvolutionPasses(g, x: x.map(transform), w: w.map(transform), dy: dy.map(transform), bias: bias.map(transform))
    }

    /// Holds each instruction set's results to an error of `tolerance` units of rounding of the largest sum of absolute products.
    func check(_ g: ConvolutionGeometry, tolerance: Double) {
        let exact = exact(g), sizes = self.exact(g) { Double(abs($0)) }
        let size = (y: sizes.y.max() ?? 1, dx: sizes.dx.max() ?? 1, dw: sizes.dw.max() ?? 1)
        func error(_ actual: [Float], _ expected: [Double], size: Double) -> Double {
            let largest = zip(actual, expected).reduce(0) { $1.0.isNaN ? .infinity : max($0, abs(Double($1.0) - $1.1)) }
            return largest / (size * Double(Float.ulpOfOne))
        }
        withEachInstructionSet { isa in
            let passes = passes(g)
            #expect(error(passes.y, exact.y, size: size.y) < tolerance, "forward \(isa) \(g)")
            #expect(error(passes.dx, exact.dx, size: size.dx) < tolerance, "input gradient \(isa) \(g)")
            #expect(error(passes.dw, exact.dw, size: size.dw) < tolerance, "weight gradient \(isa) \(g)")
        }
    }

    /// Whether the passes give the same bits with one thread and with several.
    func checkThreads(_ g: ConvolutionGeometry) {
        withEachInstructionSet { isa in
            let results = withEachThreadCount([1, 2, 4]) { passes(g) }
            #expect(results.allSatisfy { $0.isIdentical(to: results[0]) }, "\(isa) \(g)")
        }
    }
}
