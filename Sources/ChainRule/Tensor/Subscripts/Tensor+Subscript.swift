extension Tensor {
    /// The part at `index` of the first axis; negative ones count from the end. A view; setting it writes in place where nobody else
    /// uses the memory and nothing is recorded.
    public subscript(index: Int) -> Tensor {
        get {
            guard let region = region(at: index) else { return .placeholderAfterError }
            return apply(Slice(region: region), to: self)
        }
        set {
            guard let region = region(at: index) else { return }
            assign(newValue, to: region, shape: region.shape)
        }
    }

    /// The elements that the indices select (see `TensorIndex`): a view, or a copy where index tensors pick. Differentiable.
    ///
    /// What is set must broadcast to the shape of the selection and is converted to this dtype. The tensor is written in
    /// place where nobody else uses its memory and nothing is recorded; else it becomes a new one, and gradients flow to what
    /// stayed of the old value and to what was set.
    public subscript(indices: any TensorIndex...) -> Tensor {
        get { self[indices] }
        set { self[indices] = newValue }
    }

    /// The same for indices in an array.
    public subscript(indices: [any TensorIndex]) -> Tensor {
        get {
            guard let selection = IndexSelection(indices, in: shape) else { return .placeholderAfterError }
            return selected(selection)
        }
        set {
            guard let selection = IndexSelection(indices, in: shape) else { return }
            assign(newValue, to: selection)
        }
    }

    /// Sets all selected elements to one number, as in `x[mask] = 0`; reads the number where one element is selected.
    @_disfavoredOverload
    public subscript(indices: any TensorIndex...) -> any ScalarOperand {
        get {
            let selection = self[indices]
            return dtype.isFloatingPoint
                ? Scalar.floating(selection.item()) : Scalar.integer(selection.item(Int.self))
        }
        set { self[indices] = Tensor.full([], newValue.scalar, dtype: dtype) }
    }

    private func region(at index: Int) -> Region? {
        guard rank > 0 else {
            fail("subscript", "a single number (shape []) has no axis to index")
            return nil
        }
        var region = Region(whole: shape)
        return region.select(0, index, in: "subscript") ? region : nil
    }

    private func selected(_ selection: IndexSelection) -> Tensor {
        let view = apply(Slice(region: selection.region), to: self).reshape(selection.shape)
        guard let picks = selection.picks else { return view }
        let rows = view.arranged(for: picks)
        return apply(IndexSelect(axis: picks.firstAxis, from: picks.rows), to: rows, picks.index)
    }

    /// With the picked axes brought together and merged into one.
    private func arranged(for picks: IndexSelection.Picks) -> Tensor {
        let merged = reshape(picks.merged)
        return (picks.areNeighbours ? merged : merged.permute(picks.order)).reshape(picks.rows)
    }

    /// The inverse of `arranged`.
    private func restored(from picks: IndexSelection.Picks, to shape: Shape) -> Tensor {
        let ordered = reshape(picks.ordered)
        return (picks.areNeighbours ? ordered : ordered.permute(picks.order.inverted)).reshape(shape)
    }

    // MARK: Assignment

    private mutating func assign(_ value: Tensor, to selection: IndexSelection) {
        guard let picks = selection.picks else {
            return assign(value, to: selection.region, shape: selection.shape)
        }
        guard let value = fitted(value, to: picks.result) else { return }
        let source = value.expand(picks.result).reshape(picks.rowSource)
        let index = picks.index.expand(picks.common).reshape([picks.common.elementCount])
        if isRecorded(with: value) {
            let part = apply(Slice(region: selection.region), to: self)
            let rows = part.reshape(selection.shape).arranged(for: picks)
            let written = applyOne(IndexCopy(axis: picks.firstAxis), to: [rows, index, source])
            let restored = written.restored(from: picks, to: part.shape)
            self = apply(SliceAssign(region: selection.region), to: self, restored)
            return
        }
        makeUnique()
        if selection.region == Region(whole: shape) && picks.areNeighbours {
            CPU.writeRows(source, axis: picks.firstAxis, index, into: contiguousView(picks.rows))
            return
        }
        withoutGradient {
            let layout = selection.region.layout(in: layout)
            let rows = CPU.contiguousCopy(view(layout).reshape(selection.shape).arranged(for: picks))
            CPU.writeRows(source, axis: picks.firstAxis, index, into: rows)
            CPU.copy(rows.restored(from: picks, to: layout.shape), into: self, layout: layout)
        }
    }

    /// Writes to a region; `shape` is the region's with new axes.
    private mutating func assign(_ value: Tensor, to region: Region, shape: Shape) {
        guard let fitted = fitted(value, to: shape) else { return }
        let source = shape == region.shape ? fitted : fitted.expand(shape).reshape(region.shape)
        if isRecorded(with: source) {
            self = apply(SliceAssign(region: region), to: self, source)
            return
        }
        makeUnique()
        CPU.copy(source, into: self, layout: region.layout(in: layout))
    }

    /// Whether writing `value` into this tensor is something to record.
    private func isRecorded(with value: Tensor) -> Bool { node != nil || (value.node != nil && isRecording) }

    /// The value as this dtype, without leading axes of size 1 that are too many; nil, after an error, when it does not broadcast to
    /// `target`.
    private func fitted(_ value: Tensor, to target: Shape) -> Tensor? {
        var value = value
        while value.rank > target.count && value.shape.first == 1 { value = value.reshape(value.shape.removing(0)) }
        guard Shape.broadcast(value.shape, target) == target else {
            fail("subscript", "a value of shape \(value.shape) does not broadcast to the selected \(target)")
            return nil
        }
        return value.to(dtype)
    }
}

extension IndexSelection.Picks {
    /// The shape of the rows that are written: as many as there are indices.
    fileprivate var rowSource: Shape { rows.replacing(firstAxis, by: [common.elementCount]) }
}

extension Shape {
    /// The order that undoes this order of axes.
    var inverted: Shape {
        var result = self
        for (place, axis) in enumerated() { result[axis] = place }
        return result
    }
}
