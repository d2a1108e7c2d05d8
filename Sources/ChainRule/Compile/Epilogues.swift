import CKernels

/// Folds the activation after a linear layer into its product, where nothing else reads the product: it is computed block by block while that
/// is in the cache, by the kernels that would have computed it afterwards, so that results are the same bits.
///
/// - Parameter kept: The values that outlive the plan's steps.
func foldingEpilogues(_ steps: [RecordedStep], _ forms: [ValueForm], kept: Set<Int>) -> [RecordedStep] {
    var readers: [Int: [RecordedStep]] = [:]
    for step in steps {
        for number in step.inputs { readers[number, default: []].append(step) }
    }
    var folded: Set<ObjectIdentifier> = []
    var result: [RecordedStep] = []
    for step in steps where !folded.contains(ObjectIdentifier(step)) {
        guard step is VariadicStep<Linear>, let product = step.outputs.first, !kept.contains(product),
            DTypes.fullPrecision.contains(forms[product].dtype), let reader = readers[product]?.first,
            readers[product]?.count == 1, let epilogue = EpilogueStep(step, reader)
        else {
            result.append(step)
            continue
        }
        folded.insert(ObjectIdentifier(reader))
        result.append(epilogue)
    }
    return result
}

/// f(x Wᵀ + b), and f′ of the same where the recorded step computes that, too.
private final class EpilogueStep: RecordedStep {
    private let activation: ck_activation

    init?(_ linear: RecordedStep, _ reader: RecordedStep) {
        let function: ck_unary
        switch reader.kernel {
        case .unary(let plain): function = plain
        case .withSlope(let sloped): function = sloped
        default: return nil
        }
        guard let activation = activations[function] else { return nil }
        self.activation = activation
        super.init(
            "linear", AnyHashable([linear.identity, reader.identity]), .computation, inputs: linear.inputs,
            outputs: reader.outputs)
        parts = [linear.name, reader.name]
    }

    override func run(_ values: inout ValueTable) {
        let results = CPU.linear(
            inputs.map { values[$0] }, activation: activation, withSlope: outputs.count > 1)
        for (number, result) in zip(outputs, results) { values[number] = result }
    }
}

private let activations: [ck_unary: ck_activation] = [
    CK_RELU: CK_ACTIVATE_RELU, CK_TANH: CK_ACTIVATE_TANH, CK_SIGMOID: CK_ACTIVATE_SIGMOID, CK_SILU: CK_ACTIVATE_SILU,
    CK_GELU: CK_ACTIVATE_GELU, CK_GELU_TANH: CK_ACTIVATE_GELU_TANH,
]
