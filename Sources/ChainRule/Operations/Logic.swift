// Booleans and bits. Nothing here has a gradient by nature: the values are booleans or integers.

let logicOperations: [any Operation.Type] = [Logical.self, Bitwise.self, BitwiseNot.self]

/// y = a ∘ b for booleans
struct Logical: BinaryOperation, ElementwiseOperation, NotDifferentiable {
    enum Function: Hashable, Sendable { case and, or, xor }
    let function: Function
    static let name = "logical"
    static let dtypes: DTypes = .all
    static let reason = "its values are booleans"
    func forward(_ a: Tensor, _ b: Tensor) -> Tensor {
        switch function {
        case .and: CPU.integerBinary(.and, a, b, name: "logicalAnd")
        case .or: CPU.integerBinary(.or, a, b, name: "logicalOr")
        case .xor: CPU.integerBinary(.xor, a, b, name: "logicalXor")
        }
    }
}

/// y = a ∘ b bit by bit
struct Bitwise: BinaryOperation, ElementwiseOperation, NotDifferentiable {
    enum Function: Hashable, Sendable { case and, or, xor, shiftLeft, shiftRight }
    let function: Function
    static let name = "bitwise"
    static let dtypes: DTypes = .discrete
    static let reason = "its values are integers"
    func forward(_ a: Tensor, _ b: Tensor) -> Tensor {
        switch function {
        case .and: CPU.integerBinary(.and, a, b, name: "&")
        case .or: CPU.integerBinary(.or, a, b, name: "|")
        case .xor: CPU.integerBinary(.xor, a, b, name: "^")
        case .shiftLeft: CPU.integerBinary(.shiftLeft, a, b, name: "<<")
        case .shiftRight: CPU.integerBinary(.shiftRight, a, b, name: ">>")
        }
    }
}

/// y = every bit of x turned over; not x for booleans
struct BitwiseNot: UnaryOperation, ElementwiseOperation, NotDifferentiable {
    static let name = "bitwise_not"
    static let dtypes: DTypes = .discrete
    static let reason = "its values are integers"
    func forward(_ x: Tensor) -> Tensor { CPU.integerUnary(.not, x, name: Self.name) }
}

extension Tensor {
    /// Where both are true; numbers other than 0 count as true, here and in the next three.
    public func logicalAnd(_ other: Tensor) -> Tensor { logical(.and, other) }
    /// Where one or both are true.
    public func logicalOr(_ other: Tensor) -> Tensor { logical(.or, other) }
    /// Where exactly one is true.
    public func logicalXor(_ other: Tensor) -> Tensor { logical(.xor, other) }
    /// Where the element is false.
    public func logicalNot() -> Tensor { dtype == .bool ? apply(BitwiseNot(), to: self) : self .== 0 }

    private func logical(_ function: Logical.Function, _ other: Tensor) -> Tensor {
        apply(Logical(function: function), to: asBooleans, other.asBooleans)
    }

    private var asBooleans: Tensor { dtype == .bool ? self : self .!= 0 }

    /// Bitwise and of integers; logical and of booleans.
    public static func & (a: Tensor, b: Tensor) -> Tensor { bitwise(.and, a, b, "&") }
    /// Bitwise or of integers; logical or of booleans.
    public static func | (a: Tensor, b: Tensor) -> Tensor { bitwise(.or, a, b, "|") }
    /// Bitwise exclusive or of integers; logical exclusive or of booleans.
    public static func ^ (a: Tensor, b: Tensor) -> Tensor { bitwise(.xor, a, b, "^") }
    /// Integers shifted left by the other tensor's numbers of bits.
    public static func << (a: Tensor, b: Tensor) -> Tensor { bitwise(.shiftLeft, a, b, "<<") }
    /// Integers shifted right by the other tensor's numbers of bits; the sign stays.
    public static func >> (a: Tensor, b: Tensor) -> Tensor { bitwise(.shiftRight, a, b, ">>") }

    /// Every bit turned over; logical not of booleans.
    public static prefix func ~ (x: Tensor) -> Tensor {
        if x.dtype == .bool { return x.logicalNot() }
        return x.dtype.isInteger
            ? apply(BitwiseNot(), to: x) : fail("~", "needs integers or booleans, the dtype is \(x.dtype)")
    }

    private static func bitwise(_ function: Bitwise.Function, _ a: Tensor, _ b: Tensor, _ name: String) -> Tensor {
        let common = resultType(a, b)
        guard !common.isFloatingPoint else {
            return fail(name, "needs integers or booleans, the dtypes are \(a.dtype) and \(b.dtype)")
        }
        if common == .bool {
            switch function {
            case .and: return a.logicalAnd(b)
            case .or: return a.logicalOr(b)
            case .xor: return a.logicalXor(b)
            case .shiftLeft, .shiftRight: return fail(name, "booleans cannot be shifted")
            }
        }
        return binaryPromoted(Bitwise(function: function), a, b)
    }
}
