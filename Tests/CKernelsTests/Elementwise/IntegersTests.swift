import CKernels
import Testing

/// Runs `body` on each integer type, with numbers of every size in it, the extremes among them.
private func withEachInteger(_ body: (any Integer.Type) -> Void) {
    let types: [any Integer.Type] = [UInt8.self, Int8.self, Int16.self, Int32.self, Int64.self]
    for type in types { body(type) }
}

private protocol Integer: FixedWidthInteger {
    static var number: ck_number { get }
}
extension UInt8: Integer { fileprivate static var number: ck_number { CK_UINT8 } }
extension Int8: Integer { fileprivate static var number: ck_number { CK_INT8 } }
extension Int16: Integer { fileprivate static var number: ck_number { CK_INT16 } }
extension Int32: Integer { fileprivate static var number: ck_number { CK_INT32 } }
extension Int64: Integer { fileprivate static var number: ck_number { CK_INT64 } }

extension Integer {
    fileprivate static func samples(_ count: Int, random: inout TestRandom) -> [Self] {
        (0..<count).map { index in
            switch index % 9 {
            case 0: [.min, .max, 0, 1, ~0].randomElement(using: &random) ?? 0
            case 1...4: Self(truncatingIfNeeded: Int.random(in: -9...9, using: &random))
            default: Self.random(in: .min ... .max, using: &random)
            }
        }
    }
}

private func floorQuotient<T: Integer>(_ a: T, _ b: T) -> T {
    let quotient = a.dividedReportingOverflow(by: b).partialValue
    let rest = a.remainderReportingOverflow(dividingBy: b).partialValue
    return rest != 0 && (a < 0) != (b < 0) ? quotient &- 1 : quotient
}

private func floorRemainder<T: Integer>(_ a: T, _ b: T) -> T {
    let rest = a.remainderReportingOverflow(dividingBy: b).partialValue
    return rest != 0 && (rest < 0) != (b < 0) ? rest &+ b : rest
}

private func shifted<T: Integer>(_ a: T, by count: T, left: Bool) -> T {
    if count >= 0 { return left ? a << count : a >> count }
    return !left && a < 0 ? ~0 : 0
}

@Suite struct IntegersTests {
    @Test func pairs() {
        var random = TestRandom(seed: 30)
        withEachInteger { checkPairs($0, &random) }
    }

    private func checkPairs<T: Integer>(_: T.Type, _ random: inout TestRandom) {
        let operations: [(ck_integer_binary, (T, T) -> T)] = [
            (CK_INTEGER_ADD, { $0 &+ $1 }), (CK_INTEGER_SUB, { $0 &- $1 }), (CK_INTEGER_MUL, { $0 &* $1 }),
            (CK_INTEGER_MAXIMUM, { max($0, $1) }), (CK_INTEGER_MINIMUM, { min($0, $1) }), (CK_INTEGER_AND, { $0 & $1 }),
            (CK_INTEGER_OR, { $0 | $1 }), (CK_INTEGER_XOR, { $0 ^ $1 }),
            (CK_INTEGER_SHIFT_LEFT, { shifted($0, by: $1, left: true) }),
            (CK_INTEGER_SHIFT_RIGHT, { shifted($0, by: $1, left: false) }),
            (CK_INTEGER_ABS, { a, _ in a < 0 ? 0 &- a : a }), (CK_INTEGER_SIGN, { a, _ in a.signum() }),
            (CK_INTEGER_FLOOR_DIVIDE, { $1 == 0 ? 0 : floorQuotient($0, $1) }),
            (CK_INTEGER_REMAINDER, { $1 == 0 ? 0 : floorRemainder($0, $1) }),
            (CK_INTEGER_TRUNC_DIVIDE, { $1 == 0 ? 0 : $0.dividedReportingOverflow(by: $1).partialValue }),
            (CK_INTEGER_FMOD, { $1 == 0 ? 0 : $0.remainderReportingOverflow(dividingBy: $1).partialValue }),
        ]
        let comparisons: [(ck_comparison, (T, T) -> Bool)] = [
            (CK_EQ, { $0 == $1 }), (CK_NE, { $0 != $1 }), (CK_LT, { $0 < $1 }), (CK_LE, { $0 <= $1 }),
            (CK_GT, { $0 > $1 }), (CK_GE, { $0 >= $1 }),
        ]
        let count = 131
        let a = T.samples(count, random: &random), b = T.samples(count, random: &random)
        for (leftStep, rightStep) in [(1, 1), (0, 1), (1, 0)] {
            var loop = elementwiseLoop([count], [[1], [leftStep], [rightStep]])
            for shift in 0..<2 {
                // Another first number, for the sake of the single ones.
                var (x, y) = (Array(a[shift...] + a[..<shift]), Array(b[shift...] + b[..<shift]))
                // Quotients of small numbers go by floats.
                if shift == 1 { (x, y) = (x.map { $0 % 100 }, y.map { $0 % 9 }) }
                withEachInstructionSet { isa in
                    for (operation, reference) in operations {
                        let isDivision =
                            operation.rawValue >= CK_INTEGER_FLOOR_DIVIDE.rawValue
                            && operation.rawValue <= CK_INTEGER_FMOD.rawValue
                        let divisors = isDivision ? y.map { $0 == 0 ? 1 : $0 } : y
                        let want = (0..<count).map { reference(x[$0 * leftStep], divisors[$0 * rightStep]) }
                        var got = [T](repeating: 77, count: count)
                        ck_integers(operation, T.number, &loop, &got, x, divisors)
                        #expect(got == want, "\(operation) of \(T.self), steps \(leftStep), \(rightStep), on \(isa)")
                    }
                    for (comparison, reference) in comparisons {
                        let want: [UInt8] = (0..<count).map { reference(x[$0 * leftStep], y[$0 * rightStep]) ? 1 : 0 }
                        var got = [UInt8](repeating: 77, count: count)
                        ck_compare_integers(comparison, T.number, &loop, &got, x, y)
                        #expect(got == want, "\(comparison) of \(T.self), steps \(leftStep), \(rightStep), on \(isa)")
                    }
                }
            }
        }
    }

    @Test func conversions() {
        var random = TestRandom(seed: 31)
        let doubles: [Double] =
            [0, -0.0, 0.3, -0.9, 255.5, -1.5, 3e9, -3e9, 1e19, -1e19, .nan, .infinity, -.infinity, 2_147_483_647.5]
            + (0..<700).map { _ in random.uniform(-300...300) } + (0..<600).map { _ in random.uniform(-1e11...1e11) }
        withEachInteger { checkConversions($0, doubles, &random) }
    }

    private func checkConversions<T: Integer>(_: T.Type, _ doubles: [Double], _ random: inout TestRandom) {
        let floats = doubles.map { Float($0) }, integers = T.samples(1_200, random: &random)
        func whole(_ x: Double) -> Int64 { x >= -0x1p63 && x < 0x1p63 ? Int64(x) : .min }
        withEachInstructionSet { isa in
            var loop = elementwiseLoop([doubles.count], [[1], [1]])
            var got = [T](repeating: 77, count: doubles.count)
            ck_convert_numbers(CK_DOUBLE, T.number, &loop, &got, doubles)
            #expect(got == doubles.map { T(truncatingIfNeeded: whole($0)) }, "double to \(T.self) on \(isa)")
            ck_convert_numbers(CK_FLOAT, T.number, &loop, &got, floats)
            #expect(got == floats.map { T(truncatingIfNeeded: whole(Double($0))) }, "float to \(T.self) on \(isa)")
            loop = elementwiseLoop([integers.count], [[1], [1]])
            withEachInteger { checkConversion(from: integers, to: $0, isa) }
            var wide = [Double](repeating: 7, count: integers.count), flags = [UInt8](repeating: 7, count: wide.count)
            ck_convert_numbers(T.number, CK_DOUBLE, &loop, &wide, integers)
            #expect(wide == integers.map { Double($0) }, "\(T.self) to double on \(isa)")
            ck_convert_numbers(T.number, CK_BOOLEAN, &loop, &flags, integers)
            #expect(flags == integers.map { $0 == 0 ? 0 : 1 }, "\(T.self) to boolean on \(isa)")
        }
    }

    private func checkConversion<T: Integer, U: Integer>(from x: [T], to: U.Type, _ isa: String) {
        var loop = elementwiseLoop([x.count], [[1], [1]])
        var got = [U](repeating: 77, count: x.count)
        ck_convert_numbers(T.number, U.number, &loop, &got, x)
        #expect(got == x.map { U(truncatingIfNeeded: $0) }, "\(T.self) to \(U.self) on \(isa)")
    }

    @Test(arguments: [(1, 1, 1), (3, 70, 1), (1, 70_001, 1), (2, 5, 33), (700, 100, 3), (2, 0, 3), (0, 3, 1)])
    func reductions(outer: Int, length: Int, inner: Int) {
        var random = TestRandom(seed: 32)
        let x = Int64.samples(outer * length * inner, random: &random), bytes = x.map { UInt8(truncatingIfNeeded: $0) }
        let cases: [(ck_integer_reduction, Int64, (Int64, Int64) -> Int64)] = [
            (CK_INTEGER_SUM, 0, { $0 &+ $1 }), (CK_INTEGER_PRODUCT, 1, { $0 &* $1 }),
            (CK_INTEGER_LARGEST, .min, { max($0, $1) }), (CK_INTEGER_SMALLEST, .max, { min($0, $1) }),
        ]
        func reduced<T>(_ x: [T], _ start: T, _ join: (T, T) -> T) -> [T] {
            (0..<outer * inner).map { place in
                let (i, j) = place.quotientAndRemainder(dividingBy: inner)
                return (0..<length).reduce(start) { join($0, x[(i * length + $1) * inner + j]) }
            }
        }
        withEachInstructionSet { isa in
            for (operation, start, join) in cases {
                var got = [Int64](repeating: 7, count: outer * inner)
                ck_reduce_integers(operation, CK_INT64, Int64(outer), Int64(length), Int64(inner), &got, x)
                #expect(got == reduced(x, start, join), "\(operation) on \(isa)")
            }
            var got = [UInt8](repeating: 7, count: outer * inner)
            ck_reduce_integers(CK_INTEGER_LARGEST, CK_UINT8, Int64(outer), Int64(length), Int64(inner), &got, bytes)
            #expect(got == reduced(bytes, 0) { max($0, $1) }, "bytes on \(isa)")
            ck_reduce_integers(CK_INTEGER_SMALLEST, CK_UINT8, Int64(outer), Int64(length), Int64(inner), &got, bytes)
            #expect(got == reduced(bytes, .max) { min($0, $1) }, "bytes on \(isa)")
        }
    }

    @Test(arguments: [(1, 1, 1), (5, 7, 9), (300, 33, 130), (3, 4, 0)])
    func products(m: Int, n: Int, k: Int) {
        var random = TestRandom(seed: 33)
        let a = Int64.samples(m * k, random: &random), b = Int64.samples(k * (n + 2), random: &random)
        let want = (0..<m * n).map { place in
            let (i, j) = place.quotientAndRemainder(dividingBy: n)
            return (0..<k).reduce(Int64(0)) { $0 &+ a[i + $1 * m] &* b[$1 * (n + 2) + j] }
        }
        withEachInstructionSet { isa in
            var got = [Int64](repeating: 7, count: m * n)
            ck_integer_product(Int64(m), Int64(n), Int64(k), a, 1, Int64(m), b, Int64(n + 2), &got)
            #expect(got == want, "on \(isa)")
        }
    }
}
