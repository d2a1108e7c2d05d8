import CKernels

// The loop descriptions that the C kernels take, built from layouts: axes of size 1 dropped, neighbours merged where every
// operand allows it, so that most loops end up one run of memory.

extension ck_loop {
    /// One run of `count` elements; an input's stride is 1, or 0 for a single number.
    @inline(__always)
    init(run count: Int, _ first: Int = 0, _ second: Int = 0, _ third: Int = 0) {
        self = ck_loop_run(Int64(count), Int64(first), Int64(second), Int64(third))
    }

    /// A nest over `shape`: `output` and the inputs are strides, one for each axis of `shape`.
    init(_ shape: Shape, output: Shape, _ first: Shape, _ second: Shape? = nil, _ third: Shape? = nil) {
        self.init()
        let second = second ?? first
        let third = third ?? first
        // Innermost first while merging; turned around at the end.
        var sizes = Shape()
        var steps = (Shape(), Shape(), Shape(), Shape())
        for axis in Swift.stride(from: shape.count - 1, through: 0, by: -1) where shape[axis] != 1 {
            let last = sizes.count - 1
            let merges =
                last >= 0
                && output[axis] == steps.0[last] * sizes[last] && first[axis] == steps.1[last] * sizes[last]
                && second[axis] == steps.2[last] * sizes[last] && third[axis] == steps.3[last] * sizes[last]
            if merges {
                sizes[last] *= shape[axis]
            } else {
                sizes.append(shape[axis])
                steps.0.append(output[axis])
                steps.1.append(first[axis])
                steps.2.append(second[axis])
                steps.3.append(third[axis])
            }
        }
        rank = Int32(sizes.count)
        sizes.writeReversed(to: &self.shape)
        steps.0.writeReversed(to: &strides.0)
        steps.1.writeReversed(to: &strides.1)
        steps.2.writeReversed(to: &strides.2)
        steps.3.writeReversed(to: &strides.3)
    }
}

extension ck_reduction_loop {
    /// Reduces `layout` over the axes for which `isReduced`.
    init(_ layout: Layout, reducing isReduced: (Int) -> Bool) {
        self.init()
        var (keptSizes, keptSteps, reducedSizes, reducedSteps) = (Shape(), Shape(), Shape(), Shape())
        var previous: Int?
        for axis in Swift.stride(from: layout.shape.count - 1, through: 0, by: -1) where layout.shape[axis] != 1 {
            let size = layout.shape[axis]
            let step = layout.strides[axis]
            let reduced = isReduced(axis)
            let isNeighbour = previous.map { isReduced($0) == reduced } ?? false
            previous = axis
            if reduced {
                merge(size, step, into: &reducedSizes, &reducedSteps, isNeighbour)
            } else {
                merge(size, step, into: &keptSizes, &keptSteps, isNeighbour)
            }
        }
        kept_rank = Int32(keptSizes.count)
        reduced_rank = Int32(reducedSizes.count)
        keptSizes.writeReversed(to: &kept_shape)
        keptSteps.writeReversed(to: &kept_strides)
        reducedSizes.writeReversed(to: &reduced_shape)
        reducedSteps.writeReversed(to: &reduced_strides)
    }
}

private func merge(_ size: Int, _ step: Int, into sizes: inout Shape, _ steps: inout Shape, _ isNeighbour: Bool) {
    let last = sizes.count - 1
    if isNeighbour && last >= 0 && step == steps[last] * sizes[last] {
        sizes[last] *= size
    } else {
        sizes.append(size)
        steps.append(step)
    }
}

/// Eight numbers of a C array, as Swift sees them.
typealias EightNumbers = (Int64, Int64, Int64, Int64, Int64, Int64, Int64, Int64)

extension Shape {
    func writeReversed(to numbers: inout EightNumbers) {
        withUnsafeMutableBytes(of: &numbers) { bytes in
            let target = bytes.assumingMemoryBound(to: Int64.self)
            for axis in 0..<count { target[axis] = Int64(self[count - 1 - axis]) }
        }
    }
}
