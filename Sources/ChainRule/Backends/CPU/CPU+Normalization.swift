import CKernels

// float32 and float64; the methods convert the 16-bit floats.

extension CPU {
    typealias Affine = (weight: Tensor, bias: Tensor)

    /// y, mean, r and the biased variance of each channel.
    static func batchNorm(_ x: Tensor, _ affine: Affine?, eps: Double) -> [Tensor] {
        let name = BatchNormalization.name
        let axes = AxisSet.channels(x.rank)
        let count = Scalar.floating(Double(axes.elementCount(of: x.shape)))
        let mean = binary(CK_DIV, reduce(CK_SUM, x, over: axes), count, name: name)
        let variance = binary(CK_DIV, squaredDeviations(x, from: mean, over: axes), count, name: name)
        let root = unary(CK_RSQRT, binary(CK_ADD, variance, .floating(eps), name: name))
        let scale = affine.map { binary(CK_MUL, root, $0.weight, name: name) } ?? root
        let center = binary(CK_MUL, mean, scale, name: name)
        let shift = affine.map { binary(CK_SUB, $0.bias, center, name: name) } ?? unary(CK_NEG, center)
        return [multiplyAdd(shift, x, scale, scale: 1, name: name), mean, root, variance]
    }

    /// dx, and dw and db when there is a weight, from dy, x, mean, r and the weight.
    static func batchNormGradient(_ inputs: [Tensor], isAffine: Bool) -> [Tensor] {
        let name = BatchNormalizationGradient.name
        let (dy, x, mean, root) = (inputs[0], inputs[1], inputs[2], inputs[3])
        let axes = AxisSet.channels(x.rank)
        let count = Scalar.floating(Double(axes.elementCount(of: x.shape)))
        let normalized = binary(CK_MUL, binary(CK_SUB, x, mean, name: name), root, name: name)
        let dBias = reduce(CK_SUM, dy, over: axes)
        let dWeight = reduce(CK_SUM, binary(CK_MUL, dy, normalized, name: name), over: axes)
        // dx = s dy − s mean(dy) − s mean(dy x̂) x̂ with s = w r.
        let scale = isAffine ? binary(CK_MUL, root, inputs[4], name: name) : root
        let share = binary(CK_DIV, scale, count, name: name)
        let shift = unary(CK_NEG, binary(CK_MUL, dBias, share, name: name))
        let slope = binary(CK_MUL, dWeight, share, name: name)
        let direct = multiplyAdd(shift, dy, scale, scale: 1, name: name)
        let dx = multiplyAdd(direct, normalized, slope, scale: -1, name: name)
        return isAffine ? [dx, dWeight, dBias] : [dx]
    }

    /// y, mean and r of each row of a matrix.
    static func layerNorm(_ x: Tensor, _ affine: Affine?, eps: Double) -> [Tensor] {
        let x = contiguous(x)
        let weight = affine.map { contiguous($0.weight) }
        let bias = affine.map { contiguous($0.bias) }
        let (rows, columns) = (x.shape[0], x.shape[1])
        let y = Tensor(uninitialized: x.shape, dtype: x.dtype)
        let (mean, root) = (
            Tensor(uninitialized: [rows, 1], dtype: x.dtype), Tensor(uninitialized: [rows, 1], dtype: x.dtype)
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
        return [y, mean, root]
    }

    /// dx, and dw and db when there is a weight, from dy, x, mean, r and the weight.
    static func layerNormGradient(_ inputs: [Tensor], isAffine: Bool) -> [Tensor] {
        let name = LayerNormalizationGradient.name
        let parts = inputs.map(contiguous)
        let dx = Tensor(uninitialized: parts[1].shape, dtype: parts[1].dtype)
        if dx.count > 0 { fillLayerNormGradient(dx, parts, isAffine: isAffine) }
        guard isAffine else { return [dx] }
        let centered = binary(CK_SUB, parts[1], parts[2], name: name)
        let scaled = binary(CK_MUL, binary(CK_MUL, centered, parts[3], name: name), parts[0], name: name)
        let columns: Shape = [dx.shape[1]]
        let dWeight = reduce(CK_SUM, scaled, over: [0]).contiguousView(columns)
        return [dx, dWeight, reduce(CK_SUM, parts[0], over: [0]).contiguousView(columns)]
    }

    private static func fillLayerNormGradient(_ dx: Tensor, _ parts: [Tensor], isAffine: Bool) {
        let (rows, columns) = (Int64(dx.shape[0]), Int64(dx.shape[1]))
        let weight = isAffine ? parts[4] : nil
        if dx.dtype == .float32 {
            ck_layer_norm_grad_f32(
                rows, columns, dx.freshPointer(to: Float.self), parts[0].pointer(to: Float.self),
                parts[1].pointer(to: Float.self), parts[2].pointer(to: Float.self), parts[3].pointer(to: Float.self),
                weight?.pointer(to: Float.self))
        } else {
            ck_layer_norm_grad_f64(
                rows, columns, dx.freshPointer(to: Double.self), parts[0].pointer(to: Double.self),
                parts[1].pointer(to: Double.self), parts[2].pointer(to: Double.self),
                parts[3].pointer(to: Double.self), weight?.pointer(to: Double.self))
        }
    }
}
