import CKernels

extension DType {
    /// The type as the kernels for numbers know it; the 16-bit floats go through float32.
    var number: ck_number {
        switch self {
        case .bool: CK_BOOLEAN
        case .uint8: CK_UINT8
        case .int8: CK_INT8
        case .int16: CK_INT16
        case .int32: CK_INT32
        case .int64: CK_INT64
        case .float16, .bfloat16, .float32: CK_FLOAT
        case .float64: CK_DOUBLE
        }
    }

    /// The integer that the kernels take: booleans are bytes.
    fileprivate var integer: ck_number { self == .bool ? CK_UINT8 : number }
}

extension CPU {
    /// An integer function of two operands, broadcast; arithmetic wraps around as in C.
    enum IntegerBinary {
        case add, subtract, multiply, floorDivide, remainder, truncDivide, fmod, maximum, minimum, power, and, or, xor
        case shiftLeft, shiftRight
        /// Of the first operand alone.
        case absolute, sign

        fileprivate var kernel: ck_integer_binary {
            switch self {
            case .add: CK_INTEGER_ADD
            case .subtract: CK_INTEGER_SUB
            case .multiply, .power: CK_INTEGER_MUL
            case .floorDivide: CK_INTEGER_FLOOR_DIVIDE
            case .remainder: CK_INTEGER_REMAINDER
            case .truncDivide: CK_INTEGER_TRUNC_DIVIDE
            case .fmod: CK_INTEGER_FMOD
            case .maximum: CK_INTEGER_MAXIMUM
            case .minimum: CK_INTEGER_MINIMUM
            case .and: CK_INTEGER_AND
            case .or: CK_INTEGER_OR
            case .xor: CK_INTEGER_XOR
            case .absolute: CK_INTEGER_ABS
            case .sign: CK_INTEGER_SIGN
            case .shiftLeft: CK_INTEGER_SHIFT_LEFT
            case .shiftRight: CK_INTEGER_SHIFT_RIGHT
            }
        }

        fileprivate var divides: Bool { [.floorDivide, .remainder, .truncDivide, .fmod].contains(self) }
    }

    static func integerBinary(_ operation: IntegerBinary, _ a: Tensor, _ b: Tensor, name: String) -> Tensor {
        if operation == .power { return integerPairs(a, b, name: name, integerPower) }
        guard let shape = broadcastShape(a, b, name) else { return .placeholderAfterError }
        // What is cut off when a result in int64 goes back is what wrapping arithmetic in the narrow type drops.
        let dtype = a.dtype == b.dtype ? a.dtype : .int64
        let (left, right) = (convert(a, to: dtype), convert(b, to: dtype))
        if operation.divides && shape.elementCount > 0 && holdsZero(right) {
            return fail(name, "integer division by zero")
        }
        let y = Tensor(uninitialized: shape, dtype: dtype)
        var loop = loop(over: y, left, right)
        withExtendedLifetime((left, right)) {
            ck_integers(operation.kernel, dtype.integer, &loop, y.rawPointer, left.rawPointer, right.rawPointer)
        }
        return convert(y, to: a.dtype)
    }

    private static func holdsZero(_ x: Tensor) -> Bool {
        let isZero = compareIntegers(CK_EQ, x, Tensor.zeros([], dtype: x.dtype), name: "integer division")
        return withExtendedLifetime(isZero) {
            ck_has_byte(isZero.pointer(to: UInt8.self), Int64(isZero.count), 1) != 0
        }
    }

    /// For two tensors of one dtype.
    static func compareIntegers(_ operation: ck_comparison, _ a: Tensor, _ b: Tensor, name: String) -> Tensor {
        guard let shape = broadcastShape(a, b, name) else { return .placeholderAfterError }
        let y = Tensor(uninitialized: shape, dtype: .bool)
        var loop = loop(over: y, a, b)
        ck_compare_integers(
            operation, a.dtype.integer, &loop, y.freshPointer(to: UInt8.self), a.rawPointer, b.rawPointer)
        return y
    }

    enum IntegerUnary { case negate, absolute, sign, square, relu, not }

    static func integerUnary(_ operation: IntegerUnary, _ x: Tensor, name: String) -> Tensor {
        func number(_ value: Int) -> Tensor { Tensor.full([], .integer(value), dtype: x.dtype) }
        return switch operation {
        case .negate: integerBinary(.subtract, number(0), x, name: name)
        case .square: integerBinary(.multiply, x, x, name: name)
        case .relu: integerBinary(.maximum, x, number(0), name: name)
        case .not: integerBinary(.xor, x, x.dtype == .bool ? number(1) : convert(number(-1), to: x.dtype), name: name)
        case .absolute: integerBinary(.absolute, x, x, name: name)
        case .sign: integerBinary(.sign, x, x, name: name)
        }
    }

    // MARK: Without a kernel

    static func greatestCommonDivisor(_ a: Tensor, _ b: Tensor, name: String) -> Tensor {
        guard a.dtype.isInteger else { return fail(name, "needs integers, the dtype is \(a.dtype)") }
        return integerPairs(a, b, name: name) { a, b in
            var (a, b) = (a.magnitude, b.magnitude)
            while b != 0 { (a, b) = (b, a % b) }
            return Int64(truncatingIfNeeded: a)
        }
    }

    private static func integerPower(_ base: Int64, _ exponent: Int64) -> Int64 {
        if exponent < 0 { return base == 1 || (base == -1 && exponent & 1 == 0) ? 1 : base == -1 ? base : 0 }
        var (result, base, exponent) = (Int64(1), base, exponent)
        while exponent > 0 {
            if exponent & 1 == 1 { result = result &* base }
            base = base &* base
            exponent >>= 1
        }
        return result
    }

    /// An integer function of two operands of one dtype, broadcast, computed in int64.
    @inline(__always)
    private static func integerPairs(
        _ a: Tensor, _ b: Tensor, name: String, _ function: (Int64, Int64) -> Int64
    ) -> Tensor {
        guard let shape = broadcastShape(a, b, name) else { return .placeholderAfterError }
        let left = expandedCopy(convert(a, to: .int64), to: shape)
        let right = expandedCopy(convert(b, to: .int64), to: shape)
        let y = Tensor(uninitialized: shape, dtype: .int64)
        let output = y.freshPointer(to: Int64.self)
        let (l, r) = (left.pointer(to: Int64.self), right.pointer(to: Int64.self))
        for index in 0..<y.count { output[index] = function(l[index], r[index]) }
        return withExtendedLifetime((left, right)) { convert(y, to: a.dtype) }
    }

    /// A row-major tensor of the broadcast shape.
    static func expandedCopy(_ x: Tensor, to shape: Shape) -> Tensor {
        if x.shape == shape { return contiguous(x) }
        let y = Tensor(uninitialized: shape, dtype: x.dtype)
        copy(x, into: y, layout: y.layout)
        return y
    }
}
