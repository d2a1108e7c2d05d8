import CKernels

// The GRU over all time steps of equally long sequences, made as `LSTMSequence` is. Composed: `RecurrentUnit.gru`, step by step.

/// Inputs: x (T · N, features), Wx (3 · hidden, features), Wh (3 · hidden, hidden), h before (N, hidden), and bx and bh (3 · hidden) when `hasBias`.
/// Outputs: h at each time (T · N, hidden), and for the backward pass the gates r, z, n (T · N, 3 · hidden) and q (T · N, hidden).
struct GRUSequence: VariadicOperation {
    let hasBias: Bool
    let reversed: Bool
    static let name = "gru"
    static let formula = Formula(
        "a = x Wxᵀ + bx, s = h₋ Whᵀ + bh, r, z = σ(a + s), q = s₃, n = tanh(a₃ + r q), h = n + z (h₋ − n)",
        gradient: "∂L/∂x = da Wx, ∂L/∂Wx = daᵀ x, ∂L/∂Wh = dsᵀ h₋, ∂L/∂b = Σ da, Σ ds; da, ds backwards through time"
    )
    static let dtypes: DTypes = .fullPrecision
    static let keeps: Keeps = [.input, .output]

    func forward(_ inputs: [Tensor]) -> [Tensor] {
        let gates = CPU.matrixProduct(inputs[0], inputs[1].mT)
        let (outputs, candidates) = CPU.gru(
            gates: gates, weight: inputs[2], bias: hasBias ? inputs[4] : nil, stateBias: hasBias ? inputs[5] : nil,
            before: inputs[3], reversed: reversed)
        return [outputs, gates, candidates]
    }

    func gradients(_ dy: [Tensor?], _ kept: KeptList, needs: [Bool]) -> [Tensor?] {
        guard let dOutputs = dy[0] else { return [] }
        let (x, outputs, before) = (kept.inputs[0], kept.outputs[0], kept.inputs[3])
        let results = apply(
            GRUSequenceGradient(hasBias: hasBias, reversed: reversed), to: [dOutputs] + kept.outputs + kept.inputs)
        let (da, ds) = (results[0], results[1])
        let (rows, batch) = (x.shape[0], before.shape[0])
        var gradients: [Tensor?] = [nil, nil, nil, results[2]] + (hasBias ? [nil, nil] : [])
        let product = MatrixProduct()
        if needs[0] { gradients[0] = apply(product, to: da, kept.inputs[1]) }
        if needs[1] { gradients[1] = apply(product, to: da.mT, x) }
        if needs[2] {
            let others = outputs.narrow(dim: 0, start: reversed ? batch : 0, length: rows - batch)
            gradients[2] = apply(product, to: ds.mT, cat(reversed ? [others, before] : [before, others]))
        }
        if hasBias && needs[4] { gradients[4] = da.sum(dim: 0) }
        if hasBias && needs[5] { gradients[5] = ds.sum(dim: 0) }
        return gradients
    }

    static let samples = [false, true].map { reversed in
        Sample(sampleShapes.map { Sample.Input(.uniform(-1...1), shape: $0) }) { inputs in
            [apply(GRUSequence(hasBias: true, reversed: reversed), to: inputs)[0]]
        }
    }
}

/// x of two sequences and three times, Wx, Wh, h, bx, bh.
private let sampleShapes: [Shape] = [[6, 2], [9, 2], [9, 3], [2, 3], [9], [9]]

/// The gradients of a, of s and of h before. Inputs: that of the outputs, then the outputs of `GRUSequence`, which count as functions of the
/// rest, then its inputs.
struct GRUSequenceGradient: VariadicOperation {
    let hasBias: Bool
    let reversed: Bool
    static let name = "gru_gradient"
    static let formula = Formula(
        "dh += dh₊ z₊ + ds₊ Wh, da = (da₃ q r(1 − r), dh (h₋ − n) z(1 − z), dh (1 − z)(1 − n²)), ds = (da₁, da₂, da₃ r)",
        gradient: "that of the same steps, composed of elementary operations")
    static let dtypes: DTypes = .fullPrecision
    static let keeps: Keeps = .input

    func forward(_ inputs: [Tensor]) -> [Tensor] {
        let (weight, before) = (inputs[6], inputs[7])
        let result = CPU.gruGradient(
            outputs: inputs[0], gates: inputs[2], candidates: inputs[3], outputs: inputs[1], before: before,
            weight: weight, reversed: reversed)
        let batch = before.shape[0], start = reversed ? result.states.shape[0] - batch : 0
        let first = result.states.narrow(dim: 0, start: start, length: batch)
        let throughWeights = CPU.matrixProduct(first, weight)
        return [result.inputs, result.states, CPU.binary(CK_ADD, result.before, throughWeights, name: Self.name)]
    }

    /// Differentiates the gradient of the composition.
    func gradients(_ g: [Tensor?], _ kept: KeptList, needs: [Bool]) -> [Tensor?] {
        let wanted = kept.inputs.indices.filter { $0 == 0 || $0 > 3 }
        let isRecorded = isRecording
        let results = withGradient {
            let variables = kept.inputs.map { apply(Alias(), to: $0.requiresGrad ? $0 : $0.requiringGrad()) }
            let sequence = Array(variables[4...])
            let a = sequence[0].linear(weight: sequence[1], bias: hasBias ? sequence[4] : nil)
            let before = apply(Alias(), to: sequence[3])
            let steps = gruSteps(a, sequence[2], hasBias ? sequence[5] : nil, before, reversed: reversed)
            let loss = (steps.outputs * variables[0]).sum()
            let first = gradient(of: loss, wrt: [a, before] + steps.fromState, createGraph: true)
            let parts = zip([first[0], cat(Array(first[2...])), first[1]], g).compactMap { value, weight in
                weight.map { (value * $0).sum() }
            }
            guard let total = parts.reduce(nil, { (sum: Tensor?, part) in sum.map { $0 + part } ?? part }) else {
                return [Tensor]()
            }
            return gradient(of: total, wrt: wanted.map { variables[$0] }, createGraph: isRecorded, allowUnused: true)
        }
        var gradients = [Tensor?](repeating: nil, count: needs.count)
        for (index, result) in zip(wanted, results) where needs[index] { gradients[index] = result }
        return gradients
    }

    static let samples = [false, true].map { reversed in
        Sample(([[6, 3]] + sampleShapes).map { Sample.Input(.uniform(-1...1), shape: $0) }) { inputs in
            let sequence = Array(inputs[1...])
            let saved = withoutGradient { apply(GRUSequence(hasBias: true, reversed: reversed), to: sequence) }
            return apply(GRUSequenceGradient(hasBias: true, reversed: reversed), to: inputs[..<1] + saved + sequence)
        }
    }
}

/// The steps of `GRUSequence` from a on, composed, and the s of each time.
private func gruSteps(
    _ a: Tensor, _ weight: Tensor, _ bias: Tensor?, _ h: Tensor, reversed: Bool
) -> (outputs: Tensor, fromState: [Tensor]) {
    var (state, outputs, products) = (h, [Tensor](), [Tensor]())
    let inputs = a.split(h.shape[0])
    for input in reversed ? inputs.reversed() : inputs {
        let product = state.linear(weight: weight, bias: bias)
        state = gruStep(input, product, state)
        outputs.append(state)
        products.append(product)
    }
    return (cat(reversed ? outputs.reversed() : outputs), reversed ? products.reversed() : products)
}

/// One step, given what input and state give the gates.
func gruStep(_ fromInput: Tensor, _ fromState: Tensor, _ h: Tensor) -> Tensor {
    let (x, s) = (fromInput.chunk(3, dim: 1), fromState.chunk(3, dim: 1))
    let (r, z) = ((x[0] + s[0]).sigmoid(), (x[1] + s[1]).sigmoid())
    let n = (x[2] + r * s[2]).tanh()
    return n + z * (h - n)
}

extension Tensor {
    /// `recurrent` for a GRU over sequences of equal length.
    func gruSequence(
        _ weights: RecurrentWeights, state: [Tensor], reversed: Bool
    ) -> (output: Tensor, state: [Tensor]) {
        let (bx, bh) = (weights.inputBias, weights.stateBias)
        let biases = [bx ?? bh.map { .zeros(like: $0) }, bh ?? bx.map { .zeros(like: $0) }].compactMap { $0 }
        let inputs = [self, weights.input, weights.state, state[0]] + biases
        let output = apply(GRUSequence(hasBias: !biases.isEmpty, reversed: reversed), to: inputs)[0]
        let batch = state[0].shape[0]
        return (output, [output.narrow(dim: 0, start: reversed ? 0 : shape[0] - batch, length: batch)])
    }
}
