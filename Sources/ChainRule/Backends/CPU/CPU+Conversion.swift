import CKernels

extension CPU {
    /// The elements as another dtype. Floats become integers by truncation, anything but zero becomes true.
    static func convert(_ x: Tensor, to dtype: DType) -> Tensor {
        if x.dtype == dtype { return x }
        switch dtype {
        case .float16: return converted(convert(x, to: .float32), CK_FLOAT16_FROM_FLOAT, to: dtype)
        case .bfloat16: return converted(convert(x, to: .float32), CK_BFLOAT16_FROM_FLOAT, to: dtype)
        default: break
        }
        if x.dtype == .float16 { return convert(converted(x, CK_FLOAT_FROM_FLOAT16, to: .float32), to: dtype) }
        if x.dtype == .bfloat16 { return convert(converted(x, CK_FLOAT_FROM_BFLOAT16, to: .float32), to: dtype) }
        let x = contiguous(x)
        switch x.dtype {
        case .bool, .uint8: return convert(x, UInt8.self, to: dtype)
        case .int8: return convert(x, Int8.self, to: dtype)
        case .int16: return convert(x, Int16.self, to: dtype)
        case .int32: return convert(x, Int32.self, to: dtype)
        case .int64: return convert(x, Int64.self, to: dtype)
        case .float32: return convert(x, Float.self, to: dtype)
        case .float64: return convert(x, Double.self, to: dtype)
        case .float16, .bfloat16: return x
        }
    }

    /// To or from one of the 16-bit floats.
    private static func converted(_ x: Tensor, _ conversion: ck_conversion, to dtype: DType) -> Tensor {
        let y = Tensor(uninitialized: x.shape, dtype: dtype)
        var loop = loop(over: x)
        withExtendedLifetime(x) { ck_convert(conversion, &loop, y.rawPointer, x.rawPointer) }
        return y
    }

    /// Computes on the 16-bit floats in float32 and rounds once; other dtypes are handed on as they are.
    static func rounded(_ x: Tensor, _ function: (Tensor) -> Tensor) -> Tensor {
        x.dtype.isHalf ? convert(function(convert(x, to: .float32)), to: x.dtype) : function(x)
    }

    /// The same for two operands of one dtype.
    static func rounded(_ a: Tensor, _ b: Tensor, _ function: (Tensor, Tensor) -> Tensor) -> Tensor {
        guard a.dtype.isHalf else { return function(a, b) }
        return convert(function(convert(a, to: .float32), convert(b, to: .float32)), to: a.dtype)
    }

    private static func convert<T: BinaryInteger>(_ x: Tensor, _: T.Type, to dtype: DType) -> Tensor {
        switch dtype {
        case .bool: map(x, to: dtype, T.self) { UInt8($0 == 0 ? 0 : 1) }
        case .uint8: map(x, to: dtype, T.self) { UInt8(truncatingIfNeeded: $0) }
        case .int8: map(x, to: dtype, T.self) { Int8(truncatingIfNeeded: $0) }
        case .int16: map(x, to: dtype, T.self) { Int16(truncatingIfNeeded: $0) }
        case .int32: map(x, to: dtype, T.self) { Int32(truncatingIfNeeded: $0) }
        case .int64: map(x, to: dtype, T.self) { Int64(truncatingIfNeeded: $0) }
        case .float16, .bfloat16, .float32: map(x, to: .float32, T.self) { Float($0) }
        case .float64: map(x, to: dtype, T.self) { Double($0) }
        }
    }

    private static func convert<T: TruncatableFloat>(_ x: Tensor, _: T.Type, to dtype: DType) -> Tensor {
        switch dtype {
        case .bool: map(x, to: dtype, T.self) { UInt8($0 == 0 ? 0 : 1) }
        case .uint8: map(x, to: dtype, T.self) { UInt8(truncatingIfNeeded: $0.truncatedBits) }
        case .int8: map(x, to: dtype, T.self) { Int8(truncatingIfNeeded: $0.truncatedBits) }
        case .int16: map(x, to: dtype, T.self) { Int16(truncatingIfNeeded: $0.truncatedBits) }
        case .int32: map(x, to: dtype, T.self) { Int32(truncatingIfNeeded: $0.truncatedBits) }
        case .int64: map(x, to: dtype, T.self) { $0.truncatedBits }
        case .float16, .bfloat16, .float32: map(x, to: .float32, T.self) { Float($0) }
        case .float64: map(x, to: dtype, T.self) { Double($0) }
        }
    }

    @inline(__always)
    private static func map<T, U>(_ x: Tensor, to dtype: DType, _: T.Type, _ function: (T) -> U) -> Tensor {
        let y = Tensor(uninitialized: x.shape, dtype: dtype)
        let (input, output) = (x.pointer(to: T.self), y.freshPointer(to: U.self))
        // On this thread: called from the pool's closure the function would not be inlined.
        for index in 0..<y.count { output[index] = function(input[index]) }
        return y
    }
}

/// A float that becomes an integer as the processor does it: out of range and NaN give the smallest Int64.
private protocol TruncatableFloat: BinaryFloatingPoint {
    var truncatedBits: Int64 { get }
}
extension Float: TruncatableFloat {
    fileprivate var truncatedBits: Int64 { self >= -0x1p63 && self < 0x1p63 ? Int64(self) : .min }
}
extension Double: TruncatableFloat {
    fileprivate var truncatedBits: Int64 { self >= -0x1p63 && self < 0x1p63 ? Int64(self) : .min }
}
