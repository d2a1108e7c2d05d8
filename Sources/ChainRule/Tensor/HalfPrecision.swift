/// The two 16-bit floating types as bits. Swift's own `Float16` is missing on Intel Macs, so conversions live here.
protocol HalfPrecision {
    var bits: UInt16 { get }
    init(bits: UInt16)
    init(_ value: Float)
    var float: Float { get }
}

/// The upper half of a Float: 8 bits of exponent, 7 of fraction.
public struct BFloat16: HalfPrecision, TensorScalar, Hashable {
    public static var dtype: DType { .bfloat16 }
    public let bits: UInt16

    public init(bits: UInt16) { self.bits = bits }

    /// Rounds to nearest, ties to even; NaN stays NaN.
    public init(_ value: Float) {
        let pattern = value.bitPattern
        if value.isNaN {
            bits = UInt16(truncatingIfNeeded: pattern >> 16) | 0x0040
        } else {
            let roundingBias = 0x7FFF + ((pattern >> 16) & 1)
            bits = UInt16(truncatingIfNeeded: (pattern &+ roundingBias) >> 16)
        }
    }

    public var float: Float { Float(bitPattern: UInt32(bits) << 16) }
}

/// IEEE binary16: 5 bits of exponent, 10 of fraction.
public struct Half: HalfPrecision, TensorScalar, Hashable {
    public static var dtype: DType { .float16 }
    public let bits: UInt16

    public init(bits: UInt16) { self.bits = bits }

    /// Rounds to nearest, ties to even; overflow gives infinity, NaN stays NaN.
    public init(_ value: Float) {
        let pattern = value.bitPattern
        let sign = UInt16(truncatingIfNeeded: (pattern >> 16) & 0x8000)
        let magnitude = pattern & 0x7FFF_FFFF
        if magnitude > 0x7F80_0000 {
            bits = sign | 0x7E00
        } else if magnitude >= 0x4780_0000 {
            bits = sign | 0x7C00  // 65536 and up, infinity
        } else if magnitude < 0x3880_0000 {
            // Subnormal or zero: adding 0.5 lets the hardware round to a multiple of 2^-24.
            let shifted = Float(bitPattern: magnitude) + 0.5
            bits = sign | UInt16(truncatingIfNeeded: shifted.bitPattern &- Float(0.5).bitPattern)
        } else {
            // Rebias the exponent by 112 and round the 13 dropped bits; a carry runs into the exponent as it should.
            let odd = (magnitude >> 13) & 1
            let rounded = magnitude &- (112 << 23) &+ 0xFFF &+ odd
            bits = sign | UInt16(truncatingIfNeeded: rounded >> 13)
        }
    }

    public var float: Float {
        let sign = UInt32(bits & 0x8000) << 16
        let exponent = UInt32(bits >> 10) & 0x1F
        let fraction = UInt32(bits & 0x3FF)
        if exponent == 0 {
            let magnitude = Float(fraction) * Float(sign: .plus, exponent: -24, significand: 1)
            return Float(bitPattern: magnitude.bitPattern | sign)
        }
        let rebiased = exponent == 31 ? 255 : exponent + 112
        return Float(bitPattern: sign | (rebiased << 23) | (fraction << 13))
    }
}
