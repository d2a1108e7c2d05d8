import CKernels

let softmaxOperations: [any Operation.Type] = [Softmax.self, SoftmaxGradient.self]

/// y = eˣ / Σ eˣ along an axis, or its logarithm x − log Σ eˣ.
struct Softmax: UnaryOperation, RowOperation {
    let axis: Int
    let logarithm: Bool
    static let name = "softmax"
    static let formula = Formula(
        "s = eˣ / Σ eˣ, or log s",
        gradient: "∂L/∂x = s (∂L/∂y − Σ ∂L/∂y s), for the logarithm ∂L/∂y − s Σ ∂L/∂y")
    static let keeps: Keeps = .output
    var rowKernel: RowKernel { .softmax(logarithm: logarithm) }
    func rowAxes(rank: Int) -> AxisSet { [axis] }
    func forward(_ x: Tensor) -> Tensor { CPU.softmax(x, axis: axis, logarithm: logarithm) }
    func gradient(_ dy: Tensor, _ kept: Kept) -> Tensor {
        apply(SoftmaxGradient(axis: axis, logarithm: logarithm), to: dy, kept.output)
    }
    static let samples = [
        Sample(Softmax(axis: 1, logarithm: false), -3...3, shape: [2, 3]),
        Sample(Softmax(axis: 1, logarithm: true), -3...3, shape: [2, 3]),
        Sample(Softmax(axis: 0, logarithm: false), -3...3, shape: [3, 2]),
        Sample(Softmax(axis: 1, logarithm: true), -3...3, shape: [2, 3, 2]),
    ]
}

/// dx = y (dy − Σ dy y), or for the logarithm dy − eʸ Σ dy: the gradient of `Softmax` from its output, in one pass.
struct SoftmaxGradient: BinaryOperation, RowOperation {
    let axis: Int
    let logarithm: Bool
    static let name = "softmax_gradient"
    static let formula = Formula(
        "y (dy − Σ dy y), or dy − eʸ Σ dy",
        gradient:
            "g = ∂L/∂dx: ∂L/∂dy = y (g − Σ g y), ∂L/∂y = g (dy − Σ dy y) − dy Σ g y; or ∂L/∂dy = g − Σ g eʸ, ∂L/∂y = −g eʸ Σ dy"
    )
    static let keeps: Keeps = .inputs
    var rowKernel: RowKernel { .softmaxGradient(logarithm: logarithm) }
    func rowAxes(rank: Int) -> AxisSet { [axis] }
    func forward(_ dy: Tensor, _ y: Tensor) -> Tensor { CPU.softmaxGradient(dy, y, axis: axis, logarithm: logarithm) }
    func gradientLeft(_ g: Tensor, _ kept: Kept) -> Tensor {
        let y = kept.rightInput
        return logarithm ? g - (g * y.exp()).sum(dim: axis, keepDim: true) : apply(self, to: g, y)
    }
    func gradientRight(_ g: Tensor, _ kept: Kept) -> Tensor {
        let (dy, y) = (kept.leftInput, kept.rightInput)
        if logarithm { return -(g * y.exp()) * dy.sum(dim: axis, keepDim: true) }
        let spread = dy - (dy * y).sum(dim: axis, keepDim: true)
        return g * spread - dy * (g * y).sum(dim: axis, keepDim: true)
    }
    static let samples = [
        Sample(SoftmaxGradient(axis: 1, logarithm: false), -2...2, 0.1...0.9, shapes: ([2, 3], [2, 3])),
        Sample(SoftmaxGradient(axis: 0, logarithm: true), -2...2, -3 ... -0.1, shapes: ([3, 2], [3, 2])),
    ]
}

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

    /// eˣ / Σ eˣ along an axis: positive numbers that sum to 1. A row of −∞ gives NaN. Integers become float32.
    public func softmax(dim: Int) -> Tensor { softmax(dim, logarithm: false, in: "softmax") }

    /// x − log Σ eˣ along an axis: the logarithm of softmax, without overflow. Integers become float32.
    public func logSoftmax(dim: Int) -> Tensor { softmax(dim, logarithm: true, in: "logSoftmax") }

    /// softmax(−x) along an axis.
    public func softmin(dim: Int) -> Tensor { (-self).softmax(dim: dim) }

    private func softmax(_ dim: Int, logarithm: Bool, in operation: String) -> Tensor {
        guard let axis = axis(dim, in: operation) else { return .placeholderAfterError }
        return apply(Softmax(axis: axis, logarithm: logarithm), to: to(dtype.asFloatingPoint))
    }
}
