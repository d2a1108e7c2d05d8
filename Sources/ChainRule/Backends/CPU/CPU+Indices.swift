extension CPU {
    /// The indices as a row-major int64 tensor, or nil after an error when they are no integers.
    static func indices(_ index: Tensor, in operation: String) -> Tensor? {
        guard index.dtype.isInteger else {
            fail(operation, "indices must be integers (int64), this tensor is \(index.dtype)")
            return nil
        }
        return contiguous(convert(index, to: .int64))
    }

    /// The same, each index checked to be one of 0..<size. `what` completes "is out of range for ..., which has size 3".
    static func indices(_ index: Tensor, below size: Int, in operation: String, for what: () -> String) -> Tensor? {
        guard let index = indices(index, in: operation) else { return nil }
        let values = index.pointer(to: Int64.self)
        defer { withExtendedLifetime(index) {} }
        // Unsigned, so that one comparison finds negative ones too; no early exit, so that it runs at full width.
        let limit = UInt64(size)
        var isOutside = false
        for place in 0..<index.count { isOutside = isOutside || UInt64(bitPattern: values[place]) >= limit }
        guard isOutside else { return index }
        let place = (0..<index.count).first { UInt64(bitPattern: values[$0]) >= limit } ?? 0
        reportIndex(values[place], at: place, of: index.shape, lowest: 0, size: size, in: operation, for: what())
        return nil
    }

    /// The indices with those below 0 counted from the end of an axis of `size` places.
    static func wrappedIndices(_ index: Tensor, size: Int, in operation: String, for what: () -> String) -> Tensor? {
        guard let index = indices(index, in: operation) else { return nil }
        let values = index.pointer(to: Int64.self)
        defer { withExtendedLifetime(index) {} }
        let limit = Int64(size)
        var hasNegative = false
        for place in 0..<index.count {
            let value = values[place]
            if value >= limit || value < -limit {
                reportIndex(value, at: place, of: index.shape, lowest: -size, size: size, in: operation, for: what())
                return nil
            }
            hasNegative = hasNegative || value < 0
        }
        guard hasNegative else { return index }
        let wrapped = Tensor(uninitialized: index.shape, dtype: .int64)
        let output = wrapped.freshPointer(to: Int64.self)
        for place in 0..<index.count { output[place] = values[place] < 0 ? values[place] + limit : values[place] }
        return wrapped
    }

    private static func reportIndex(
        _ value: Int64, at place: Int, of shape: Shape, lowest: Int, size: Int, in operation: String, for what: String
    ) {
        let position = shape.isEmpty ? "" : " at position \(shape.position(of: place)) of the index tensor"
        let valid = size == 0 ? "it is empty" : "expected \(lowest) to \(size - 1)"
        fail(operation, "index \(value)\(position) is out of range for \(what), which has size \(size) (\(valid))")
    }
}

extension Shape {
    /// Where the element with this row-major number lies.
    func position(of place: Int) -> Shape {
        var rest = place
        var result = self
        for axis in stride(from: count - 1, through: 0, by: -1) {
            (rest, result[axis]) = rest.quotientAndRemainder(dividingBy: Swift.max(self[axis], 1))
        }
        return result
    }
}

extension CPU {
    /// The positions of the elements that are not zero: [how many, rank], int64.
    static func nonzero(_ x: Tensor) -> Tensor {
        let mask = contiguous(convert(x, to: .bool))
        return withExtendedLifetime(mask) {
            truePositions(UnsafeBufferPointer(start: mask.pointer(to: UInt8.self), count: mask.count), of: x.shape)
        }
    }

    private static func truePositions(_ mask: UnsafeBufferPointer<UInt8>, of shape: Shape) -> Tensor {
        var total = 0
        for isTrue in mask { total += isTrue == 0 ? 0 : 1 }
        let rank = shape.count
        let y = Tensor(uninitialized: [total, rank], dtype: .int64)
        var output = y.freshPointer(to: Int64.self)
        for place in 0..<mask.count where mask[place] != 0 {
            var rest = place
            for axis in stride(from: rank - 1, through: 0, by: -1) {
                let size = shape[axis]
                output[axis] = Int64(axis == 0 ? rest : rest % size)
                rest = axis == 0 ? 0 : rest / size
            }
            output += rank
        }
        return y
    }
}
