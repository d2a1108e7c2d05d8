import CKernels
import Testing

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

// Every function against the C library's of a wider type, in units in the last place of the true value.

private struct UnaryCase: Sendable {
    let operation: ck_unary
    let name: String
    let reference: @Sendable (Double) -> Double
    var limit = 2.0
}

private func logistic(_ x: Double) -> Double { x >= 0 ? 1 / (1 + exp(-x)) : exp(x) / (1 + exp(x)) }

private func normalTail(_ x: Double) -> Double { 0.5 * erfc(-x * 0.5.squareRoot()) }

private func tanhGELU(_ x: Double) -> Double {
    let bounded = max(x, -30)
    return x > 30
        ? x : bounded * logistic(2 * (2 / Double.pi).squareRoot() * (bounded + 0.044715 * bounded * bounded * bounded))
}

/// Newton's steps from a rough start.
private func inverseErf(_ x: Double) -> Double {
    if !(abs(x) < 1) { return abs(x) == 1 ? x * .infinity : .nan }
    let size = abs(x), logarithm = log((1 - size) * (1 + size)), half = 4.33 + logarithm / 2
    let root = (half * half - logarithm / 0.147).squareRoot() - half
    var y = size < 1e-3 ? size * 0.886226925452758 : root.squareRoot()
    for _ in 0..<5 {
        let error = size < 0.5 ? erf(y) - size : (1 - size) - erfc(y)
        y -= error * 0.886226925452758 * exp(y * y)
    }
    return x.sign == .minus ? -y : y
}

/// By the recurrence to large arguments and Stirling's series, reflected.
private func digamma<Number: BinaryFloatingPoint>(
    _ x: Number, log: (Number) -> Number, tan: (Number) -> Number
) -> Number {
    if x == 0 { return x.sign == .minus ? .infinity : -.infinity }
    if x < 0 {
        let fraction = x - x.rounded()
        return fraction == 0 ? .nan : digamma(1 - x, log: log, tan: tan) - .pi / tan(.pi * fraction)
    }
    var (argument, sum) = (x, Number(0))
    while argument < 30 {
        sum -= 1 / argument
        argument += 1
    }
    let z = 1 / (argument * argument)
    let bernoulli: [Number] = [1 / 12, -1 / 120, 1 / 252, -1 / 240, 1 / 132, -691 / 32760, 1 / 12]
    return sum + log(argument) - 0.5 / argument - z * bernoulli.reversed().reduce(0) { $0 * z + $1 }
}

private let unaryCases = [
    UnaryCase(operation: CK_SQRT, name: "sqrt", reference: { $0.squareRoot() }, limit: 0.5),
    UnaryCase(operation: CK_RSQRT, name: "rsqrt", reference: { 1 / $0.squareRoot() }),
    UnaryCase(operation: CK_RECIPROCAL, name: "reciprocal", reference: { 1 / $0 }, limit: 0.51),
    UnaryCase(operation: CK_INVERSE_SQUARE, name: "inverse square", reference: { 1 / ($0 * $0) }, limit: 2.01),
    UnaryCase(operation: CK_SQUARE, name: "square", reference: { $0 * $0 }, limit: 0.5),
    UnaryCase(operation: CK_CUBE, name: "cube", reference: { $0 * $0 * $0 }),
    UnaryCase(operation: CK_EXP, name: "exp", reference: { exp($0) }),
    UnaryCase(operation: CK_EXP2, name: "exp2", reference: { exp2($0) }),
    UnaryCase(operation: CK_EXPM1, name: "expm1", reference: { expm1($0) }),
    UnaryCase(operation: CK_LOG, name: "log", reference: { log($0) }),
    UnaryCase(operation: CK_LOG2, name: "log2", reference: { log2($0) }),
    UnaryCase(operation: CK_LOG10, name: "log10", reference: { log10($0) }),
    UnaryCase(operation: CK_LOG1P, name: "log1p", reference: { log1p($0) }),
    UnaryCase(operation: CK_SIN, name: "sin", reference: { sin($0) }),
    UnaryCase(operation: CK_COS, name: "cos", reference: { cos($0) }),
    UnaryCase(operation: CK_TANH, name: "tanh", reference: { tanh($0) }, limit: 6),
    UnaryCase(operation: CK_SIGMOID, name: "sigmoid", reference: logistic),
    UnaryCase(operation: CK_ERF, name: "erf", reference: { erf($0) }),
    UnaryCase(operation: CK_TAN, name: "tan", reference: { tan($0) }),
    UnaryCase(operation: CK_ASIN, name: "asin", reference: { asin($0) }),
    UnaryCase(operation: CK_ACOS, name: "acos", reference: { acos($0) }),
    UnaryCase(operation: CK_ATAN, name: "atan", reference: { atan($0) }),
    UnaryCase(operation: CK_SINH, name: "sinh", reference: { sinh($0) }),
    UnaryCase(operation: CK_COSH, name: "cosh", reference: { cosh($0) }),
    UnaryCase(operation: CK_ASINH, name: "asinh", reference: { asinh($0) }),
    UnaryCase(operation: CK_ACOSH, name: "acosh", reference: { acosh($0) }),
    UnaryCase(operation: CK_ATANH, name: "atanh", reference: { atanh($0) }),
    UnaryCase(operation: CK_ERFC, name: "erfc", reference: { erfc($0) }),
    UnaryCase(operation: CK_ERFINV, name: "erfinv", reference: { inverseErf($0) }),
    UnaryCase(operation: CK_LGAMMA, name: "lgamma", reference: { lgamma($0).0 }, limit: 0.51),
    UnaryCase(operation: CK_DIGAMMA, name: "digamma", reference: { digamma($0, log: log, tan: tan) }, limit: 0.51),
    UnaryCase(operation: CK_GELU, name: "gelu", reference: { max($0, -60) * normalTail($0) }, limit: 6),
    UnaryCase(operation: CK_GELU_TANH, name: "gelu_tanh", reference: tanhGELU, limit: 5),
    UnaryCase(operation: CK_SILU, name: "silu", reference: { max($0, -800) * logistic($0) }, limit: 5),
    UnaryCase(operation: CK_SOFTPLUS, name: "softplus", reference: { max($0, 0) + log1p(exp(-abs($0))) }),
    UnaryCase(operation: CK_FLOOR, name: "floor", reference: { $0.rounded(.down) }, limit: 0),
    UnaryCase(operation: CK_CEIL, name: "ceil", reference: { $0.rounded(.up) }, limit: 0),
    UnaryCase(operation: CK_ROUND, name: "round", reference: { $0.rounded(.toNearestOrEven) }, limit: 0),
    UnaryCase(operation: CK_TRUNC, name: "trunc", reference: { $0.rounded(.towardZero) }, limit: 0),
    UnaryCase(operation: CK_NEG, name: "neg", reference: { -$0 }, limit: 0),
    UnaryCase(operation: CK_ABS, name: "abs", reference: { abs($0) }, limit: 0),
    UnaryCase(
        operation: CK_SIGN, name: "sign", reference: { $0 > 0 ? 1 : $0 < 0 ? -1 : 0 }, limit: 0),
    UnaryCase(operation: CK_RELU, name: "relu", reference: { $0 < 0 ? 0 : $0 }, limit: 0),
]

/// Distance in units of the last place that a Float nearest to `want` has; infinite when one is special and not the other.
private func floatError(_ got: Float, _ want: Double) -> Double {
    if want.isNaN || got.isNaN { return want.isNaN && got.isNaN ? 0 : .infinity }
    let rounded = Float(want)
    if got.isInfinite || rounded.isInfinite {
        if got == rounded { return 0 }
        let finite = got.isInfinite ? abs(want) : Double(abs(got))
        return abs(finite - 0x1p128) / 0x1p104
    }
    if got == 0, rounded == 0 { return want == 0 && got.sign != want.sign ? .infinity : 0 }
    return abs(Double(got) - want) / Double(max(rounded.ulp, Float.leastNonzeroMagnitude))
}

/// Special values, and numbers of every exponent and both signs.
private func floatSamples(perExponent: Int) -> [Float] {
    var random = TestRandom(seed: 1)
    var samples: [Float] = [
        0, -0.0, 1, -1, .infinity, -.infinity, .nan, .leastNonzeroMagnitude, -.leastNonzeroMagnitude,
        .leastNormalMagnitude, .greatestFiniteMagnitude, -.greatestFiniteMagnitude, 88.72283, 88.72284, -87.33655,
        -103.97208, -103.97209, 0.5, 1.5, 2.5, -0.5, -1.5, -2.5, 8_388_607.5, 16_777_216, 128, 127.99999, -149, -150,
        Float.pi, Float.pi / 2, Float(1).nextDown, Float(1).nextUp, Float(-1).nextUp, 1e6, 1_000_001,
    ]
    for exponent in 0..<255 as Range<UInt32> {
        for _ in 0..<perExponent {
            let bits = exponent << 23 | UInt32.random(in: 0..<1 << 23, using: &random)
            samples += [Float(bitPattern: bits), Float(bitPattern: bits | 1 << 31)]
        }
    }
    for _ in 0..<20_000 { samples.append(Float(random.uniform(-110...110))) }
    return samples
}

private func doubleSamples(perExponent: Int) -> [Double] {
    var random = TestRandom(seed: 2)
    var samples: [Double] = [
        0, -0.0, 1, -1, .infinity, -.infinity, .nan, .leastNonzeroMagnitude, -.leastNonzeroMagnitude,
        .leastNormalMagnitude, .greatestFiniteMagnitude, -.greatestFiniteMagnitude, 709.782712893384, 709.7827128933841,
        710, -708.4, -745.13, -745.14, 0.5, 1.5, 2.5, -0.5, -1.5, -2.5, 4_503_599_627_370_495.5, 0x1p53, 1024, 1023.9,
        -1074, -1075, Double.pi, Double.pi / 2, 1.0.nextDown, 1.0.nextUp, 1e6, 1_000_001,
    ]
    for exponent in 0..<2047 as Range<UInt64> {
        for _ in 0..<perExponent {
            let bits = exponent << 52 | UInt64.random(in: 0..<1 << 52, using: &random)
            samples += [Double(bitPattern: bits), Double(bitPattern: bits | 1 << 63)]
        }
    }
    for _ in 0..<10_000 { samples += [random.uniform(-760...760), random.uniform(-4...4)] }
    return samples
}

func unaryResults(_ operation: ck_unary, _ x: [Float]) -> [Float] {
    var loop = elementwiseLoop([x.count], [[1], [1]])
    var y = [Float](repeating: -7, count: x.count)
    ck_unary_f32(operation, &loop, &y, x)
    return y
}

func unaryResults(_ operation: ck_unary, _ x: [Double]) -> [Double] {
    var loop = elementwiseLoop([x.count], [[1], [1]])
    var y = [Double](repeating: -7, count: x.count)
    ck_unary_f64(operation, &loop, &y, x)
    return y
}

@Suite struct VectorMathTests {
    @Test func floatFunctionsAreWithinTheirLimitsEverywhere() {
        let samples = floatSamples(perExponent: 150)
        let expected = unaryCases.map { test in samples.map { test.reference(Double($0)) } }
        withEachInstructionSet { isa in
            for (test, want) in zip(unaryCases, expected) {
                var worst = (error: -1.0, x: Float(0))
                let got = unaryResults(test.operation, samples)
                for i in got.indices where got[i].bitPattern != Float(want[i]).bitPattern {
                    let error = floatError(got[i], want[i])
                    if error > worst.error { worst = (error, samples[i]) }
                }
                #expect(worst.error <= test.limit, "\(test.name) of \(worst.x) on \(isa)")
            }
        }
    }

    /// A vector function may treat an element differently in a tail, or beside one that takes a slow path.
    @Test func resultsDoNotDependOnPosition() {
        let floats: [Float] =
            (0..<67).map { Float($0 * $0) * 0.37 - 40 } + [3e7, .nan, -.infinity, 0x1p-140, -2e30, 0.3]
        let doubles = floats.map { Double($0) }
        withEachInstructionSet { isa in
            for test in unaryCases {
                let whole = unaryResults(test.operation, floats).map(\.bitPattern)
                let wholeDouble = unaryResults(test.operation, doubles).map(\.bitPattern)
                for count in 1...floats.count {
                    let part = unaryResults(test.operation, Array(floats.suffix(count))).map(\.bitPattern)
                    #expect(part == Array(whole.suffix(count)), "\(test.name), last \(count), on \(isa)")
                    let partDouble = unaryResults(test.operation, Array(doubles.suffix(count))).map(\.bitPattern)
                    #expect(partDouble == Array(wholeDouble.suffix(count)), "\(test.name), last \(count), on \(isa)")
                }
            }
        }
    }

    @Test func floatPowers() {
        var random = TestRandom(seed: 3)
        var bases = [Float](), exponents = [Float]()
        let special: [Float] = [
            0, -0.0, 1, -1, 2, -2, 0.5, -0.5, 3, -3, .infinity, -.infinity, .nan, 0x1p-140, -0x1p-140, 1e38, 16_777_216,
            16_777_215, 8_388_607, 8_388_607.5,
        ]
        for x in special { for y in special { bases.append(x); exponents.append(y) } }
        for _ in 0..<50_000 {
            bases.append(Float(exp(random.uniform(-30...30))))
            exponents.append(Float(random.uniform(-4...4)))
            bases.append(Float(random.uniform(-5...5)))
            exponents.append(Float(Int(random.uniform(-30...30))))
            bases.append(Float(1 + random.uniform(-1e-4...1e-4)))
            exponents.append(Float(random.uniform(-1e6...1e6)))
        }
        let want = zip(bases, exponents).map { pow(Double($0), Double($1)) }
        withEachInstructionSet { isa in
            var got = [Float](repeating: 0, count: bases.count)
            var loop = elementwiseLoop([bases.count], [[1], [1], [1]])
            ck_binary_f32(CK_POW, &loop, &got, bases, exponents)
            for i in got.indices where !(floatError(got[i], want[i]) <= 2) {
                Issue.record("\(bases[i]) ^ \(exponents[i]) = \(got[i]) on \(isa)")
            }
        }
    }

    /// Angles and lengths of points, and divisions without a fraction, which are exact.
    @Test func pairsOfFloats() {
        var random = TestRandom(seed: 6)
        let special: [Float] = [
            0, -0.0, 1, -1, 2.5, -3, 0.1, -0.3, .infinity, -.infinity, .nan, 0x1p-140, -0x1p-140, 3e38, -3e38,
            16_777_216,
        ]
        var a = special.flatMap { x in special.map { _ in x } }, b = special.flatMap { _ in special }
        for _ in 0..<20_000 {
            a += [
                Float(random.uniform(-4...4)), Float(random.uniform(-4e6...4e6)), Float(Int(random.uniform(-99...99))),
            ]
            b += [Float(random.uniform(-1...1)), Float(random.uniform(-1...1)), Float(Int(random.uniform(-9...9)))]
        }
        let remainder = { (a: Double, b: Double) in
            let rest = fmod(a, b)
            return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest
        }
        let floorDivide = { (a: Double, b: Double) in
            if b == 0 { return a / b }
            if b.isInfinite && a != 0 && a.isFinite { return a.sign == b.sign ? a / b : -1 }
            let quotient = ((a - remainder(a, b)) / b).rounded()
            return quotient == 0 ? Double(signOf: a / b, magnitudeOf: 0) : quotient
        }
        let logAddExp = { (a: Double, b: Double) in
            if a.isNaN || b.isNaN { return Double.nan }
            return abs(max(a, b)) == .infinity ? max(a, b) : max(a, b) + log1p(exp(-abs(a - b)))
        }
        let xlogy = { (a: Double, b: Double) in a == 0 && !b.isNaN ? 0 : a * log(b) }
        let cases: [(ck_binary, limit: Double, (Double, Double) -> Double)] = [
            (CK_ATAN2, 1, { atan2($0, $1) }), (CK_HYPOT, 0.51, { hypot($0, $1) }), (CK_FMOD, 0, { fmod($0, $1) }),
            (CK_REMAINDER, 0.5, remainder), (CK_FLOOR_DIVIDE, 1, floorDivide), (CK_XLOGY, 2, xlogy),
            (CK_TRUNC_DIVIDE, 0, { Double((Float($0) / Float($1)).rounded(.towardZero)) }),
            (CK_LOG_ADD_EXP, 1e3, logAddExp),
        ]
        withEachInstructionSet { isa in
            for (operation, limit, reference) in cases {
                var got = [Float](repeating: 7, count: a.count), wide = a.map(Double.init)
                var loop = elementwiseLoop([a.count], [[1], [1], [1]])
                ck_binary_f32(operation, &loop, &got, a, b)
                ck_binary_f64(operation, &loop, &wide, wide, b.map(Double.init))
                for i in got.indices {
                    let want = reference(Double(a[i]), Double(b[i]))
                    let error = floatError(got[i], want)
                    // Where log(e^a + e^b) vanishes its terms have sizes of their own.
                    let slack = operation == CK_LOG_ADD_EXP ? abs(Double(got[i]) - want) < 3e-7 : false
                    #expect(error <= limit || slack, "\(operation) of \(a[i]), \(b[i]): \(got[i]) on \(isa)")
                    if operation == CK_TRUNC_DIVIDE { continue }
                    let isNear =
                        wide[i] == want || wide[i].isNaN && want.isNaN || abs(wide[i] - want) < 1e-14 * abs(want)
                    #expect(isNear || slack, "\(operation) of \(a[i]), \(b[i]): \(wide[i]) on \(isa)")
                }
            }
        }
    }

    @Test func activationGradients() {
        var random = TestRandom(seed: 4)
        let x = (0..<20_000).map { _ in random.uniform(-12...12) } + [0, -0.0, 40, -40, 1e30, -1e30]
        let density = { (x: Double) in exp(-0.5 * x * x) / (2 * Double.pi).squareRoot() }
        let silu = { (x: Double) in logistic(x) * (1 + max(min(x, 800), -800) * logistic(-x)) }
        let gelu = { (x: Double) in normalTail(x) + max(min(x, 100), -100) * density(x) }
        let tanhGELU = { (x: Double) -> Double in
            let x = max(min(x, 30), -30), c = 2 * (2 / Double.pi).squareRoot(), w = c * (x + 0.044715 * x * x * x)
            return logistic(w) * (1 + x * logistic(-w) * c * (1 + 3 * 0.044715 * x * x))
        }
        let cases: [(ck_binary, (Double) -> Double)] = [
            (CK_SILU_GRAD, silu), (CK_GELU_GRAD, gelu), (CK_GELU_TANH_GRAD, tanhGELU),
        ]
        withEachInstructionSet { isa in
            for (operation, slope) in cases {
                var loop = elementwiseLoop([x.count], [[1], [0], [1]])
                var got = [Double](repeating: 0, count: x.count), gotFloat = [Float](repeating: 0, count: x.count)
                ck_binary_f64(operation, &loop, &got, [2], x)
                ck_binary_f32(operation, &loop, &gotFloat, [2], x.map(Float.init))
                for i in x.indices {
                    // Beyond rounding of the result: of the terms near the root, and of the tail's argument.
                    let want = 2 * slope(x[i]), slack = max(abs(want) * (8 + 0.5 * x[i] * x[i]), 0x1p-2)
                    #expect(
                        abs(got[i] - want) <= min(slack, abs(want) + 16) * 0x1p-50, "\(operation) of \(x[i]) on \(isa)")
                    // A float's terms have their own size near the root.
                    let wantFloat = 2 * slope(Double(Float(x[i])))
                    #expect(
                        abs(Double(gotFloat[i]) - wantFloat) <= max(abs(wantFloat), 0.5) * 0x1p-21,
                        "\(operation) of \(x[i]) on \(isa)")
                }
            }
        }
    }
}

#if arch(x86_64) && os(Linux)
    // The C library's 80-bit functions tell the errors of a Double's.

    private struct WideCase: Sendable {
        let operation: ck_unary
        let name: String
        let reference: @Sendable (Float80) -> Float80
        var limit = 4.0
    }

    private func wideLogistic(_ x: Float80) -> Float80 { x >= 0 ? 1 / (1 + exp(-x)) : exp(x) / (1 + exp(x)) }

    private let wideCases = [
        WideCase(operation: CK_SQRT, name: "sqrt", reference: { $0.squareRoot() }, limit: 0.51),
        WideCase(operation: CK_RSQRT, name: "rsqrt", reference: { 1 / $0.squareRoot() }),
        WideCase(operation: CK_EXP, name: "exp", reference: { exp($0) }),
        WideCase(operation: CK_EXP2, name: "exp2", reference: { exp2($0) }),
        WideCase(operation: CK_EXPM1, name: "expm1", reference: { expm1($0) }),
        WideCase(operation: CK_LOG, name: "log", reference: { log($0) }),
        WideCase(operation: CK_LOG2, name: "log2", reference: { log2($0) }),
        WideCase(operation: CK_LOG10, name: "log10", reference: { log10($0) }),
        WideCase(operation: CK_LOG1P, name: "log1p", reference: { log1p($0) }),
        WideCase(operation: CK_SIN, name: "sin", reference: { sin($0) }),
        WideCase(operation: CK_COS, name: "cos", reference: { cos($0) }),
        WideCase(operation: CK_TANH, name: "tanh", reference: { tanh($0) }),
        WideCase(operation: CK_SIGMOID, name: "sigmoid", reference: wideLogistic),
        WideCase(operation: CK_ERF, name: "erf", reference: { erf($0) }),
        WideCase(operation: CK_TAN, name: "tan", reference: { tan($0) }),
        WideCase(operation: CK_ASIN, name: "asin", reference: { asin($0) }),
        WideCase(operation: CK_ACOS, name: "acos", reference: { acos($0) }),
        WideCase(operation: CK_ATAN, name: "atan", reference: { atan($0) }),
        WideCase(operation: CK_SINH, name: "sinh", reference: { sinh($0) }),
        WideCase(operation: CK_COSH, name: "cosh", reference: { cosh($0) }),
        WideCase(operation: CK_ASINH, name: "asinh", reference: { asinh($0) }),
        WideCase(operation: CK_ACOSH, name: "acosh", reference: { acosh($0) }),
        WideCase(operation: CK_ATANH, name: "atanh", reference: { atanh($0) }),
        WideCase(operation: CK_ERFC, name: "erfc", reference: { erfc($0) }),
        WideCase(operation: CK_LGAMMA, name: "lgamma", reference: { lgamma($0).0 }, limit: 7),
        WideCase(
            operation: CK_GELU, name: "gelu", reference: { max($0, -60) * 0.5 * erfc(-$0 * Float80(0.5).squareRoot()) },
            limit: 6),
        WideCase(
            operation: CK_SOFTPLUS, name: "softplus", reference: { max($0, 0) + log1p(exp(-abs($0))) }, limit: 6),
    ]

    private func doubleError(_ got: Double, _ want: Float80) -> Double {
        if want.isNaN || got.isNaN { return want.isNaN && got.isNaN ? 0 : .infinity }
        let rounded = Double(want)
        if got.isInfinite || rounded.isInfinite {
            if got == rounded { return 0 }
            let finite = got.isInfinite ? abs(want) : Float80(abs(got))
            return Double(abs(finite - 0x1p1024) / 0x1p971)
        }
        if got == 0, rounded == 0 { return want == 0 && got.sign != want.sign ? .infinity : 0 }
        return Double(abs(Float80(got) - want) / Float80(max(rounded.ulp, .leastNonzeroMagnitude)))
    }

    extension VectorMathTests {
        @Test func doubleFunctionsAreWithinTheirLimitsEverywhere() {
            let samples = doubleSamples(perExponent: 10)
            let expected = wideCases.map { test in samples.map { test.reference(Float80($0)) } }
            withEachInstructionSet { isa in
                for (test, want) in zip(wideCases, expected) {
                    var worst = (error: -1.0, x: 0.0)
                    for (x, (y, want)) in zip(samples, zip(unaryResults(test.operation, samples), want)) {
                        let error = doubleError(y, want)
                        if error > worst.error { worst = (error, x) }
                    }
                    #expect(worst.error <= test.limit, "\(test.name) of \(worst.x) on \(isa)")
                }
            }
        }

        /// Around the roots of negative arguments two terms cancel: their rounding is what is allowed.
        @Test func digammaOfDoubles() {
            let samples = doubleSamples(perExponent: 10)
            let expected = samples.map { digamma(Float80($0), log: log, tan: tan) }
            let others = samples.map { $0 < 0 ? max(abs(digamma(1 - Float80($0), log: log, tan: tan)), 1) : 0.01 }
            withEachInstructionSet { isa in
                for (i, got) in unaryResults(CK_DIGAMMA, samples).enumerated() {
                    let want = expected[i], unit = Double(max(abs(want), others[i])).ulp
                    let agrees = got == Double(want) || got.isNaN || abs(Float80(got) - want) <= 5 * Float80(unit)
                    #expect(agrees && got.isNaN == want.isNaN, "digamma of \(samples[i]): \(got) on \(isa)")
                }
            }
        }

        /// The double that comes nearest to a multiple of pi / 2.
        @Test func hugeArguments() {
            let x = 6_381_956_970_095_103 * 0x1p797
            withEachInstructionSet { isa in
                #expect(unaryResults(CK_COS, [x]) == [-4.687165924254628e-19], "\(isa)")
                #expect(unaryResults(CK_SIN, [x, -x]) == [1, -1], "\(isa)")
            }
        }

        @Test func doublePowers() {
            var random = TestRandom(seed: 5)
            var bases = [Double](), exponents = [Double]()
            let special: [Double] = [
                0, -0.0, 1, -1, 2, -2, 0.5, -0.5, 3, -3, .infinity, -.infinity, .nan, 0x1p-1040, -0x1p-1040, 1e308,
                0x1p53,
                0x1p53 + 2, 0x1p52 + 1, 0x1p53 - 1, 1e300,
            ]
            for x in special { for y in special { bases.append(x); exponents.append(y) } }
            for _ in 0..<20_000 {
                bases.append(Double(exp(random.uniform(-200...200))))
                exponents.append(random.uniform(-4...4))
                bases.append(random.uniform(-5...5))
                exponents.append(Double(Int(random.uniform(-400...400))))
                bases.append(1 + random.uniform(-1e-4...1e-4))
                exponents.append(random.uniform(-7e6...7e6))
            }
            let want = zip(bases, exponents).map { pow(Float80($0), Float80($1)) }
            withEachInstructionSet { isa in
                var got = [Double](repeating: 0, count: bases.count)
                var loop = elementwiseLoop([bases.count], [[1], [1], [1]])
                ck_binary_f64(CK_POW, &loop, &got, bases, exponents)
                for i in got.indices where !(doubleError(got[i], want[i]) <= 4) {
                    Issue.record("\(bases[i]) ^ \(exponents[i]) = \(got[i]) on \(isa)")
                }
            }
        }
    }
#endif
