extension CPU {
    /// y[i, j, …] = x[i, index[i, j, …], …] with the index in place of `axis`. `index` is checked, row-major int64.
    static func gather(_ x: Tensor, axis: Int, _ index: Tensor) -> Tensor {
        let y = Tensor(uninitialized: index.shape, dtype: x.dtype)
        if y.count == 0 { return y }
        let (steps, step) = stepsBeside(axis, x.strides)
        let kernel = GatherElements(
            nest: Nest(index.shape, y.strides, steps), step: step, index: index.pointer(to: Int64.self),
            x: x.rawPointer, y: y.rawPointer)
        withExtendedLifetime((x, index)) { x.dtype.run(kernel) }
        return y
    }

    /// Zeros of `shape` with the elements of `x` added where `index` says: the transpose of `gather`. `x` may be larger than the index.
    static func scatterAdd(_ x: Tensor, axis: Int, _ index: Tensor, into shape: Shape) -> Tensor {
        if x.dtype.isHalf {
            return convert(scatterAdd(convert(x, to: .float32), axis: axis, index, into: shape), to: x.dtype)
        }
        let y = Tensor.zeros(shape, dtype: x.dtype)
        if index.count == 0 { return y }
        let (steps, step) = stepsBeside(axis, y.strides)
        let kernel = ScatterSums(
            nest: Nest(index.shape, index.strides, x.strides, steps), step: step,
            index: index.pointer(to: Int64.self), x: x.rawPointer, y: y.rawPointer)
        withExtendedLifetime((x, index)) { x.dtype.run(kernel) }
        return y
    }

    /// Overwrites the elements of `target`, row-major and nobody else's, that `index` names; the last of equal places wins.
    static func scatter(_ x: Tensor, axis: Int, _ index: Tensor, into target: Tensor) {
        if index.count == 0 { return }
        let (steps, step) = stepsBeside(axis, target.strides)
        let kernel = ScatterElements(
            nest: Nest(index.shape, index.strides, x.strides, steps), step: step,
            index: index.pointer(to: Int64.self), x: x.rawPointer, y: target.rawPointer)
        withExtendedLifetime((x, index)) { x.dtype.run(kernel) }
    }

    /// The strides with the one of `axis` taken out, and that one: along it the index decides.
    private static func stepsBeside(_ axis: Int, _ strides: Shape) -> (others: Shape, along: Int) {
        if strides.isEmpty { return (strides, 0) }
        var others = strides
        others[axis] = 0
        return (others, strides[axis])
    }
}

extension CPU {
    /// y[b, c, p] = Σₜ w[b, t, p] · x[b, c, i[b, t, p]], where a weight of 0 takes nothing, also of what is not finite. Four channels at a time
    /// share what is read of w and i.
    static func weightedGather(_ x: Tensor, _ w: Tensor, _ index: Tensor) -> Tensor {
        let (x, w, index) = (contiguous(x), contiguous(w), contiguous(index))
        let y = Tensor(uninitialized: [x.shape[0], x.shape[1], w.shape[2]], dtype: x.dtype)
        withExtendedLifetime((x, w, index)) {
            x.dtype == .float32
                ? gatherWeighted(x, w, index, y, Float.self) : gatherWeighted(x, w, index, y, Double.self)
        }
        return y
    }

    @inline(__always)
    private static func gatherWeighted<T: BinaryFloatingPoint & BitwiseCopyable & Sendable>(
        _ x: Tensor, _ w: Tensor, _ index: Tensor, _ y: Tensor, _: T.Type
    ) {
        let (channels, size, taps, places) = (x.shape[1], x.shape[2], w.shape[1], w.shape[2])
        let groups = (channels + 3) / 4
        let (source, weights) = (x.pointer(to: T.self), w.pointer(to: T.self))
        let (indices, target) = (index.pointer(to: Int64.self), y.freshPointer(to: T.self))
        parallel(x.shape[0] * groups, block: blockSize(bytesEach: places * taps * 32)) { blocks in
            for block in blocks {
                let (batch, first) = (block / groups, block % groups * 4)
                // Where there are fewer than four channels left the last one is computed several times over.
                let last = Swift.min(first + 3, channels - 1)
                let rows =
                    SIMD4(first, Swift.min(first + 1, last), Swift.min(first + 2, last), last) &+ batch * channels
                let (from, to) = (rows &* size, rows &* places)
                let taken = batch * taps * places
                for place in 0..<places {
                    var sum = SIMD4<Double>(repeating: 0)
                    for tap in 0..<taps {
                        let at = Int(indices[taken + tap * places + place])
                        let weight = Double(weights[taken + tap * places + place])
                        if weight == 0 { continue }
                        let elements = SIMD4(
                            Double(source[from[0] + at]), Double(source[from[1] + at]), Double(source[from[2] + at]),
                            Double(source[from[3] + at]))
                        sum += weight * elements
                    }
                    for channel in 0..<4 { target[to[channel] + place] = T(sum[channel]) }
                }
            }
        }
    }
}

private struct GatherElements: WordKernel {
    let nest: Nest
    let step: Int
    let index: UnsafePointer<Int64>
    let x, y: UnsafeMutableRawPointer

    func run<Word: FixedWidthInteger & Sendable>(_ word: Word.Type) {
        let source = x.assumingMemoryBound(to: Word.self)
        let target = y.assumingMemoryBound(to: Word.self)
        let (nest, step, index) = (nest, step, index)
        CPU.parallel(nest.rows, block: CPU.blockSize(bytesEach: nest.inner * 16)) { rows in
            for row in rows {
                // The result and the index are both row-major, in step.
                let (begin, from, _, _) = nest.begin(row)
                for place in 0..<nest.inner {
                    target[begin + place] = source[from + place * nest.steps.1 + Int(index[begin + place]) * step]
                }
            }
        }
    }
}

private struct ScatterSums: SumKernel {
    let nest: Nest
    let step: Int
    let index: UnsafePointer<Int64>
    let x, y: UnsafeMutableRawPointer

    func run<Element: Summable>(_ element: Element.Type) {
        let source = x.assumingMemoryBound(to: Element.self)
        let target = y.assumingMemoryBound(to: Element.self)
        for row in 0..<nest.rows {
            let (begin, from, to, _) = nest.begin(row)
            for place in 0..<nest.inner {
                let offset = Int(index[begin + place * nest.steps.0]) * step
                Element.add(source[from + place * nest.steps.1], to: &target[to + place * nest.steps.2 + offset])
            }
        }
    }
}

private struct ScatterElements: WordKernel {
    let nest: Nest
    let step: Int
    let index: UnsafePointer<Int64>
    let x, y: UnsafeMutableRawPointer

    func run<Word: FixedWidthInteger & Sendable>(_ word: Word.Type) {
        let source = x.assumingMemoryBound(to: Word.self)
        let target = y.assumingMemoryBound(to: Word.self)
        for row in 0..<nest.rows {
            let (begin, from, to, _) = nest.begin(row)
            for place in 0..<nest.inner {
                let offset = Int(index[begin + place * nest.steps.0]) * step
                target[to + place * nest.steps.2 + offset] = source[from + place * nest.steps.1]
            }
        }
    }
}

extension CPU {
    /// Joins the elements of `x` with those of `target`, row-major and nobody else's, that `index` names.
    static func scatterReduce(
        _ x: Tensor, axis: Int, _ index: Tensor, _ kind: ScatterReduce.Kind, includesSelf: Bool, into target: Tensor
    ) {
        if index.count == 0 { return }
        if target.dtype.isHalf {
            let wide = convert(target, to: .float32)
            scatterReduce(convert(x, to: .float32), axis: axis, index, kind, includesSelf: includesSelf, into: wide)
            copy(convert(wide, to: target.dtype), into: target, layout: target.layout)
            return
        }
        if !includesSelf {
            // What is written first is either neutral, or one of those that meet there.
            let start = kind == .product ? Tensor.ones(index.shape, dtype: x.dtype) : x
            scatter(start, axis: axis, index, into: target)
        }
        let (steps, step) = stepsBeside(axis, target.strides)
        let kernel = ScatterJoins(
            nest: Nest(index.shape, index.strides, x.strides, steps), step: step, kind: kind,
            index: index.pointer(to: Int64.self), x: x.rawPointer, y: target.rawPointer)
        withExtendedLifetime((x, index)) { x.dtype.run(kernel) }
    }
}

private struct ScatterJoins: SumKernel {
    let nest: Nest
    let step: Int
    let kind: ScatterReduce.Kind
    let index: UnsafePointer<Int64>
    let x, y: UnsafeMutableRawPointer

    func run<Element: Summable>(_ element: Element.Type) {
        let source = x.assumingMemoryBound(to: Element.self)
        let target = y.assumingMemoryBound(to: Element.self)
        for row in 0..<nest.rows {
            let (begin, from, to, _) = nest.begin(row)
            for place in 0..<nest.inner {
                let offset = Int(index[begin + place * nest.steps.0]) * step
                let value = source[from + place * nest.steps.1]
                let joined = to + place * nest.steps.2 + offset
                switch kind {
                case .product: Element.multiply(value, into: &target[joined])
                case .maximum: if value > target[joined] || value != value { target[joined] = value }
                case .minimum: if value < target[joined] || value != value { target[joined] = value }
                }
            }
        }
    }
}
