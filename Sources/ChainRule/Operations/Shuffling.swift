// Channels turned into places and back, and windows as columns.

extension Tensor {
    /// (..., C r², H, W) to (..., C, H r, W r): each r² channels become the places of an r × r square (Shi et al. 2016).
    public func pixelShuffle(_ upscaleFactor: Int) -> Tensor {
        let r = upscaleFactor
        guard rank >= 3, r > 0, shape[rank - 3] % (r * r) == 0 else {
            return fail(
                "pixelShuffle", "the channels (third axis from the end) of shape \(shape) are no multiple of \(r)²")
        }
        let (batch, channels) = (Shape(shape.dropLast(3)), shape[rank - 3] / (r * r))
        let (height, width, first) = (shape[rank - 2], shape[rank - 1], rank - 3)
        let split = reshape(batch.appending([channels, r, r, height, width]))
        let order = Shape(0..<first).appending(Shape([0, 3, 1, 4, 2].map { first + $0 }))
        return split.permute(order).reshape(batch.appending([channels, height * r, width * r]))
    }

    /// (..., C, H r, W r) to (..., C r², H, W): the inverse of `pixelShuffle`.
    public func pixelUnshuffle(_ downscaleFactor: Int) -> Tensor {
        let r = downscaleFactor
        guard rank >= 3, r > 0, shape[rank - 2] % r == 0, shape[rank - 1] % r == 0 else {
            return fail("pixelUnshuffle", "the last two axes of shape \(shape) are no multiples of \(r)")
        }
        let (batch, channels) = (Shape(shape.dropLast(3)), shape[rank - 3])
        let (height, width, first) = (shape[rank - 2] / r, shape[rank - 1] / r, rank - 3)
        let split = reshape(batch.appending([channels, height, r, width, r]))
        let order = Shape(0..<first).appending(Shape([0, 2, 4, 1, 3].map { first + $0 }))
        return split.permute(order).reshape(batch.appending([channels * r * r, height, width]))
    }

    /// The channels (axis 1) in groups, dealt out in turn: g groups of n become n groups of g (Zhang et al. 2018).
    public func channelShuffle(_ groups: Int) -> Tensor {
        guard rank >= 3, groups > 0, shape[1] % groups == 0 else {
            return fail("channelShuffle", "\(groups) groups do not divide the channels (axis 1) of shape \(shape)")
        }
        let rest = shape.dropFirst(2).reduce(1, *)
        return reshape([shape[0], groups, shape[1] / groups, rest]).transpose(1, 2).reshape(shape)
    }

    /// The windows over the last two axes of (N, C, H, W) or (C, H, W) as columns: (N, C kh kw, windows).
    public func unfold(
        kernelSize: SpatialSize, dilation: SpatialSize = 1, padding: SpatialSize = 0, stride: SpatialSize = 1
    ) -> Tensor {
        let name = "unfold"
        if rank == 3 {
            return unsqueeze(dim: 0).unfold(
                kernelSize: kernelSize, dilation: dilation, padding: padding, stride: stride
            ).squeeze(dim: 0)
        }
        guard rank == 4,
            let windows = ColumnWindows(Shape(shape.suffix(2)), kernelSize, dilation, padding, stride, name)
        else {
            return rank == 4
                ? .placeholderAfterError : fail(name, "needs (N, C, H, W) or (C, H, W), the shape is \(shape)")
        }
        var y = pad([windows.padding[1], windows.padding[1], windows.padding[0], windows.padding[0]])
        for axis in 0..<2 {
            y = y.unfold(dim: 2 + axis, size: windows.spans[axis], step: windows.strides[axis])
            y = y.slice(dim: -1, by: windows.dilation[axis])
        }
        // (N, C, rows, columns, kh, kw)
        let (kernel, counts) = (windows.kernel, windows.counts)
        return y.permute(0, 1, 4, 5, 2, 3).reshape([shape[0], shape[1] * kernel[0] * kernel[1], counts[0] * counts[1]])
    }

    /// Columns (N, C kh kw, windows) or (C kh kw, windows) added up where their windows lie: (N, C, H, W). The transpose of `unfold`.
    ///
    /// - Parameter outputSize: H and W.
    public func fold(
        outputSize: SpatialSize, kernelSize: SpatialSize, dilation: SpatialSize = 1, padding: SpatialSize = 0,
        stride: SpatialSize = 1
    ) -> Tensor {
        let name = "fold"
        if rank == 2 {
            return unsqueeze(dim: 0).fold(
                outputSize: outputSize, kernelSize: kernelSize, dilation: dilation, padding: padding, stride: stride
            ).squeeze(dim: 0)
        }
        let output = outputSize.sizes(2, in: name)
        guard let windows = ColumnWindows(Shape(output), kernelSize, dilation, padding, stride, name) else {
            return .placeholderAfterError
        }
        let (kernel, counts) = (windows.kernel, windows.counts)
        let places = kernel[0] * kernel[1]
        guard rank == 3, shape[1] % Swift.max(places, 1) == 0, shape[2] == counts[0] * counts[1] else {
            return fail(name, "columns of shape \(shape) are not (N, C · \(places), \(counts[0] * counts[1]))")
        }
        let channels = shape[1] / places
        var y = reshape([shape[0], channels, kernel[0], kernel[1], counts[0], counts[1]]).permute(0, 1, 4, 5, 2, 3)
        for axis in [1, 0] {
            let padded = output[axis] + 2 * windows.padding[axis]
            y = y.spread(along: y.rank - 1, by: windows.dilation[axis], to: windows.spans[axis])
            var target = Shape(y.shape.dropLast())
            target[2 + axis] = padded
            let place = WindowPlaces(
                from: target, axis: 2 + axis, size: windows.spans[axis], step: windows.strides[axis])
            y = apply(Fold(windows: place), to: y)
        }
        let crop = [-windows.padding[1], -windows.padding[1], -windows.padding[0], -windows.padding[0]]
        return y.pad(crop)
    }

    /// Zeros between the places of an axis, which then are `step` apart.
    private func spread(along axis: Int, by step: Int, to size: Int) -> Tensor {
        if step == 1 { return self }
        var target = shape
        target[axis] = size
        var region = Region(whole: target)
        (region.sizes[axis], region.steps[axis]) = (shape[axis], step)
        return apply(SliceScatter(region: region), to: self)
    }
}

/// The windows of `unfold` and `fold` over two axes.
private struct ColumnWindows {
    let kernel, dilation, padding, strides: [Int]
    /// How far a window reaches, and how many there are.
    let spans, counts: [Int]

    init?(
        _ plane: Shape, _ kernel: SpatialSize, _ dilation: SpatialSize, _ padding: SpatialSize, _ stride: SpatialSize,
        _ name: String
    ) {
        self.kernel = kernel.sizes(2, in: name)
        self.dilation = dilation.sizes(2, in: name)
        self.padding = padding.sizes(2, in: name)
        strides = stride.sizes(2, in: name)
        guard (self.kernel + self.dilation + strides).allSatisfy({ $0 > 0 }), self.padding.allSatisfy({ $0 >= 0 })
        else {
            fail(
                name,
                "kernel \(kernel), dilation \(dilation) and stride \(stride) must be positive, the padding \(padding) not negative"
            )
            return nil
        }
        spans = zip(self.kernel, self.dilation).map { ($0 - 1) * $1 + 1 }
        var counts: [Int] = []
        for axis in 0..<2 { counts.append((plane[axis] + 2 * self.padding[axis] - spans[axis]) / strides[axis] + 1) }
        self.counts = counts
        guard (0..<2).allSatisfy({ plane[$0] + 2 * self.padding[$0] >= spans[$0] }) else {
            fail(name, "windows of \(spans) places do not fit a plane of \(plane) padded by \(padding)")
            return nil
        }
    }
}
