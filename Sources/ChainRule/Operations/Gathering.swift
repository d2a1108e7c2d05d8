let gatheringOperations: [any Operation.Type] = [
    Gather.self, ScatterAdd.self, Scatter.self, WeightedGather.self,
]

/// y[i, j, …] = x[index[i, j, …], j, …], the index standing in for one axis.
struct Gather: BinaryOperation {
    let axis: Int
    let from: Shape
    static let name = "gather"
    static let formula = Formula("x at i along an axis", gradient: "∂L/∂x = ∂L/∂y added up at i")
    static let dtypes: DTypes = .all
    static let keeps: Keeps = .right
    func forward(_ x: Tensor, _ index: Tensor) -> Tensor {
        guard let index = elementIndices(index, axis, from, in: Self.name) else { return .placeholderAfterError }
        return CPU.gather(x, axis: axis, index)
    }
    func gradientLeft(_ dy: Tensor, _ kept: Kept) -> Tensor {
        apply(ScatterAdd(axis: axis, shape: from), to: dy, kept.rightInput)
    }
    func gradientRight(_ dy: Tensor, _ kept: Kept) -> Tensor { fail(Self.name, "an index has no gradient") }
    static let samples = [
        Sample([Sample.Input(.uniform(-3...3), shape: [3, 4]), Sample.Input(.integers(0..<4), shape: [2, 5])]) {
            [$0[0].gather(dim: 1, $0[1])]
        },
        Sample([Sample.Input(.uniform(-3...3), shape: [3, 4]), Sample.Input(.integers(0..<3), shape: [5, 2])]) {
            [$0[0].gather(dim: 0, $0[1])]
        },
    ]
}

/// y = zeros, with y[index[i, j, …], j, …] += x[i, j, …]: the transpose of `Gather`.
struct ScatterAdd: BinaryOperation {
    let axis: Int
    let shape: Shape
    static let name = "scatter_add"
    static let formula = Formula("0 with x added at i along an axis", gradient: "∂L/∂x = ∂L/∂y at i")
    static let dtypes: DTypes = .all
    static let keeps: Keeps = .right
    func forward(_ x: Tensor, _ index: Tensor) -> Tensor {
        guard let index = elementIndices(index, axis, shape, in: Self.name) else { return .placeholderAfterError }
        return CPU.scatterAdd(x, axis: axis, index, into: shape)
    }
    func gradientLeft(_ dy: Tensor, _ kept: Kept) -> Tensor {
        apply(Gather(axis: axis, from: shape), to: dy, kept.rightInput)
    }
    func gradientRight(_ dy: Tensor, _ kept: Kept) -> Tensor { fail(Self.name, "an index has no gradient") }
    static let samples = [
        Sample([Sample.Input(.uniform(-3...3), shape: [2, 5]), Sample.Input(.integers(0..<4), shape: [2, 5])]) {
            [apply(ScatterAdd(axis: 1, shape: [3, 4]), to: $0[0], $0[1])]
        }
    ]
}

/// y[b, c, p] = Σₜ w[b, t, p] · x[b, c, i[b, t, p]]: what interpolation at places of one's choice comes to. Inputs: x, w, i (int64, inside of x).
struct WeightedGather: VariadicOperation {
    static let name = "weighted_gather"
    static let formula = Formula(
        "Σ w x at i", gradient: "∂L/∂x = w ∂L/∂y added up at i, ∂L/∂w = Σ ∂L/∂y · x at i over the channels")
    static let dtypes: DTypes = .fullPrecision
    static let keeps: Keeps = .input
    func forward(_ inputs: [Tensor]) -> [Tensor] { [CPU.weightedGather(inputs[0], inputs[1], inputs[2])] }
    func gradients(_ dy: [Tensor?], _ kept: KeptList, needs: [Bool]) -> [Tensor?] {
        guard let dy = dy[0] else { return [] }
        let (x, w, index) = (kept.inputs[0], kept.inputs[1], kept.inputs[2])
        var (dx, dw): (Tensor?, [Tensor]) = (nil, [])
        for tap in 0..<w.shape[1] {
            let places = index.narrow(dim: 1, start: tap, length: 1).expand(dy.shape)
            if needs[0] {
                let part = apply(
                    ScatterAdd(axis: 2, shape: x.shape), to: dy * w.narrow(dim: 1, start: tap, length: 1), places)
                dx = dx.map { $0 + part } ?? part
            }
            if needs[1] { dw.append((dy * x.gather(dim: 2, places)).sum(dim: 1, keepDim: true)) }
        }
        return [dx, needs[1] ? cat(dw, dim: 1) : nil, nil]
    }
    static let samples = [
        Sample(
            WeightedGather(),
            [
                Sample.Input(.uniform(-3...3), shape: [2, 5, 4]), Sample.Input(.uniform(-3...3), shape: [2, 2, 3]),
                Sample.Input(.integers(0..<4), shape: [2, 2, 3]),
            ])
    ]
}

/// y = x, with y[index[i, j, …], j, …] = v[i, j, …]; the last of equal places wins.
struct Scatter: VariadicOperation {
    let axis: Int
    static let name = "scatter"
    static let formula = Formula(
        "x with v at i along an axis", gradient: "∂L/∂x = ∂L/∂y with 0 at i, ∂L/∂v = ∂L/∂y at i")
    static let dtypes: DTypes = .all
    static let keeps: Keeps = .input
    func forward(_ inputs: [Tensor]) -> [Tensor] {
        let (x, index, v) = (inputs[0], inputs[1], inputs[2])
        guard let index = elementIndices(index, axis, x.shape, in: Self.name) else { return [.placeholderAfterError] }
        let y = CPU.contiguousCopy(x)
        CPU.scatter(v, axis: axis, index, into: y)
        return [y]
    }
    static func keptInputs(_ inputs: [Tensor]) -> [Tensor] { [inputs[1]] }
    func gradients(_ dy: [Tensor?], _ kept: KeptList, needs: [Bool]) -> [Tensor?] {
        guard let dy = dy[0] else { return [] }
        let index = kept.inputs[0]
        let zeros = { Tensor.zeros([], dtype: dy.dtype).expand(index.shape) }
        return [
            needs[0] ? applyOne(self, to: [dy, index, zeros()]) : nil, nil,
            needs[2] ? apply(Gather(axis: axis, from: dy.shape), to: dy, index) : nil,
        ]
    }
    static let samples = [
        Sample([Sample.Input(.uniform(-3...3), shape: [3, 4]), Sample.Input(.uniform(-3...3), shape: [2, 2])]) {
            [$0[0].scatter(dim: 1, Tensor([3, 0, 1, 2], shape: [2, 2]), $0[1])]
        }
    ]
}

/// The indices checked against the axis they stand in for.
private func elementIndices(_ index: Tensor, _ axis: Int, _ shape: Shape, in operation: String) -> Tensor? {
    let size = shape.isEmpty ? 1 : shape[axis]
    return CPU.indices(index, below: size, in: operation, for: { "axis \(axis) of shape \(shape)" })
}

extension Tensor {
    /// y[i, j, …] = self[index[i, j, …], j, …] for `dim` 0, and so on: the index stands in for one axis. It has as many axes as
    /// this tensor and is nowhere else larger. Differentiable.
    public func gather(dim: Int, _ index: Tensor) -> Tensor {
        guard let axis = elementAxis(dim, index, in: "gather") else { return .placeholderAfterError }
        return apply(Gather(axis: axis, from: shape), to: self, index)
    }

    /// This tensor with self[index[i, j, …], j, …] = source[i, j, …] for `dim` 0, and so on; the last of equal places wins.
    public func scatter(dim: Int, _ index: Tensor, _ source: Tensor) -> Tensor {
        guard let axis = elementAxis(dim, index, source, in: "scatter") else { return .placeholderAfterError }
        return applyOne(Scatter(axis: axis), to: [self, index, source.to(dtype).cut(to: index.shape)])
    }

    /// The same with one number everywhere.
    public func scatter(dim: Int, _ index: Tensor, _ value: some ScalarOperand) -> Tensor {
        guard let axis = elementAxis(dim, index, in: "scatter") else { return .placeholderAfterError }
        let source = Tensor.full([], value.scalar, dtype: dtype).expand(index.shape)
        return applyOne(Scatter(axis: axis), to: [self, index, source])
    }

    /// This tensor with source[i, j, …] added at [index[i, j, …], j, …] for `dim` 0, and so on; equal places add up.
    public func scatterAdd(dim: Int, _ index: Tensor, _ source: Tensor) -> Tensor {
        guard let axis = elementAxis(dim, index, source, in: "scatterAdd") else { return .placeholderAfterError }
        let part = source.to(dtype).cut(to: index.shape)
        return self + apply(ScatterAdd(axis: axis, shape: shape), to: part, index)
    }

    /// `gather` with this tensor and the indices broadcast against each other elsewhere than along `dim`; negative indices count
    /// from the end. Without `dim` both are flattened.
    public func takeAlongDim(_ indices: Tensor, dim: Int? = nil) -> Tensor {
        guard let dim else {
            return reshape([count]).takeAlongDim(indices.reshape([indices.count]), dim: 0)
        }
        guard let axis = axis(dim, in: "takeAlongDim") else { return .placeholderAfterError }
        guard indices.rank == rank else {
            return fail(
                "takeAlongDim", "shape \(shape) and the indices' \(indices.shape) differ in their number of axes")
        }
        let size = rank == 0 ? 1 : shape[axis]
        guard let wrapped = indices.wrapped(for: axis, of: shape, in: "takeAlongDim") else {
            return .placeholderAfterError
        }
        if rank == 0 { return gather(dim: 0, wrapped) }
        var (left, right) = (shape, indices.shape)
        (left[axis], right[axis]) = (1, 1)
        guard var common = Shape.broadcast(left, right) else {
            return fail("takeAlongDim", "shape \(shape) and the indices' \(indices.shape) do not broadcast")
        }
        common[axis] = size
        let expanded = expand(common)
        common[axis] = indices.shape[axis]
        return expanded.gather(dim: axis, wrapped.expand(common))
    }

    /// The axis of `dim`, after the shapes were seen to fit. Nil after an error.
    func elementAxis(_ dim: Int, _ index: Tensor, _ source: Tensor? = nil, in operation: String) -> Int? {
        guard let axis = axis(dim, in: operation) else { return nil }
        if index.count == 0 { return axis }
        // A number and a vector of one element pass for each other.
        guard Swift.max(index.rank, 1) == Swift.max(rank, 1) else {
            fail(operation, "the index has shape \(index.shape), it needs as many axes as shape \(shape)")
            return nil
        }
        for other in 0..<Swift.min(rank, index.rank) where other != axis && index.shape[other] > shape[other] {
            fail(operation, "the index \(index.shape) is larger than \(shape) along axis \(other)")
            return nil
        }
        guard let source else { return axis }
        let fits =
            source.rank == index.rank
            ? zip(index.shape, source.shape).allSatisfy { $0 <= $1 } : index.count == 1 && source.count == 1
        guard fits else {
            fail(operation, "the source \(source.shape) is smaller than the index \(index.shape)")
            return nil
        }
        return axis
    }

    /// The first elements along each axis, as many as `target` has.
    func cut(to target: Shape) -> Tensor {
        guard shape != target else { return self }
        guard rank == target.count else { return reshape(target) }
        var region = Region(whole: shape)
        region.sizes = target
        return apply(Slice(region: region), to: self)
    }
}
