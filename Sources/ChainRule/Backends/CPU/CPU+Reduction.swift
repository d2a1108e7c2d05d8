import CKernels

extension CPU {
    /// Reduces over the axes in `axes`, which keep size 1. Floating dtypes.
    static func reduce(_ operation: ck_reduction, _ x: Tensor, over axes: AxisSet) -> Tensor {
        if x.dtype.isHalf { return convert(reduce(operation, convert(x, to: .float32), over: axes), to: x.dtype) }
        let y = Tensor(uninitialized: axes.reduced(x.shape), dtype: x.dtype)
        var loop = ck_reduction_loop(x.layout) { axes.contains($0) }
        if x.dtype == .float32 {
            ck_reduce_f32(operation, &loop, y.freshPointer(to: Float.self), x.pointer(to: Float.self))
        } else {
            ck_reduce_f64(operation, &loop, y.freshPointer(to: Double.self), x.pointer(to: Double.self))
        }
        return y
    }

    /// Σ (x − center)² over the axes in `axes`; `center` has the reduced shape. float32 and float64.
    static func squaredDeviations(_ x: Tensor, from center: Tensor, over axes: AxisSet) -> Tensor {
        let y = Tensor(uninitialized: axes.reduced(x.shape), dtype: x.dtype)
        let center = contiguous(center)
        var loop = ck_reduction_loop(x.layout) { axes.contains($0) }
        if x.dtype == .float32 {
            ck_squared_deviations_f32(
                &loop, y.freshPointer(to: Float.self), x.pointer(to: Float.self), center.pointer(to: Float.self))
        } else {
            ck_squared_deviations_f64(
                &loop, y.freshPointer(to: Double.self), x.pointer(to: Double.self), center.pointer(to: Double.self))
        }
        return y
    }

    /// The position of the maximum or minimum along `axes`, row-major over them; int64, the axes keep size 1.
    static func argExtremum(minimum: Bool, _ x: Tensor, over axes: AxisSet) -> Tensor {
        // Every integer below 2^53 is exact as a double; larger ones are rarer than a kernel of their own is worth.
        let x = x.dtype.isHalf ? convert(x, to: .float32) : (x.dtype.isFloatingPoint ? x : convert(x, to: .float64))
        let y = Tensor(uninitialized: axes.reduced(x.shape), dtype: .int64)
        var loop = ck_reduction_loop(x.layout) { axes.contains($0) }
        let output = y.freshPointer(to: Int64.self)
        if x.dtype == .float32 {
            ck_arg_extremum_f32(minimum ? 1 : 0, &loop, output, x.pointer(to: Float.self))
        } else {
            ck_arg_extremum_f64(minimum ? 1 : 0, &loop, output, x.pointer(to: Double.self))
        }
        return y
    }

    /// Reduces an int64 tensor over the axes in `axes`, which keep size 1; sums wrap around. For the extrema uint8, too.
    static func reduceIntegers(_ operation: ck_integer_reduction, _ x: Tensor, over axes: AxisSet) -> Tensor {
        let y = Tensor(uninitialized: axes.reduced(x.shape), dtype: x.dtype)
        var (rows, inner) = (x, 1)
        if x.isContiguous, let last = (0..<x.rank).last(where: { axes.contains($0) }), axes == AxisSet(last...last) {
            inner = x.shape[(last + 1)...].reduce(1, *)
        } else {
            rows = contiguous(movedLast(x, axes))
        }
        guard y.count > 0 else { return y }
        withExtendedLifetime(rows) {
            ck_reduce_integers(
                operation, x.dtype.number, Int64(y.count / inner), Int64(x.count / y.count), Int64(inner), y.rawPointer,
                rows.rawPointer)
        }
        return y
    }

    /// A view with the reduced axes behind the kept ones.
    private static func movedLast(_ x: Tensor, _ axes: AxisSet) -> Tensor {
        let order = Shape((0..<x.rank).filter { !axes.contains($0) } + (0..<x.rank).filter { axes.contains($0) })
        return x.view(
            Layout(
                shape: x.shape.reordered(by: order), strides: x.strides.reordered(by: order),
                offset: x.layout.offset))
    }
}

/// A set of axes as bits.
struct AxisSet: Hashable, Sendable {
    private var bits: UInt8 = 0

    init() {}

    /// The axes from 0 up to `rank`.
    static func all(_ rank: Int) -> AxisSet {
        var set = AxisSet()
        for axis in 0..<rank { set.insert(axis) }
        return set
    }

    /// The last of `rank` axes.
    init(last rank: Int) { insert(rank - 1) }

    init(_ axes: some Sequence<Int>) {
        for axis in axes { insert(axis) }
    }

    mutating func insert(_ axis: Int) { bits |= 1 << UInt8(axis) }
    func contains(_ axis: Int) -> Bool { bits & (1 << UInt8(axis)) != 0 }
    var isEmpty: Bool { bits == 0 }

    /// The shape with size 1 along these axes.
    func reduced(_ shape: Shape) -> Shape {
        var result = shape
        for axis in 0..<shape.count where contains(axis) { result[axis] = 1 }
        return result
    }

    /// The shape without these axes.
    func removed(from shape: Shape) -> Shape {
        var result = Shape()
        for axis in 0..<shape.count where !contains(axis) { result.append(shape[axis]) }
        return result
    }
}
