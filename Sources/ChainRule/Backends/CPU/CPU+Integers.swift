import CKernels

// Integers and booleans: plain loops over row-major int64 copies. Every integer type fits into int64, and what is cut off
// when the result goes back is what wrapping arithmetic in the narrow type would have dropped. They index and count; nobody
// waits for them.

extension CPU {
    /// An integer function of two operands, broadcast; arithmetic wraps around as in C.
    enum IntegerBinary { case add, subtract, multiply, floorDivide, remainder, maximum, minimum, power, and, or, xor }

    static func integerBinary(_ operation: IntegerBinary, _ a: Tensor, _ b: Tensor, name: String) -> Tensor {
        guard let (left, right, shape) = wideOperands(a, b, name) else { return .placeholderAfterError }
        let y = Tensor(uninitialized: shape, dtype: .int64)
        let (output, l, r) = (
            y.freshPointer(to: Int64.self), left.pointer(to: Int64.self), right.pointer(to: Int64.self)
        )
        if operation == .floorDivide || operation == .remainder {
            guard !(0..<y.count).contains(where: { r[$0] == 0 }) else {
                return fail(name, "integer division by zero")
            }
        }
        let function = integerFunction(operation)
        withExtendedLifetime((left, right)) {
            for index in 0..<y.count { output[index] = function(l[index], r[index]) }
        }
        return convert(y, to: a.dtype)
    }

    private static func integerFunction(_ operation: IntegerBinary) -> (Int64, Int64) -> Int64 {
        switch operation {
        case .add: { $0 &+ $1 }
        case .subtract: { $0 &- $1 }
        case .multiply: { $0 &* $1 }
        case .floorDivide: floorQuotient
        case .remainder: floorRemainder
        case .maximum: { Swift.max($0, $1) }
        case .minimum: { Swift.min($0, $1) }
        case .power: integerPower
        case .and: { $0 & $1 }
        case .or: { $0 | $1 }
        case .xor: { $0 ^ $1 }
        }
    }

    /// Rounded towards minus infinity, as PyTorch's floor_divide.
    private static func floorQuotient(_ a: Int64, _ b: Int64) -> Int64 {
        let quotient = a.dividedReportingOverflow(by: b).partialValue
        let hasRemainder = a.remainderReportingOverflow(dividingBy: b).partialValue != 0
        return hasRemainder && (a < 0) != (b < 0) ? quotient &- 1 : quotient
    }

    /// Has the sign of the divisor.
    private static func floorRemainder(_ a: Int64, _ b: Int64) -> Int64 {
        let remainder = a.remainderReportingOverflow(dividingBy: b).partialValue
        return remainder != 0 && (remainder < 0) != (b < 0) ? remainder &+ b : remainder
    }

    private static func integerPower(_ base: Int64, _ exponent: Int64) -> Int64 {
        if exponent < 0 { return base == 1 ? 1 : base == -1 ? (exponent & 1 == 0 ? 1 : -1) : 0 }
        var (result, base, exponent) = (Int64(1), base, exponent)
        while exponent > 0 {
            if exponent & 1 == 1 { result = result &* base }
            base = base &* base
            exponent >>= 1
        }
        return result
    }

    enum IntegerUnary { case negate, absolute, sign, square, relu, not }

    static func integerUnary(_ operation: IntegerUnary, _ x: Tensor, name: String) -> Tensor {
        let input = contiguous(convert(x, to: .int64))
        let y = Tensor(uninitialized: x.shape, dtype: .int64)
        let isBoolean = x.dtype == .bool
        let function: (Int64) -> Int64 =
            switch operation {
            case .negate: { 0 &- $0 }
            case .absolute: { $0 < 0 ? 0 &- $0 : $0 }
            case .sign: { $0.signum() }
            case .square: { $0 &* $0 }
            case .relu: { Swift.max($0, 0) }
            case .not: { isBoolean ? 1 - $0 : ~$0 }
            }
        let (output, values) = (y.freshPointer(to: Int64.self), input.pointer(to: Int64.self))
        withExtendedLifetime(input) {
            for index in 0..<y.count { output[index] = function(values[index]) }
        }
        return convert(y, to: x.dtype)
    }

    static func compareIntegers(_ operation: ck_comparison, _ a: Tensor, _ b: Tensor, name: String) -> Tensor {
        guard let (left, right, shape) = wideOperands(a, b, name) else { return .placeholderAfterError }
        let y = Tensor(uninitialized: shape, dtype: .bool)
        let holds: (Int64, Int64) -> Bool =
            switch operation {
            case CK_EQ: { $0 == $1 }
            case CK_NE: { $0 != $1 }
            case CK_LT: { $0 < $1 }
            case CK_LE: { $0 <= $1 }
            case CK_GT: { $0 > $1 }
            default: { $0 >= $1 }
            }
        let (output, l, r) = (
            y.freshPointer(to: UInt8.self), left.pointer(to: Int64.self), right.pointer(to: Int64.self)
        )
        withExtendedLifetime((left, right)) {
            for index in 0..<y.count { output[index] = holds(l[index], r[index]) ? 1 : 0 }
        }
        return y
    }

    /// Both operands as row-major int64 tensors of the broadcast shape.
    private static func wideOperands(_ a: Tensor, _ b: Tensor, _ name: String) -> (Tensor, Tensor, Shape)? {
        guard let shape = broadcastShape(a, b, name) else { return nil }
        return (expandedCopy(convert(a, to: .int64), to: shape), expandedCopy(convert(b, to: .int64), to: shape), shape)
    }

    /// A row-major tensor of the broadcast shape.
    static func expandedCopy(_ x: Tensor, to shape: Shape) -> Tensor {
        if x.shape == shape { return contiguous(x) }
        let y = Tensor(uninitialized: shape, dtype: x.dtype)
        copy(x, into: y, layout: y.layout)
        return y
    }
}
