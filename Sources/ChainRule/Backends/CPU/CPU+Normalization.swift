import CKernels

// float32 and float64; the methods convert the 16-bit floats.

extension CPU {
    typealias Affine = (weight: Tensor, bias: Tensor)

    /// y, mean, r and the biased variance of each channel, shaped (1, C, 1...). What is `added`, if anything, joins y, and max(y, 0) is taken
    /// last when it is `rectified`. The axis of the channels is 1, or the last of `channelsLast`.
    static func batchNorm(
        _ x: Tensor, _ affine: Affine?, added: Tensor? = nil, rectified: Bool = false, eps: Double,
        channelsLast: Bool = false
    ) -> [Tensor] {
        let (x, added) = (contiguous(x), added.map(contiguous))
        let (weight, bias) = (affine.map { contiguous($0.weight) }, affine.map { contiguous($0.bias) })
        let y = Tensor(uninitialized: x.shape, dtype: x.dtype)
        let (batch, channels, places) = channelCounts(x, channelsLast)
        var kept = Shape(repeating: 1, count: x.rank)
        kept[1] = Int(channels)
        let (mean, root, variance) = (
            Tensor(uninitialized: kept, dtype: x.dtype), Tensor(uninitialized: kept, dtype: x.dtype),
            Tensor(uninitialized: kept, dtype: x.dtype)
        )
        if x.dtype == .float32 {
            ck_batch_norm_f32(
                batch, channels, places, y.freshPointer(to: Float.self), mean.freshPointer(to: Float.self),
                root.freshPointer(to: Float.self), variance.freshPointer(to: Float.self), x.pointer(to: Float.self),
                weight?.pointer(to: Float.self), bias?.pointer(to: Float.self), added?.pointer(to: Float.self),
                rectified ? 1 : 0, Float(eps))
        } else {
            ck_batch_norm_f64(
                batch, channels, places, y.freshPointer(to: Double.self), mean.freshPointer(to: Double.self),
                root.freshPointer(to: Double.self), variance.freshPointer(to: Double.self),
                x.pointer(to: Double.self), weight?.pointer(to: Double.self), bias?.pointer(to: Double.self),
                added?.pointer(to: Double.self), rectified ? 1 : 0, eps)
        }
        return Tensor.list(y, mean, root, variance)
    }

    /// With the channels last each place is like another element of the batch.
    private static func channelCounts(
        _ x: Tensor, _ channelsLast: Bool
    ) -> (batch: Int64, channels: Int64, places: Int64) {
        channelsLast
            ? (Int64(x.shape.dropLast().reduce(1, *)), Int64(x.shape[x.rank - 1]), 1)
            : (Int64(x.shape[0]), Int64(x.shape[1]), Int64(x.shape.dropFirst(2).reduce(1, *)))
    }

    /// dx, and dw and db when there is a weight, from dy, x, mean, r and the weight. With the rectified y as last input, when it `isRectified`,
    /// dy counts only where that is above 0; then there is a last result, what of dy counts, when something `wasAdded`.
    static func batchNormGradient(
        _ inputs: [Tensor], isAffine: Bool, isRectified: Bool = false, wasAdded: Bool = false,
        channelsLast: Bool = false
    ) -> [Tensor] {
        let (dy, x) = (contiguous(inputs[0]), contiguous(inputs[1]))
        let (mean, root) = (contiguous(inputs[2]), contiguous(inputs[3]))
        let weight = isAffine ? contiguous(inputs[4]) : nil
        let y = isRectified ? contiguous(inputs[inputs.count - 1]) : nil
        let dx = Tensor(uninitialized: x.shape, dtype: x.dtype)
        let dAdded = wasAdded ? Tensor(uninitialized: x.shape, dtype: x.dtype) : nil
        let (dWeight, dBias) = (
            Tensor(uninitialized: mean.shape, dtype: x.dtype), Tensor(uninitialized: mean.shape, dtype: x.dtype)
        )
        let (batch, channels, places) = channelCounts(x, channelsLast)
        if x.dtype == .float32 {
            ck_batch_norm_grad_f32(
                batch, channels, places, dx.freshPointer(to: Float.self), dWeight.freshPointer(to: Float.self),
                dBias.freshPointer(to: Float.self), dAdded?.freshPointer(to: Float.self), dy.pointer(to: Float.self),
                y?.pointer(to: Float.self), x.pointer(to: Float.self), mean.pointer(to: Float.self),
                root.pointer(to: Float.self), weight?.pointer(to: Float.self))
        } else {
            ck_batch_norm_grad_f64(
                batch, channels, places, dx.freshPointer(to: Double.self), dWeight.freshPointer(to: Double.self),
                dBias.freshPointer(to: Double.self), dAdded?.freshPointer(to: Double.self),
                dy.pointer(to: Double.self), y?.pointer(to: Double.self), x.pointer(to: Double.self),
                mean.pointer(to: Double.self), root.pointer(to: Double.self), weight?.pointer(to: Double.self))
        }
        return Tensor.list(dx, isAffine ? dWeight : nil, isAffine ? dBias : nil, dAdded)
    }

    /// y, mean and r of each row, along the last axis.
    static func layerNorm(_ x: Tensor, _ affine: Affine?, eps: Double) -> [Tensor] {
        let x = contiguous(x)
        let weight = affine.map { contiguous($0.weight) }
        let bias = affine.map { contiguous($0.bias) }
        let axis = x.rank - 1
        let rowShape = AxisSet(last: x.rank).reduced(x.shape)
        let (rows, columns) = (rowShape.elementCount, x.shape[axis])
        let y = Tensor(uninitialized: x.shape, dtype: x.dtype)
        let (mean, root) = (
            Tensor(uninitialized: rowShape, dtype: x.dtype), Tensor(uninitialized: rowShape, dtype: x.dtype)
        )
        if y.count == 0 { return [y, .zeros(like: mean), .zeros(like: root)] }
        if x.dtype == .float32 {
            ck_layer_norm_f32(
                Int64(rows), Int64(columns), y.freshPointer(to: Float.self), mean.freshPointer(to: Float.self),
                root.freshPointer(to: Float.self), x.pointer(to: Float.self), weight?.pointer(to: Float.self),
                bias?.pointer(to: Float.self), Float(eps))
        } else {
            ck_layer_norm_f64(
                Int64(rows), Int64(columns), y.freshPointer(to: Double.self), mean.freshPointer(to: Double.self),
                root.freshPointer(to: Double.self), x.pointer(to: Double.self), weight?.pointer(to: Double.self),
                bias?.pointer(to: Double.self), eps)
        }
        return Tensor.list(y, mean, root)
    }

    /// dx, and dw and db when there is a weight, from dy, x, mean, r and the weight.
    static func layerNormGradient(_ inputs: [Tensor], isAffine: Bool) -> [Tensor] {
        let (dy, x) = (contiguous(inputs[0]), contiguous(inputs[1]))
        let (mean, root) = (contiguous(inputs[2]), contiguous(inputs[3]))
        let weight = isAffine ? contiguous(inputs[4]) : nil
        let dx = Tensor(uninitialized: x.shape, dtype: x.dtype)
        if dx.count == 0 { return Tensor.list(dx, weight.map { .zeros(like: $0) }, weight.map { .zeros(like: $0) }) }
        let columns = Int64(x.shape[x.rank - 1])
        let rows = Int64(x.count) / columns
        let dWeight = weight.map { Tensor(uninitialized: $0.shape, dtype: x.dtype) }
        let dBias = weight.map { Tensor(uninitialized: $0.shape, dtype: x.dtype) }
        let workspace = Workspace(byteCount: isAffine ? ck_layer_norm_grad_workspace(rows, columns) : 0)
        if x.dtype == .float32 {
            ck_layer_norm_grad_f32(
                rows, columns, dx.freshPointer(to: Float.self), dWeight?.freshPointer(to: Float.self),
                dBias?.freshPointer(to: Float.self), dy.pointer(to: Float.self), x.pointer(to: Float.self),
                mean.pointer(to: Float.self), root.pointer(to: Float.self), weight?.pointer(to: Float.self),
                workspace.pointer)
        } else {
            ck_layer_norm_grad_f64(
                rows, columns, dx.freshPointer(to: Double.self), dWeight?.freshPointer(to: Double.self),
                dBias?.freshPointer(to: Double.self), dy.pointer(to: Double.self), x.pointer(to: Double.self),
                mean.pointer(to: Double.self), root.pointer(to: Double.self), weight?.pointer(to: Double.self),
                workspace.pointer)
        }
        return Tensor.list(dx, dWeight, dBias)
    }
}
