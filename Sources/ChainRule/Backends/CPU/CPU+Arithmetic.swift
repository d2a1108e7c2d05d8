import CKernels

extension CPU {
    /// Floating and integer arithmetic of two tensors of one dtype. Booleans count as in PyTorch: or, and; no difference.
    @inline(__always)
    static func arithmetic(
        _ kernel: ck_binary, _ integer: IntegerBinary, _ a: Tensor, _ b: Tensor, name: String
    ) -> Tensor {
        if a.dtype.isFloatingPoint { return binary(kernel, a, b, name: name) }
        if a.dtype == .bool {
            switch integer {
            case .add: return integerBinary(.or, a, b, name: name)
            case .multiply: return integerBinary(.and, a, b, name: name)
            default: return fail(name, "not defined for booleans; convert with .to(.int64) first")
            }
        }
        return integerBinary(integer, a, b, name: name)
    }

    @inline(__always)
    static func arithmetic(
        _ kernel: ck_binary, _ integer: IntegerBinary, _ x: Tensor, _ value: Scalar, scalarFirst: Bool = false,
        name: String
    ) -> Tensor {
        if x.dtype.isFloatingPoint { return binary(kernel, x, value, scalarFirst: scalarFirst, name: name) }
        let number = Tensor.full([], value, dtype: x.dtype)
        return scalarFirst
            ? integerBinary(integer, number, x, name: name) : integerBinary(integer, x, number, name: name)
    }

    /// f(x, c) or f(c, x) for floating tensors.
    @inline(__always)
    static func binary(
        _ operation: ck_binary, _ x: Tensor, _ value: Scalar, scalarFirst: Bool = false, name: String
    ) -> Tensor {
        guard x.dtype == .float32, x.isContiguous else {
            let number = Tensor.full([], value, dtype: x.dtype)
            return scalarFirst
                ? binary(operation, number, x, name: name) : binary(operation, x, number, name: name)
        }
        let y = Tensor(uninitializedLike: x)
        var number = Float(value.double)
        var loop = ck_loop(run: x.count, scalarFirst ? 0 : 1, scalarFirst ? 1 : 0)
        if scalarFirst {
            ck_binary_f32(operation, &loop, y.freshPointer(to: Float.self), &number, x.pointer(to: Float.self))
        } else {
            ck_binary_f32(operation, &loop, y.freshPointer(to: Float.self), x.pointer(to: Float.self), &number)
        }
        return y
    }

    /// a = f(a, b) for a contiguous `a` whose memory nothing else uses; `b` broadcasts to it.
    static func binaryInPlace(_ operation: ck_binary, _ a: Tensor, _ b: Tensor) {
        var loop =
            b.isContiguous && a.shape == b.shape
            ? ck_loop(run: a.count, 1, 1)
            : ck_loop(a.shape, output: a.strides, a.strides, b.layout.broadcastStrides(to: a.shape))
        if a.dtype == .float32 {
            let target = a.freshPointer(to: Float.self)
            ck_binary_f32(operation, &loop, target, target, b.pointer(to: Float.self))
        } else {
            let target = a.freshPointer(to: Double.self)
            ck_binary_f64(operation, &loop, target, target, b.pointer(to: Double.self))
        }
    }
}
