import CKernels
import Testing

/// A loop over `shape`; `strides` are the output's, then each input's.
func elementwiseLoop(_ shape: [Int], _ strides: [[Int]]) -> ck_loop {
    var loop = ck_loop()
    loop.rank = Int32(shape.count)
    withUnsafeMutableBytes(of: &loop.shape) { bytes in
        for (axis, length) in shape.enumerated() {
            bytes.storeBytes(of: Int64(length), toByteOffset: axis * 8, as: Int64.self)
        }
    }
    withUnsafeMutableBytes(of: &loop.strides) { bytes in
        for (operand, strides) in strides.enumerated() {
            for (axis, stride) in strides.enumerated() {
                let offset = (operand * Int(CK_MAX_RANK) + axis) * 8
                bytes.storeBytes(of: Int64(stride), toByteOffset: offset, as: Int64.self)
            }
        }
    }
    return loop
}

/// The offsets of a nest's elements in row-major order.
func nestOffsets(_ shape: [Int], _ strides: [Int]) -> [Int] {
    var offsets = [0]
    for (length, stride) in zip(shape, strides) {
        offsets = offsets.flatMap { base in (0..<length).map { base + $0 * stride } }
    }
    return offsets
}

/// Strides that visit distinct elements: the axes in a random order, now and then with gaps.
func distinctStrides(_ shape: [Int], random: inout TestRandom) -> (strides: [Int], extent: Int) {
    var strides = [Int](repeating: 0, count: shape.count), next = Int.random(in: 0..<4, using: &random) == 0 ? 2 : 1
    let order = Bool.random(using: &random) ? Array(shape.indices.reversed()) : shape.indices.shuffled(using: &random)
    for axis in order {
        strides[axis] = next
        next *= shape[axis] + (Int.random(in: 0..<4, using: &random) == 0 ? 1 : 0)
    }
    return (strides, max(next, 1))
}

/// The same, with some axes broadcast.
func inputStrides(_ shape: [Int], random: inout TestRandom) -> (strides: [Int], extent: Int) {
    var (strides, extent) = distinctStrides(shape, random: &random)
    for axis in shape.indices where Int.random(in: 0..<4, using: &random) == 0 { strides[axis] = 0 }
    return (strides, extent)
}

private let shapes: [[Int]] = [
    [], [1], [2], [3], [7], [8], [9], [15], [16], [17], [31], [33], [64], [65], [300], [70_001], [64, 10], [5, 3],
    [3, 257],
    [260, 301], [2, 3, 4], [7, 1, 5], [17, 16, 15], [2, 3, 2, 3, 2], [2, 1, 3, 2, 1, 2, 2, 3], [0], [3, 0, 2],
]

/// NaNs are all alike.
private func bits(_ x: Float) -> UInt32 { x.isNaN ? Float.nan.bitPattern : x.bitPattern }
private func bits(_ x: Double) -> UInt64 { x.isNaN ? Double.nan.bitPattern : x.bitPattern }

@Suite struct ElementwiseTests {
    @Test func binaryOverAnyStrides() {
        var random = TestRandom(seed: 10)
        for shape in shapes {
            for _ in 0..<(shape.reduce(1, *) > 10_000 ? 2 : 6) {
                let out = distinctStrides(shape, random: &random)
                let a = inputStrides(shape, random: &random), b = inputStrides(shape, random: &random)
                let x = (0..<a.extent).map { _ in Float(random.uniform()) }
                let y = (0..<b.extent).map { _ in Float(random.uniform()) }
                var want = [Float](repeating: 99, count: out.extent)
                let offsets = zip(nestOffsets(shape, a.strides), nestOffsets(shape, b.strides))
                for (to, from) in zip(nestOffsets(shape, out.strides), offsets) { want[to] = x[from.0] - y[from.1] }
                var loop = elementwiseLoop(shape, [out.strides, a.strides, b.strides])
                withEachInstructionSet { isa in
                    var got = [Float](repeating: 99, count: out.extent)
                    ck_binary_f32(CK_SUB, &loop, &got, x, y)
                    #expect(got == want, "\(shape) \(out) \(a) \(b) on \(isa)")
                    var gotDouble = [Double](repeating: 99, count: out.extent)
                    ck_binary_f64(CK_SUB, &loop, &gotDouble, x.map(Double.init), y.map(Double.init))
                    #expect(gotDouble.map { Float($0) } == want, "\(shape) \(out) \(a) \(b) on \(isa)")
                }
            }
        }
    }

    /// A costly function over strides gives the bits that it gives over contiguous elements.
    @Test func unaryOverAnyStrides() {
        var random = TestRandom(seed: 11)
        for shape in shapes {
            let out = distinctStrides(shape, random: &random), a = inputStrides(shape, random: &random)
            let x = (0..<a.extent).map { _ in random.uniform(-9...9) }
            var loop = elementwiseLoop(shape, [out.strides, a.strides])
            withEachInstructionSet { isa in
                let values = unaryResults(CK_TANH, x)
                var want = [Double](repeating: 99, count: out.extent), got = want
                for (to, from) in zip(nestOffsets(shape, out.strides), nestOffsets(shape, a.strides)) {
                    want[to] = values[from]
                }
                ck_unary_f64(CK_TANH, &loop, &got, x)
                #expect(got == want, "\(shape) \(out) \(a) on \(isa)")
            }
        }
    }

    @Test func binaryOperations() {
        let special = [0, -0.0, 1, -1, 2.5, -3, Double.infinity, -.infinity, .nan, 1e-40]
        let a = special.flatMap { x in special.map { _ in x } }, b = special.flatMap { _ in special }
        let largest = { (a: Double, b: Double) in a.isNaN || b.isNaN ? .nan : max(a, b) }
        let smallest = { (a: Double, b: Double) in a.isNaN || b.isNaN ? .nan : min(a, b) }
        let cases: [(ck_binary, (Double, Double) -> Double)] = [
            (CK_ADD, { $0 + $1 }), (CK_SUB, { $0 - $1 }), (CK_MUL, { $0 * $1 }), (CK_DIV, { $0 / $1 }),
            (CK_MAXIMUM, largest), (CK_MINIMUM, smallest), (CK_RELU_GRAD, { $1 <= 0 ? 0 : $0 }),
            (CK_TANH_GRAD, { $0 * (1 - $1 * $1) }), (CK_SIGMOID_GRAD, { $0 * (1 - $1) * $1 }),
            (CK_PRELU, { $0 > 0 ? $0 : $0 * $1 }),
        ]
        withEachInstructionSet { isa in
            for (operation, reference) in cases {
                var loop = elementwiseLoop([a.count], [[1], [1], [1]])
                var got = [Double](repeating: 99, count: a.count)
                ck_binary_f64(operation, &loop, &got, a, b)
                for i in a.indices {
                    let want = reference(a[i], b[i])
                    #expect(got[i] == want || (got[i].isNaN && want.isNaN), "\(operation) \(a[i]) \(b[i]) on \(isa)")
                }
            }
        }
    }

    @Test func numbersForWhatIsNotFinite() {
        let x = (0..<37).map { [1.5, .nan, .infinity, -2, -.infinity, -0.0][$0 % 6] }
        let want = (0..<37).map { [1.5, 7, 8, -2, 9, -0.0][$0 % 6] }
        withEachInstructionSet { isa in
            for count in x.indices {
                var loop = elementwiseLoop([count], [[1], [1]])
                var got = [Double](repeating: 99, count: count), gotFloat = [Float](repeating: 99, count: count)
                ck_nan_to_num_f64(&loop, &got, x, [7, 8, 9])
                ck_nan_to_num_f32(&loop, &gotFloat, x.map(Float.init), [7, 8, 9])
                #expect(got == Array(want.prefix(count)) && gotFloat == got.map(Float.init), "\(count) on \(isa)")
            }
        }
    }

    @Test func comparisons() {
        var random = TestRandom(seed: 12)
        for shape in shapes {
            let out = distinctStrides(shape, random: &random)
            let a = inputStrides(shape, random: &random), b = inputStrides(shape, random: &random)
            let values: [Float] = [0, -0.0, 1, 2, .nan, .infinity]
            let x = (0..<a.extent).map { _ in values.randomElement(using: &random) ?? 0 }
            let y = (0..<b.extent).map { _ in values.randomElement(using: &random) ?? 0 }
            let cases: [(ck_comparison, (Float, Float) -> Bool)] = [
                (CK_EQ, { $0 == $1 }), (CK_NE, { $0 != $1 }), (CK_LT, { $0 < $1 }), (CK_LE, { $0 <= $1 }),
                (CK_GT, { $0 > $1 }), (CK_GE, { $0 >= $1 }),
            ]
            var loop = elementwiseLoop(shape, [out.strides, a.strides, b.strides])
            withEachInstructionSet { isa in
                for (operation, reference) in cases {
                    var want = [UInt8](repeating: 9, count: out.extent), got = want, gotDouble = want
                    let offsets = zip(nestOffsets(shape, a.strides), nestOffsets(shape, b.strides))
                    for (to, from) in zip(nestOffsets(shape, out.strides), offsets) {
                        want[to] = reference(x[from.0], y[from.1]) ? 1 : 0
                    }
                    ck_compare_f32(operation, &loop, &got, x, y)
                    ck_compare_f64(operation, &loop, &gotDouble, x.map(Double.init), y.map(Double.init))
                    #expect(got == want && gotDouble == want, "\(operation) \(shape) on \(isa)")
                }
            }
        }
    }

    @Test func multiplyAdd() {
        var random = TestRandom(seed: 13)
        for shape in shapes {
            let out = distinctStrides(shape, random: &random)
            let inputs = (0..<3).map { _ in inputStrides(shape, random: &random) }
            // Small whole numbers: exact, fused or not.
            let x = inputs.map { input in (0..<input.extent).map { _ in Float(Int(random.uniform(-50...50))) } }
            let offsets = inputs.map { nestOffsets(shape, $0.strides) }
            var want = [Float](repeating: 99, count: out.extent)
            for (i, to) in nestOffsets(shape, out.strides).enumerated() {
                want[to] = x[0][offsets[0][i]] - 3 * x[1][offsets[1][i]] * x[2][offsets[2][i]]
            }
            var loop = elementwiseLoop(shape, [out.strides] + inputs.map(\.strides))
            withEachInstructionSet { isa in
                var got = [Float](repeating: 99, count: out.extent)
                ck_muladd_f32(&loop, &got, x[0], x[1], x[2], -3)
                #expect(got == want, "\(shape) on \(isa)")
                var gotDouble = [Double](repeating: 99, count: out.extent)
                let wide = x.map { $0.map(Double.init) }
                ck_muladd_f64(&loop, &gotDouble, wide[0], wide[1], wide[2], -3)
                #expect(gotDouble.map { Float($0) } == want, "\(shape) on \(isa)")
            }
        }
    }

    private func checkCopyAndSelect<Element: FixedWidthInteger>(_: Element.Type, random: inout TestRandom) {
        for shape in shapes + [[20, 50, 33], [129, 200], [3, 100, 90]] {
            let out = distinctStrides(shape, random: &random)
            let a = inputStrides(shape, random: &random), b = inputStrides(shape, random: &random)
            let flags = inputStrides(shape, random: &random)
            let x = (0..<a.extent).map { _ in Element.random(in: .min ... .max, using: &random) }
            let y = (0..<b.extent).map { _ in Element.random(in: .min ... .max, using: &random) }
            let condition = (0..<flags.extent).map { _ in UInt8.random(in: 0...2, using: &random) }
            let to = nestOffsets(shape, out.strides), fromA = nestOffsets(shape, a.strides)
            let fromB = nestOffsets(shape, b.strides), by = nestOffsets(shape, flags.strides)
            var copied = [Element](repeating: 9, count: out.extent), selected = copied
            for i in to.indices {
                copied[to[i]] = x[fromA[i]]
                selected[to[i]] = condition[by[i]] != 0 ? x[fromA[i]] : y[fromB[i]]
            }
            var copyLoop = elementwiseLoop(shape, [out.strides, a.strides])
            var selectLoop = elementwiseLoop(shape, [out.strides, flags.strides, a.strides, b.strides])
            let width = Int32(MemoryLayout<Element>.size)
            withEachInstructionSet { isa in
                var got = [Element](repeating: 9, count: out.extent)
                ck_copy(width, &copyLoop, &got, x)
                #expect(got == copied, "\(shape) \(out) \(a), \(width) bytes, on \(isa)")
                got = [Element](repeating: 9, count: out.extent)
                ck_select(width, &selectLoop, &got, condition, x, y)
                #expect(got == selected, "\(shape) \(out) \(a) \(b) \(flags), \(width) bytes, on \(isa)")
            }
        }
    }

    @Test func copiesAndSelections() {
        var random = TestRandom(seed: 14)
        checkCopyAndSelect(UInt8.self, random: &random)
        checkCopyAndSelect(UInt16.self, random: &random)
        checkCopyAndSelect(UInt32.self, random: &random)
        checkCopyAndSelect(UInt64.self, random: &random)
    }

    /// Value and derivative together are, bit for bit, what the operation and its gradient give, over any strides and in place.
    @Test func valuesWithSlopes() {
        var random = TestRandom(seed: 16)
        let pairs = [(CK_GELU, CK_GELU_GRAD), (CK_GELU_TANH, CK_GELU_TANH_GRAD), (CK_SILU, CK_SILU_GRAD)]
        let special: [Float] = [0, -0.0, .nan, .infinity, -.infinity, -90, 40, -9.5, 0x1p-140]
        for shape in shapes {
            let to = distinctStrides(shape, random: &random), toSlope = distinctStrides(shape, random: &random)
            let from = inputStrides(shape, random: &random), count = shape.reduce(1, *)
            var x = (0..<from.extent).map { _ in Float(random.uniform(-6...6)) }
            for i in x.indices where i % 7 == 3 { x[i] = special[i % special.count] }
            let wide = x.map(Double.init), contiguous = nestOffsets(shape, from.strides).map { x[$0] }
            var loop = elementwiseLoop(shape, [to.strides, toSlope.strides, from.strides])
            var run = elementwiseLoop([count], [[1], [1], [1]]), gradient = elementwiseLoop([count], [[1], [0], [1]])
            withEachInstructionSet { isa in
                for (operation, slopeOperation) in pairs {
                    let wantValue = unaryResults(operation, contiguous)
                    var want = [Float](repeating: 0, count: count), wantWide = [Double](repeating: 0, count: count)
                    ck_binary_f32(slopeOperation, &gradient, &want, [1], contiguous)
                    ck_binary_f64(slopeOperation, &gradient, &wantWide, [1], contiguous.map(Double.init))
                    var value = [Float](repeating: 99, count: to.extent)
                    var slope = [Float](repeating: 99, count: toSlope.extent)
                    ck_with_slope_f32(operation, &loop, &value, &slope, x)
                    #expect(nestOffsets(shape, to.strides).map { bits(value[$0]) } == wantValue.map(bits))
                    let got = nestOffsets(shape, toSlope.strides).map { bits(slope[$0]) }
                    #expect(got == want.map(bits), "\(operation) \(shape) on \(isa)")

                    var valueWide = [Double](repeating: 99, count: to.extent)
                    var slopeWide = [Double](repeating: 99, count: toSlope.extent)
                    ck_with_slope_f64(operation, &loop, &valueWide, &slopeWide, wide)
                    let gotWide = nestOffsets(shape, toSlope.strides).map { bits(slopeWide[$0]) }
                    #expect(gotWide == wantWide.map(bits), "\(operation) \(shape) on \(isa)")

                    var here = contiguous, slopes = contiguous
                    here.withUnsafeMutableBufferPointer {
                        ck_with_slope_f32(operation, &run, $0.baseAddress, &slopes, $0.baseAddress)
                    }
                    #expect(here.map(bits) == wantValue.map(bits), "\(operation) \(shape) on \(isa)")
                    #expect(slopes.map(bits) == want.map(bits), "\(operation) \(shape) on \(isa)")
                }
            }
        }
    }

    /// All 16-bit floats, and floats of every exponent, around the ties too.
    @Test func sixteenBitFloats() {
        let all = Array(UInt16.min ... .max)
        var random = TestRandom(seed: 17)
        var floats: [Float] = [
            0, -0.0, .infinity, -.infinity, 65_504, 65_519.996, 65_520, 0x1p-25, 0x1.000002p-25, 3e38,
        ]
        for exponent in 0..<255 as Range<UInt32> {
            for low in [0, 0x1000, 0x8000, 0xFFF, 0x7FFF, UInt32.random(in: 0..<1 << 23, using: &random)] {
                let bits = UInt32.random(in: 0..<1 << 7, using: &random) << 16 | low
                floats += [
                    Float(bitPattern: exponent << 23 | bits), Float(bitPattern: 1 << 31 | exponent << 23 | bits),
                ]
            }
        }
        var widen = elementwiseLoop([all.count], [[1], [1]]), narrow = elementwiseLoop([floats.count], [[1], [1]])
        let rounded = floats.map { x in
            UInt16(truncatingIfNeeded: (x.bitPattern &+ 0x7FFF &+ (x.bitPattern >> 16 & 1)) >> 16)
        }
        withEachInstructionSet { isa in
            var wide = [Float](repeating: 9, count: all.count), bits = [UInt16](repeating: 9, count: floats.count)
            ck_convert(CK_FLOAT_FROM_BFLOAT16, &widen, &wide, all)
            #expect(wide.map(\.bitPattern) == all.map { UInt32($0) << 16 }, "\(isa)")
            ck_convert(CK_BFLOAT16_FROM_FLOAT, &narrow, &bits, floats)
            #expect(bits == rounded, "\(isa)")
            var nan = elementwiseLoop([3], [[1], [1]])
            ck_convert(CK_BFLOAT16_FROM_FLOAT, &nan, &bits, [Float.nan, -.nan, Float(bitPattern: 0x7F80_0001)])
            #expect(bits[..<3].allSatisfy { $0 & 0x7FFF > 0x7F80 }, "\(isa)")
            #if !(os(macOS) && arch(x86_64))
                ck_convert(CK_FLOAT_FROM_FLOAT16, &widen, &wide, all)
                for (value, pattern) in zip(wide, all) {
                    let want = Float(Float16(bitPattern: pattern))
                    #expect(value.bitPattern == want.bitPattern || (value.isNaN && want.isNaN), "\(pattern) on \(isa)")
                }
                ck_convert(CK_FLOAT16_FROM_FLOAT, &narrow, &bits, floats)
                #expect(bits == floats.map { Float16($0).bitPattern }, "\(isa)")
                ck_convert(CK_FLOAT16_FROM_FLOAT, &nan, &bits, [Float.nan, -.nan, Float(bitPattern: 0x7F80_0001)])
                #expect(bits[..<3].allSatisfy { $0 & 0x7FFF > 0x7C00 }, "\(isa)")
            #endif
        }
    }

    @Test func inPlace() {
        for count in [1, 3, 8, 17, 31, 100, 70_003] {
            withEachInstructionSet { isa in
                let x = (0..<count).map { Float($0 % 97) * 0.01 }
                let want = unaryResults(CK_EXP, x)
                var loop = elementwiseLoop([count], [[1], [1], [1]]), got = x
                got.withUnsafeMutableBufferPointer { ck_unary_f32(CK_EXP, &loop, $0.baseAddress, $0.baseAddress) }
                #expect(got == want, "\(count) on \(isa)")
                got = x
                got.withUnsafeMutableBufferPointer {
                    ck_binary_f32(CK_ADD, &loop, $0.baseAddress, $0.baseAddress, $0.baseAddress)
                }
                #expect(got == x.map { $0 + $0 }, "\(count) on \(isa)")
                got = x
                got.withUnsafeMutableBufferPointer {
                    ck_muladd_f32(&loop, $0.baseAddress, $0.baseAddress, x, [Float](repeating: 1, count: count), 1)
                }
                #expect(got == x.map { $0 + $0 }, "\(count) on \(isa)")
            }
        }
    }

    @Test func threadsChangeNothing() {
        var random = TestRandom(seed: 15)
        let x = (0..<500 * 700).map { _ in Float(random.uniform(-9...9)) }
        withEachInstructionSet { isa in
            let results = withEachThreadCount([1, 2, 4]) {
                var loop = elementwiseLoop([500, 700], [[700, 1], [1, 500], [0, 1]])
                var y = [Float](repeating: 0, count: x.count), z = y
                ck_binary_f32(CK_MUL, &loop, &y, x, x)
                ck_unary_f32(CK_GELU, &loop, &z, x)
                return y + z
            }
            #expect(results[0] == results[1] && results[0] == results[2], "\(isa)")
        }
    }
}
