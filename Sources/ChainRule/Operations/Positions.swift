let positionOperations: [any Operation.Type] = [Nonzero.self, WrapIndices.self]

/// The positions of the elements that are not zero, row by row; [how many, axes], int64.
struct Nonzero: UnaryOperation, NotDifferentiable, DataDependentShape {
    static let name = "nonzero"
    static let dtypes: DTypes = .all
    static let reason = "positions are integers"
    func forward(_ x: Tensor) -> Tensor { CPU.nonzero(x) }
}

/// Indices with those below 0 counted from the end of an axis.
struct WrapIndices: UnaryOperation, NotDifferentiable {
    let size: Int
    /// What the indices go into, for the error's sentence: "axis 1 of shape [2, 3]".
    let axis: Int?
    let shape: Shape
    let operation: String
    static let name = "wrap_indices"
    static let dtypes: DTypes = .discrete
    static let reason = "indices are integers"
    func forward(_ index: Tensor) -> Tensor {
        let wrapped = CPU.wrappedIndices(index, size: size, in: operation) {
            axis.map { "axis \($0) of shape \(shape)" } ?? "the elements of shape \(shape)"
        }
        return wrapped ?? .placeholderAfterError
    }
}

extension Tensor {
    /// The positions of the elements that are not zero (or true), in row-major order: int64 of shape [how many, rank].
    public func nonzero() -> Tensor { apply(Nonzero(), to: self) }

    /// The numbers of the true elements of a mask in row-major order.
    func truePlaces() -> Tensor {
        let places = apply(Nonzero(), to: reshape([count]))
        return places.reshape([places.shape[0]])
    }

    /// These indices into `axis` of `shape` (nil: into all its elements), checked, negative ones counted from the end.
    /// Nil after an error.
    func wrapped(for axis: Int?, of shape: Shape, in operation: String) -> Tensor? {
        let size = axis.map { shape.isEmpty ? 1 : shape[$0] } ?? shape.elementCount
        let result = apply(WrapIndices(size: size, axis: axis, shape: shape, operation: operation), to: self)
        return result.dtype == .int64 ? result : nil
    }
}
