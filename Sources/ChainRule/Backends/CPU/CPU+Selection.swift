import CKernels

extension CPU {
    /// The number where `mask` holds, else x.
    static func maskedFill(_ x: Tensor, _ mask: Tensor, _ value: Scalar, name: String) -> Tensor {
        guard x.shape == mask.shape && x.isContiguous && mask.isContiguous else {
            return select(mask, Tensor.full([], value, dtype: x.dtype), x, name: name)
        }
        let y = Tensor(uninitialized: x.shape, dtype: x.dtype)
        var number = value.bits(as: x.dtype).littleEndian
        var loop = ck_loop(run: x.count, 1, 0, 1)
        ck_select(
            Int32(x.dtype.byteCount), &loop, y.rawPointer, mask.pointer(to: UInt8.self), &number, x.rawPointer)
        return y
    }
}

extension Scalar {
    /// The bytes of this number as an element of `dtype`, the lowest first.
    fileprivate func bits(as dtype: DType) -> UInt64 {
        switch dtype {
        case .bool: double == 0 ? 0 : 1
        case .uint8, .int8, .int16, .int32, .int64: UInt64(bitPattern: Int64(integer))
        case .float16: UInt64(Half(Float(double)).bits)
        case .bfloat16: UInt64(BFloat16(Float(double)).bits)
        case .float32: UInt64(Float(double).bitPattern)
        case .float64: double.bitPattern
        }
    }
}
