import CKernels

/// The CPU backend: takes tensors, allocates results, calls the kernels. Nothing here is recorded.
enum CPU {
    /// f(x) for float and double; the 16-bit floats go through float32 and are rounded once.
    @inline(__always)
    static func unary(_ operation: ck_unary, _ x: Tensor) -> Tensor {
        switch x.dtype {
        case .float32:
            let y = Tensor(uninitialized: x.shape, dtype: .float32)
            var loop = loop(over: x)
            ck_unary_f32(operation, &loop, y.freshPointer(to: Float.self), x.pointer(to: Float.self))
            return y
        case .float64:
            let y = Tensor(uninitialized: x.shape, dtype: .float64)
            var loop = loop(over: x)
            ck_unary_f64(operation, &loop, y.freshPointer(to: Double.self), x.pointer(to: Double.self))
            return y
        case .float16, .bfloat16:
            return convert(unary(operation, convert(x, to: .float32)), to: x.dtype)
        default:
            return fail("unary", "no kernel for \(x.dtype)")
        }
    }

    /// f(x) and f′(x) for float and double.
    static func withSlope(_ operation: ck_unary, _ x: Tensor) -> (value: Tensor, slope: Tensor) {
        let value = Tensor(uninitialized: x.shape, dtype: x.dtype)
        let slope = Tensor(uninitialized: x.shape, dtype: x.dtype)
        var loop = loop(over: value, slope, x)
        if x.dtype == .float32 {
            ck_with_slope_f32(
                operation, &loop, value.freshPointer(to: Float.self), slope.freshPointer(to: Float.self),
                x.pointer(to: Float.self))
        } else {
            ck_with_slope_f64(
                operation, &loop, value.freshPointer(to: Double.self), slope.freshPointer(to: Double.self),
                x.pointer(to: Double.self))
        }
        return (value, slope)
    }

    /// f(a, b) with broadcasting, for two floating tensors of one dtype.
    @inline(__always)
    static func binary(_ operation: ck_binary, _ a: Tensor, _ b: Tensor, name: String) -> Tensor {
        if a.dtype.isHalf {
            let wide = binary(operation, convert(a, to: .float32), convert(b, to: .float32), name: name)
            return convert(wide, to: a.dtype)
        }
        guard a.dtype.isFloatingPoint else { return fail(name, "no floating kernel for \(a.dtype)") }
        let y: Tensor
        var loop: ck_loop
        if a.isContiguous && b.isContiguous && a.shape == b.shape {
            y = Tensor(uninitializedLike: a)
            loop = ck_loop(run: y.count, 1, 1)
        } else {
            guard let shape = broadcastShape(a, b, name) else { return .placeholderAfterError }
            y = Tensor(uninitialized: shape, dtype: a.dtype)
            loop = Self.loop(over: y, a, b)
        }
        if a.dtype == .float32 {
            ck_binary_f32(
                operation, &loop, y.freshPointer(to: Float.self), a.pointer(to: Float.self), b.pointer(to: Float.self))
        } else {
            ck_binary_f64(
                operation, &loop, y.freshPointer(to: Double.self), a.pointer(to: Double.self),
                b.pointer(to: Double.self))
        }
        return y
    }

    /// a ∘ b as booleans, with broadcasting, for two tensors of one dtype.
    static func compare(_ operation: ck_comparison, _ a: Tensor, _ b: Tensor, name: String) -> Tensor {
        guard let shape = broadcastShape(a, b, name) else { return .placeholderAfterError }
        let y = Tensor(uninitialized: shape, dtype: .bool)
        var loop = loop(over: y, a, b)
        let output = y.freshPointer(to: UInt8.self)
        switch a.dtype {
        case .float32:
            ck_compare_f32(operation, &loop, output, a.pointer(to: Float.self), b.pointer(to: Float.self))
            return y
        case .float64:
            ck_compare_f64(operation, &loop, output, a.pointer(to: Double.self), b.pointer(to: Double.self))
            return y
        case .float16, .bfloat16:
            return compare(operation, convert(a, to: .float32), convert(b, to: .float32), name: name)
        default:
            return compareIntegers(operation, a, b, name: name)
        }
    }

    /// a + scale · b · c with broadcasting, for three floating tensors of one dtype.
    static func multiplyAdd(_ a: Tensor, _ b: Tensor, _ c: Tensor, scale: Double, name: String) -> Tensor {
        guard let inner = broadcastShape(b, c, name), let shape = Shape.broadcast(a.shape, inner) else {
            return fail(name, "shapes \(a.shape), \(b.shape) and \(c.shape) do not broadcast")
        }
        if a.dtype.isHalf {
            let wide = multiplyAdd(
                convert(a, to: .float32), convert(b, to: .float32), convert(c, to: .float32), scale: scale, name: name)
            return convert(wide, to: a.dtype)
        }
        let y = Tensor(uninitialized: shape, dtype: a.dtype)
        var loop = loop(over: y, a, b, c)
        if a.dtype == .float32 {
            ck_muladd_f32(
                &loop, y.freshPointer(to: Float.self), a.pointer(to: Float.self), b.pointer(to: Float.self),
                c.pointer(to: Float.self), Float(scale))
        } else {
            ck_muladd_f64(
                &loop, y.freshPointer(to: Double.self), a.pointer(to: Double.self), b.pointer(to: Double.self),
                c.pointer(to: Double.self), scale)
        }
        return y
    }

    /// x brought between two bounds.
    static func clamp(_ x: Tensor, _ lower: Double, _ upper: Double) -> Tensor {
        rounded(x) { x in
            let y = Tensor(uninitialized: x.shape, dtype: x.dtype)
            var loop = loop(over: x)
            if x.dtype == .float32 {
                ck_clamp_f32(&loop, y.freshPointer(to: Float.self), x.pointer(to: Float.self), lower, upper)
            } else {
                ck_clamp_f64(&loop, y.freshPointer(to: Double.self), x.pointer(to: Double.self), lower, upper)
            }
            return y
        }
    }

    /// x, but `numbers` for NaN, infinity and minus infinity.
    static func nanToNum(_ x: Tensor, _ numbers: [Double]) -> Tensor {
        rounded(x) { x in
            let y = Tensor(uninitialized: x.shape, dtype: x.dtype)
            var loop = loop(over: x)
            if x.dtype == .float32 {
                ck_nan_to_num_f32(&loop, y.freshPointer(to: Float.self), x.pointer(to: Float.self), numbers)
            } else {
                ck_nan_to_num_f64(&loop, y.freshPointer(to: Double.self), x.pointer(to: Double.self), numbers)
            }
            return y
        }
    }

    /// dy where x lies between two bounds, else 0, with broadcasting.
    static func clampGradient(_ dy: Tensor, _ x: Tensor, _ lower: Double, _ upper: Double, name: String) -> Tensor {
        guard let shape = broadcastShape(dy, x, name) else { return .placeholderAfterError }
        return rounded(dy, x) { dy, x in
            let y = Tensor(uninitialized: shape, dtype: dy.dtype)
            var loop = loop(over: y, dy, x)
            if dy.dtype == .float32 {
                ck_clamp_grad_f32(
                    &loop, y.freshPointer(to: Float.self), dy.pointer(to: Float.self), x.pointer(to: Float.self), lower,
                    upper)
            } else {
                ck_clamp_grad_f64(
                    &loop, y.freshPointer(to: Double.self), dy.pointer(to: Double.self), x.pointer(to: Double.self),
                    lower, upper)
            }
            return y
        }
    }

    /// condition ? a : b with broadcasting; `condition` is boolean, `a` and `b` have one dtype.
    static func select(_ condition: Tensor, _ a: Tensor, _ b: Tensor, name: String) -> Tensor {
        guard let inner = broadcastShape(a, b, name), let shape = Shape.broadcast(condition.shape, inner) else {
            return fail(name, "shapes \(condition.shape), \(a.shape) and \(b.shape) do not broadcast")
        }
        let y = Tensor(uninitialized: shape, dtype: a.dtype)
        var loop = loop(over: y, condition, a, b)
        ck_select(
            Int32(a.dtype.byteCount), &loop, y.rawPointer, condition.pointer(to: UInt8.self), a.rawPointer, b.rawPointer
        )
        return y
    }

    /// A row-major copy.
    static func contiguousCopy(_ x: Tensor) -> Tensor {
        let y = Tensor(uninitialized: x.shape, dtype: x.dtype)
        copy(x, into: y, layout: y.layout)
        return y
    }

    /// Copies `x` into the places of `target`'s memory that `layout` names; the shapes broadcast to that of `layout`.
    static func copy(_ x: Tensor, into target: Tensor, layout: Layout) {
        var loop = ck_loop(layout.shape, output: layout.strides, x.layout.broadcastStrides(to: layout.shape))
        let width = x.dtype.byteCount
        ck_copy(Int32(width), &loop, target.body.storage.pointer + layout.offset * width, x.rawPointer)
    }

    /// The tensor itself when it is row-major, else a copy that is.
    static func contiguous(_ x: Tensor) -> Tensor { x.isContiguous ? x : contiguousCopy(x) }

    static func broadcastShape(_ a: Tensor, _ b: Tensor, _ name: String) -> Shape? {
        guard let shape = Shape.broadcast(a.shape, b.shape) else {
            fail(name, "shapes \(a.shape) and \(b.shape) do not broadcast: an axis differs and neither size is 1")
            return nil
        }
        return shape
    }

    // MARK: Loops

    @inline(__always)
    static func loop(over x: Tensor) -> ck_loop {
        if x.isContiguous { return ck_loop(run: x.count, 1) }
        return ck_loop(x.shape, output: x.shape.contiguousStrides, x.strides)
    }

    @inline(__always)
    static func loop(over y: Tensor, _ a: Tensor, _ b: Tensor) -> ck_loop {
        let isRun = (a.isContiguous && a.shape == y.shape) || a.count == 1
        if isRun && ((b.isContiguous && b.shape == y.shape) || b.count == 1) {
            return ck_loop(run: y.count, a.count == 1 ? 0 : 1, b.count == 1 ? 0 : 1)
        }
        return ck_loop(
            y.shape, output: y.strides, a.layout.broadcastStrides(to: y.shape), b.layout.broadcastStrides(to: y.shape))
    }

    private static func loop(over y: Tensor, _ a: Tensor, _ b: Tensor, _ c: Tensor) -> ck_loop {
        func isRun(_ x: Tensor) -> Bool { x.count == 1 || (x.isContiguous && x.shape == y.shape) }
        if isRun(a) && isRun(b) && isRun(c) {
            return ck_loop(run: y.count, a.count == 1 ? 0 : 1, b.count == 1 ? 0 : 1, c.count == 1 ? 0 : 1)
        }
        return ck_loop(
            y.shape, output: y.strides, a.layout.broadcastStrides(to: y.shape), b.layout.broadcastStrides(to: y.shape),
            c.layout.broadcastStrides(to: y.shape))
    }
}

extension Tensor {
    /// Where the first element lies, for code that moves elements without knowing their type.
    var rawPointer: UnsafeMutableRawPointer { body.storage.pointer + body.layout.offset * dtype.byteCount }
}
