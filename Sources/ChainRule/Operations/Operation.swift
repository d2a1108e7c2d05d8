/// What an operation computes and the gradient it hands back, as text: for pictures, derivations and the coverage table.
public struct Formula: Sendable, Hashable {
    /// The value: "tanh x".
    public let value: String
    /// The gradient of each input, in terms of ∂L/∂y: "∂L/∂x = ∂L/∂y · (1 − y²)". For an operation that has none, the reason.
    public let gradient: String

    public init(_ value: String, gradient: String) {
        self.value = value
        self.gradient = gradient
    }
}

/// One operation, described in one place; eager execution, recording, the gradient sweep and the documentation derive
/// from it. An operation with parameters is a value that holds them.
///
/// Conform to `UnaryOperation`, `BinaryOperation` or `VariadicOperation`, which say how to compute and how to differentiate,
/// and list the type in its family so that the sweep finds it. `forward` works on the backend alone (the `CPU` functions, or views):
/// it must call no recorded operation.
public protocol Operation: Hashable, Sendable {
    /// "tanh". Used in errors, pictures and printed tensors (`grad_fn=<TanhBackward>`).
    static var name: String { get }
    static var formula: Formula { get }
    /// How to draw random inputs for the gradient check; none only for operations without a gradient.
    static var samples: [Sample] { get }
    /// False only for `NotDifferentiable` operations.
    static var isDifferentiable: Bool { get }
    /// What `forward` works on; methods convert what it doesn't. Floating dtypes, unless the operation says otherwise.
    static var dtypes: DTypes { get }
}

extension Operation {
    public static var isDifferentiable: Bool { true }
    public static var dtypes: DTypes { .floating }
}

/// The dtypes that an operation works on.
public enum DTypes: Sendable, Hashable, CustomStringConvertible {
    case floating
    /// float32 and float64.
    case fullPrecision
    case all
    /// All but bool.
    case numbers
    /// Integers and bool.
    case discrete
    /// Only bool.
    case boolean

    public func contains(_ dtype: DType) -> Bool {
        switch self {
        case .floating: dtype.isFloatingPoint
        case .fullPrecision: dtype == .float32 || dtype == .float64
        case .all: true
        case .numbers: dtype != .bool
        case .discrete: !dtype.isFloatingPoint
        case .boolean: dtype == .bool
        }
    }

    public var description: String {
        switch self {
        case .floating: "floating"
        case .fullPrecision: "float32, float64"
        case .all: "all"
        case .numbers: "all but bool"
        case .discrete: "integers, bool"
        case .boolean: "bool"
        }
    }
}

/// What a node keeps for its backward pass; everything else can be freed as soon as the program drops it.
public struct Keeps: OptionSet, Sendable {
    public let rawValue: UInt8
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// The input of a unary operation, the left one of a binary operation, every input of a variadic one.
    public static let input = Keeps(rawValue: 1)
    public static let left = Keeps(rawValue: 1)
    /// The right input of a binary operation.
    public static let right = Keeps(rawValue: 2)
    public static let output = Keeps(rawValue: 4)
    /// Every output but the first, of a variadic operation: what it computed for the backward pass alone.
    public static let otherOutputs = Keeps(rawValue: 8)
    public static let inputs: Keeps = [.left, .right]
}

/// y = f(x).
public protocol UnaryOperation: Operation {
    static var keeps: Keeps { get }
    /// The value. Checks what it can't work on and reports it with `fail`.
    func forward(_ x: Tensor) -> Tensor
    /// ∂L/∂x from ∂L/∂y, written in Tensor operations, so that it can be differentiated again.
    func gradient(_ dy: Tensor, _ kept: Kept) -> Tensor
}

/// y = f(a, b). Where an input was broadcast, its gradient is summed over the expanded axes by the engine.
public protocol BinaryOperation: Operation {
    static var keeps: Keeps { get }
    func forward(_ left: Tensor, _ right: Tensor) -> Tensor
    /// ∂L/∂left. Only called when the left input requires a gradient.
    func gradientLeft(_ dy: Tensor, _ kept: Kept) -> Tensor
    /// ∂L/∂right. Only called when the right input requires a gradient.
    func gradientRight(_ dy: Tensor, _ kept: Kept) -> Tensor
}

/// (y1, ...) = f(x1, x2, ...): any number of inputs and outputs.
public protocol VariadicOperation: Operation {
    static var keeps: Keeps { get }
    /// The outputs that carry gradients come first. Integer and boolean outputs carry none.
    func forward(_ inputs: [Tensor]) -> [Tensor]
    /// The gradients of the inputs; `needs[i]` says which are wanted, nil may stand for zero. `dy[i]` is nil where no gradient reached that output.
    func gradients(_ dy: [Tensor?], _ kept: KeptList, needs: [Bool]) -> [Tensor?]
    /// Those of the inputs that the gradient reads, when `keeps` has `.input`: all, unless the operation says otherwise.
    static func keptInputs(_ inputs: [Tensor]) -> [Tensor]
}

extension VariadicOperation {
    public static func keptInputs(_ inputs: [Tensor]) -> [Tensor] { inputs }
}

/// An operation whose output element depends on the input elements of the same place: the sweep tries it on every layout.
public protocol ElementwiseOperation: Operation {}

/// An operation whose result's shape depends on the values of its inputs: a compiled function cannot plan for it.
public protocol DataDependentShape: Operation {}

/// An operation that has no gradient. Applying it to a tensor that requires one stops with this reason, unless the results are
/// integers or booleans, which carry no gradient by nature. Such a cell writes no `gradient`, no `keeps` and no samples.
public protocol NotDifferentiable: Operation {
    /// What follows "because": "counting is constant between its jumps".
    static var reason: String { get }
}

extension NotDifferentiable {
    public static var formula: Formula { Formula(name, gradient: "not differentiable, because \(reason)") }
    public static var samples: [Sample] { [] }
    public static var isDifferentiable: Bool { false }
}

/// What a unary or binary operation kept. Under `createGraph` the tensors are still attached to the graph.
public struct Kept {
    let left: Tensor?
    let right: Tensor?
    let result: Tensor?

    public var input: Tensor { unwrap(left) }
    public var leftInput: Tensor { unwrap(left) }
    public var rightInput: Tensor { unwrap(right) }
    public var output: Tensor { unwrap(result) }

    private func unwrap(_ tensor: Tensor?) -> Tensor {
        tensor ?? fail("gradient", "an operation asked for a tensor that it does not declare in `keeps`")
    }
}

/// What a variadic operation kept.
public struct KeptList {
    public let inputs: [Tensor]
    /// With `Keeps.otherOutputs` the first one is empty.
    public let outputs: [Tensor]
}
