import Synchronization

/// The end of the graph: a tensor that requires a gradient, and where that gradient adds up.
final class LeafNode: Node, @unchecked Sendable {
    private let stored = Mutex<Tensor?>(nil)

    override var name: String { "leaf" }
    override var isLeaf: Bool { true }

    var gradient: Tensor? {
        get { stored.withLock { $0 } }
        set { stored.withLock { $0 = newValue } }
    }

    /// Adds to the gradient. Several threads may do so at once.
    func accumulate(_ gradient: Tensor) {
        stored.withLock { current in
            guard let sum = current.take() else {
                current = gradient
                return
            }
            current = accumulated(sum, gradient)
        }
    }
}

/// The sum of two gradients, in the memory of the first when nothing else uses it and neither is recorded.
func accumulated(_ sum: consuming Tensor, _ gradient: Tensor) -> Tensor {
    if sum.node == nil && gradient.node == nil && sum.shape == gradient.shape && sum.dtype == gradient.dtype {
        sum.addInPlace(gradient)
        return sum
    }
    return sum + gradient
}
