import CKernels

extension CPU {
    /// x ∘ c as booleans, for `c` a number of x's dtype.
    static func compare(_ comparison: Comparison, _ x: Tensor, _ value: Scalar, name: String) -> Tensor {
        guard x.dtype == .float32 && x.isContiguous else {
            return compare(comparison.kernel, x, Tensor.full([], value, dtype: x.dtype), name: name)
        }
        let y = Tensor(uninitialized: x.shape, dtype: .bool)
        var number = Float(value.double)
        var loop = ck_loop(run: x.count, 1, 0)
        ck_compare_f32(
            comparison.kernel, &loop, y.freshPointer(to: UInt8.self), x.pointer(to: Float.self), &number)
        return y
    }

    static func allTrue(_ x: Tensor) -> Bool {
        Recorder.noteReading("booleans are read, on which the program may decide what to do")
        let x = contiguous(x)
        return withExtendedLifetime(x) { ck_has_byte(x.pointer(to: UInt8.self), Int64(x.count), 0) == 0 }
    }
}
