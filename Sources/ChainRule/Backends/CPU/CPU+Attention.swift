import CKernels

/// q (..., L, E), k (..., S, E), v (..., S, D) and what broadcasts to (..., L, S): the inputs of `Attention`.
struct AttentionInputs {
    let q, k, v: Tensor
    let mask: Tensor?

    init(_ inputs: [Tensor], from first: Int = 0, hasMask: Bool) {
        q = inputs[first].withRowsInOnePiece
        k = inputs[first + 1].withRowsInOnePiece
        v = inputs[first + 2].withRowsInOnePiece
        mask = hasMask ? inputs[first + 3].dtype == .bool ? inputs[first + 3] : inputs[first + 3].to(q.dtype) : nil
    }
}

extension CPU {
    /// y and the statistics that the backward pass reads. float32 and float64.
    static func attention(
        _ inputs: AttentionInputs, scale: Double, isCausal: Bool
    ) -> (y: Tensor, statistics: Tensor) {
        let (q, v) = (inputs.q, inputs.v)
        let rows = Shape(q.shape.dropLast())
        let y = Tensor(uninitialized: rows.appending(v.shape[v.rank - 1]), dtype: q.dtype, inOrderOf: q)
        let statistics = Tensor(uninitialized: rows.appending(2), dtype: q.dtype)
        let call = AttentionCall(inputs, scale: scale, isCausal: isCausal, y: y, statistics: statistics)
        if q.dtype == .float32 {
            call.run(ck_attention_workspace_f32, ck_attention_f32)
        } else {
            call.run(ck_attention_workspace_f64, ck_attention_f64)
        }
        return (y, statistics)
    }

    /// The gradients of q, k and v.
    static func attentionGradient(
        _ dy: Tensor, y: Tensor, statistics: Tensor, _ inputs: AttentionInputs, scale: Double, isCausal: Bool
    ) -> [Tensor] {
        let gradients = memory(sideBySideLike: inputs) ?? memory(inOrderOf: inputs)
        let call = AttentionCall(
            inputs, scale: scale, isCausal: isCausal, y: y.withRowsInOnePiece, statistics: contiguous(statistics),
            dy: dy.withRowsInOnePiece, gradients: gradients)
        if y.dtype == .float32 {
            call.run(ck_attention_grad_workspace_f32, ck_attention_grad_f32)
        } else {
            call.run(ck_attention_grad_workspace_f64, ck_attention_grad_f64)
        }
        return Tensor.list(gradients.q, gradients.k, gradients.v)
    }

    private typealias Parts = (q: Tensor, k: Tensor, v: Tensor)

    private static func memory(inOrderOf inputs: AttentionInputs) -> Parts {
        func memory(_ x: Tensor) -> Tensor { Tensor(uninitialized: x.shape, dtype: x.dtype, inOrderOf: x) }
        return (memory(inputs.q), memory(inputs.k), memory(inputs.v))
    }

    /// Memory for heads (..., H, L, D) that lies as they do when the rows of one tensor were cut into them, so that nothing has to be copied
    /// to put it together again; nil when they lie otherwise.
    private static func memory(sideBySideLike inputs: AttentionInputs) -> Parts? {
        let (q, k, v, rank) = (inputs.q, inputs.k, inputs.v, inputs.q.rank)
        guard rank >= 3 else { return nil }
        let (heads, rows, width) = (q.shape[rank - 3], q.shape[rank - 2], q.shape[rank - 1])
        let whole = Shape(q.shape.dropLast(3)).appending(rows).appending(3).appending(heads).appending(width)
        let strides = Shape(whole.contiguousStrides.dropLast(4))
            .appending(width).appending(3 * heads * width).appending(1)
        func liesSo(_ x: Tensor) -> Bool {
            x.body.storage === q.body.storage && x.shape == q.shape && x.strides == strides
        }
        // One behind the other, in any order.
        let part = heads * width
        let start = min(q.layout.offset, k.layout.offset, v.layout.offset)
        let places = SIMD3(q.layout.offset, k.layout.offset, v.layout.offset) &- start
        guard liesSo(q), liesSo(k), liesSo(v), places.max() == 2 * part, places.wrappedSum() == 3 * part else {
            return nil
        }
        let memory = Tensor(uninitialized: whole, dtype: q.dtype)
        func view(_ place: Int) -> Tensor {
            memory.view(Layout(shape: q.shape, strides: strides, offset: memory.layout.offset + place))
        }
        return (view(places[0]), view(places[1]), view(places[2]))
    }
}

/// What the kernels are told, and the tensors that it points to.
private struct AttentionCall {
    private var description = ck_attention()
    private let inputs: AttentionInputs
    private let (y, statistics): (Tensor, Tensor)
    private let dy: Tensor?
    private let gradients: (q: Tensor, k: Tensor, v: Tensor)?
    /// Where the items of each matrix begin, and how many matrices there are.
    private let offsets: Tensor
    private var count = 0
    private let batch: Shape

    init(
        _ inputs: AttentionInputs, scale: Double, isCausal: Bool, y: Tensor, statistics: Tensor, dy: Tensor? = nil,
        gradients: (q: Tensor, k: Tensor, v: Tensor)? = nil
    ) {
        let (q, v) = (inputs.q, inputs.v)
        batch = Shape(q.shape.dropLast(2))
        offsets = Tensor(uninitialized: Shape(9, batch.elementCount), dtype: .int64)
        (self.inputs, self.y, self.statistics, self.dy, self.gradients) = (inputs, y, statistics, dy, gradients)
        description.items = Int64(batch.elementCount)
        description.queries = Int64(q.shape[q.rank - 2])
        description.width = Int64(q.shape[q.rank - 1])
        description.keys = Int64(v.shape[v.rank - 2])
        description.value_width = Int64(v.shape[v.rank - 1])
        description.scale = scale
        description.is_causal = isCausal ? 1 : 0
        description.mask_kind =
            inputs.mask.map { $0.dtype == .bool ? CK_MASK_BYTES : CK_MASK_ADDED } ?? CK_MASK_NONE
        description.statistics = statistics.rawPointer
        description.slots = Int64(ck_thread_count())
        description.q = matrices(q)
        description.k = matrices(inputs.k)
        description.v = matrices(v)
        description.y = matrices(y)
        if let mask = inputs.mask {
            let shape = batch.appending([q.shape[q.rank - 2], v.shape[v.rank - 2]])
            let strides = mask.layout.broadcastStrides(to: shape)
            description.mask = matrices(mask.view(Layout(shape: shape, strides: strides, offset: mask.layout.offset)))
        }
        if let dy, let gradients {
            description.dy = matrices(dy)
            description.dq = matrices(gradients.q)
            description.dk = matrices(gradients.k)
            description.dv = matrices(gradients.v)
        }
    }

    private mutating func matrices(_ x: Tensor) -> ck_matrices {
        let begin = offsets.freshPointer(to: Int64.self) + count * batch.elementCount
        count += 1
        for item in 0..<batch.elementCount {
            var (rest, offset) = (item, 0)
            for axis in batch.indices.reversed() {
                offset += rest % batch[axis] * x.strides[axis]
                rest /= batch[axis]
            }
            begin[item] = Int64(offset)
        }
        return ck_matrices(
            start: x.rawPointer, offsets: begin, row: Int64(x.strides[x.rank - 2]), column: Int64(x.strides[x.rank - 1])
        )
    }

    func run(
        _ workspaceSize: (UnsafePointer<ck_attention>) -> Int, _ kernel: (UnsafePointer<ck_attention>) -> Void
    ) {
        var description = description
        let workspace = Workspace(byteCount: workspaceSize(&description))
        description.workspace = workspace.pointer
        withExtendedLifetime((inputs, y, statistics, dy, gradients, offsets, workspace)) { kernel(&description) }
    }
}

extension Tensor {
    /// The same with the elements of the last axis next to each other.
    fileprivate var withRowsInOnePiece: Tensor {
        strides[rank - 1] == 1 || shape[rank - 1] == 1 ? self : CPU.contiguousCopy(self)
    }

    /// Memory in the order in which that of `model` lies, as far as rows and the axis in front of them go: heads that were cut from longer
    /// rows are put together again without a copy.
    fileprivate init(uninitialized shape: Shape, dtype: DType, inOrderOf model: Tensor) {
        let (heads, rows) = (shape.count - 3, shape.count - 2)
        guard heads >= 0, model.strides[heads] < model.strides[rows] else {
            self.init(uninitialized: shape, dtype: dtype)
            return
        }
        var swapped = shape
        (swapped[heads], swapped[rows]) = (shape[rows], shape[heads])
        let memory = Tensor(uninitialized: swapped, dtype: dtype)
        var strides = memory.strides
        (strides[heads], strides[rows]) = (strides[rows], strides[heads])
        self = memory.view(Layout(shape: shape, strides: strides, offset: memory.layout.offset))
    }
}
