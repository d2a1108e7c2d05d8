import ChainRule
import ChainRuleTestSupport
import Testing

/// Every operation of the registry, its samples' values and gradients, as a plan and as written.
struct CompiledOperationTests {
    private static let names = OperationRegistry.all.map { String(describing: $0) }

    @Test(arguments: names) func samples(_ name: String) throws {
        let operation = try #require(OperationRegistry.all.first { String(describing: $0) == name })
        // Samples are made for float64; what is elementwise takes any.
        let dtypes: [DType] = operation is any ElementwiseOperation.Type ? [.float64, .float32] : [.float64]
        for (index, sample) in operation.samples.enumerated() {
            for dtype in dtypes {
                let function = { (inputs: [Tensor]) in valuesAndGradients(sample, inputs) }
                let step = compile(function)
                for call in 0..<4 {
                    let inputs = OperationSweep.inputs(of: sample, seed: UInt64(call)).map {
                        $0.dtype == .float64 ? $0.to(dtype) : $0
                    }
                    let (expected, results) = (function(inputs), step(inputs))
                    #expect(agree(results, expected), "sample \(index), \(dtype), call \(call)")
                }
                // Some look at values, to report a singular matrix or to know a length; any other obstacle is a mistake.
                let looksAtValues =
                    step.fallbackReason?.contains(/numbers are read out|reads a number|are read|looks whether/) ?? false
                #expect(step.fallbackReason == nil || looksAtValues, "sample \(index): \(step.plan)")
            }
        }
    }
}

/// The outputs of a sample, and the gradients of its floating inputs for a weighted sum of them.
private func valuesAndGradients(_ sample: Sample, _ inputs: [Tensor]) -> [Tensor] {
    let leaves = inputs.map { $0.dtype.isFloatingPoint ? $0.requiringGrad() : $0 }
    let outputs = sample.call(leaves)
    var loss = Tensor(0.0)
    for output in outputs where output.requiresGrad { loss = loss + (output * output.detach().cos()).sum() }
    let wanted = leaves.filter(\.requiresGrad)
    let gradients =
        loss.requiresGrad && !wanted.isEmpty ? gradient(of: loss, wrt: wanted, allowUnused: true) : []
    return outputs.map { $0.detach() } + gradients
}

/// Whether two lists of tensors are equal up to rounding.
func agree(_ results: [Tensor], _ expected: [Tensor]) -> Bool {
    guard results.count == expected.count else { return false }
    return zip(results, expected).allSatisfy { result, expected in
        guard result.shape == expected.shape, result.dtype == expected.dtype else { return false }
        let tolerance = expected.dtype == .float64 ? 1e-11 : 2e-5
        return result.to(.float64).allClose(expected.to(.float64), rtol: tolerance, atol: tolerance, equalNaN: true)
    }
}
