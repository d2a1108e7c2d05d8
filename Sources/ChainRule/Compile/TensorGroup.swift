/// Something made of tensors that a compiled function can take and return: a tensor, an array of them, one that may be absent.
public protocol TensorGroup {
    /// The tensors, always in the same order.
    func append(to tensors: inout [Tensor])
    /// The same group with the next of `tensors` in place of its own.
    func replaced(by tensors: inout ArraySlice<Tensor>) -> Self
}

extension Tensor: TensorGroup {
    public func append(to tensors: inout [Tensor]) { tensors.append(self) }
    public func replaced(by tensors: inout ArraySlice<Tensor>) -> Tensor { tensors.popFirst() ?? self }
}

extension Array: TensorGroup where Element: TensorGroup {
    public func append(to tensors: inout [Tensor]) {
        for element in self { element.append(to: &tensors) }
    }
    public func replaced(by tensors: inout ArraySlice<Tensor>) -> [Element] { map { $0.replaced(by: &tensors) } }
}

extension Optional: TensorGroup where Wrapped: TensorGroup {
    public func append(to tensors: inout [Tensor]) { self?.append(to: &tensors) }
    public func replaced(by tensors: inout ArraySlice<Tensor>) -> Wrapped? { map { $0.replaced(by: &tensors) } }
}

/// The result of a compiled function that returns nothing.
public struct NoTensors: TensorGroup {
    public func append(to tensors: inout [Tensor]) {}
    public func replaced(by tensors: inout ArraySlice<Tensor>) -> NoTensors { self }
}
