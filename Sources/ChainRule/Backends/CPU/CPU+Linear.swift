import CKernels

extension CPU {
    /// activation(x Wᵀ + b) and, when asked for, the derivative of a GELU or SiLU there.
    @discardableResult
    static func linear(
        _ inputs: [Tensor], activation: ck_activation = CK_IDENTITY, withSlope: Bool = false,
        into target: ProductTarget? = nil
    ) -> [Tensor] {
        let (x, weight) = (inputs[0], inputs[1])
        if x.dtype.isHalf {
            let wide = linear(
                inputs.map { convert($0, to: .float32) }, activation: activation, withSlope: withSlope)
            return wide.map { convert($0, to: x.dtype) }
        }
        let rows = Shape(x.shape.dropLast().reduce(1, *), weight.shape[1])
        let strides = x.layout.stridesForReshape(to: rows)
        let source = strides == nil ? contiguousCopy(x) : x
        let matrix = source.view(
            Layout(shape: rows, strides: strides ?? rows.contiguousStrides, offset: source.layout.offset))
        let transposed = weight.view(
            Layout(
                shape: Shape(weight.shape[1], weight.shape[0]), strides: Shape(weight.strides[1], weight.strides[0]),
                offset: weight.layout.offset))
        let slope = withSlope ? Tensor(uninitialized: Shape(rows[0], weight.shape[0]), dtype: x.dtype) : nil
        let y = matrixProduct(
            matrix, transposed, bias: inputs.count > 2 ? inputs[2] : nil, activation: activation, slope: slope,
            into: target)
        var shape = x.shape
        shape[x.rank - 1] = weight.shape[0]
        return Tensor.list(y.contiguousView(shape), slope?.contiguousView(shape))
    }

    static func quantizedLinear(_ inputs: [Tensor]) -> Tensor {
        let (x, weight) = (contiguous(inputs[0]), contiguous(inputs[1]))
        let scale = weight.dtype == .int8 ? contiguous(inputs[2]) : nil
        let bias = inputs.count > (scale == nil ? 2 : 3) ? contiguous(inputs[inputs.count - 1]) : nil
        let (n, k) = (weight.shape[0], weight.shape[1])
        let rows = x.shape.dropLast().reduce(1, *)
        if rows > 32 {
            // Weights that many rows use are better unpacked once.
            let floats = convert(weight, to: .float32)
            let unpacked = scale.map { binary(CK_MUL, floats, $0.contiguousView([n, 1]), name: QuantizedLinear.name) }
            return linear([x, unpacked ?? floats] + (bias.map { [$0] } ?? []))[0]
        }
        var shape = x.shape
        shape[x.rank - 1] = n
        let y = Tensor(uninitialized: shape, dtype: .float32)
        let (m, n64, k64) = (Int64(rows), Int64(n), Int64(k))
        let (from, to) = (x.pointer(to: Float.self), y.freshPointer(to: Float.self))
        let offsets = bias?.pointer(to: Float.self)
        if let scale {
            ck_linear_int8(
                m, n64, k64, to, from, weight.pointer(to: Int8.self), scale.pointer(to: Float.self), offsets)
        } else {
            ck_linear_bfloat16(m, n64, k64, to, from, weight.pointer(to: UInt16.self), offsets)
        }
        withExtendedLifetime((x, weight, scale, bias)) {}
        return y
    }
}
