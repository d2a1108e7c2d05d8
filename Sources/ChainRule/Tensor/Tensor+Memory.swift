// The memory of tensors, for programs that fill it from elsewhere or hand it on. These are the only public ways to it.

extension Tensor {
    /// The elements that lie row-major in `bytes`, copied. The bytes need no alignment.
    public init(copying bytes: UnsafeRawBufferPointer, shape: Shape, dtype: DType) {
        if let flaw = shape.flaw {
            self = fail("Tensor", "shape \(shape) \(flaw)")
            return
        }
        let needed = shape.byteCount(of: dtype)
        guard bytes.count == needed else {
            self = fail("Tensor", "\(bytes.count) bytes do not fill shape \(shape) of \(dtype), which takes \(needed)")
            return
        }
        let made = Tensor(uninitialized: shape, dtype: dtype)
        made.noteMade()
        if let base = bytes.baseAddress { made.rawPointer.copyMemory(from: base, byteCount: bytes.count) }
        self = made
    }

    /// The row-major elements at `pointer`, used where they are. The memory must be writable, aligned for the dtype and left alone by
    /// others until `whenDone` runs, when the last tensor that uses it is gone.
    public init(
        adopting pointer: UnsafeMutableRawPointer, shape: Shape, dtype: DType, whenDone: @escaping @Sendable () -> Void
    ) {
        let isAligned = Int(bitPattern: pointer) % dtype.byteCount == 0
        guard isAligned, shape.flaw == nil else {
            whenDone()
            let flaw = shape.flaw.map { "shape \(shape) \($0)" }
            self = fail(
                "Tensor",
                flaw ?? "the memory for shape \(shape) of \(dtype) must be aligned to \(dtype.byteCount) bytes")
            return
        }
        let storage = Storage.unowned(
            pointer, byteCount: shape.byteCount(of: dtype), whenDone: whenDone)
        self.init(body: TensorBody(storage: storage, layout: Layout(contiguous: shape), dtype: dtype))
    }

    /// Calls `body` with the bytes of the elements in row-major order, whatever the dtype. The buffer is valid only inside.
    public func withUnsafeBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
        Recorder.noteReading("the memory of a tensor is read")
        let source = CPU.contiguous(self)
        return try withExtendedLifetime(source) {
            try body(UnsafeRawBufferPointer(start: source.rawPointer, count: source.count * dtype.byteCount))
        }
    }

    /// Calls `body` with the elements in row-major order, where they lie if they lie so, else copied. `Element` must be the type
    /// of the dtype. The buffer is valid only inside.
    public func withUnsafeElements<Element: TensorScalar, Result>(
        of type: Element.Type, _ body: (UnsafeBufferPointer<Element>) throws -> Result
    ) rethrows -> Result {
        Recorder.noteReading("the memory of a tensor is read")
        guard isMemory(of: type, in: "withUnsafeElements") else {
            return try body(UnsafeBufferPointer(start: nil, count: 0))
        }
        let source = CPU.contiguous(self)
        return try withExtendedLifetime(source) {
            try body(UnsafeBufferPointer(start: source.pointer(to: Element.self), count: source.count))
        }
    }

    /// The same to write in place; copied first where another tensor uses the memory. Not for a tensor that requires a gradient: write
    /// to the `data` of a leaf.
    public mutating func withUnsafeMutableElements<Element: TensorScalar, Result>(
        of type: Element.Type, _ body: (UnsafeMutableBufferPointer<Element>) throws -> Result
    ) rethrows -> Result {
        guard isMemory(of: type, in: "withUnsafeMutableElements") else {
            return try body(UnsafeMutableBufferPointer(start: nil, count: 0))
        }
        if node != nil {
            fail("withUnsafeMutableElements", "a tensor that requires a gradient must not change; write to its data")
            return try body(UnsafeMutableBufferPointer(start: nil, count: 0))
        }
        let pointer = uniquePointer(to: Element.self)
        let count = count
        return try withExtendedLifetime(self) {
            try body(UnsafeMutableBufferPointer(start: pointer, count: count))
        }
    }

    private func isMemory<Element: TensorScalar>(of type: Element.Type, in operation: String) -> Bool {
        if dtype == Element.dtype { return true }
        fail(
            operation, "the elements are \(dtype), not \(Element.dtype); convert them with .to(.\(Element.dtype)) first"
        )
        return false
    }
}
