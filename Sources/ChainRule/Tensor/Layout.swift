/// Where the elements of a tensor lie in its storage. Sizes, strides and offset count elements, not bytes.
struct Layout: Sendable {
    let shape: Shape
    let strides: Shape
    var offset: Int
    let elementCount: Int
    /// Row-major without gaps: the elements are one run of memory.
    let isContiguous: Bool

    @inline(__always)
    init(contiguous shape: Shape) {
        self.shape = shape
        strides = shape.contiguousStrides
        offset = 0
        elementCount = shape.elementCount
        isContiguous = true
    }

    init(shape: Shape, strides: Shape, offset: Int) {
        self.shape = shape
        self.strides = strides
        self.offset = offset
        elementCount = shape.elementCount
        isContiguous = Layout.isRowMajor(shape, strides)
    }

    private static func isRowMajor(_ shape: Shape, _ strides: Shape) -> Bool {
        if shape.contains(0) { return true }
        var expected = 1
        for axis in stride(from: shape.count - 1, through: 0, by: -1) {
            if shape[axis] == 1 { continue }
            if strides[axis] != expected { return false }
            expected *= shape[axis]
        }
        return true
    }

    /// The strides with which this layout is read as `target`: 0 along the axes that broadcasting expands.
    func broadcastStrides(to target: Shape) -> Shape {
        var result = Shape(repeating: 0, count: target.count)
        let lead = target.count - shape.count
        for axis in 0..<shape.count where shape[axis] == target[lead + axis] && shape[axis] != 1 {
            result[lead + axis] = strides[axis]
        }
        return result
    }

    /// The strides that give this memory the shape `target` without moving an element, or nil when there are none.
    func stridesForReshape(to target: Shape) -> Shape? {
        if isContiguous { return target.contiguousStrides }
        // Walk both shapes from the right; each run of source axes that is one piece of memory may be cut up anew.
        var result = Shape(repeating: 0, count: target.count)
        var targetAxis = target.count - 1
        var runStride = 0
        var runCount = 1
        for axis in stride(from: shape.count - 1, through: 0, by: -1) {
            if runCount == 1 { runStride = strides[axis] }
            runCount *= shape[axis]
            let runEnds = axis == 0 || (shape[axis - 1] != 1 && strides[axis - 1] != runCount * runStride)
            guard runEnds else { continue }
            while targetAxis >= 0 && (runCount > 1 || target[targetAxis] == 1) {
                guard runCount % target[targetAxis] == 0 else { return nil }
                result[targetAxis] = runStride
                runStride *= target[targetAxis]
                runCount /= target[targetAxis]
                targetAxis -= 1
            }
            guard runCount == 1 else { return nil }
        }
        return targetAxis < 0 ? result : nil
    }
}
