/// The type of a tensor's elements.
public enum DType: UInt8, CaseIterable, Sendable, Hashable, CustomStringConvertible {
    case bool, uint8, int8, int16, int32, int64
    case float16, bfloat16, float32, float64

    /// The size of one element in bytes.
    public var byteCount: Int {
        switch self {
        case .bool, .uint8, .int8: 1
        case .int16, .float16, .bfloat16: 2
        case .int32, .float32: 4
        case .int64, .float64: 8
        }
    }

    /// PyTorch's name: "float32".
    public var description: String {
        switch self {
        case .bool: "bool"
        case .uint8: "uint8"
        case .int8: "int8"
        case .int16: "int16"
        case .int32: "int32"
        case .int64: "int64"
        case .float16: "float16"
        case .bfloat16: "bfloat16"
        case .float32: "float32"
        case .float64: "float64"
        }
    }

    /// The type with this name ("float32"), or nil.
    public init?(named name: String) {
        guard let match = DType.allCases.first(where: { $0.description == name }) else { return nil }
        self = match
    }

    public var isFloatingPoint: Bool { rawValue >= DType.float16.rawValue }
    public var isInteger: Bool { self != .bool && !isFloatingPoint }
    public var isSigned: Bool { self != .bool && self != .uint8 }

    /// float16 and bfloat16: stored in 16 bits, computed in float32 and rounded once.
    var isHalf: Bool { self == .float16 || self == .bfloat16 }

    /// The type arithmetic is done in: float32 for the 16-bit floats, else itself.
    var computeType: DType { isHalf ? .float32 : self }

    /// The type of a floating operation's result on elements of this type (integers and booleans become float32).
    public var asFloatingPoint: DType { isFloatingPoint ? self : .float32 }

    /// The common type of two operands that are both tensors of rank 1 or more (PyTorch's promotion table).
    public static func promote(_ a: DType, _ b: DType) -> DType {
        if a == b { return a }
        if a.isFloatingPoint || b.isFloatingPoint {
            guard a.isFloatingPoint && b.isFloatingPoint else { return a.isFloatingPoint ? a : b }
            if a.byteCount != b.byteCount { return a.byteCount > b.byteCount ? a : b }
            return .float32  // float16 with bfloat16
        }
        if a == .bool { return b }
        if b == .bool { return a }
        if a.isSigned == b.isSigned { return a.byteCount > b.byteCount ? a : b }
        // uint8 with a signed type: the signed one when it is wider, else int16.
        let signed = a.isSigned ? a : b
        return signed.byteCount > 1 ? signed : .int16
    }

    /// Booleans before integers before floats: only a higher category of a scalar or 0-dimensional operand counts.
    var category: Int { self == .bool ? 0 : isInteger ? 1 : 2 }
}

/// A Swift type that can be an element: reading and writing tensors goes through these.
public protocol TensorScalar: Sendable {
    /// The element type whose memory holds values of this type.
    static var dtype: DType { get }
}

extension Bool: TensorScalar { public static var dtype: DType { .bool } }
extension UInt8: TensorScalar { public static var dtype: DType { .uint8 } }
extension Int8: TensorScalar { public static var dtype: DType { .int8 } }
extension Int16: TensorScalar { public static var dtype: DType { .int16 } }
extension Int32: TensorScalar { public static var dtype: DType { .int32 } }
extension Int64: TensorScalar { public static var dtype: DType { .int64 } }
extension Int: TensorScalar { public static var dtype: DType { .int64 } }
extension Float: TensorScalar { public static var dtype: DType { .float32 } }
extension Double: TensorScalar { public static var dtype: DType { .float64 } }
