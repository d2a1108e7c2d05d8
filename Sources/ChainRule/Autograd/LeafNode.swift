/// The end of the graph: a tensor that requires a gradient, and where that gradient adds up.
final class LeafNode: Node, @unchecked Sendable {
    private let shape: Shape
    private let dtype: DType
    private let stored = Lock<Tensor?>(nil)

    init(shape: Shape, dtype: DType) {
        self.shape = shape
        self.dtype = dtype
        super.init(isLeaf: true)
    }

    override var name: String { "leaf" }

    var gradient: Tensor? {
        get {
            if isTraced, let recorder = Recorder.current, recorder.isOutside(self) { recorder.readGradient(of: self) }
            return stored.withLock { $0 }
        }
        set {
            if isTraced, let recorder = Recorder.current, recorder.isOutside(self) {
                if let newValue, !fits(newValue, operation: "grad", from: nil) { return }
                return recorder.setGradient(of: self, to: newValue)
            }
            _ = exchangeGradient(newValue)
        }
    }

    /// Sets the gradient. Gives the one before.
    func exchangeGradient(_ gradient: Tensor?) -> Tensor? {
        if let gradient, !fits(gradient, operation: "grad", from: nil) { return nil }
        return stored.withLock { stored in
            let before = stored
            stored = gradient
            return before
        }
    }

    /// Adds to the gradient. Several threads may do so at once.
    func accumulate(_ gradient: consuming Tensor, from source: Node?) {
        guard fits(gradient, operation: "backward", from: source) else { return }
        if isTraced, let recorder = Recorder.current, recorder.isOutside(self) {
            return recorder.accumulate(gradient, in: self, from: source)
        }
        // Optimisers run over the memory as it lies: no expanded or transposed view stays here.
        if !gradient.isContiguous { gradient = gradient.contiguous() }
        stored.withLock { [gradient] current in
            if current == nil {
                current = gradient
            } else {
                current?.accumulate(gradient)
            }
        }
    }

    /// A gradient of another shape would be broadcast when it is added, and be wrong in silence.
    @inline(__always)
    private func fits(_ gradient: Tensor, operation: String, from source: Node?) -> Bool {
        if gradient.shape == shape && gradient.dtype == dtype { return true }
        reportMisfit(gradient, operation, source)
        return false
    }

    @inline(never)
    private func reportMisfit(_ gradient: Tensor, _ operation: String, _ source: Node?) {
        let origin = source.map { " from '\($0.name)'" } ?? ""
        fail(
            operation,
            "a gradient\(origin) of shape \(gradient.shape) \(gradient.dtype) does not fit its tensor of shape \(shape) \(dtype)"
        )
    }
}
