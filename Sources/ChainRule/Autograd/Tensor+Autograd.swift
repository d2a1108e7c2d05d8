import CKernels

extension Tensor {
    /// Whether operations on this tensor are recorded.
    public var requiresGrad: Bool { body.node != nil }

    /// Whether no operation made this tensor: a parameter, or one that requires no gradient.
    public var isLeaf: Bool { body.node?.isLeaf ?? true }

    /// A leaf with this value that requires a gradient (or doesn't). Floating dtypes only.
    public func requiringGrad(_ requires: Bool = true) -> Tensor {
        guard requires else { return detach() }
        guard dtype.isFloatingPoint else {
            return fail("requiresGrad", "only floating tensors can require a gradient, this one is \(dtype)")
        }
        // Setting the data of a leaf changes its memory and nothing else: it begins at the start of that memory, without gaps.
        let isPlain = isContiguous && layout.offset == 0
        let leaf = isPlain ? detach() : apply(Contiguous(), to: self).withoutNode
        leaf.body.node = LeafNode(shape: shape, dtype: dtype)
        return leaf
    }

    /// The same value cut from the graph. O(1).
    public func detach() -> Tensor {
        if isTraced { Recorder.current?.willModify(self) }
        return withoutNode
    }

    /// `detach()` for results on their way.
    @inline(__always)
    var withoutNode: Tensor {
        Tensor(body: .make(body.storage, body.layout, body.dtype))
    }

    /// The value without its history. Setting the data of a leaf changes the value that all copies of the leaf see; what was
    /// recorded before keeps the value it was computed with.
    public var data: Tensor {
        get { detach() }
        nonmutating set {
            guard isLeaf else {
                fail("data", "only the data of a leaf can be set, this tensor is the result of '\(node?.name ?? "")'")
                return
            }
            guard newValue.shape == shape && newValue.dtype == dtype else {
                fail("data", "shape \(newValue.shape) \(newValue.dtype) does not fit the leaf's \(shape) \(dtype)")
                return
            }
            if isTraced, let recorder = Recorder.current {
                recorder.setData(of: self, to: newValue)
                return
            }
            let isPlain = newValue.isContiguous && newValue.layout.offset == 0
            let value = isPlain ? newValue : CPU.contiguousCopy(newValue)
            body.storage = value.body.storage
            body.layout = value.body.layout
        }
        nonmutating _modify {
            // Moves the value out, so that `data -= step` works in place when no recorded operation needs the old value. Whoever looks at
            // the leaf meanwhile finds it empty.
            if isTraced { Recorder.current?.willModify(self) }
            let (layout, dtype) = (body.layout, body.dtype)
            var value = Tensor(body: .make(body.storage, layout, dtype))
            body.storage = Tensor.placeholderAfterError.body.storage
            body.layout = Tensor.placeholderAfterError.body.layout
            defer {
                body.layout = layout
                let fits = value.shape == layout.shape && value.dtype == dtype
                if !fits { body.storage = Tensor.zeros(layout.shape, dtype: dtype).body.storage }
                data = value
            }
            yield &value
        }
    }

    /// The gradient that `backward()` added up: of a leaf, or of an inner tensor after `retainGrad()`. Nil before.
    public var grad: Tensor? {
        get {
            guard let node else { return nil }
            if node.isLeaf { return unsafeDowncast(node, to: LeafNode.self).gradient }
            return node.extras?.retained[body.outputIndex]
        }
        nonmutating set {
            guard let node, node.isLeaf else {
                fail("grad", "only a leaf that requires a gradient has one that can be set")
                return
            }
            unsafeDowncast(node, to: LeafNode.self).gradient = newValue
        }
    }

    /// Forgets the gradient.
    public func zeroGrad() {
        guard let node else { return }
        if node.isLeaf {
            unsafeDowncast(node, to: LeafNode.self).gradient = nil
        } else {
            node.extras?.retained[body.outputIndex] = nil
        }
    }

    /// Keeps the gradient of an inner tensor when `backward()` passes it, to be read as `grad`.
    public func retainGrad() {
        guard let node else {
            fail("retainGrad", "this tensor requires no gradient")
            return
        }
        if !node.isLeaf { extras(of: node).retains.insert(body.outputIndex) }
    }

    /// Runs `hook` on the gradient of this tensor in every backward; a tensor it returns takes the gradient's place.
    @discardableResult
    public func registerHook(_ hook: @escaping @Sendable (Tensor) -> Tensor?) -> HookHandle {
        guard let node else {
            fail("registerHook", "this tensor requires no gradient")
            return HookHandle(node: nil, id: 0)
        }
        let id = ck_next_sequence()
        extras(of: node).hooks.append((id, body.outputIndex, hook))
        return HookHandle(node: node, id: id)
    }

    private func extras(of node: Node) -> NodeExtras {
        if let extras = node.extras { return extras }
        let extras = NodeExtras()
        node.extras = extras
        return extras
    }

    /// Adds ∂self/∂leaf · `gradient` to the `grad` of every leaf this tensor was computed from.
    ///
    /// What the operations kept is freed on the way unless `retainGraph`; with `createGraph` the gradients are recorded
    /// themselves and can be differentiated. `gradient` may be left out for a tensor of one element (it is then 1).
    public func backward(gradient: Tensor? = nil, retainGraph: Bool? = nil, createGraph: Bool = false) {
        guard let seed = seed(gradient, in: "backward") else { return }
        let pass = BackwardPass(retainGraph: retainGraph ?? createGraph, createGraph: createGraph)
        pass.begin(at: self, with: seed)
        pass.run()
    }

    /// The gradient that backward begins with. Nil after an error.
    func seed(_ gradient: Tensor?, in operation: String) -> Tensor? {
        guard requiresGrad else {
            fail(
                operation,
                "the tensor of shape \(shape) requires no gradient: no leaf with requiresGrad led to it, or it was detached"
            )
            return nil
        }
        if let gradient {
            guard gradient.shape == shape else {
                fail(operation, "the gradient has shape \(gradient.shape), the tensor \(shape)")
                return nil
            }
            return gradient.to(dtype)
        }
        guard count == 1 else {
            fail(
                operation,
                "a gradient can be left out only for a tensor of one element, this one has shape \(shape); pass gradient:, or reduce it first"
            )
            return nil
        }
        return Tensor.ones(shape, dtype: dtype)
    }
}

/// A hook that can be taken off again.
public struct HookHandle: Sendable {
    let node: Node?
    let id: UInt64

    public func remove() { node?.extras?.hooks.removeAll { $0.id == id } }
}

/// Runs `body` without recording: its results require no gradient. Other threads are not affected.
public func withoutGradient<Result>(_ body: () throws -> Result) rethrows -> Result {
    let thread = ck_current_thread()
    thread.pointee.gradient_disabled += 1
    defer { thread.pointee.gradient_disabled -= 1 }
    return try body()
}

/// Runs `body` with recording, also inside `withoutGradient`.
public func withGradient<Result>(_ body: () throws -> Result) rethrows -> Result {
    let thread = ck_current_thread()
    let depth = thread.pointee.gradient_disabled
    thread.pointee.gradient_disabled = 0
    defer { thread.pointee.gradient_disabled = depth }
    return try body()
}
