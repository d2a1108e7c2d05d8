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
        let y = Tensor(uninitialized: x.shape, dtype: dtype)
        var loop = loop(over: x)
        ck_convert_numbers(x.dtype.number, dtype.number, &loop, y.rawPointer, x.rawPointer)
        return y
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
}
