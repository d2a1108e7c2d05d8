import ChainRule

/// Every sample of an operation against central differences, first and second order, also with inputs that lie in memory with gaps or
/// columns first; elementwise operations with other shapes too.
public enum OperationSweep {
    /// One failed check: on what, and what was wrong.
    public struct Failure: Sendable, CustomStringConvertible {
        public let variant: String
        public let report: GradientReport

        public var description: String { "\(variant): \(report)" }
    }

    /// Checks `operation`; empty when all is well.
    public static func failures(of operation: any Operation.Type) -> [Failure] { check(operation).failures }

    /// Checks `operation`: what failed, and the largest error of any element (see `GradientReport.largestError`).
    public static func check(_ operation: any Operation.Type) -> (failures: [Failure], largestError: Double) {
        var failures: [Failure] = []
        var largestError = 0.0
        for (index, sample) in operation.samples.enumerated() {
            for variant in variants(of: sample, elementwise: operation is any ElementwiseOperation.Type) {
                let tolerance = GradientCheck.Tolerance(step: sample.step)
                let report = GradientCheck.check(variant.inputs, order: 2, tolerance: tolerance, variant.call)
                let label = "sample \(index), \(variant.label)"
                if !report.passed { failures.append(Failure(variant: label, report: report)) }
                largestError = max(largestError, report.largestError)
            }
        }
        return (failures, largestError)
    }

    /// Random inputs for a sample, float64 where they are floating.
    public static func inputs(of sample: Sample, seed: UInt64) -> [Tensor] {
        var random = SplitMix64(seed: seed)
        return sample.inputs.map { draw($0.domain, $0.shape, &random) }
    }

    /// The samples of `operation` in each dtype that it says it works on: none may report a mistake, and those in 16 or 32 bits must
    /// give what float64 gives, rounded. Integers need only one sample to suit them: others may divide by what became 0. A sentence for
    /// each that does not.
    public static func dtypeFailures(of operation: any Operation.Type) -> [String] {
        let declared = DType.allCases.filter { $0 != .float64 && operation.dtypes.contains($0) }
        return declared.flatMap { dtype -> [String] in
            let failures = operation.samples.enumerated().compactMap { index, sample in
                dtypeFailure(of: sample, in: dtype).map { "sample \(index) in \(dtype) \($0)" }
            }
            return dtype.isFloatingPoint || failures.count == operation.samples.count ? failures : []
        }
    }

    private static func dtypeFailure(of sample: Sample, in dtype: DType) -> String? {
        let inputs = inputs(of: sample, seed: 1).map { $0.dtype.isFloatingPoint ? $0.to(dtype) : $0 }
        do {
            let values = try catchingErrors { sample.call(inputs) }
            guard dtype.isFloatingPoint else { return nil }
            let exact = sample.call(inputs.map { $0.dtype.isFloatingPoint ? $0.to(.float64) : $0 })
            let error = zip(values, exact).map { largestError($0, $1) }.max() ?? 0
            return error <= tolerance(of: dtype) ? nil : "is off by \(error)"
        } catch {
            return (error as? TensorError)?.message ?? "\(error)"
        }
    }

    /// |value − exact| / max(1, |exact|) of the worst element, infinite where only one of both is a number.
    private static func largestError(_ values: Tensor, _ exact: Tensor) -> Double {
        zip(values.to(.float64).toArray(of: Double.self), exact.to(.float64).toArray(of: Double.self))
            .map { value, exact in
                if value == exact || (value.isNaN && exact.isNaN) { return 0 }
                return value.isFinite && exact.isFinite
                    ? (value - exact).magnitude / max(1, exact.magnitude) : .infinity
            }
            .max() ?? 0
    }

    /// A rounding of the result, and of float32 some roundings on the way.
    private static func tolerance(of dtype: DType) -> Double {
        switch dtype {
        case .bfloat16: 0x1p-8
        case .float16: 0x1p-11
        default: 0x1p-20
        }
    }

    private struct Variant {
        let label: String
        let inputs: [Tensor]
        let call: ([Tensor]) -> [Tensor]
    }

    private static func variants(of sample: Sample, elementwise: Bool) -> [Variant] {
        var random = SplitMix64(seed: 1)
        let inputs = sample.inputs.map { draw($0.domain, $0.shape, &random) }
        var result = [
            Variant(label: "as it is", inputs: inputs, call: sample.call),
            Variant(label: "with gaps in memory", inputs: inputs) { sample.call($0.map(withGaps)) },
            Variant(label: "columns first in memory", inputs: inputs) { sample.call($0.map(columnsFirst)) },
        ]
        guard elementwise else { return result }
        for view in views {
            let inputs = sample.inputs.map { draw($0.domain, view.source, &random) }
            result.append(Variant(label: view.label, inputs: inputs) { sample.call($0.map(view.read)) })
        }
        if sample.inputs.count == 2 {
            for (left, right) in broadcastShapes {
                let inputs = [
                    draw(sample.inputs[0].domain, left, &random), draw(sample.inputs[1].domain, right, &random),
                ]
                result.append(Variant(label: "broadcast \(left) with \(right)", inputs: inputs, call: sample.call))
            }
        }
        return result
    }

    /// The same tensor, every second element of its memory and not the first.
    private static func withGaps(_ x: Tensor) -> Tensor {
        x.rank == Shape.maximumRank ? x : stack([x, x], dim: x.rank).select(dim: x.rank, index: 1)
    }

    private static func columnsFirst(_ x: Tensor) -> Tensor {
        let reversed = Shape((0..<x.rank).reversed())
        return x.permute(reversed).contiguous().permute(reversed)
    }

    /// A way to lay out an input: how it is read from a row-major tensor of shape `source`.
    private struct View {
        let label: String
        let source: Shape
        let read: (Tensor) -> Tensor
    }

    private static var views: [View] {
        [
            View(label: "transposed", source: [3, 2]) { $0.transpose(0, 1) },
            View(label: "every second column", source: [2, 5]) { $0.slice(dim: 1, by: 2) },
            View(label: "expanded", source: [2, 1]) { $0.expand([2, 3]) },
            View(label: "empty", source: [0, 3]) { $0 },
            View(label: "a single number", source: []) { $0 },
        ]
    }

    private static let broadcastShapes: [(Shape, Shape)] = [
        ([2, 3], [3]), ([3], [2, 3]), ([2, 1], [1, 3]), ([], [2, 3]), ([2, 3], []), ([1], [2, 3]),
        ([2, 2, 3], [2, 1]),
        ([0, 3], [1, 3]), ([3], [0, 3]),
    ]

    private static func draw(_ domain: Sample.Domain, _ shape: Shape, _ random: inout SplitMix64) -> Tensor {
        let count = shape.elementCount
        switch domain {
        case .uniform(let range):
            return Tensor((0..<count).map { _ in Double.random(in: range, using: &random) }, shape: shape)
        case .integers(let range):
            return Tensor((0..<count).map { _ in Int.random(in: range, using: &random) }, shape: shape)
        case .booleans:
            return Tensor((0..<count).map { _ in Bool.random(using: &random) }, shape: shape)
        case .distinct:
            let values = (0..<count).shuffled(using: &random).map { Double($0) * 0.5 - Double(count) / 4 + 0.1 }
            return Tensor(values, shape: shape)
        }
    }
}
