import CKernels

extension CPU {
    /// Softmax or its logarithm along an axis of a floating tensor.
    static func softmax(_ x: Tensor, axis: Int, logarithm: Bool) -> Tensor {
        rounded(x) { x in
            let rows = contiguous(x.exchanging(axis))
            let y = Tensor(uninitialized: rows.shape, dtype: x.dtype)
            let (count, columns, flag) = rowCounts(rows, logarithm)
            if y.count == 0 { return y.exchanging(axis) }
            if x.dtype == .float32 {
                ck_softmax_f32(flag, count, columns, y.freshPointer(to: Float.self), rows.pointer(to: Float.self))
            } else {
                ck_softmax_f64(flag, count, columns, y.freshPointer(to: Double.self), rows.pointer(to: Double.self))
            }
            return y.exchanging(axis)
        }
    }

    static func softmaxGradient(_ dy: Tensor, _ y: Tensor, axis: Int, logarithm: Bool) -> Tensor {
        if dy.dtype.isHalf {
            let wide = softmaxGradient(
                convert(dy, to: .float32), convert(y, to: .float32), axis: axis, logarithm: logarithm)
            return convert(wide, to: dy.dtype)
        }
        let (gradients, rows) = (contiguous(dy.exchanging(axis)), contiguous(y.exchanging(axis)))
        let dx = Tensor(uninitialized: rows.shape, dtype: y.dtype)
        let (count, columns, flag) = rowCounts(rows, logarithm)
        if dx.count == 0 { return dx.exchanging(axis) }
        if y.dtype == .float32 {
            ck_softmax_grad_f32(
                flag, count, columns, dx.freshPointer(to: Float.self), gradients.pointer(to: Float.self),
                rows.pointer(to: Float.self))
        } else {
            ck_softmax_grad_f64(
                flag, count, columns, dx.freshPointer(to: Double.self), gradients.pointer(to: Double.self),
                rows.pointer(to: Double.self))
        }
        return dx.exchanging(axis)
    }

    private static func rowCounts(_ rows: Tensor, _ logarithm: Bool) -> (Int64, Int64, Int32) {
        let columns = rows.shape.last ?? 1
        return (Int64(rows.count / Swift.max(columns, 1)), Int64(columns), logarithm ? 1 : 0)
    }
}

extension Tensor {
    /// A view with an axis and the last one exchanged; twice gives the original order.
    fileprivate func exchanging(_ axis: Int) -> Tensor {
        if axis >= rank - 1 { return self }
        var (sizes, steps) = (shape, strides)
        (sizes[axis], sizes[rank - 1]) = (sizes[rank - 1], sizes[axis])
        (steps[axis], steps[rank - 1]) = (steps[rank - 1], steps[axis])
        return view(Layout(shape: sizes, strides: steps, offset: layout.offset))
    }
}
