#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// A tensor seen as [outer, size, inner]: `size` rows of `inner` elements along the axis that an index tensor names.
struct RowSpace {
    let outer: Int
    let size: Int
    let inner: Int

    init(_ shape: Shape, axis: Int) {
        outer = shape[..<axis].reduce(1, *)
        size = shape[axis]
        inner = shape[(axis + 1)...].reduce(1, *)
    }
}

extension CPU {
    /// The rows that `index` names (checked, row-major int64), put in place of `axis`.
    static func selectRows(_ x: Tensor, axis: Int, _ index: Tensor, to shape: Shape) -> Tensor {
        let space = RowSpace(x.shape, axis: axis)
        let y = Tensor(uninitialized: shape, dtype: x.dtype)
        if y.count == 0 { return y }
        // The strides of [outer, size, inner], when the memory has such.
        let blocked = Shape(space.outer, space.size).appending(space.inner)
        let strides = x.layout.stridesForReshape(to: blocked)
        let source = strides == nil ? contiguousCopy(x) : x
        let kernel = SelectRows(
            index: index.pointer(to: Int64.self), count: index.count, inner: space.inner, outer: space.outer,
            strides: strides ?? blocked.contiguousStrides, x: source.rawPointer, y: y.rawPointer)
        withExtendedLifetime((source, index)) { x.dtype.run(kernel) }
        return y
    }

    /// Zeros of `shape` with the rows of `x` added where `index` (checked, row-major int64) says. Rows that meet are added in their
    /// order, whatever the number of threads.
    static func addRows(_ x: Tensor, axis: Int, _ index: Tensor, into shape: Shape) -> Tensor {
        if x.dtype.isHalf {
            return convert(addRows(convert(x, to: .float32), axis: axis, index, into: shape), to: x.dtype)
        }
        let y = Tensor.zeros(shape, dtype: x.dtype)
        if x.count == 0 { return y }
        let source = contiguous(x)
        let kernel = AddRows(
            index: index.pointer(to: Int64.self), count: index.count, space: RowSpace(shape, axis: axis),
            x: source.rawPointer, y: y.rawPointer)
        withExtendedLifetime((source, index)) { x.dtype.run(kernel) }
        return y
    }

    /// Overwrites the rows of `target`, row-major and nobody else's, that `index` (checked, row-major int64) names; the last of equal
    /// indices wins.
    static func writeRows(_ x: Tensor, axis: Int, _ index: Tensor, into target: Tensor) {
        if x.count == 0 { return }
        let source = contiguous(x)
        let kernel = WriteRows(
            index: index.pointer(to: Int64.self), count: index.count,
            space: RowSpace(target.shape, axis: axis), x: source.rawPointer, y: target.rawPointer)
        withExtendedLifetime((source, index)) { x.dtype.run(kernel) }
    }
}

private struct SelectRows: WordKernel {
    let index: UnsafePointer<Int64>
    let count, inner, outer: Int
    let strides: Shape
    let x, y: UnsafeMutableRawPointer

    func run<Word: FixedWidthInteger & Sendable>(_ word: Word.Type) {
        let source = x.assumingMemoryBound(to: Word.self)
        let target = y.assumingMemoryBound(to: Word.self)
        let (outerStep, rowStep, step) = (strides[0], strides[1], strides[2])
        let (index, count, inner) = (index, count, inner)
        let rowBytes = inner * MemoryLayout<Word>.stride
        if inner == 1 {
            CPU.parallel(outer, block: CPU.blockSize(bytesEach: count * MemoryLayout<Word>.stride)) { blocks in
                for block in blocks {
                    let (from, to) = (source + block * outerStep, target + block * count)
                    for place in 0..<count { to[place] = from[Int(index[place]) * rowStep] }
                }
            }
            return
        }
        CPU.parallel(outer * count, block: CPU.blockSize(bytesEach: rowBytes)) { rows in
            for row in rows {
                let (block, place) = row.quotientAndRemainder(dividingBy: count)
                let begin = block * outerStep + Int(index[place]) * rowStep
                if step == 1 {
                    memcpy(target + row * inner, source + begin, rowBytes)
                } else {
                    for column in 0..<inner { target[row * inner + column] = source[begin + column * step] }
                }
            }
        }
    }
}

private struct WriteRows: WordKernel {
    let index: UnsafePointer<Int64>
    let count: Int
    let space: RowSpace
    let x, y: UnsafeMutableRawPointer

    func run<Word: FixedWidthInteger & Sendable>(_ word: Word.Type) {
        let source = x.assumingMemoryBound(to: Word.self)
        let target = y.assumingMemoryBound(to: Word.self)
        let inner = space.inner
        for block in 0..<space.outer {
            for place in 0..<count {
                let from = source + (block * count + place) * inner
                let to = target + (block * space.size + Int(index[place])) * inner
                if inner == 1 { to.pointee = from.pointee } else { to.update(from: from, count: inner) }
            }
        }
    }
}

private struct AddRows: SumKernel {
    let index: UnsafePointer<Int64>
    let count: Int
    let space: RowSpace
    let x, y: UnsafeMutableRawPointer

    /// Threads share the columns, never the rows: each sum is made by one thread in the order of the indices.
    private static let columnsPerBlock = 64

    func run<Element: Summable>(_ element: Element.Type) {
        let source = x.assumingMemoryBound(to: Element.self)
        let target = y.assumingMemoryBound(to: Element.self)
        let (index, count, size, inner) = (index, count, space.size, space.inner)
        let width = Swift.min(inner, Self.columnsPerBlock)
        let blocksPerRow = (inner + width - 1) / width
        let cost = count * width * MemoryLayout<Element>.stride
        CPU.parallel(space.outer * blocksPerRow, block: CPU.blockSize(bytesEach: cost)) { blocks in
            for block in blocks {
                let (outer, part) = block.quotientAndRemainder(dividingBy: blocksPerRow)
                let columns = part * width..<Swift.min((part + 1) * width, inner)
                for place in 0..<count {
                    let from = source + (outer * count + place) * inner
                    let to = target + (outer * size + Int(index[place])) * inner
                    for column in columns { Element.add(from[column], to: &to[column]) }
                }
            }
        }
    }
}
