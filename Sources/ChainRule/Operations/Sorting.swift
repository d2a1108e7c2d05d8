let sortingOperations: [any Operation.Type] = [SortedPlaces.self, SearchSorted.self, Distinct.self]

/// The places of the first elements of each line in sorted order, int64. The values are gathered with it, and so are gradients.
struct SortedPlaces: UnaryOperation, NotDifferentiable {
    let axis: Int
    let descending: Bool
    /// How many of them.
    let limit: Int
    static let name = "argsort"
    static let dtypes: DTypes = .all
    static let reason = "places are integers"
    func forward(_ x: Tensor) -> Tensor {
        CPU.sortedPlaces(x, axis: axis, descending: descending, limit: limit, name: Self.name)
    }
}

/// Where values belong in sorted lines, int64.
struct SearchSorted: BinaryOperation, NotDifferentiable {
    let right: Bool
    static let name = "searchsorted"
    static let dtypes: DTypes = .all
    static let reason = "places are integers"
    func forward(_ sequence: Tensor, _ values: Tensor) -> Tensor {
        CPU.searchSorted(sequence, values, right: right)
    }
}

/// The different parts along the first axis, which of them each part is, and how often each occurs.
struct Distinct: VariadicOperation, NotDifferentiable, DataDependentShape {
    let consecutive: Bool
    static let name = "unique"
    static let dtypes: DTypes = .all
    static let reason = "which parts are different jumps from one value to the next"
    func forward(_ inputs: [Tensor]) -> [Tensor] {
        let x = inputs[0]
        let rows = x.shape[0]
        let columns = x.shape.dropFirst().reduce(1, *)
        let found = CPU.distinctRows(x, rows: rows, columns: columns, consecutive: consecutive)
        var shape = x.shape
        shape[0] = found.firsts.count
        let values = CPU.selectRows(x, axis: 0, Tensor(found.firsts), to: shape)
        return [values, Tensor(found.inverse), Tensor(found.counts)]
    }
}

extension Tensor {
    /// The elements along `dim` in ascending (or descending) order, and the places where they stood. Equal elements keep their
    /// order; NaN counts as the largest. The values are differentiable. O(n) for long lines, O(n log n) for short ones.
    public func sort(dim: Int = -1, descending: Bool = false) -> (values: Tensor, indices: Tensor) {
        guard let axis = axis(dim, in: "sort") else { return (.placeholderAfterError, .placeholderAfterError) }
        return sorted(axis, descending: descending, limit: rank == 0 ? 1 : shape[axis])
    }

    /// The places of the elements along `dim` in sorted order; equal elements keep their order.
    public func argsort(dim: Int = -1, descending: Bool = false) -> Tensor {
        guard let axis = axis(dim, in: "argsort") else { return .placeholderAfterError }
        let limit = rank == 0 ? 1 : shape[axis]
        return apply(SortedPlaces(axis: axis, descending: descending, limit: limit), to: self)
    }

    /// The `k` largest (or smallest) elements along `dim`, in order, and where they stand. The values are differentiable.
    public func topk(_ k: Int, dim: Int = -1, largest: Bool = true) -> (values: Tensor, indices: Tensor) {
        guard let axis = axis(dim, in: "topk") else { return (.placeholderAfterError, .placeholderAfterError) }
        let size = rank == 0 ? 1 : shape[axis]
        guard k >= 0 && k <= size else {
            let error = fail(
                "topk", "k = \(k) is out of range for axis \(axis) of shape \(shape) (expected 0 to \(size))")
            return (error, error)
        }
        return sorted(axis, descending: largest, limit: k)
    }

    /// The `k`-th smallest element along `dim` (1 is the smallest) and where it stands. The value is differentiable.
    public func kthvalue(_ k: Int, dim: Int = -1, keepDim: Bool = false) -> (values: Tensor, indices: Tensor) {
        guard let axis = axis(dim, in: "kthvalue") else { return (.placeholderAfterError, .placeholderAfterError) }
        let size = rank == 0 ? 1 : shape[axis]
        guard k >= 1 && k <= size else {
            let error = fail(
                "kthvalue", "k = \(k) is out of range for axis \(axis) of shape \(shape) (expected 1 to \(size))")
            return (error, error)
        }
        if rank == 0 { return sorted(0, descending: false, limit: 1) }
        let smallest = apply(SortedPlaces(axis: axis, descending: false, limit: k), to: self)
        let indices = smallest.narrowed(axis, k - 1, 1)
        let values = gather(dim: axis, indices)
        return keepDim ? (values, indices) : (values.squeeze(dim: axis), indices.squeeze(dim: axis))
    }

    private func sorted(_ axis: Int, descending: Bool, limit: Int) -> (values: Tensor, indices: Tensor) {
        if rank == 0 && limit == 0 { return (reshape([1]).narrowed(0, 0, 0), .zeros([0], dtype: .int64)) }
        let indices = apply(SortedPlaces(axis: axis, descending: descending, limit: limit), to: self)
        return (gather(dim: axis, indices), indices)
    }

    /// Where `values` belong in the sorted lines of this tensor: the first place that keeps them sorted, or the last with `right`.
    /// int64, in the shape of `values`. One line serves values of any shape; else all axes but the last must agree.
    public func searchsorted(_ values: Tensor, right: Bool = false) -> Tensor {
        let fits =
            rank == 1 || (rank > 1 && rank == values.rank && shape.dropLast().elementsEqual(values.shape.dropLast()))
        guard fits else {
            return fail(
                "searchsorted",
                "the sorted lines have shape \(shape) and the values \(values.shape); all axes but the last must agree")
        }
        let common = DType.promote(dtype, values.dtype)
        return apply(SearchSorted(right: right), to: to(common), values.to(common))
    }

    /// For each element the number of the bucket it falls into, between the sorted `boundaries`; see `searchsorted`.
    public func bucketize(_ boundaries: Tensor, right: Bool = false) -> Tensor {
        guard boundaries.rank == 1 else {
            return fail("bucketize", "the boundaries must be a vector, their shape is \(boundaries.shape)")
        }
        return boundaries.searchsorted(self, right: right)
    }

    /// Which elements are among those of another tensor (with `invert`: are not); booleans. NaN is nowhere among them.
    public func isin(_ testElements: Tensor, invert: Bool = false) -> Tensor {
        let common = Tensor.resultType(self, testElements)
        let (x, test) = (detach().to(common), testElements.detach().to(common))
        guard test.count > 0 else { return Tensor.full(shape, invert ? 1 : 0, dtype: .bool) }
        let sorted = test.reshape([test.count]).sort().values
        let places = sorted.searchsorted(x).clamp(max: sorted.count - 1)
        let nearest = sorted.indexSelect(dim: 0, places.reshape([count])).reshape(shape)
        return invert ? x .!= nearest : x .== nearest
    }

    /// The different elements in ascending order, which of them each element is, and how often each occurs. With `dim` the
    /// different parts along that axis.
    public func unique(dim: Int? = nil) -> (values: Tensor, inverse: Tensor, counts: Tensor) {
        distinct(dim, consecutive: false)
    }

    /// The first element of each run of equal ones, the run that each element is in, and the runs' lengths. With `dim` runs of equal
    /// parts along that axis.
    public func uniqueConsecutive(dim: Int? = nil) -> (values: Tensor, inverse: Tensor, counts: Tensor) {
        distinct(dim, consecutive: true)
    }

    private func distinct(_ dim: Int?, consecutive: Bool) -> (values: Tensor, inverse: Tensor, counts: Tensor) {
        let operation = Distinct(consecutive: consecutive)
        guard let dim, rank > 0 else {
            let outputs = apply(operation, to: [reshape([count])])
            return (outputs[0], outputs[1].reshape(shape), outputs[2])
        }
        guard let axis = axis(dim, in: "unique") else {
            return (.placeholderAfterError, .placeholderAfterError, .placeholderAfterError)
        }
        let outputs = apply(operation, to: [movedim(axis, 0)])
        return (outputs[0].movedim(0, axis), outputs[1], outputs[2])
    }
}
