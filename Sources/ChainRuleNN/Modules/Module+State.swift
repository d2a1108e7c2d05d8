import ChainRule

/// A state dictionary that does not fit the model it is loaded into.
public struct StateError: Error, CustomStringConvertible {
    public let description: String
}

extension Module {
    /// The parameters and buffers by path, with PyTorch's keys. The values are copies that training does not change.
    public final var stateDictionary: [String: Tensor] {
        var state: [String: Tensor] = [:]
        for (path, tensor) in namedParameters + namedBuffers { state[path] = tensor.detach() }
        return state
    }

    /// Sets the parameters and buffers to the values of `state`. Nothing is changed when it does not fit.
    ///
    /// - Throws: `StateError` when a shape differs, or (unless `strict` is false) when a key is missing or unknown.
    public final func load(stateDictionary state: [String: Tensor], strict: Bool = true) throws {
        let parameters = namedParameters
        let buffers = namedModules().flatMap { path, module in
            module.ownBuffers.map { (path: path.isEmpty ? $0.name : "\(path).\($0.name)", buffer: $0.buffer) }
        }
        let expected = parameters + buffers.compactMap { entry in entry.buffer.tensor.map { (entry.path, $0) } }
        try checkKeys(of: state, against: expected.map(\.path), strict: strict)
        for (path, tensor) in expected {
            guard let value = state[path], value.shape != tensor.shape else { continue }
            throw StateError(
                description: "the state's '\(path)' has shape \(value.shape), the model expects \(tensor.shape)")
        }
        for (path, tensor) in parameters {
            if let value = state[path] { tensor.data = value.detach().to(tensor.dtype) }
        }
        for (path, buffer) in buffers {
            if let value = state[path], let old = buffer.tensor { buffer.tensor = value.to(old.dtype) }
        }
    }

    private func checkKeys(of state: [String: Tensor], against expected: [String], strict: Bool) throws {
        guard strict else { return }
        let missing = expected.filter { state[$0] == nil }
        if let first = missing.first {
            throw StateError(
                description: "the state lacks '\(first)'\(andOthers(missing.count)), which the model needs")
        }
        let unknown = Set(state.keys).subtracting(expected).sorted()
        if let first = unknown.first {
            throw StateError(description: "the state has '\(first)'\(andOthers(unknown.count)), which the model lacks")
        }
    }

    private func andOthers(_ count: Int) -> String { count > 1 ? " and \(count - 1) more" : "" }
}
