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
            if fill(indices, with: newValue) { return }
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

    /// This tensor with `values`, broadcast, at the places that the indices select; with `accumulate` added to what is there, as
    /// often as a place is named. Differentiable in both.
    public func indexPut(_ indices: [any TensorIndex], _ values: Tensor, accumulate: Bool = false) -> Tensor {
        guard let selection = IndexSelection(indices, in: shape),
            let values = fitted(values, to: selection.picks?.result ?? selection.shape)
        else { return .placeholderAfterError }
        if let picks = selection.picks { return writing(values, selection, picks, accumulate: accumulate) }
        let region = Slice(region: selection.region)
        let part = values.expand(selection.shape).reshape(selection.region.shape)
        return apply(
            SliceAssign(region: selection.region), to: self, accumulate ? apply(region, to: self) + part : part)
    }

    private func writing(
        _ value: Tensor, _ selection: IndexSelection, _ picks: IndexSelection.Picks, accumulate: Bool
    ) -> Tensor {
        let isWhole = selection.region == Region(whole: shape)
        let part = isWhole ? self : apply(Slice(region: selection.region), to: self)
        let rows = part.reshape(selection.shape).arranged(for: picks)
        let written = assigningRows(
            rows, axis: picks.firstAxis, picks.flatIndex, picks.rowSource(value), accumulate: accumulate)
        let restored = written.restored(from: picks, to: part.shape)
        return isWhole ? restored : apply(SliceAssign(region: selection.region), to: self, restored)
    }

    private mutating func assign(_ value: Tensor, to selection: IndexSelection) {
        guard let picks = selection.picks else {
            return assign(value, to: selection.region, shape: selection.shape)
        }
        guard let value = fitted(value, to: picks.result) else { return }
        if isRecorded(with: value) {
            self = writing(value, selection, picks, accumulate: false)
            return
        }
        makeUnique()
        let (source, index) = (picks.rowSource(value), picks.flatIndex)
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

    /// `x[mask] = number`, the usual case of a mask, needs no positions. False when that is not what is asked.
    private mutating func fill(_ indices: [any TensorIndex], with value: Tensor) -> Bool {
        guard indices.count == 1, value.count == 1, case .tensor(let mask) = indices[0].term.kind, mask.dtype == .bool,
            mask.rank > 0, mask.rank <= rank, shape.prefix(mask.rank).elementsEqual(mask.shape)
        else { return false }
        let number = value.to(dtype).reshape([])
        let covering = mask.reshape(mask.shape.appending(Shape(repeating: 1, count: rank - mask.rank)))
        if isRecorded(with: number) {
            self = .where(covering, number, self)
        } else {
            makeUnique()
            CPU.fill(self, where: covering, number)
        }
        return true
    }

    /// Writes to a region; `shape` is the region's with new axes.
    private mutating func assign(_ value: Tensor, to region: Region, shape: Shape) {
        guard let fitted = fitted(value, to: shape) else { return }
        let source = shape == region.shape ? fitted : fitted.expand(shape).reshape(region.shape)
        if isRecorded(with: source) {
            // Expanded here: an empty region beside a value of this tensor's shape would hide from the engine what was broadcast.
            self = apply(SliceAssign(region: region), to: self, source.expand(region.shape))
            return
        }
        makeUnique()
        CPU.copy(source, into: self, layout: region.layout(in: layout))
    }

    /// Whether writing `value` into this tensor is something to record.
    private func isRecorded(with value: Tensor) -> Bool {
        node != nil || (value.node != nil && isRecording) || isTraced
    }

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
    /// `index` with all axes as one.
    fileprivate var flatIndex: Tensor { index.expand(common).reshape([common.elementCount]) }

    /// What is written, as the rows that `flatIndex` names.
    fileprivate func rowSource(_ value: Tensor) -> Tensor {
        value.expand(result).reshape(rows.replacing(firstAxis, by: [common.elementCount]))
    }
}

extension Shape {
    /// The order that undoes this order of axes.
    var inverted: Shape {
        var result = self
        for (place, axis) in enumerated() { result[axis] = place }
        return result
    }
}
