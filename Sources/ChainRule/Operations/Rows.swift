let rowOperations: [any Operation.Type] = [IndexSelect.self, IndexAdd.self, IndexCopy.self]

/// y = the parts of x along an axis that an index tensor of any shape names; the index's axes take the place of that axis.
struct IndexSelect: BinaryOperation {
    let axis: Int
    let from: Shape
    /// Parts with this index pass no gradient (the padding of an embedding).
    var ignored: Int?
    /// Whether a part's gradient is divided by how often it is named.
    var averages = false
    static let name = "index_select"
    static let formula = Formula("x[i]", gradient: "∂L/∂x = ∂L/∂y added up at i")
    static let dtypes: DTypes = .all
    static let keeps: Keeps = .right
    func forward(_ x: Tensor, _ index: Tensor) -> Tensor {
        guard let index = CPU.indices(index, below: from[axis], in: Self.name, for: { "axis \(axis) of shape \(from)" })
        else {
            return .placeholderAfterError
        }
        return CPU.selectRows(x, axis: axis, index, to: from.replacing(axis, by: index.shape))
    }
    func gradientLeft(_ dy: Tensor, _ kept: Kept) -> Tensor {
        let share = averages ? dy / frequencies(kept.rightInput, of: dy) : dy
        let dx = apply(IndexAdd(axis: axis, shape: from), to: share, kept.rightInput)
        guard let ignored else { return dx }
        return dx.selectScatter(Tensor.zeros(from.removing(axis), dtype: dx.dtype), dim: axis, index: ignored)
    }
    func gradientRight(_ dy: Tensor, _ kept: Kept) -> Tensor { fail(Self.name, "an index has no gradient") }

    /// How often each index occurs, shaped to stand beside the gradient of what was selected.
    private func frequencies(_ index: Tensor, of dy: Tensor) -> Tensor {
        let places = index.reshape([index.count])
        let ones = Tensor.ones(places.shape, dtype: dy.dtype)
        let counts = Tensor.zeros([from[axis]], dtype: dy.dtype).indexAdd(dim: 0, places, ones)
        let behind = Shape(repeating: 1, count: from.count - axis - 1)
        return counts.indexSelect(dim: 0, places).reshape(index.shape.appending(behind))
    }
    static let samples = [
        Sample([Sample.Input(.uniform(-3...3), shape: [2, 4, 3]), Sample.Input(.integers(0..<4), shape: [5])]) {
            [$0[0].indexSelect(dim: 1, $0[1])]
        },
        Sample([Sample.Input(.uniform(-3...3), shape: [4, 3]), Sample.Input(.integers(0..<4), shape: [2, 3])]) {
            [embedding($0[1], weight: $0[0])]
        },
    ]
}

/// y = zeros, with the parts of x added where an index says: the transpose of `IndexSelect`.
struct IndexAdd: BinaryOperation {
    let axis: Int
    let shape: Shape
    static let name = "index_add"
    static let formula = Formula("0 with x added at i", gradient: "∂L/∂x = ∂L/∂y[i]")
    static let dtypes: DTypes = .all
    static let keeps: Keeps = .right
    func forward(_ x: Tensor, _ index: Tensor) -> Tensor {
        guard
            let index = CPU.indices(index, below: shape[axis], in: Self.name, for: { "axis \(axis) of shape \(shape)" })
        else {
            return .placeholderAfterError
        }
        return CPU.addRows(x, axis: axis, index, into: shape)
    }
    func gradientLeft(_ dy: Tensor, _ kept: Kept) -> Tensor {
        apply(IndexSelect(axis: axis, from: shape), to: dy, kept.rightInput)
    }
    func gradientRight(_ dy: Tensor, _ kept: Kept) -> Tensor { fail(Self.name, "an index has no gradient") }
    static let samples = [
        Sample([Sample.Input(.uniform(-3...3), shape: [2, 5, 3]), Sample.Input(.integers(0..<4), shape: [5])]) {
            [apply(IndexAdd(axis: 1, shape: [2, 4, 3]), to: $0[0], $0[1])]
        }
    ]
}

/// y = x with the parts that an index names replaced by those of v; the last of equal indices wins.
struct IndexCopy: VariadicOperation {
    let axis: Int
    static let name = "index_copy"
    static let formula = Formula(
        "x with x[i] = v", gradient: "∂L/∂x = ∂L/∂y with 0 at i, ∂L/∂v = ∂L/∂y[i]")
    static let dtypes: DTypes = .all
    static let keeps: Keeps = .input
    func forward(_ inputs: [Tensor]) -> [Tensor] {
        let (x, index, v) = (inputs[0], inputs[1], inputs[2])
        guard
            let index = CPU.indices(
                index, below: x.shape[axis], in: Self.name, for: { "axis \(axis) of shape \(x.shape)" })
        else {
            return [.placeholderAfterError]
        }
        let y = CPU.contiguousCopy(x)
        CPU.writeRows(v, axis: axis, index, into: y)
        return [y]
    }
    static func keptInputs(_ inputs: [Tensor]) -> [Tensor] { [inputs[1]] }
    func gradients(_ dy: [Tensor?], _ kept: KeptList, needs: [Bool]) -> [Tensor?] {
        guard let dy = dy[0] else { return [] }
        let index = kept.inputs[0]
        let zeros = { Tensor.zeros(dy.shape.replacing(axis, by: index.shape), dtype: dy.dtype) }
        return [
            needs[0] ? applyOne(self, to: [dy, index, zeros()]) : nil, nil,
            needs[2] ? apply(IndexSelect(axis: axis, from: dy.shape), to: dy, index) : nil,
        ]
    }
    static let samples = [
        Sample([Sample.Input(.uniform(-3...3), shape: [2, 4, 3]), Sample.Input(.uniform(-3...3), shape: [2, 2, 3])]) {
            [$0[0].indexCopy(dim: 1, Tensor([3, 1]), $0[1])]
        }
    ]
}

extension Tensor {
    /// The parts along `dim` that the integers of `index` name; `index` has one axis, or is a number. Differentiable.
    public func indexSelect(dim: Int, _ index: Tensor) -> Tensor {
        guard let axis = rowAxis(dim, index, in: "indexSelect") else { return .placeholderAfterError }
        let vector = index.rank == 0 ? index.reshape([1]) : index
        if rank == 0 { return reshape([1]).indexSelect(dim: 0, index).reshape([]) }
        return apply(IndexSelect(axis: axis, from: shape), to: self, vector)
    }

    /// This tensor with the parts of `alpha` · `source` along `dim` added where `index` says; equal indices add up. Differentiable.
    public func indexAdd(dim: Int, _ index: Tensor, _ source: Tensor, alpha: some ScalarOperand = 1) -> Tensor {
        guard let axis = rowAxis(dim, index, in: "indexAdd"),
            let parts = rowParts(source, axis, index, in: "indexAdd")
        else { return .placeholderAfterError }
        let scaled = alpha.scalar == .integer(1) ? parts.source : (parts.source * alpha).to(dtype)
        let sums = apply(IndexAdd(axis: axis, shape: parts.shape), to: scaled, parts.index)
        return self + sums.reshape(shape)
    }

    /// This tensor with the parts along `dim` that `index` names replaced by those of `source`; the last of equal indices wins.
    public func indexCopy(dim: Int, _ index: Tensor, _ source: Tensor) -> Tensor {
        guard let axis = rowAxis(dim, index, in: "indexCopy"),
            let parts = rowParts(source, axis, index, in: "indexCopy")
        else { return .placeholderAfterError }
        let target = rank == 0 ? reshape([1]) : self
        return applyOne(IndexCopy(axis: axis), to: [target, parts.index, parts.source]).reshape(shape)
    }

    /// This tensor with `value` everywhere in the parts along `dim` that `index` names.
    public func indexFill(dim: Int, _ index: Tensor, _ value: some ScalarOperand) -> Tensor {
        guard let mask = rowMask(dim, index) else { return .placeholderAfterError }
        return maskedFill(mask, value)
    }

    /// The same with the value of a tensor of no axes, which receives a gradient.
    public func indexFill(dim: Int, _ index: Tensor, _ value: Tensor) -> Tensor {
        guard value.rank == 0 else {
            return fail("indexFill", "the value must be a single number, its shape is \(value.shape)")
        }
        guard let mask = rowMask(dim, index) else { return .placeholderAfterError }
        return .where(mask, value.to(dtype), self)
    }

    /// Booleans that broadcast to this tensor, true in the parts along `dim` that `index` names. Nil after an error.
    private func rowMask(_ dim: Int, _ index: Tensor) -> Tensor? {
        guard let axis = rowAxis(dim, index, in: "indexFill") else { return nil }
        let size = rank == 0 ? 1 : shape[axis]
        let named = Tensor.zeros([size], dtype: .bool).scatter(dim: 0, index.reshape([index.count]), 1)
        var target = Shape(repeating: 1, count: rank)
        if rank > 0 { target[axis] = size }
        return named.reshape(target)
    }

    /// Elements of the flattened tensor by their numbers; the result has the shape of `index`, negative numbers count from the end.
    public func take(_ index: Tensor) -> Tensor {
        guard let wrapped = index.wrapped(for: nil, of: shape, in: "take") else { return .placeholderAfterError }
        return apply(IndexSelect(axis: 0, from: [count]), to: reshape([count]), wrapped)
    }

    /// This tensor with the elements that `index` names (as in `take`) replaced by those of `source`, or with those added.
    public func put(_ index: Tensor, _ source: Tensor, accumulate: Bool = false) -> Tensor {
        guard let wrapped = index.wrapped(for: nil, of: shape, in: "put") else { return .placeholderAfterError }
        guard source.count == index.count else {
            return fail("put", "\(index.count) places, but the source has \(source.count) elements")
        }
        return assigningRows(
            reshape([count]), axis: 0, wrapped.reshape([index.count]), source.to(dtype).reshape([index.count]),
            accumulate: accumulate
        ).reshape(shape)
    }

    /// The elements where `mask` is true, as a vector; the shapes broadcast.
    public func maskedSelect(_ mask: Tensor) -> Tensor {
        guard let (x, places) = masked(by: mask, in: "maskedSelect") else { return .placeholderAfterError }
        return apply(IndexSelect(axis: 0, from: [x.count]), to: x.reshape([x.count]), places)
    }

    /// This tensor with its elements where `mask` is true replaced, in order, by the first elements of `source`.
    public func maskedScatter(_ mask: Tensor, _ source: Tensor) -> Tensor {
        guard let (x, places) = masked(by: mask, in: "maskedScatter") else { return .placeholderAfterError }
        guard source.count >= places.count else {
            return fail("maskedScatter", "\(places.count) places are true, but the source has \(source.count) elements")
        }
        let values = source.to(dtype).reshape([source.count]).narrowed(0, 0, places.count)
        return applyOne(IndexCopy(axis: 0), to: [x.reshape([x.count]), places, values]).reshape(x.shape)
    }

    /// This tensor broadcast with `mask`, and the numbers of the elements where that is true.
    private func masked(by mask: Tensor, in operation: String) -> (Tensor, Tensor)? {
        guard mask.dtype == .bool else {
            fail(operation, "the mask must be boolean, this one is \(mask.dtype)")
            return nil
        }
        guard let common = CPU.broadcastShape(self, mask, operation) else { return nil }
        return (expand(common), mask.expand(common).truePlaces())
    }

    /// The axis, after `index` was seen to have one axis at most. Nil after an error.
    private func rowAxis(_ dim: Int, _ index: Tensor, in operation: String) -> Int? {
        guard index.rank <= 1 else {
            fail(operation, "the index must have one axis, its shape is \(index.shape)")
            return nil
        }
        return axis(dim, in: operation)
    }

    /// The source of an update along an axis, checked against the index; numbers stand for vectors of one element.
    private func rowParts(
        _ source: Tensor, _ axis: Int, _ index: Tensor, in operation: String
    ) -> (source: Tensor, index: Tensor, shape: Shape)? {
        let target = rank == 0 ? Shape([1]) : shape
        var expected = target
        expected[axis] = index.count
        let isNumber = source.rank == 0 && expected.elementCount == 1
        guard isNumber || source.shape == expected else {
            fail(operation, "the source has shape \(source.shape), expected \(expected) for \(index.count) indices")
            return nil
        }
        return (source.to(dtype).reshape(expected), index.reshape([index.count]), target)
    }

    /// `target` with the rows that `index` names replaced by, or increased by, those of `source`.
    func assigningRows(_ target: Tensor, axis: Int, _ index: Tensor, _ source: Tensor, accumulate: Bool) -> Tensor {
        if accumulate { return target + apply(IndexAdd(axis: axis, shape: target.shape), to: source, index) }
        return applyOne(IndexCopy(axis: axis), to: [target, index, source])
    }
}

/// The rows of `weight` that `indices` names: a look-up table. The result has the shape of `indices` and, behind it, the
/// row's.
///
/// - Parameters:
///   - indices: Integers of any shape, each a row of `weight`.
///   - weight: [rows, features].
///   - paddingIndex: A row that receives no gradient; negative ones count from the end.
///   - maxNorm: Rows that are longer are shortened to this, in the result; the gradient passes as if they were not.
///   - normOrder: The order p of that norm.
///   - scalesGradientByFrequency: Whether the gradient of a row is divided by how often it is named.
public func embedding(
    _ indices: Tensor, weight: Tensor, paddingIndex: Int? = nil, maxNorm: Double? = nil, normOrder: Double = 2,
    scalesGradientByFrequency: Bool = false
) -> Tensor {
    guard weight.rank == 2 else {
        return fail("embedding", "the weight must be [rows, features], its shape is \(weight.shape)")
    }
    var operation = IndexSelect(axis: 0, from: weight.shape)
    if let paddingIndex {
        let rows = weight.shape[0]
        let row = paddingIndex < 0 ? paddingIndex + rows : paddingIndex
        guard row >= 0 && row < rows else {
            return fail("embedding", "the padding index \(paddingIndex) is none of the \(rows) rows")
        }
        operation.ignored = row
    }
    operation.averages = scalesGradientByFrequency
    let rows = apply(operation, to: weight, indices)
    guard let maxNorm else { return rows }
    let values = rows.detach()
    let norms = values.norm(normOrder, dim: -1, keepDim: true)
    // The small number is PyTorch's, so that the numbers are too.
    let shortened = Tensor.where(norms .> maxNorm, values * (maxNorm / (norms + 1e-7)), values)
    return rows + (shortened - values)
}

extension Shape {
    /// The sizes with those of `other` in place of the one of `axis`.
    func replacing(_ axis: Int, by other: Shape) -> Shape {
        Shape(self[..<axis]).appending(other).appending(self[(axis + 1)...])
    }

    func removing(_ axis: Int) -> Shape { replacing(axis, by: []) }
}
