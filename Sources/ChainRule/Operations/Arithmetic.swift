import CKernels

/// The cells of this file.
let arithmeticOperations: [any Operation.Type] = [
    Add.self, Subtract.self, Multiply.self, Divide.self, AddScalar.self, SubtractFromScalar.self, MultiplyScalar.self,
    DivideScalar.self, DivideScalarBy.self, Negate.self,
]

/// y = a + b
struct Add: BinaryOperation, ElementwiseOperation, FusableOperation {
    static let name = "add"
    static let formula = Formula("a + b", gradient: "∂L/∂a = ∂L/∂y, ∂L/∂b = ∂L/∂y")
    static let dtypes: DTypes = .all
    static let keeps: Keeps = []
    var kernel: ElementwiseKernel { .binary(CK_ADD) }
    func forward(_ a: Tensor, _ b: Tensor) -> Tensor { CPU.arithmetic(CK_ADD, .add, a, b, name: Self.name) }
    func gradientLeft(_ dy: Tensor, _ kept: Kept) -> Tensor { dy }
    func gradientRight(_ dy: Tensor, _ kept: Kept) -> Tensor { dy }
    static let samples = [Sample(Add(), -3...3, -3...3)]
}

/// y = a − b
struct Subtract: BinaryOperation, ElementwiseOperation, FusableOperation {
    static let name = "sub"
    static let formula = Formula("a − b", gradient: "∂L/∂a = ∂L/∂y, ∂L/∂b = −∂L/∂y")
    static let dtypes: DTypes = .numbers
    static let keeps: Keeps = []
    var kernel: ElementwiseKernel { .binary(CK_SUB) }
    func forward(_ a: Tensor, _ b: Tensor) -> Tensor { CPU.arithmetic(CK_SUB, .subtract, a, b, name: Self.name) }
    func gradientLeft(_ dy: Tensor, _ kept: Kept) -> Tensor { dy }
    func gradientRight(_ dy: Tensor, _ kept: Kept) -> Tensor { -dy }
    static let samples = [Sample(Subtract(), -3...3, -3...3)]
}

/// y = a · b
struct Multiply: BinaryOperation, ElementwiseOperation, FusableOperation {
    static let name = "mul"
    static let formula = Formula("a · b", gradient: "∂L/∂a = ∂L/∂y · b, ∂L/∂b = ∂L/∂y · a")
    static let dtypes: DTypes = .all
    static let keeps: Keeps = .inputs
    var kernel: ElementwiseKernel { .binary(CK_MUL) }
    func forward(_ a: Tensor, _ b: Tensor) -> Tensor { CPU.arithmetic(CK_MUL, .multiply, a, b, name: Self.name) }
    func gradientLeft(_ dy: Tensor, _ kept: Kept) -> Tensor { dy * kept.rightInput }
    func gradientRight(_ dy: Tensor, _ kept: Kept) -> Tensor { dy * kept.leftInput }
    static let samples = [Sample(Multiply(), -3...3, -3...3)]
}

/// y = a / b
struct Divide: BinaryOperation, ElementwiseOperation, FusableOperation {
    static let name = "div"
    static let formula = Formula("a / b", gradient: "∂L/∂a = ∂L/∂y / b, ∂L/∂b = −∂L/∂y · (a / b) / b")
    static let keeps: Keeps = .inputs
    var kernel: ElementwiseKernel { .binary(CK_DIV) }
    func forward(_ a: Tensor, _ b: Tensor) -> Tensor { CPU.binary(CK_DIV, a, b, name: Self.name) }
    func gradientLeft(_ dy: Tensor, _ kept: Kept) -> Tensor { dy / kept.rightInput }
    func gradientRight(_ dy: Tensor, _ kept: Kept) -> Tensor {
        -dy * ((kept.leftInput / kept.rightInput) / kept.rightInput)
    }
    static let samples = [Sample(Divide(), -3...3, 0.5...3), Sample(Divide(), -3...3, -3 ... -0.5)]
}

/// y = x + c
struct AddScalar: UnaryOperation, ElementwiseOperation, FusableOperation {
    let value: Scalar
    static let name = "add"
    static let formula = Formula("x + c", gradient: "∂L/∂x = ∂L/∂y")
    static let dtypes: DTypes = .all
    static let keeps: Keeps = []
    var kernel: ElementwiseKernel { .withNumber(CK_ADD, value) }
    func forward(_ x: Tensor) -> Tensor { CPU.arithmetic(CK_ADD, .add, x, value, name: Self.name) }
    func gradient(_ dy: Tensor, _ kept: Kept) -> Tensor { dy }
    static let samples = [Sample(AddScalar(value: .floating(1.5)), -3...3)]
}

/// y = c − x
struct SubtractFromScalar: UnaryOperation, ElementwiseOperation, FusableOperation {
    let value: Scalar
    static let name = "rsub"
    static let formula = Formula("c − x", gradient: "∂L/∂x = −∂L/∂y")
    static let dtypes: DTypes = .all
    static let keeps: Keeps = []
    var kernel: ElementwiseKernel { .withNumber(CK_SUB, value, numberFirst: true) }
    func forward(_ x: Tensor) -> Tensor {
        CPU.arithmetic(CK_SUB, .subtract, x, value, scalarFirst: true, name: Self.name)
    }
    func gradient(_ dy: Tensor, _ kept: Kept) -> Tensor { -dy }
    static let samples = [Sample(SubtractFromScalar(value: .floating(1.5)), -3...3)]
}

/// y = c · x
struct MultiplyScalar: UnaryOperation, ElementwiseOperation, FusableOperation {
    let value: Scalar
    static let name = "mul"
    static let formula = Formula("c · x", gradient: "∂L/∂x = c · ∂L/∂y")
    static let dtypes: DTypes = .all
    static let keeps: Keeps = []
    var kernel: ElementwiseKernel { .withNumber(CK_MUL, value) }
    func forward(_ x: Tensor) -> Tensor { CPU.arithmetic(CK_MUL, .multiply, x, value, name: Self.name) }
    func gradient(_ dy: Tensor, _ kept: Kept) -> Tensor { dy * value }
    static let samples = [Sample(MultiplyScalar(value: .floating(-1.5)), -3...3)]
}

/// y = x / c
struct DivideScalar: UnaryOperation, ElementwiseOperation, FusableOperation {
    let value: Scalar
    static let name = "div"
    static let formula = Formula("x / c", gradient: "∂L/∂x = ∂L/∂y / c")
    static let keeps: Keeps = []
    var kernel: ElementwiseKernel { .withNumber(CK_DIV, value) }
    func forward(_ x: Tensor) -> Tensor { CPU.binary(CK_DIV, x, value, name: Self.name) }
    func gradient(_ dy: Tensor, _ kept: Kept) -> Tensor { dy / value }
    static let samples = [Sample(DivideScalar(value: .floating(-1.5)), -3...3)]
}

/// y = c / x
struct DivideScalarBy: UnaryOperation, ElementwiseOperation, FusableOperation {
    let value: Scalar
    static let name = "reciprocal"
    static let formula = Formula("c / x", gradient: "∂L/∂x = −∂L/∂y · (c / x) / x")
    static let keeps: Keeps = .input
    var kernel: ElementwiseKernel { .withNumber(CK_DIV, value, numberFirst: true) }
    func forward(_ x: Tensor) -> Tensor { CPU.binary(CK_DIV, x, value, scalarFirst: true, name: Self.name) }
    func gradient(_ dy: Tensor, _ kept: Kept) -> Tensor { -dy * ((value / kept.input) / kept.input) }
    static let samples = [Sample(DivideScalarBy(value: .floating(1.5)), 0.5...3)]
}

/// y = −x
struct Negate: UnaryOperation, ElementwiseOperation, FusableOperation {
    static let name = "neg"
    static let formula = Formula("−x", gradient: "∂L/∂x = −∂L/∂y")
    static let dtypes: DTypes = .numbers
    static let keeps: Keeps = []
    var kernel: ElementwiseKernel { .unary(CK_NEG) }
    func forward(_ x: Tensor) -> Tensor {
        if x.dtype == .bool { return fail(Self.name, "booleans have no negative; use logicalNot()") }
        return x.dtype.isFloatingPoint ? CPU.unary(CK_NEG, x) : CPU.integerUnary(.negate, x, name: Self.name)
    }
    func gradient(_ dy: Tensor, _ kept: Kept) -> Tensor { -dy }
    static let samples = [Sample(Negate(), -3...3)]
}

// MARK: - Operators

extension Tensor {
    public static func + (a: Tensor, b: Tensor) -> Tensor { binaryPromoted(Add(), a, b) }
    public static func - (a: Tensor, b: Tensor) -> Tensor { binaryPromoted(Subtract(), a, b) }
    public static func * (a: Tensor, b: Tensor) -> Tensor { binaryPromoted(Multiply(), a, b) }
    /// True division: integers give floats.
    public static func / (a: Tensor, b: Tensor) -> Tensor { binaryPromoted(Divide(), a, b, floating: true) }
    public static prefix func - (x: Tensor) -> Tensor { apply(Negate(), to: x) }

    public static func + (x: Tensor, c: some ScalarOperand) -> Tensor {
        withScalar(x, c.scalar) { AddScalar(value: $0) }
    }
    public static func + (c: some ScalarOperand, x: Tensor) -> Tensor { x + c }
    public static func - (x: Tensor, c: some ScalarOperand) -> Tensor { x + c.scalar.negated }
    public static func - (c: some ScalarOperand, x: Tensor) -> Tensor {
        withScalar(x, c.scalar) { SubtractFromScalar(value: $0) }
    }
    public static func * (x: Tensor, c: some ScalarOperand) -> Tensor {
        withScalar(x, c.scalar) { MultiplyScalar(value: $0) }
    }
    public static func * (c: some ScalarOperand, x: Tensor) -> Tensor { x * c }
    public static func / (x: Tensor, c: some ScalarOperand) -> Tensor {
        apply(DivideScalar(value: c.scalar), to: x.to(x.dtype.asFloatingPoint))
    }
    public static func / (c: some ScalarOperand, x: Tensor) -> Tensor {
        apply(DivideScalarBy(value: c.scalar), to: x.to(x.dtype.asFloatingPoint))
    }

    public static func += (a: inout Tensor, b: Tensor) { a.update(CK_ADD, b) { $0 + $1 } }
    public static func -= (a: inout Tensor, b: Tensor) { a.update(CK_SUB, b) { $0 - $1 } }
    public static func *= (a: inout Tensor, b: Tensor) { a.update(CK_MUL, b) { $0 * $1 } }
    public static func /= (a: inout Tensor, b: Tensor) { a.update(CK_DIV, b) { $0 / $1 } }
    public static func += (a: inout Tensor, c: some ScalarOperand) { a.replace(by: a + c) }
    public static func -= (a: inout Tensor, c: some ScalarOperand) { a.replace(by: a - c) }
    public static func *= (a: inout Tensor, c: some ScalarOperand) { a.replace(by: a * c) }
    public static func /= (a: inout Tensor, c: some ScalarOperand) { a.replace(by: a / c) }

    /// Brings both operands to their common dtype and applies the operation.
    @inline(__always)
    static func binaryPromoted<O: BinaryOperation>(
        _ operation: O, _ a: Tensor, _ b: Tensor, floating: Bool = false
    ) -> Tensor {
        if a.dtype == b.dtype && (!floating || a.dtype.isFloatingPoint) { return apply(operation, to: a, b) }
        let common = Tensor.resultType(a, b)
        let dtype = floating ? common.asFloatingPoint : common
        return apply(operation, to: a.to(dtype), b.to(dtype))
    }

    @inline(__always)
    private static func withScalar<O: UnaryOperation>(_ x: Tensor, _ scalar: Scalar, _ make: (Scalar) -> O) -> Tensor {
        apply(make(scalar), to: x.to(scalar.promoted(with: x.dtype)))
    }

    /// The dtype of an operation on two tensors: PyTorch's rule that a single number counts only by its category.
    public static func resultType(_ a: Tensor, _ b: Tensor) -> DType {
        if (a.rank == 0) == (b.rank == 0) { return DType.promote(a.dtype, b.dtype) }
        let (array, number) = a.rank == 0 ? (b.dtype, a.dtype) : (a.dtype, b.dtype)
        return number.category > array.category ? number : array
    }

    /// a = f(a, b), in place when nothing else uses the memory of `a` and nothing is recorded.
    private mutating func update(_ kernel: ck_binary, _ b: Tensor, _ function: (Tensor, Tensor) -> Tensor) {
        let fits = dtype == b.dtype && dtype.isFloatingPoint && !dtype.isHalf && isContiguous
        if fits && node == nil && b.node == nil && (shape == b.shape || Shape.broadcast(shape, b.shape) == shape)
            && hasOwnBody() && isKnownUniquelyReferenced(&body.storage)
        {
            CPU.binaryInPlace(kernel, self, b)
            return
        }
        replace(by: function(self, b))
    }

    private mutating func replace(by result: Tensor) {
        guard result.dtype.category <= dtype.category else {
            fail("in-place operation", "the result has dtype \(result.dtype), which \(dtype) cannot hold")
            return
        }
        guard result.shape == shape else {
            fail("in-place operation", "the result has shape \(result.shape), the tensor \(shape)")
            return
        }
        self = result.to(dtype)
    }

    /// Adds to this tensor; see `+=`.
    mutating func addInPlace(_ other: Tensor) { self += other }
}
