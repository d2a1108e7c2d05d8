import CKernels

extension CPU {
    /// activation(a b + bias) over the last two axes; the others are the batch and broadcast. Transposes and broadcasts are
    /// handed to the kernel as strides. The caller has seen to it that the shapes and dtypes fit.
    ///
    /// - Parameters:
    ///   - bias: n numbers, one for each column of the result.
    ///   - slope: For two matrices of float32 or float64: where the derivative of the activation goes.
    ///   - target: where a float32 or float64 result goes, instead of memory of its own.
    @discardableResult
    static func matrixProduct(
        _ a: Tensor, _ b: Tensor, bias: Tensor? = nil, activation: ck_activation = CK_IDENTITY, slope: Tensor? = nil,
        into target: ProductTarget? = nil
    ) -> Tensor {
        if a.dtype.isHalf {
            let wideBias = bias.map { convert($0, to: .float32) }
            let y = matrixProduct(
                convert(a, to: .float32), convert(b, to: .float32), bias: wideBias, activation: activation)
            return convert(y, to: a.dtype)
        }
        var shape = Shape()
        if a.rank > 2 || b.rank > 2 {
            guard let batch = Shape.broadcast(a.batchShape, b.batchShape) else { return .placeholderAfterError }
            shape = batch
        }
        shape.append(a.shape[a.rank - 2])
        shape.append(b.shape[b.rank - 1])
        let y =
            target?.result.contiguousView(shape)
            ?? Tensor(uninitialized: shape, dtype: a.dtype.isFloatingPoint ? a.dtype : .int64)
        if y.count == 0 { return convert(y, to: a.dtype) }
        guard a.dtype.isFloatingPoint else {
            integerProduct(y, convert(a, to: .int64), convert(b, to: .int64))
            return convert(y, to: a.dtype)
        }
        floatingProduct(y, a, b, bias: bias.map(contiguous), activation: activation, slope: slope, target)
        return y
    }

    private static func floatingProduct(
        _ y: Tensor, _ a: Tensor, _ b: Tensor, bias: Tensor?, activation: ck_activation, slope: Tensor?,
        _ target: ProductTarget?
    ) {
        let nest = BatchNest(y, a, b)
        var product = nest.kernelDescription(y, a, b)
        product.alpha = 1
        product.beta = 0
        product.activation = activation
        product.bias_column = 1
        product.slope = slope?.rawPointer
        target?.describe(to: &product)
        if a.dtype == .float32 {
            let workspace = Workspace(byteCount: ck_matmul_workspace_f32(&product))
            let (output, left, right) = (
                y.freshPointer(to: Float.self), a.pointer(to: Float.self), b.pointer(to: Float.self)
            )
            nest.forEachProduct { offsets in
                ck_matmul_f32(
                    &product, left + offsets.a, right + offsets.b, output + offsets.y,
                    bias?.pointer(to: Float.self), workspace.pointer)
            }
        } else {
            let workspace = Workspace(byteCount: ck_matmul_workspace_f64(&product))
            let (output, left, right) = (
                y.freshPointer(to: Double.self), a.pointer(to: Double.self), b.pointer(to: Double.self)
            )
            nest.forEachProduct { offsets in
                ck_matmul_f64(
                    &product, left + offsets.a, right + offsets.b, output + offsets.y,
                    bias?.pointer(to: Double.self), workspace.pointer)
            }
        }
        withExtendedLifetime((a, b, bias, slope)) {}
    }

    /// Of int64; sums wrap around.
    private static func integerProduct(_ y: Tensor, _ a: Tensor, _ b: Tensor) {
        let b = b.strides[b.rank - 1] == 1 ? b : contiguousCopy(b)
        let nest = BatchNest(y, a, b)
        let product = nest.kernelDescription(y, a, b)
        let (output, left, right) = (
            y.freshPointer(to: Int64.self), a.pointer(to: Int64.self), b.pointer(to: Int64.self)
        )
        nest.forEachProduct { offsets in
            for item in 0..<Int(product.batch) {
                ck_integer_product(
                    product.m, product.n, product.k, left + offsets.a + item * Int(product.a_batch), product.a_row,
                    product.a_column, right + offsets.b + item * Int(product.b_batch), product.b_row,
                    output + offsets.y + item * Int(product.c_batch))
            }
        }
        withExtendedLifetime((a, b)) {}
    }
}

extension Tensor {
    /// The axes in front of the last two.
    fileprivate var batchShape: Shape { Shape(shape.dropLast(2)) }
}

/// Memory that a kernel works in, aligned as kernels want it; given back when this is gone.
struct Workspace {
    private let memory: Tensor?

    /// - Parameter byteCount: 0 for none.
    init(byteCount: Int) {
        // Below the allocator's limit for small blocks the alignment would be malloc's.
        memory = byteCount == 0 ? nil : Tensor(uninitialized: [Swift.max(byteCount, 2048)], dtype: .uint8)
    }

    /// Valid while this is there.
    var pointer: UnsafeMutableRawPointer? { memory?.rawPointer }
}

/// The batch axes of a product, merged where the operands allow: the innermost run of matrices goes to the kernel in one call, the
/// rest is a loop around it.
private struct BatchNest {
    /// The loop over the batch axes; strides of y, a, b.
    private let loop: ck_loop

    init(_ y: Tensor, _ a: Tensor, _ b: Tensor) {
        if y.rank == 2 {
            loop = ck_loop()
            return
        }
        let batch = y.batchShape
        loop = ck_loop(
            batch, output: Shape(y.strides.dropLast(2)), BatchNest.strides(a, in: batch),
            BatchNest.strides(b, in: batch))
    }

    private static func strides(_ x: Tensor, in batch: Shape) -> Shape {
        let own = Layout(shape: Shape(x.shape.dropLast(2)), strides: Shape(x.strides.dropLast(2)), offset: 0)
        return own.broadcastStrides(to: batch)
    }

    private var rank: Int { Int(loop.rank) }

    /// Sizes and strides of one call.
    func kernelDescription(_ y: Tensor, _ a: Tensor, _ b: Tensor) -> ck_matmul {
        var product = ck_matmul()
        let (rows, columns) = (a.rank - 2, a.rank - 1)
        product.m = Int64(a.shape[rows])
        product.k = Int64(a.shape[columns])
        product.n = Int64(b.shape[b.rank - 1])
        product.a_row = Int64(a.strides[rows])
        product.a_column = Int64(a.strides[columns])
        product.b_row = Int64(b.strides[b.rank - 2])
        product.b_column = Int64(b.strides[b.rank - 1])
        product.c_row = product.n
        product.c_column = 1
        product.batch = 1
        if rank > 0 {
            product.batch = at(rank - 1, loop.shape)
            product.c_batch = at(rank - 1, loop.strides.0)
            product.a_batch = at(rank - 1, loop.strides.1)
            product.b_batch = at(rank - 1, loop.strides.2)
        }
        return product
    }

    /// Runs `body` with where each call's operands begin.
    func forEachProduct(_ body: ((y: Int, a: Int, b: Int)) -> Void) {
        let calls = (0..<Swift.max(rank - 1, 0)).reduce(1) { $0 * Int(at($1, loop.shape)) }
        for call in 0..<calls {
            var (rest, offsets) = (call, (y: 0, a: 0, b: 0))
            for axis in stride(from: rank - 2, through: 0, by: -1) {
                let (quotient, place) = rest.quotientAndRemainder(dividingBy: Int(at(axis, loop.shape)))
                rest = quotient
                offsets.y += place * Int(at(axis, loop.strides.0))
                offsets.a += place * Int(at(axis, loop.strides.1))
                offsets.b += place * Int(at(axis, loop.strides.2))
            }
            body(offsets)
        }
    }

    private func at(_ index: Int, _ numbers: EightNumbers) -> Int64 {
        withUnsafeBytes(of: numbers) { $0.assumingMemoryBound(to: Int64.self)[index] }
    }
}
