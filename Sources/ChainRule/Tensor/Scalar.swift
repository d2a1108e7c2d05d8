/// A number as an operand: keeps apart integers and floats, which promote differently.
public enum Scalar: Hashable, Sendable, CustomStringConvertible {
    case integer(Int)
    case floating(Double)

    public var double: Double {
        switch self {
        case .integer(let value): Double(value)
        case .floating(let value): value
        }
    }

    /// The same number: NaN is one, and 0 is not −0, for they make different operations.
    public static func == (left: Scalar, right: Scalar) -> Bool {
        switch (left, right) {
        case (.integer(let a), .integer(let b)): a == b
        case (.floating(let a), .floating(let b)): a.bitPattern == b.bitPattern
        default: false
        }
    }

    public func hash(into hasher: inout Hasher) {
        switch self {
        case .integer(let value): hasher.combine(value)
        case .floating(let value): hasher.combine(value.bitPattern)
        }
    }

    var negated: Scalar {
        switch self {
        case .integer(let value): .integer(0 &- value)
        case .floating(let value): .floating(-value)
        }
    }

    public var description: String {
        switch self {
        case .integer(let value): "\(value)"
        case .floating(let value): "\(value)"
        }
    }

    /// The dtype of an operation between a tensor of `dtype` and this number: the tensor's, unless the number is of a higher category.
    func promoted(with dtype: DType) -> DType {
        switch self {
        case .integer: dtype == .bool ? .int64 : dtype
        case .floating: dtype.asFloatingPoint
        }
    }
}

/// The Swift numbers that can stand beside a tensor in an expression.
public protocol ScalarOperand: Sendable {
    var scalar: Scalar { get }
}

extension Int: ScalarOperand { public var scalar: Scalar { .integer(self) } }
extension Double: ScalarOperand { public var scalar: Scalar { .floating(self) } }
extension Float: ScalarOperand { public var scalar: Scalar { .floating(Double(self)) } }
