import CKernels
import Foundation
import Testing

/// An element type and its two entry points.
protocol MatmulElement: BinaryFloatingPoint, SIMDScalar, Codable {
    static var matmulTolerance: Double { get }
    static func matmulWorkspace(_ p: ck_matmul) -> Int
    static func multiply(
        _ p: ck_matmul, _ a: [Self], _ b: [Self], _ c: inout [Self], _ bias: [Self]?,
        _ workspace: UnsafeMutableRawPointer)
}

extension Float: MatmulElement {
    static var matmulTolerance: Double { 2e-6 }
    static func matmulWorkspace(_ p: ck_matmul) -> Int {
        withUnsafePointer(to: p) { ck_matmul_workspace_f32($0) }
    }
    static func multiply(
        _ p: ck_matmul, _ a: [Float], _ b: [Float], _ c: inout [Float], _ bias: [Float]?,
        _ workspace: UnsafeMutableRawPointer
    ) {
        var p = p
        ck_matmul_f32(&p, a, b, &c, bias, workspace)
    }
}

extension Double: MatmulElement {
    static var matmulTolerance: Double { 4e-15 }
    static func matmulWorkspace(_ p: ck_matmul) -> Int {
        withUnsafePointer(to: p) { ck_matmul_workspace_f64($0) }
    }
    static func multiply(
        _ p: ck_matmul, _ a: [Double], _ b: [Double], _ c: inout [Double], _ bias: [Double]?,
        _ workspace: UnsafeMutableRawPointer
    ) {
        var p = p
        ck_matmul_f64(&p, a, b, &c, bias, workspace)
    }
}

/// A product with its data. Gaps between the elements of C hold values that must survive.
struct MatmulCase<Element: MatmulElement> {
    var p: ck_matmul
    var a: [Element], b: [Element], c: [Element], bias: [Element]?

    init(_ p: ck_matmul, biased: Bool = false, random: inout TestRandom) {
        func values(_ extents: (Int64, Int64)...) -> [Element] {
            let last = extents.reduce(0) { $0 + max(0, $1.0 - 1) * $1.1 }
            return (0...last).map { _ in Element(random.uniform()) }
        }
        self.p = p
        a = values((p.m, p.a_row), (p.k, p.a_column), (p.batch, p.a_batch))
        b = values((p.k, p.b_row), (p.n, p.b_column), (p.batch, p.b_batch))
        c = values((p.m, p.c_row), (p.n, p.c_column), (p.batch, p.c_batch))
        bias = biased ? values((p.m, p.bias_row), (p.n, p.bias_column)) : nil
    }

    func result(threads: Int32 = 1) -> [Element] {
        let workspace = UnsafeMutableRawPointer.allocate(byteCount: Element.matmulWorkspace(p), alignment: 64)
        defer { workspace.deallocate() }
        var out = c
        withEachThreadCount([threads]) { Element.multiply(p, a, b, &out, bias, workspace) }
        return out
    }

    /// The plain triple loop in doubles, and for each element of C how large its terms are.
    func reference() -> (values: [Double], magnitudes: [Double?]) {
        var values = c.map { Double($0) }
        var magnitudes = [Double?](repeating: nil, count: c.count)
        for item in 0..<p.batch {
            for i in 0..<p.m {
                for j in 0..<p.n {
                    let at = Int(item * p.c_batch + i * p.c_row + j * p.c_column)
                    let (sum, magnitude) = dot(item, i, j)
                    var value = p.k == 0 ? 0 : p.alpha * sum
                    if p.beta != 0 { value += p.beta * values[at] }
                    if let bias { value += Double(bias[Int(i * p.bias_row + j * p.bias_column)]) }
                    values[at] = activated(value)
                    magnitudes[at] = magnitude * abs(p.alpha) + 3
                }
            }
        }
        return (values, magnitudes)
    }

    private func dot(_ item: Int64, _ i: Int64, _ j: Int64) -> (Double, Double) {
        var sum = 0.0, magnitude = 0.0
        for k in 0..<p.k {
            let x = Double(a[Int(item * p.a_batch + i * p.a_row + k * p.a_column)])
            let term = x * Double(b[Int(item * p.b_batch + k * p.b_row + j * p.b_column)])
            sum += term
            magnitude += abs(term)
        }
        return (sum, magnitude)
    }

    private func activated(_ x: Double) -> Double {
        switch p.activation {
        case CK_ACTIVATE_RELU: x < 0 ? 0 : x
        case CK_ACTIVATE_TANH: tanh(x)
        case CK_ACTIVATE_SIGMOID: 1 / (1 + exp(-x))
        case CK_ACTIVATE_GELU: x * 0.5 * erfc(-x / 2.0.squareRoot())
        case CK_ACTIVATE_GELU_TANH: 0.5 * x * (1 + tanh((2 / Double.pi).squareRoot() * (x + 0.044715 * x * x * x)))
        default: x
        }
    }

    /// Compares with the reference; what C does not cover must not change; threads must not matter.
    func check(_ name: String) { check(name, reference()) }

    func check(_ name: String, _ reference: (values: [Double], magnitudes: [Double?])) {
        let out = result(), (values, magnitudes) = reference
        let wrong = out.indices.first { index in
            guard let magnitude = magnitudes[index] else { return out[index] != c[index] }
            if values[index].isNaN { return !out[index].isNaN }
            if values[index].isInfinite { return Double(out[index]) != values[index] }
            return !(abs(Double(out[index]) - values[index]) <= Element.matmulTolerance * magnitude)
        }
        if let wrong {
            Issue.record("\(name) \(Element.self): \(out[wrong]) for \(values[wrong]) at \(wrong) of \(p)")
        }
        for threads: Int32 in [2, 4] {
            let same = zip(out, result(threads: threads)).allSatisfy { $0 == $1 || ($0.isNaN && $1.isNaN) }
            if !same { Issue.record("\(name) \(Element.self): differs with \(threads) threads, \(p)") }
        }
    }
}

/// Row-major operands, or column-major where told.
func matmul(
    _ m: Int64, _ k: Int64, _ n: Int64, batch: Int64 = 1, aTransposed: Bool = false, bTransposed: Bool = false,
    cTransposed: Bool = false, spacing: Int64 = 1, gap: Int64 = 0
) -> ck_matmul {
    func strides(_ rows: Int64, _ columns: Int64, _ transposed: Bool) -> (row: Int64, column: Int64, batch: Int64) {
        let line = (transposed ? rows : columns) * spacing + gap
        let batch = max(1, line * (transposed ? columns : rows))
        return transposed ? (spacing, line, batch) : (line, spacing, batch)
    }
    let a = strides(m, k, aTransposed), b = strides(k, n, bTransposed), c = strides(m, n, cTransposed)
    return ck_matmul(
        m: m, n: n, k: k, batch: batch, a_row: a.row, a_column: a.column, a_batch: a.batch, b_row: b.row,
        b_column: b.column, b_batch: b.batch, c_row: c.row, c_column: c.column, c_batch: c.batch, bias_row: 0,
        bias_column: 1, alpha: 1, beta: 0, activation: CK_IDENTITY, slope: nil, finish: nil, finish_context: nil)
}

/// The reference takes longest: once for all instruction sets.
func checkMatmul<Element: MatmulElement>(_: Element.Type, _ p: ck_matmul, biased: Bool = true) {
    var random = TestRandom(seed: 1)
    let example = MatmulCase<Element>(p, biased: biased, random: &random), reference = example.reference()
    withEachInstructionSet { example.check($0, reference) }
}
