import CProbes
import ChainRule

/// Elementwise and row operations against a copy, and what an operation costs when there is next to nothing to compute.
enum Operations {
    static func elementwise(_ settings: Settings) {
        let table = Table(
            "Elementwise operations",
            "Vectors of 4,194,304 elements, float32 unless the operation is one of integers or booleans. Bytes that must move, over the time; percentages are of the copy of 16.8 MB. The gradient is counted with ∂L/∂y and what the operation keeps.",
            first: 28, ["operation", "GB/s", "of a copy", "with gradient", "of a copy"])
        for operation in OperationCase.elementwise(count: 1 << 22) { row(operation, table, settings) }
        table.end()
    }

    static func rows(_ settings: Settings) {
        let table = Table(
            "Row operations", "Along the rows (or columns) of a matrix of 4096×1024 float32, in the same terms.",
            first: 28, ["operation", "GB/s", "of a copy", "with gradient", "of a copy"])
        let x = Tensor.randn([4096, 1024])
        for (name, call) in rowOperations {
            row(OperationCase(name: name, keeps: .input, inputs: [x]) { call($0[0]) }, table, settings)
        }
        table.end()
    }

    private static let rowOperations: KeyValuePairs<String, @Sendable (Tensor) -> Tensor> = [
        "softmax": { $0.softmax(dim: -1) }, "softmax of columns": { $0.softmax(dim: 0) },
        "logSoftmax": { $0.logSoftmax(dim: -1) }, "logsumexp": { $0.logsumexp(dim: -1) },
        "layerNorm": { $0.layerNorm(normalizedShape: [$0.shape[1]]) },
        "sum": { $0.sum(dim: -1) }, "sum of columns": { $0.sum(dim: 0) }, "sum of all": { $0.sum() },
        "mean": { $0.mean(dim: -1) }, "var": { $0.variance(dim: -1) }, "norm": { $0.norm(2, dim: -1) },
        "prod": { $0.prod(dim: -1) }, "amax": { $0.amax(dim: -1) }, "argmax": { $0.argmax(dim: -1) },
        "cumsum": { $0.cumsum(dim: -1) }, "cumsum of columns": { $0.cumsum(dim: 0) },
        "cumprod": { $0.cumprod(dim: -1) }, "logcumsumexp": { $0.logcumsumexp(dim: -1) },
        "sort": { $0.sort(dim: -1).values }, "topk 8": { $0.topk(8, dim: -1).values },
        "median": { $0.median(dim: -1).values },
        "crossEntropy": { $0.crossEntropy(Tensor.zeros([$0.shape[0]], dtype: .int64)) },
        "transposed copy": { $0.transpose(0, 1).contiguous() },
    ]

    private static func row(_ operation: OperationCase, _ table: Table, _ settings: Settings) {
        let output = operation.call(operation.inputs)
        let copy = settings.limits.copyOfArrays
        let forward = operation.forwardBytes(output) / settings.time { _ = operation.call(operation.inputs) } * 1e-6
        var cells = [operation.name, short(forward), percent(forward, of: copy), "–", "–"]
        if let step = operation.recordedStep() {
            let bytes = operation.forwardBytes(output) + operation.backwardBytes(output)
            let both = bytes / settings.time(step) * 1e-6
            cells.replaceSubrange(3..., with: [short(both), percent(both, of: copy)])
        }
        table.row(cells)
    }

    static func small(_ settings: Settings) {
        let table = Table(
            "Small tensors",
            "Nanoseconds for one operation on 8 elements (matrices of 8×8), and how often a call asks for memory. Behind the first three, elementwise operations are called through the registry, which adds an array of results to each call.",
            first: 28, ["operation", "not recorded", "recorded", "with gradient", "allocations", "with gradient"])
        for operation in smallCases() { row(small: operation, table, settings) }
        table.end()
    }

    private static func smallCases() -> [OperationCase] {
        let (a, b, x, w) = (Tensor.randn([8]), Tensor.randn([8]), Tensor.randn([8, 8]), Tensor.randn([8, 8]))
        let plain: KeyValuePairs<String, (Tensor) -> Tensor> = [
            "a + b": { $0 + b }, "a · b": { $0 * b }, "tanh a": { $0.tanh() },
        ]
        let products: KeyValuePairs<String, ([Tensor]) -> Tensor> = [
            "matmul": { $0[0].matmul($0[1]) }, "linear": { $0[0].linear(weight: $0[1]) },
        ]
        return plain.map { name, call in OperationCase(name: name, keeps: .input, inputs: [a]) { call($0[0]) } }
            + OperationCase.elementwise(count: 8)
            + products.map { OperationCase(name: $0, keeps: .inputs, inputs: [x, w], call: $1) }
            + rowOperations.map { name, call in OperationCase(name: name, keeps: .input, inputs: [x]) { call($0[0]) } }
    }

    private static func row(small operation: OperationCase, _ table: Table, _ settings: Settings) {
        let repetitions = 1000
        func nanoseconds(_ body: @escaping () -> Void) -> String {
            short(settings.time { for _ in 0..<repetitions { body() } } * 1e6 / Double(repetitions))
        }
        let leaves = operation.leaves
        let plain = { _ = operation.call(operation.inputs) }
        var cells = [operation.name, nanoseconds(plain), "–", "–", short(allocations(plain)), "–"]
        if let step = operation.recordedStep() {
            cells[2] = nanoseconds { _ = operation.call(leaves) }
            cells[3] = nanoseconds(step)
            cells[5] = short(allocations(step))
        }
        table.row(cells)
    }
}

extension OperationCase {
    fileprivate var leaves: [Tensor] { inputs.map { $0.dtype.isFloatingPoint ? $0.requiringGrad() : $0 } }

    /// Forward and backward; nil where the operation has no gradient.
    fileprivate func recordedStep() -> (() -> Void)? {
        let leaves = leaves
        guard let output = try? catchingErrors({ call(leaves) }), output.requiresGrad else { return nil }
        let gradient = Tensor.ones(output.shape, dtype: output.dtype)
        return {
            call(leaves).backward(gradient: gradient)
            for leaf in leaves where leaf.requiresGrad { leaf.zeroGrad() }
        }
    }
}

/// How often `body` asks for memory on the heap, once it is warm.
func allocations(_ body: () -> Void) -> Double {
    for _ in 0..<4 { body() }
    let before = probe_allocations()
    guard before >= 0 else { return .nan }
    for _ in 0..<4 { body() }
    return Double(probe_allocations() - before) / 4
}
