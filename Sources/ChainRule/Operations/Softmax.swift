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

extension Tensor {
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
