/// What stands beyond the ends of a padded tensor.
public enum PaddingMode: Sendable {
    /// One number.
    case constant
    /// The elements mirrored at the first and the last one: 2 1 | 0 1 2 | 1 0.
    case reflect
    /// The first and the last element: 0 0 | 0 1 2 | 2 2.
    case replicate
    /// The elements from the other end: 1 2 | 0 1 2 | 0 1.
    case circular
}

extension Tensor {
    /// Adds elements at the ends of the last axes; negative sizes take some away.
    ///
    /// - Parameters:
    ///   - sizes: Two for each axis, from the last axis on: [left, right, top, bottom, ...].
    ///   - value: What a constant padding consists of.
    public func pad(_ sizes: [Int], mode: PaddingMode = .constant, value: some ScalarOperand = 0) -> Tensor {
        guard sizes.count % 2 == 0, sizes.count <= 2 * rank else {
            return fail("pad", "takes two sizes for each of at most \(rank) axes of shape \(shape), got \(sizes)")
        }
        guard sizes.allSatisfy({ $0.magnitude < 1 << 56 }) else {
            return fail("pad", "sizes \(sizes) make a tensor that is larger than any memory")
        }
        let pairs = stride(from: 0, to: sizes.count, by: 2).map {
            (axis: rank - 1 - $0 / 2, before: sizes[$0], after: sizes[$0 + 1])
        }
        for pair in pairs where !isPaddable(pair, mode) { return .placeholderAfterError }
        if mode == .constant { return padded(pairs, with: value.scalar) }
        return pairs.reduce(self) { $0.extended($1, mode) }
    }

    private typealias AxisPadding = (axis: Int, before: Int, after: Int)

    private func isPaddable(_ padding: AxisPadding, _ mode: PaddingMode) -> Bool {
        let size = shape[padding.axis]
        let cut =
            mode == .constant
            ? Swift.min(padding.before, 0) + Swift.min(padding.after, 0) : padding.before + padding.after
        guard size + cut >= 0 else {
            fail("pad", "takes \(-cut) of the \(size) places of axis \(padding.axis) of shape \(shape) away")
            return false
        }
        let most = Swift.max(padding.before, padding.after)
        let limit: Int
        switch mode {
        case .constant: return true
        case .reflect: limit = size - 1
        case .replicate: limit = size > 0 ? .max : 0
        case .circular: limit = size
        }
        if most <= limit || most <= 0 { return true }
        fail(
            "pad", "mode .\(mode) has at most \(limit) elements for axis \(padding.axis) of \(shape), asked for \(most)"
        )
        return false
    }

    /// A constant tensor with this one, or what is left of it, set into it.
    private func padded(_ pairs: [AxisPadding], with value: Scalar) -> Tensor {
        var (target, inner) = (shape, self)
        for (axis, before, after) in pairs {
            target[axis] += before + after
            let length = shape[axis] + Swift.min(before, 0) + Swift.min(after, 0)
            if length < shape[axis] { inner = inner.narrow(dim: axis, start: Swift.max(-before, 0), length: length) }
        }
        if target == inner.shape { return inner }
        var region = Region(whole: target)
        for (axis, before, _) in pairs {
            (region.starts[axis], region.sizes[axis]) = (Swift.max(before, 0), inner.shape[axis])
        }
        if value.double == 0 && dtype.isFloatingPoint { return apply(SliceScatter(region: region), to: inner) }
        return apply(SliceAssign(region: region), to: Tensor.full(target, value, dtype: dtype), inner)
    }

    /// One axis with elements of its own added at its ends.
    private func extended(_ padding: AxisPadding, _ mode: PaddingMode) -> Tensor {
        let (axis, before, after) = padding
        if before == 0 && after == 0 { return self }
        let size = shape[axis]
        // What comes round from the other end is what was not cut off there.
        let (first, left) = (Swift.max(-before, 0), size + Swift.min(before, 0) + Swift.min(after, 0))
        func elements(_ places: Range<Int>) -> Tensor {
            let sources = places.map { place in
                switch mode {
                case .replicate, .constant: Swift.min(Swift.max(place, 0), size - 1)
                case .circular: first + (place - first + left) % Swift.max(left, 1)
                case .reflect: place < 0 ? -place : place < size ? place : 2 * (size - 1) - place
                }
            }
            return indexSelect(dim: axis, Tensor(sources))
        }
        if before < 0 || after < 0 { return elements(-before..<size + after) }
        return cat(
            [
                before > 0 ? elements(-before..<0) : nil, self, after > 0 ? elements(size..<size + after) : nil,
            ].compactMap { $0 }, dim: axis)
    }
}
