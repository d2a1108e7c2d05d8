let scatterReductionOperations: [any Operation.Type] = [ScatterReduce.self]

/// How `scatterReduce` joins what meets in one place.
public enum ScatterReduction: Sendable {
    case sum, prod, mean, amax, amin
}

/// y = x, with y[index[i, j, …], j, …] = the product or extremum of itself and v[i, j, …].
struct ScatterReduce: VariadicOperation {
    enum Kind { case product, maximum, minimum }
    let axis: Int
    let kind: Kind
    /// Whether x takes part where something meets it.
    let includesSelf: Bool
    static let name = "scatter_reduce"
    static let formula = Formula(
        "Π or max of x and the v at i",
        gradient:
            "Π: ∂L/∂v = ∂L/∂y at i · the other factors; max: ∂L/∂v = ∂L/∂y at i, shared by those that are the largest")
    static let dtypes: DTypes = .all
    static let keeps: Keeps = [.input, .output]
    func forward(_ inputs: [Tensor]) -> [Tensor] {
        let (x, v) = (inputs[0], inputs[2])
        guard
            let index = CPU.indices(
                inputs[1], below: x.shape.isEmpty ? 1 : x.shape[axis], in: Self.name,
                for: { "axis \(axis) of shape \(x.shape)" })
        else { return [.placeholderAfterError] }
        let y = CPU.contiguousCopy(x)
        CPU.scatterReduce(v, axis: axis, index, kind, includesSelf: includesSelf, into: y)
        return [y]
    }
    func gradients(_ dy: [Tensor?], _ kept: KeptList, needs: [Bool]) -> [Tensor?] {
        guard let dy = dy[0] else { return [] }
        let (x, index, v) = (kept.inputs[0], kept.inputs[1], kept.inputs[2])
        let (dx, dv) =
            kind == .product
            ? productGradients(dy, x, index, v, kept.outputs[0]) : extremumGradients(dy, x, index, v, kept.outputs[0])
        return [includesSelf ? dx : dx.scatter(dim: axis, index, 0), nil, dv]
    }

    /// Those that equal the extremum share the gradient evenly.
    private func extremumGradients(
        _ dy: Tensor, _ x: Tensor, _ index: Tensor, _ v: Tensor, _ y: Tensor
    ) -> (Tensor, Tensor) {
        let isX = (x.detach() .== y.detach()).to(dy.dtype)
        let isV = (v.detach() .== y.detach().gather(dim: axis, index)).to(dy.dtype)
        let own = includesSelf ? isX : isX.scatter(dim: axis, index, 0)
        let share = dy / own.scatterAdd(dim: axis, index, isV).maximum(Tensor.ones([], dtype: dy.dtype))
        return (isX * share, isV * share.gather(dim: axis, index))
    }

    /// The product of the other factors: the whole divided by the factor, or, where that is the only zero, the product without it.
    private func productGradients(
        _ dy: Tensor, _ x: Tensor, _ index: Tensor, _ v: Tensor, _ y: Tensor
    ) -> (Tensor, Tensor) {
        let xFilled = x.maskedFill(x.detach() .== 0, 1)
        let dx = dy * applyOne(self, to: [xFilled, index, v]) / xFilled
        let isZero = v.detach() .== 0
        let zeros = Tensor.zeros(like: x.detach()).scatterAdd(dim: axis, index, isZero.to(dy.dtype))
        let isOnlyZero = isZero.logicalAnd(zeros.gather(dim: axis, index) .== 1)
        let without = applyOne(self, to: [x, index, v.maskedFill(isOnlyZero, 1)])
        let divided = (dy * y).gather(dim: axis, index) / v.maskedFill(isZero, 1)
        return (dx, .where(isOnlyZero, (dy * without).gather(dim: axis, index), divided))
    }
    static let samples = [
        Sample([Sample.Input(.distinct, shape: [2, 3]), Sample.Input(.distinct, shape: [2, 4])]) {
            [$0[0].scatterReduce(dim: 1, Tensor([0, 1, 1, 2, 2, 2, 0, 0], shape: [2, 4]), $0[1], reduce: .amax)]
        },
        Sample([Sample.Input(.uniform(0.5...2), shape: [2, 3]), Sample.Input(.uniform(0.5...2), shape: [2, 4])]) {
            let index = Tensor([0, 1, 1, 2, 2, 2, 0, 0], shape: [2, 4])
            return [$0[0].scatterReduce(dim: 1, index, $0[1], reduce: .prod, includeSelf: false)]
        },
    ]
}

extension Tensor {
    /// This tensor with self[index[i, j, …], j, …] joined with the source[i, j, …] that fall on it, for `dim` 0, and so on.
    /// With `includeSelf` false the old value does not take part where anything falls.
    public func scatterReduce(
        dim: Int, _ index: Tensor, _ source: Tensor, reduce: ScatterReduction, includeSelf: Bool = true
    ) -> Tensor {
        guard let axis = elementAxis(dim, index, source, in: "scatterReduce") else { return .placeholderAfterError }
        let part = source.to(dtype).cut(to: index.shape)
        switch reduce {
        case .sum, .mean:
            let start = includeSelf ? self : scatter(dim: axis, index, 0)
            let sum = start.scatterAdd(dim: axis, index, part)
            if reduce == .sum { return sum }
            let ones = includeSelf ? Tensor.ones(like: self) : Tensor.ones(like: self).scatter(dim: axis, index, 0)
            let counts = ones.scatterAdd(dim: axis, index, Tensor.ones(index.shape, dtype: dtype))
            let divisor = counts.maximum(Tensor.ones([], dtype: dtype))
            return dtype.isFloatingPoint ? sum / divisor : sum.floorDivide(divisor)
        case .prod, .amax, .amin:
            let kind: ScatterReduce.Kind = reduce == .prod ? .product : reduce == .amax ? .maximum : .minimum
            let operation = ScatterReduce(axis: axis, kind: kind, includesSelf: includeSelf)
            return applyOne(operation, to: [self, index, part])
        }
    }
}
