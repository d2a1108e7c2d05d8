import CKernels

/// q (..., L, E), k (..., S, E), v (..., S, D) and what broadcasts to (..., L, S): the inputs of `Attention`.
struct AttentionInputs {
    let q, k, v: Tensor
    let mask: Tensor?

    init(_ inputs: [Tensor], hasMask: Bool) {
        (q, k, v) = (inputs[0].withRowsInOnePiece, inputs[1].withRowsInOnePiece, inputs[2].withRowsInOnePiece)
        mask = hasMask ? inputs[3].dtype == .bool ? inputs[3] : inputs[3].to(q.dtype) : nil
    }
}

extension CPU {
    /// y and the statistics that the backward pass reads. float32 and float64.
    static func attention(
        _ inputs: AttentionInputs, scale: Double, isCausal: Bool
    ) -> (y: Tensor, statistics: Tensor) {
        let (q, v) = (inputs.q, inputs.v)
        let rows = Shape(q.shape.dropLast())
        let y = Tensor(uninitialized: rows.appending([v.shape[v.rank - 1]]), dtype: q.dtype, inOrderOf: q)
        let statistics = Tensor(uninitialized: rows.appending([2]), dtype: q.dtype)
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
        let parts = [inputs.q, inputs.k, inputs.v]
        let gradients =
            memory(sideBySideLike: parts)
            ?? parts.map { Tensor(uninitialized: $0.shape, dtype: $0.dtype, inOrderOf: $0) }
        let call = AttentionCall(
            inputs, scale: scale, isCausal: isCausal, y: y.withRowsInOnePiece, statistics: contiguous(statistics),
            dy: dy.withRowsInOnePiece, gradients: gradients)
        if y.dtype == .float32 {
            call.run(ck_attention_grad_workspace_f32, ck_attention_grad_f32)
        } else {
            call.run(ck_attention_grad_workspace_f64, ck_attention_grad_f64)
        }
        return gradients
    }

    /// Memory for heads (..., H, L, D) that lies as they do when the rows of one tensor were cut into them, so that nothing has to be copied
    /// to put it together again; nil when they lie otherwise.
    private static func memory(sideBySideLike parts: [Tensor]) -> [Tensor]? {
        let (first, rank) = (parts[0], parts[0].rank)
        guard rank >= 3, let start = parts.map(\.layout.offset).min() else { return nil }
        let (heads, rows, width) = (first.shape[rank - 3], first.shape[rank - 2], first.shape[rank - 1])
        let whole = Shape(first.shape.dropLast(3)).appending([rows, parts.count, heads, width])
        var strides = whole.contiguousStrides
        let (row, head) = (strides[rank - 3], strides[rank - 1])
        strides = Shape(strides.dropLast(4)).appending([head, row, 1])
        let offsets = parts.map { $0.layout.offset - start }
        guard
            parts.allSatisfy({
                $0.body.storage === first.body.storage && $0.shape == first.shape && $0.strides == strides
            }),
            offsets.sorted() == parts.indices.map({ $0 * heads * width })
        else { return nil }
        let memory = Tensor(uninitialized: whole, dtype: first.dtype)
        return offsets.map {
            memory.view(Layout(shape: first.shape, strides: strides, offset: memory.layout.offset + $0))
        }
    }
}

/// What the kernels are told, and the tensors that it points to.
private struct AttentionCall {
    private var description = ck_attention()
    private var tensors: [Tensor]
    /// Where the items of each matrix begin.
    private let offsets: Tensor
    private let batch: Shape

    init(
        _ inputs: AttentionInputs, scale: Double, isCausal: Bool, y: Tensor, statistics: Tensor, dy: Tensor? = nil,
        gradients: [Tensor] = []
    ) {
        let (q, v) = (inputs.q, inputs.v)
        batch = Shape(q.shape.dropLast(2))
        offsets = Tensor(uninitialized: [9, batch.elementCount], dtype: .int64)
        tensors = [statistics]
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
        if let dy {
            description.dy = matrices(dy)
            description.dq = matrices(gradients[0])
            description.dk = matrices(gradients[1])
            description.dv = matrices(gradients[2])
        }
    }

    private mutating func matrices(_ x: Tensor) -> ck_matrices {
        let begin = offsets.freshPointer(to: Int64.self) + (tensors.count - 1) * batch.elementCount
        tensors.append(x)
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
        withExtendedLifetime((tensors, offsets, workspace)) { kernel(&description) }
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
