extension Tensor {
    /// A single number. An `Int` becomes int64, `Double` float32 (the default floating type) unless `dtype` says otherwise.
    public init(_ value: some ScalarOperand, dtype: DType? = nil, requiresGrad: Bool = false) {
        let scalar = value.scalar
        let natural: DType = if case .integer = scalar { .int64 } else { .float32 }
        let made = Tensor.full([], scalar, dtype: dtype ?? natural)
        self = requiresGrad ? made.requiringGrad() : made
    }

    /// Elements in row-major order. The dtype is that of the Swift type; `Double` gives float64.
    public init<Element: TensorScalar>(_ elements: [Element], shape: Shape? = nil, requiresGrad: Bool = false) {
        self.init(unsafeCopying: elements, shape: shape ?? [elements.count], requiresGrad: requiresGrad)
    }

    private init<Element: TensorScalar>(unsafeCopying elements: [Element], shape: Shape, requiresGrad: Bool) {
        guard shape.flaw == nil, shape.elementCount == elements.count else {
            self = fail("Tensor", "\(elements.count) elements do not fill shape \(shape)")
            return
        }
        let made = Tensor(uninitialized: shape, dtype: Element.dtype)
        elements.withUnsafeBytes { bytes in
            if let base = bytes.baseAddress { made.rawPointer.copyMemory(from: base, byteCount: bytes.count) }
        }
        made.noteMade()
        self = requiresGrad ? made.requiringGrad() : made
    }

    /// `value` everywhere.
    public static func full(_ shape: Shape, _ value: some ScalarOperand, dtype: DType? = nil) -> Tensor {
        let scalar = value.scalar
        let natural: DType = if case .integer = scalar { .int64 } else { .float32 }
        return full(shape, scalar, dtype: dtype ?? natural)
    }

    static func full(_ shape: Shape, _ scalar: Scalar, dtype: DType) -> Tensor {
        if let flaw = shape.flaw { return fail("full", "shape \(shape) \(flaw)") }
        let made = Tensor(uninitialized: shape, dtype: dtype)
        made.noteMade()
        switch dtype {
        case .float32: made.fill(Float(scalar.double))
        case .float64: made.fill(scalar.double)
        case .float16: made.fill(Half(Float(scalar.double)))
        case .bfloat16: made.fill(BFloat16(Float(scalar.double)))
        case .bool: made.fill(UInt8(scalar.double == 0 ? 0 : 1))
        case .uint8: made.fill(UInt8(truncatingIfNeeded: scalar.integer))
        case .int8: made.fill(Int8(truncatingIfNeeded: scalar.integer))
        case .int16: made.fill(Int16(truncatingIfNeeded: scalar.integer))
        case .int32: made.fill(Int32(truncatingIfNeeded: scalar.integer))
        case .int64: made.fill(Int64(scalar.integer))
        }
        return made
    }

    private func fill<Element>(_ value: Element) {
        freshPointer(to: Element.self).update(repeating: value, count: count)
    }

    public static func zeros(_ shape: Shape, dtype: DType = .float32) -> Tensor {
        full(shape, .integer(0), dtype: dtype)
    }
    public static func ones(_ shape: Shape, dtype: DType = .float32) -> Tensor {
        full(shape, .integer(1), dtype: dtype)
    }
    public static func zeros(like other: Tensor) -> Tensor { zeros(other.shape, dtype: other.dtype) }
    public static func ones(like other: Tensor) -> Tensor { ones(other.shape, dtype: other.dtype) }
}

extension Scalar: ScalarOperand {
    public var scalar: Scalar { self }

    /// Truncated towards zero.
    var integer: Int {
        switch self {
        case .integer(let value): value
        case .floating(let value): Int(exactly: value.rounded(.towardZero)) ?? .min
        }
    }
}

// MARK: - Reading

extension Tensor {
    /// The elements in row-major order, converted to `type`.
    public func toArray<Element: TensorScalar>(of type: Element.Type = Element.self) -> [Element] {
        Recorder.noteReading("its numbers are read out with toArray() or printed")
        let source = CPU.contiguous(CPU.convert(self, to: Element.dtype))
        return withExtendedLifetime(source) {
            Array(UnsafeBufferPointer(start: source.pointer(to: Element.self), count: source.count))
        }
    }

    /// The number in a tensor of one element.
    public func item<Element: TensorScalar>(_ type: Element.Type) -> Element {
        guard count == 1 else {
            let message = "only a tensor of one element is a number, this one has shape \(shape)"
            return Tensor.zeros([], dtype: Element.dtype).valueAfter(fail("item", message))
        }
        Recorder.noteReading("item() reads a number, on which the program may decide what to do")
        let converted = CPU.convert(self, to: Element.dtype)
        return withExtendedLifetime(converted) { converted.pointer(to: Element.self).pointee }
    }

    /// The number in a tensor of one element, as a Double.
    public func item() -> Double {
        if dtype == .float32 && count == 1 && !isTraced { return Double(pointer(to: Float.self).pointee) }
        return item(Double.self)
    }

    private func valueAfter<Element: TensorScalar>(_ error: Tensor) -> Element { pointer(to: Element.self).pointee }
}
