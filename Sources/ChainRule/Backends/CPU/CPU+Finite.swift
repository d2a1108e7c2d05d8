extension CPU {
    /// The row-major position of the first element that is infinite or not a number.
    static func firstNonFinite(_ x: Tensor) -> (index: Int, isNaN: Bool)? {
        let x = contiguous(x.dtype.isHalf ? convert(x, to: .float32) : x)
        return x.dtype == .float32 ? firstNonFinite(x, Float.self) : firstNonFinite(x, Double.self)
    }

    private static func firstNonFinite<T: BinaryFloatingPoint>(_ x: Tensor, _: T.Type) -> (index: Int, isNaN: Bool)? {
        withExtendedLifetime(x) {
            let elements = UnsafeBufferPointer(start: x.pointer(to: T.self), count: x.count)
            return elements.firstIndex { !$0.isFinite }.map { ($0, elements[$0].isNaN) }
        }
    }
}
