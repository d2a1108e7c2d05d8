import CKernels

/// y = f(x) element by element, for operations that have no kernel: `value` is the function, written once for Float and Double.
protocol LoopedUnaryOperation: UnaryOperation, ElementwiseOperation {
    func value<T: BinaryFloatingPoint>(_ x: T) -> T
}

extension LoopedUnaryOperation {
    func forward(_ x: Tensor) -> Tensor { CPU.map(self, x) }
}

/// y = f(a, b) element by element, with broadcasting, for operations that have no kernel.
protocol LoopedBinaryOperation: BinaryOperation, ElementwiseOperation {
    func value<T: BinaryFloatingPoint>(_ a: T, _ b: T) -> T
}

extension LoopedBinaryOperation {
    func forward(_ a: Tensor, _ b: Tensor) -> Tensor { CPU.zip(self, a, b, name: Self.name) }
}

extension CPU {
    /// f(x) for floating tensors; the 16-bit floats go through float32.
    static func map(_ function: some LoopedUnaryOperation, _ x: Tensor) -> Tensor {
        switch x.dtype {
        case .float32: return map(function, x, Float.self)
        case .float64: return map(function, x, Double.self)
        case .float16, .bfloat16: return convert(map(function, convert(x, to: .float32), Float.self), to: x.dtype)
        default: return fail("elementwise function", "no floating function for \(x.dtype)")
        }
    }

    @inline(__always)
    private static func map<T: BinaryFloatingPoint>(_ function: some LoopedUnaryOperation, _ x: Tensor, _: T.Type)
        -> Tensor
    {
        let x = contiguous(x)
        let y = Tensor(uninitialized: x.shape, dtype: x.dtype)
        let (input, output) = (x.pointer(to: T.self), y.freshPointer(to: T.self))
        parallel(y.count) { range in
            for index in range { output[index] = function.value(input[index]) }
        }
        return y
    }

    /// f(a, b) with broadcasting for two floating tensors of one dtype.
    static func zip(_ function: some LoopedBinaryOperation, _ a: Tensor, _ b: Tensor, name: String) -> Tensor {
        guard let shape = broadcastShape(a, b, name) else { return .placeholderAfterError }
        switch a.dtype {
        case .float32: return zip(function, a, b, shape, Float.self)
        case .float64: return zip(function, a, b, shape, Double.self)
        case .float16, .bfloat16:
            let y = zip(function, convert(a, to: .float32), convert(b, to: .float32), shape, Float.self)
            return convert(y, to: a.dtype)
        default: return fail(name, "not defined for \(a.dtype)")
        }
    }

    @inline(__always)
    private static func zip<T: BinaryFloatingPoint>(
        _ function: some LoopedBinaryOperation, _ a: Tensor, _ b: Tensor, _ shape: Shape, _: T.Type
    ) -> Tensor {
        let y = Tensor(uninitialized: shape, dtype: a.dtype)
        let output = y.freshPointer(to: T.self)
        if b.count == 1 {
            // One number against many is the usual case of broadcasting: no copy of it.
            let a = expandedCopy(a, to: shape)
            let (left, right) = (a.pointer(to: T.self), b.pointer(to: T.self).pointee)
            parallel(y.count) { range in
                for index in range { output[index] = function.value(left[index], right) }
            }
            return y
        }
        let (a, b) = (expandedCopy(a, to: shape), expandedCopy(b, to: shape))
        let (left, right) = (a.pointer(to: T.self), b.pointer(to: T.self))
        parallel(y.count) { range in
            for index in range { output[index] = function.value(left[index], right[index]) }
        }
        return y
    }

    /// Runs `body` over pieces of `0..<count` on the pool's threads; small counts stay on this one.
    @inline(__always)
    static func parallel(_ count: Int, block: Int = 8192, _ body: (Range<Int>) -> Void) {
        if count <= block {
            if count > 0 { body(0..<count) }
            return
        }
        withoutActuallyEscaping(body) { body in
            var work = ParallelWork(count: count, block: block, body: body)
            let blocks = (count + block - 1) / block
            withUnsafeMutablePointer(to: &work) { pointer in
                ck_parallel(Int64(blocks), runBlock, pointer)
            }
        }
    }
}

private struct ParallelWork {
    let count: Int
    let block: Int
    let body: (Range<Int>) -> Void
}

private func runBlock(_ context: UnsafeMutableRawPointer?, _ index: Int64) {
    guard let work = context?.assumingMemoryBound(to: ParallelWork.self).pointee else { return }
    let start = Int(index) * work.block
    work.body(start..<Swift.min(start + work.block, work.count))
}
