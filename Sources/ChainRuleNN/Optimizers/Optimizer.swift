import ChainRule

/// Changes parameters by their gradients.
///
/// ```swift
/// let optimizer = SGD(model.parameters, learningRate: 0.01, momentum: 0.9)
/// optimizer.zeroGrad()
/// loss(model(x), y).backward()
/// optimizer.step()
/// ```
public protocol Optimizer: AnyObject {
    /// The leaves this optimiser changes.
    var parameters: [Tensor] { get }
    var learningRate: Double { get set }
    /// One update of every parameter that has a gradient.
    func step()
    /// What the optimiser remembers between steps, by name; enough to go on exactly where it stopped.
    var state: [String: Tensor] { get }
    /// Takes the remembered state back.
    func load(state: [String: Tensor]) throws
}

extension Optimizer {
    /// Forgets the gradients of all parameters.
    public func zeroGrad() {
        for parameter in parameters { parameter.zeroGrad() }
    }

    /// The tensor `name` of parameter `index` in a saved state, checked against the parameter's shape.
    func restored(_ state: [String: Tensor], _ index: Int, _ name: String) throws -> Tensor? {
        guard let value = state["\(index).\(name)"] else { return nil }
        guard index < parameters.count, value.shape == parameters[index].shape else {
            throw StateError(
                description: "the optimiser state '\(index).\(name)' of shape \(value.shape) fits no parameter here")
        }
        return value
    }
}
