import ChainRule

/// What a parameter or buffer property may hold: a tensor, or one that may be absent (a layer without bias).
public protocol TensorSlot {
    init(slot tensor: Tensor?)
    var slotTensor: Tensor? { get }
}

extension Tensor: TensorSlot {
    public init(slot tensor: Tensor?) {
        self = tensor ?? fail("Module", "a tensor that is always there was taken away")
    }
    public var slotTensor: Tensor? { self }
}

extension Optional: TensorSlot where Wrapped == Tensor {
    public init(slot tensor: Tensor?) { self = tensor }
    public var slotTensor: Tensor? { self }
}

/// A tensor that training changes. Reading the property gives the leaf itself, or its plain value while it is frozen.
///
/// ```swift
/// final class Scale: Module, Layer {
///     @Parameter var factor: Tensor
///     override init() {
///         _factor = Parameter(.ones([1]))
///     }
///     func callAsFunction(_ input: Tensor) -> Tensor { input * factor }
/// }
/// ```
@propertyWrapper
public final class Parameter<Value: TensorSlot> {
    /// The leaf, nil where the parameter is absent.
    private(set) public var leaf: Tensor?
    /// A frozen parameter takes part in the computation but gets no gradient.
    public var isFrozen = false

    public init(_ initial: Value) { leaf = initial.slotTensor.map { $0.detach().requiringGrad() } }

    public convenience init(wrappedValue: Value) { self.init(wrappedValue) }

    public var wrappedValue: Value {
        get {
            if CompiledState.isRecording {
                CompiledState.depends(on: self) { [self] in Use(leaf: leaf?.leafIdentity, isFrozen: isFrozen) }
            }
            return Value(slot: isFrozen ? leaf?.detach() : leaf)
        }
        set { leaf = newValue.slotTensor.map { $0.detach().requiringGrad() } }
    }

    /// What a compiled function depends on.
    private struct Use: Equatable {
        let leaf: ObjectIdentifier?
        let isFrozen: Bool
    }

    public var projectedValue: Parameter { self }

    /// Takes the tensor away, from a layer that goes on with something else.
    func remove() { leaf = nil }
}

/// A tensor that belongs to the state of a module but is not trained (running statistics).
@propertyWrapper
public final class Buffer<Value: TensorSlot> {
    private var stored: Tensor?

    public init(_ initial: Value) { stored = initial.slotTensor?.detach() }

    public convenience init(wrappedValue: Value) { self.init(wrappedValue) }

    public var wrappedValue: Value {
        get {
            if CompiledState.isRecording, let stored {
                CompiledState.reads(stored, of: self) { [self] in self.stored }
            }
            return Value(slot: stored)
        }
        set {
            let tensor = newValue.slotTensor?.detach()
            if CompiledState.isRecording, let tensor {
                CompiledState.writes(tensor, to: self) { [self] in
                    stored
                } write: { [self] in
                    stored = $0
                }
            } else {
                stored = tensor
            }
        }
    }
}

/// A parameter property whatever its type, for walking over a module.
protocol AnyParameter: AnyObject {
    var leaf: Tensor? { get }
    var isFrozen: Bool { get set }
}

extension Parameter: AnyParameter {}

/// A buffer property whatever its type.
protocol AnyBuffer: AnyObject {
    var tensor: Tensor? { get set }
}

extension Buffer: AnyBuffer {
    var tensor: Tensor? {
        get { stored }
        set { stored = newValue?.detach() }
    }
}
