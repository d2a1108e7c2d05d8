// Max pooling undone as far as it goes: each maximum back in its place, zeros elsewhere. A scatter over flattened planes.

extension Tensor {
    /// The maxima of `maxPool1dWithIndices` put back where they were, zeros elsewhere: (N, C, L′) or (C, L′) gives (…, L),
    /// L = (L′ − 1) stride − 2 padding + kernelSize unless `outputSize` says otherwise, by less than a stride.
    public func maxUnpool1d(
        _ indices: Tensor, kernelSize: SpatialSize, stride: SpatialSize? = nil, padding: SpatialSize = 0,
        outputSize: SpatialSize? = nil
    ) -> Tensor {
        maxUnpooled(1, indices, kernelSize, stride, padding, outputSize, "maxUnpool1d")
    }

    /// The maxima of `maxPool2dWithIndices` put back where they were; see `maxUnpool1d`.
    public func maxUnpool2d(
        _ indices: Tensor, kernelSize: SpatialSize, stride: SpatialSize? = nil, padding: SpatialSize = 0,
        outputSize: SpatialSize? = nil
    ) -> Tensor {
        maxUnpooled(2, indices, kernelSize, stride, padding, outputSize, "maxUnpool2d")
    }

    /// The maxima of `maxPool3dWithIndices` put back where they were; see `maxUnpool1d`.
    public func maxUnpool3d(
        _ indices: Tensor, kernelSize: SpatialSize, stride: SpatialSize? = nil, padding: SpatialSize = 0,
        outputSize: SpatialSize? = nil
    ) -> Tensor {
        maxUnpooled(3, indices, kernelSize, stride, padding, outputSize, "maxUnpool3d")
    }

    private func maxUnpooled(
        _ axes: Int, _ indices: Tensor, _ kernel: SpatialSize, _ stride: SpatialSize?, _ padding: SpatialSize,
        _ outputSize: SpatialSize?, _ name: String
    ) -> Tensor {
        guard rank == axes + 1 || rank == axes + 2, indices.shape == shape else {
            return fail(
                name,
                "takes \(axes + 1) or \(axes + 2) axes and as many indices as elements, the shapes are \(shape) and \(indices.shape)"
            )
        }
        let (window, margins) = (kernel.sizes(axes, in: name), padding.sizes(axes, in: name))
        let steps = (stride ?? kernel).sizes(axes, in: name)
        let pooled = Array(shape.suffix(axes))
        let natural = (0..<axes).map { axis -> Int in
            let spread = (pooled[axis] - 1) * steps[axis]
            return spread - 2 * margins[axis] + window[axis]
        }
        let output = outputSize?.sizes(axes, in: name) ?? natural
        let fits = (0..<axes).allSatisfy { axis in
            output[axis] >= 0 && (output[axis] - natural[axis]).magnitude < steps[axis]
        }
        guard fits else {
            return fail(name, "the output \(output) must differ from \(natural) by less than the stride \(steps)")
        }
        let planes: Shape = [shape.dropLast(axes).reduce(1, *), pooled.reduce(1, *)]
        let empty = Tensor.zeros([planes[0], output.reduce(1, *)], dtype: dtype)
        let filled = empty.scatter(dim: 1, indices.reshape(planes), reshape(planes))
        return filled.reshape(Shape(Array(shape.dropLast(axes)) + output))
    }
}
