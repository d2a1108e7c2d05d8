import CKernels

/// A function of x and its gradient share most of their work where f′ is a function of x too: one step computes f(x) and f′(x), and the
/// gradient is ∂L/∂y · f′(x), the same bits. What is kept for the backward pass is f′(x) then, instead of x.
func sharingSlopes(_ steps: [RecordedStep], _ forms: inout [ValueForm]) -> [RecordedStep] {
    /// The latest step that computes a function of x.
    var latest: [FunctionOfValue: Int] = [:]
    /// For the step of a function the number of its slope, and for that of a gradient the slope it takes.
    var slopes: [Int: Int] = [:]
    for (index, step) in steps.enumerated() {
        switch step.kernel {
        case .unary(let function) where DTypes.fullPrecision.contains(forms[step.inputs[0]].dtype):
            latest[FunctionOfValue(function: function, x: step.inputs[0])] = index
        case .binary(let gradient):
            guard let function = functionsWithSlope[gradient],
                let maker = latest[FunctionOfValue(function: function, x: step.inputs[1])]
            else { continue }
            if slopes[maker] == nil {
                slopes[maker] = forms.count
                forms.append(forms[steps[maker].outputs[0]])
            }
            slopes[index] = slopes[maker]
        default: break
        }
    }
    return steps.enumerated().map { index, step in
        guard let slope = slopes[index] else { return step }
        if case .unary(let function) = step.kernel { return SlopeStep(function, step, slope: slope) }
        return BinaryStep(Multiply(), step.inputs[0], slope, step.outputs[0])
    }
}

private struct FunctionOfValue: Hashable {
    let function: ck_unary
    let x: Int
}

/// By its gradient, which multiplies by its slope: what the kernels compute together with the slope.
private let functionsWithSlope: [ck_binary: ck_unary] = [
    CK_GELU_GRAD: CK_GELU, CK_GELU_TANH_GRAD: CK_GELU_TANH, CK_SILU_GRAD: CK_SILU,
]

/// f(x) and f′(x).
private final class SlopeStep: RecordedStep {
    private let function: ck_unary

    /// In place of a step that computes f(x).
    init(_ function: ck_unary, _ step: RecordedStep, slope: Int) {
        self.function = function
        super.init(
            step.name + " with slope", AnyHashable(function), .computation, kernel: .withSlope(function),
            inputs: step.inputs, outputs: step.outputs + [slope])
    }

    override func run(_ values: inout ValueTable) {
        (values[outputs[0]], values[outputs[1]]) = CPU.withSlope(function, values[inputs[0]])
    }
}
