import CKernels

// Integers and booleans: plain loops, one for each operation and type. They stay on the calling thread: called from the closure that the
// pool runs, a function would not be inlined, and cost more than threads gain.

extension CPU {
    /// An integer function of two operands, broadcast; arithmetic wraps around as in C.
    enum IntegerBinary { case add, subtract, multiply, floorDivide, remainder, maximum, minimum, power, and, or, xor }

    static func integerBinary(_ operation: IntegerBinary, _ a: Tensor, _ b: Tensor, name: String) -> Tensor {
        guard let shape = broadcastShape(a, b, name) else { return .placeholderAfterError }
        if operation == .floorDivide || operation == .remainder {
            guard shape.elementCount == 0 || !holdsZero(b) else { return fail(name, "integer division by zero") }
        }
        // What is cut off when a result in int64 goes back is what wrapping arithmetic in the narrow type drops.
        let dtype = a.dtype == b.dtype ? a.dtype : .int64
        let (left, right) = (convert(a, to: dtype), convert(b, to: dtype))
        let y =
            switch dtype {
            case .bool, .uint8: integers(operation, left, right, shape, UInt8.self)
            case .int8: integers(operation, left, right, shape, Int8.self)
            case .int16: integers(operation, left, right, shape, Int16.self)
            case .int32: integers(operation, left, right, shape, Int32.self)
            default: integers(operation, left, right, shape, Int64.self)
            }
        return convert(y, to: a.dtype)
    }

    private static func holdsZero(_ x: Tensor) -> Bool {
        let isZero = compareIntegers(CK_EQ, x, Tensor.zeros([], dtype: x.dtype), name: "integer division")
        return UnsafeBufferPointer(start: isZero.pointer(to: Bool.self), count: x.count).contains(true)
    }

    private static func integers<T: FixedWidthInteger & TensorScalar>(
        _ operation: IntegerBinary, _ a: Tensor, _ b: Tensor, _ shape: Shape, _: T.Type
    ) -> Tensor {
        switch operation {
        case .add: pairs(a, b, shape, T.self) { $0 &+ $1 }
        case .subtract: pairs(a, b, shape, T.self) { $0 &- $1 }
        case .multiply: pairs(a, b, shape, T.self) { $0 &* $1 }
        case .floorDivide: pairs(a, b, shape, T.self, floorQuotient)
        case .remainder: pairs(a, b, shape, T.self, floorRemainder)
        case .maximum: pairs(a, b, shape, T.self) { Swift.max($0, $1) }
        case .minimum: pairs(a, b, shape, T.self) { Swift.min($0, $1) }
        case .power: pairs(a, b, shape, T.self, integerPower)
        case .and: pairs(a, b, shape, T.self) { $0 & $1 }
        case .or: pairs(a, b, shape, T.self) { $0 | $1 }
        case .xor: pairs(a, b, shape, T.self) { $0 ^ $1 }
        }
    }

    /// f(a, b) of each pair of elements of type T, broadcast to `shape`.
    @inline(__always)
    private static func pairs<T: TensorScalar, U: TensorScalar>(
        _ a: Tensor, _ b: Tensor, _ shape: Shape, _: T.Type, _ function: (T, T) -> U
    ) -> Tensor {
        let y = Tensor(uninitialized: shape, dtype: U.dtype)
        let output = y.freshPointer(to: U.self)
        let a = expandedCopy(a, to: shape)
        if b.count == 1 {
            // One number against many is the usual case of broadcasting: no copy of it.
            let (left, right) = (a.pointer(to: T.self), b.pointer(to: T.self).pointee)
            for index in 0..<y.count { output[index] = function(left[index], right) }
            return y
        }
        let b = expandedCopy(b, to: shape)
        let (left, right) = (a.pointer(to: T.self), b.pointer(to: T.self))
        for index in 0..<y.count { output[index] = function(left[index], right[index]) }
        return withExtendedLifetime((a, b)) { y }
    }

    /// Rounded towards minus infinity, as PyTorch's floor_divide.
    private static func floorQuotient<T: FixedWidthInteger>(_ a: T, _ b: T) -> T {
        let quotient = a.dividedReportingOverflow(by: b).partialValue
        let hasRemainder = a.remainderReportingOverflow(dividingBy: b).partialValue != 0
        return hasRemainder && (a < 0) != (b < 0) ? quotient &- 1 : quotient
    }

    /// Has the sign of the divisor.
    private static func floorRemainder<T: FixedWidthInteger>(_ a: T, _ b: T) -> T {
        let remainder = a.remainderReportingOverflow(dividingBy: b).partialValue
        return remainder != 0 && (remainder < 0) != (b < 0) ? remainder &+ b : remainder
    }

    private static func integerPower<T: FixedWidthInteger>(_ base: T, _ exponent: T) -> T {
        if exponent < 0 { return base == 1 || (base == ~0 && exponent & 1 == 0) ? 1 : base == ~0 ? base : 0 }
        var (result, base, exponent) = (T(1), base, exponent)
        while exponent > 0 {
            if exponent & 1 == 1 { result = result &* base }
            base = base &* base
            exponent >>= 1
        }
        return result
    }

    enum IntegerUnary { case negate, absolute, sign, square, relu, not }

    static func integerUnary(_ operation: IntegerUnary, _ x: Tensor, name: String) -> Tensor {
        let y =
            switch x.dtype {
            case .bool where operation == .not: mapped(x, UInt8.self) { 1 - $0 }
            case .bool, .uint8: integers(operation, x, UInt8.self)
            case .int8: integers(operation, x, Int8.self)
            case .int16: integers(operation, x, Int16.self)
            case .int32: integers(operation, x, Int32.self)
            default: integers(operation, x, Int64.self)
            }
        return convert(y, to: x.dtype)
    }

    private static func integers<T: FixedWidthInteger & TensorScalar>(
        _ operation: IntegerUnary, _ x: Tensor, _: T.Type
    ) -> Tensor {
        switch operation {
        case .negate: mapped(x, T.self) { 0 &- $0 }
        case .absolute: mapped(x, T.self) { $0 < 0 ? 0 &- $0 : $0 }
        case .sign: mapped(x, T.self) { $0.signum() }
        case .square: mapped(x, T.self) { $0 &* $0 }
        case .relu: mapped(x, T.self) { Swift.max($0, 0) }
        case .not: mapped(x, T.self) { ~$0 }
        }
    }

    @inline(__always)
    private static func mapped<T: TensorScalar>(_ x: Tensor, _: T.Type, _ function: (T) -> T) -> Tensor {
        let x = contiguous(x)
        let y = Tensor(uninitialized: x.shape, dtype: T.dtype)
        let (output, values) = (y.freshPointer(to: T.self), x.pointer(to: T.self))
        for index in 0..<y.count { output[index] = function(values[index]) }
        return withExtendedLifetime(x) { y }
    }

    /// For two tensors of one dtype.
    static func compareIntegers(_ operation: ck_comparison, _ a: Tensor, _ b: Tensor, name: String) -> Tensor {
        guard let shape = broadcastShape(a, b, name) else { return .placeholderAfterError }
        return switch a.dtype {
        case .bool, .uint8: comparison(operation, a, b, shape, UInt8.self)
        case .int8: comparison(operation, a, b, shape, Int8.self)
        case .int16: comparison(operation, a, b, shape, Int16.self)
        case .int32: comparison(operation, a, b, shape, Int32.self)
        default: comparison(operation, a, b, shape, Int64.self)
        }
    }

    private static func comparison<T: FixedWidthInteger & TensorScalar>(
        _ operation: ck_comparison, _ a: Tensor, _ b: Tensor, _ shape: Shape, _: T.Type
    ) -> Tensor {
        switch operation {
        case CK_EQ: pairs(a, b, shape, T.self) { $0 == $1 }
        case CK_NE: pairs(a, b, shape, T.self) { $0 != $1 }
        case CK_LT: pairs(a, b, shape, T.self) { $0 < $1 }
        case CK_LE: pairs(a, b, shape, T.self) { $0 <= $1 }
        case CK_GT: pairs(a, b, shape, T.self) { $0 > $1 }
        default: pairs(a, b, shape, T.self) { $0 >= $1 }
        }
    }

    /// A row-major tensor of the broadcast shape.
    static func expandedCopy(_ x: Tensor, to shape: Shape) -> Tensor {
        if x.shape == shape { return contiguous(x) }
        let y = Tensor(uninitialized: shape, dtype: x.dtype)
        copy(x, into: y, layout: y.layout)
        return y
    }
}
