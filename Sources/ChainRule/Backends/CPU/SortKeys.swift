/// Elements as unsigned integers that order alike: NaN above everything, the two zeros equal. One kind of key serves sorting,
/// searching and finding equal elements in every dtype.
protocol SortKey: FixedWidthInteger & UnsignedInteger & Sendable & BitwiseCopyable {}

extension UInt32: SortKey {}
extension UInt64: SortKey {}

extension CPU {
    /// Whether 32 bits hold the keys of a dtype.
    static func hasShortKeys(_ dtype: DType) -> Bool { dtype.isHalf || dtype.byteCount <= 4 }

    /// The keys of all elements, row-major, in memory of a tensor: int32 for short keys, else int64, of which only the bits
    /// matter. For a descending order they are turned around.
    static func sortKeys(_ x: Tensor, descending: Bool = false) -> Tensor {
        let x = contiguous(x.dtype.isHalf ? convert(x, to: .float32) : x)
        let y = Tensor(uninitialized: x.shape, dtype: hasShortKeys(x.dtype) ? .int32 : .int64)
        switch x.dtype {
        case .float32:
            keys(x, y, descending) { (value: Float) -> UInt32 in
                if value.isNaN { return .max }
                let bits = (value + 0).bitPattern  // + 0 makes -0 a 0
                return bits >> 31 == 0 ? bits | 0x8000_0000 : ~bits
            }
        case .float64:
            keys(x, y, descending) { (value: Double) -> UInt64 in
                if value.isNaN { return .max }
                let bits = (value + 0).bitPattern
                return bits >> 63 == 0 ? bits | 0x8000_0000_0000_0000 : ~bits
            }
        case .bool, .uint8: keys(x, y, descending) { (value: UInt8) in UInt32(value) }
        case .int8: keys(x, y, descending) { (value: Int8) in UInt32(bitPattern: Int32(value)) ^ 0x8000_0000 }
        case .int16: keys(x, y, descending) { (value: Int16) in UInt32(bitPattern: Int32(value)) ^ 0x8000_0000 }
        case .int32: keys(x, y, descending) { (value: Int32) in UInt32(bitPattern: value) ^ 0x8000_0000 }
        case .int64: keys(x, y, descending) { (value: Int64) in UInt64(bitPattern: value) ^ 0x8000_0000_0000_0000 }
        case .float16, .bfloat16: break  // became float32 above
        }
        return y
    }

    @inline(__always)
    private static func keys<Element, Key: SortKey>(
        _ x: Tensor, _ y: Tensor, _ descending: Bool, _ key: (Element) -> Key
    ) {
        let (source, target) = (x.pointer(to: Element.self), y.freshPointer(to: Key.self))
        withExtendedLifetime(x) {
            for place in 0..<x.count {
                let value = key(source[place])
                target[place] = descending ? ~value : value
            }
        }
    }
}
