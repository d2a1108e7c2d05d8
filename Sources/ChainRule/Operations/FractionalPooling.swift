// Maxima over windows whose distances alternate at random between two whole numbers, so that the sizes shrink by any factor (Graham 2014,
// arXiv 1412.6071).

extension Tensor {
    /// The maximum of each of `outputSize` windows over the last two axes: (N, C, H, W) or (C, H, W).
    ///
    /// - Parameters:
    ///   - kernelSize: Of the windows; they overlap where the axis is short of room.
    ///   - samples: Where the windows begin, as numbers from 0 to 1, (N, C, 2): for each plane one for the width and one for the height. Drawn
    ///     when not given.
    public func fractionalMaxPool2d(
        kernelSize: SpatialSize, outputSize: SpatialSize, samples: Tensor? = nil, generator: Generator = .default
    ) -> (values: Tensor, indices: Tensor) {
        fractionallyPooled(2, kernelSize, outputSize, samples, generator, "fractionalMaxPool2d")
    }

    /// The maximum of each of `outputSize` windows over the last three axes: (N, C, D, H, W) or (C, D, H, W), with samples (N, C, 3) for
    /// depth, height and width.
    public func fractionalMaxPool3d(
        kernelSize: SpatialSize, outputSize: SpatialSize, samples: Tensor? = nil, generator: Generator = .default
    ) -> (values: Tensor, indices: Tensor) {
        fractionallyPooled(3, kernelSize, outputSize, samples, generator, "fractionalMaxPool3d")
    }

    private func fractionallyPooled(
        _ axes: Int, _ kernelSize: SpatialSize, _ outputSize: SpatialSize, _ samples: Tensor?, _ generator: Generator,
        _ name: String
    ) -> (values: Tensor, indices: Tensor) {
        guard isPoolable(axes, name) else { return (self, self) }
        let batched = rank == axes + 2 ? self : unsqueeze(dim: 0)
        let (input, planes) = (Array(shape.suffix(axes)), batched.shape[0] * batched.shape[1])
        let (kernel, output) = (kernelSize.sizes(axes, in: name), outputSize.sizes(axes, in: name))
        let draws = samples ?? .rand([batched.shape[0], batched.shape[1], axes], dtype: dtype, generator: generator)
        guard (0..<axes).allSatisfy({ kernel[$0] > 0 && output[$0] > 0 && output[$0] + kernel[$0] - 1 <= input[$0] }),
            draws.shape == [batched.shape[0], batched.shape[1], axes]
        else {
            let wrong = fail(
                name,
                "\(output) windows of \(kernel) with samples of shape \(draws.shape) do not fit an input of shape \(shape)"
            )
            return (wrong, wrong)
        }
        // The elements of each window, as places in their plane: (planes, outputs..., kernel...), axis by axis.
        var places = Tensor.zeros(Shape([planes] + [Int](repeating: 1, count: 2 * axes)), dtype: .int64)
        for axis in 0..<axes {
            let sample = draws.reshape([planes, axes])[0..., axes == 2 ? 1 - axis : axis]
            let starts = sample.windowStarts(output[axis], of: kernel[axis], in: input[axis])
            var shape = Shape(repeating: 1, count: 2 * axes + 1)
            (shape[0], shape[axis + 1], shape[axis + axes + 1]) = (planes, output[axis], kernel[axis])
            let own = starts.unsqueeze(dim: 2) + Tensor.arange(kernel[axis])
            places = places * input[axis] + own.reshape(shape)
        }
        let windows = places.reshape([planes, -1])
        let elements = batched.reshape([planes, -1]).gather(dim: 1, windows)
        let size = kernel.reduce(1, *)
        let picked = elements.reshape([planes, -1, size]).max(dim: 2)
        let indices = windows.reshape([planes, -1, size]).gather(dim: 2, picked.indices.unsqueeze(dim: 2))
        let target = Shape(shape.dropLast(axes) + output)
        return (picked.values.reshape(target), indices.reshape(target))
    }

    /// Where `count` windows begin, for each of these numbers from 0 to 1: ⌊(i + u) α⌋ − ⌊u α⌋ with α the distance that spreads them over the
    /// axis, and the last one at its end. (planes) gives (planes, count).
    private func windowStarts(_ count: Int, of kernel: Int, in size: Int) -> Tensor {
        let last = Tensor.full([self.count, 1], size - kernel, dtype: .int64)
        if count == 1 { return last }
        let step = Double(size - kernel) / Double(count - 1)
        let u = unsqueeze(dim: 1)
        let starts = ((u + Tensor.arange(count - 1)) * step).trunc() - (u * step).trunc()
        return cat([starts.to(.int64), last], dim: 1)
    }
}
