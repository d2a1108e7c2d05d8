import CKernels

extension CPU {
    /// The maxima and their places.
    static func maxPool(_ geometry: PoolingGeometry, _ x: Tensor) -> [Tensor] {
        if x.dtype.isHalf {
            let results = maxPool(geometry, convert(x, to: .float32))
            return [convert(results[0], to: x.dtype), results[1]]
        }
        let shape = geometry.outputShape(for: x.shape)
        let (y, indices) = (Tensor(uninitialized: shape, dtype: x.dtype), Tensor(uninitialized: shape, dtype: .int64))
        if y.count == 0 { return Tensor.list(y, indices) }
        let x = contiguous(x)
        var plan = geometry.kernelDescription(planes: x.shape)
        let places = indices.freshPointer(to: Int64.self)
        if x.dtype == .float32 {
            ck_max_pool_f32(&plan, y.freshPointer(to: Float.self), places, x.pointer(to: Float.self))
        } else {
            ck_max_pool_f64(&plan, y.freshPointer(to: Double.self), places, x.pointer(to: Double.self))
        }
        return Tensor.list(y, indices)
    }

    /// The maxima of the parts of each plane, and their places; a NaN wins, else the first of equals. A plain loop.
    static func adaptiveMaxPool(_ geometry: PoolingGeometry, _ x: Tensor) -> [Tensor] {
        if x.dtype.isHalf {
            let results = adaptiveMaxPool(geometry, convert(x, to: .float32))
            return [convert(results[0], to: x.dtype), results[1]]
        }
        let shape = geometry.outputShape(for: x.shape)
        let (y, indices) = (Tensor(uninitialized: shape, dtype: x.dtype), Tensor(uninitialized: shape, dtype: .int64))
        let x = contiguous(x)
        if x.dtype == .float32 {
            maximaOfParts(geometry, x, y, indices, Float.self)
        } else {
            maximaOfParts(geometry, x, y, indices, Double.self)
        }
        return [y, indices]
    }

    @inline(__always)
    private static func maximaOfParts<T: FloatingPoint>(
        _ geometry: PoolingGeometry, _ x: Tensor, _ y: Tensor, _ indices: Tensor, _: T.Type
    ) {
        let (size, parts) = (geometry.input, geometry.output)
        let planeSize = size.depth * size.height * size.width
        let (output, places) = (y.freshPointer(to: T.self), indices.freshPointer(to: Int64.self))
        var target = 0
        for plane in 0..<x.count / planeSize {
            let input = x.pointer(to: T.self) + plane * planeSize
            for slice in 0..<parts.depth {
                let slices = adaptiveWindow(slice, of: parts.depth, size: size.depth)
                for row in 0..<parts.height {
                    let rows = adaptiveWindow(row, of: parts.height, size: size.height)
                    for column in 0..<parts.width {
                        let columns = adaptiveWindow(column, of: parts.width, size: size.width)
                        let place = placeOfMaximum(input, size, slices, rows, columns)
                        output[target] = input[place]
                        places[target] = Int64(place)
                        target += 1
                    }
                }
            }
        }
    }

    @inline(__always)
    private static func placeOfMaximum<T: FloatingPoint>(
        _ x: UnsafePointer<T>, _ size: Triple, _ slices: Range<Int>, _ rows: Range<Int>, _ columns: Range<Int>
    ) -> Int {
        var best = (slices.lowerBound * size.height + rows.lowerBound) * size.width + columns.lowerBound
        for slice in slices {
            for row in rows {
                for column in columns {
                    let place = (slice * size.height + row) * size.width + column
                    if x[place] > x[best] || (x[place].isNaN && !x[best].isNaN) { best = place }
                }
            }
        }
        return best
    }

    static func maxPoolScatter(_ geometry: PoolingGeometry, _ dy: Tensor, _ indices: Tensor) -> Tensor {
        rounded(dy) { dy in
            let shape = geometry.inputShape(for: dy.shape)
            if dy.count == 0 { return Tensor.zeros(shape, dtype: dy.dtype) }
            let dx = Tensor(uninitialized: shape, dtype: dy.dtype)
            let (dy, indices) = (contiguous(dy), contiguous(indices))
            var plan = geometry.kernelDescription(planes: dy.shape)
            let places = indices.pointer(to: Int64.self)
            if dy.dtype == .float32 {
                ck_max_pool_grad_f32(&plan, dx.freshPointer(to: Float.self), dy.pointer(to: Float.self), places)
            } else {
                ck_max_pool_grad_f64(&plan, dx.freshPointer(to: Double.self), dy.pointer(to: Double.self), places)
            }
            return dx
        }
    }

    /// Only gradients of gradients come here: a plain loop.
    static func maxPoolGather(_ geometry: PoolingGeometry, _ x: Tensor, _ indices: Tensor) -> Tensor {
        rounded(x) { x in
            let y = Tensor(uninitialized: indices.shape, dtype: x.dtype)
            let (x, indices) = (contiguous(x), contiguous(indices))
            let planes = Int(geometry.kernelDescription(planes: x.shape).planes)
            if y.count == 0 { return y }
            if x.dtype == .float32 {
                gatherPlanes(planes, x, indices, y, Float.self)
            } else {
                gatherPlanes(planes, x, indices, y, Double.self)
            }
            return y
        }
    }

    @inline(__always)
    private static func gatherPlanes<T>(_ planes: Int, _ x: Tensor, _ indices: Tensor, _ y: Tensor, _: T.Type) {
        let (input, output) = (x.pointer(to: T.self), y.freshPointer(to: T.self))
        let places = indices.pointer(to: Int64.self)
        let (inputSize, outputSize) = (x.count / planes, y.count / planes)
        for plane in 0..<planes {
            for place in plane * outputSize..<(plane + 1) * outputSize {
                output[place] = input[plane * inputSize + Int(places[place])]
            }
        }
    }

    static func averagePool(_ geometry: PoolingGeometry, _ x: Tensor) -> Tensor {
        rounded(x) { x in
            let y = Tensor(uninitialized: geometry.outputShape(for: x.shape), dtype: x.dtype)
            if y.count == 0 { return y }
            let x = contiguous(x)
            var plan = geometry.kernelDescription(planes: x.shape)
            if x.dtype == .float32 {
                ck_average_pool_f32(&plan, y.freshPointer(to: Float.self), x.pointer(to: Float.self))
            } else {
                ck_average_pool_f64(&plan, y.freshPointer(to: Double.self), x.pointer(to: Double.self))
            }
            return y
        }
    }

    static func averagePoolGradient(_ geometry: PoolingGeometry, _ dy: Tensor) -> Tensor {
        rounded(dy) { dy in
            let dx = Tensor(uninitialized: geometry.inputShape(for: dy.shape), dtype: dy.dtype)
            if dx.count == 0 { return dx }
            let dy = contiguous(dy)
            var plan = geometry.kernelDescription(planes: dy.shape)
            if dy.dtype == .float32 {
                ck_average_pool_grad_f32(&plan, dx.freshPointer(to: Float.self), dy.pointer(to: Float.self))
            } else {
                ck_average_pool_grad_f64(&plan, dx.freshPointer(to: Double.self), dy.pointer(to: Double.self))
            }
            return dx
        }
    }
}

extension PoolingGeometry {
    fileprivate func kernelDescription(planes shape: Shape) -> ck_pooling {
        let planes = channelsLast ? shape[0] : shape.dropLast(axes).reduce(1, *)
        return ck_pooling(
            planes: Int64(planes), input: input.kernelValue, kernel: kernel.kernelValue,
            output: output.kernelValue, stride: stride.kernelValue, padding: padding.kernelValue,
            dilation: dilation.kernelValue, count_includes_padding: countsPadding ? 1 : 0, divisor: Int64(divisor),
            channels: channelsLast ? Int64(shape[axes + 1]) : 0)
    }
}
