import CKernels

// Kernels of operations that place elements anew.

extension CPU {
    /// Writes the number `value` into `target`, nobody else's, where `mask`, which broadcasts to it, is true.
    static func fill(_ target: Tensor, where mask: Tensor, _ value: Tensor) {
        let zeros = Shape(repeating: 0, count: target.rank)
        var loop = ck_loop(
            target.shape, output: target.strides, mask.layout.broadcastStrides(to: target.shape), zeros, target.strides)
        ck_select(
            Int32(target.dtype.byteCount), &loop, target.rawPointer, mask.pointer(to: UInt8.self), value.rawPointer,
            target.rawPointer)
    }

    /// The matrices of the last two axes with zeros below (`keepsUpper`) or above a diagonal.
    static func triangle(_ x: Tensor, keepsUpper: Bool, diagonal: Int) -> Tensor {
        let y = contiguousCopy(x)
        let columns = x.shape[x.rank - 1]
        let bytes = x.dtype.byteCount
        if y.count == 0 { return y }
        for row in 0..<y.count / columns {
            // The first column above the diagonal in this row of its matrix, or the first on it.
            let edge = row % x.shape[x.rank - 2] + diagonal + (keepsUpper ? 0 : 1)
            let split = Swift.min(Swift.max(edge, 0), columns)
            let cleared = keepsUpper ? 0..<split : split..<columns
            // Zero is all bits zero in every dtype.
            let start = y.rawPointer + (row * columns + cleared.lowerBound) * bytes
            start.initializeMemory(as: UInt8.self, repeating: 0, count: cleared.count * bytes)
        }
        return y
    }

    /// Zeros with the windows added up where they lie.
    static func addWindows(_ x: Tensor, _ windows: WindowPlaces) -> Tensor {
        if x.dtype.isHalf { return convert(addWindows(convert(x, to: .float32), windows), to: x.dtype) }
        let y = Tensor.zeros(windows.from, dtype: x.dtype)
        if x.count == 0 { return y }
        let nest = Nest(x.shape, x.strides, windows.strides(in: y.strides))
        x.dtype.run(AddInNest(nest: nest, x: x.rawPointer, y: y.rawPointer))
        return y
    }
}

/// y += x, in order, where y may lie on itself.
private struct AddInNest: SumKernel {
    let nest: Nest
    let x, y: UnsafeMutableRawPointer

    func run<Element: Summable>(_ element: Element.Type) {
        let source = x.assumingMemoryBound(to: Element.self)
        let target = y.assumingMemoryBound(to: Element.self)
        for row in 0..<nest.rows {
            let (from, to, _, _) = nest.begin(row)
            for place in 0..<nest.inner {
                Element.add(source[from + place * nest.steps.0], to: &target[to + place * nest.steps.1])
            }
        }
    }
}
