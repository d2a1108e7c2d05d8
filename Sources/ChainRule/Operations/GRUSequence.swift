import CKernels

// The GRU over all time steps of equally long sequences, made as `LSTMSequence` is. Composed: `RecurrentUnit.gru`, step by step.

/// Inputs: x (T · N, features), Wx (3 · hidden, features), Wh (3 · hidden, hidden), h before (N, hidden), bx and bh (3 · hidden) when `hasBias`, and
/// the places (T · N) when `hasPlaces`: see `SequenceInput`. Outputs: h at each time (T · N, hidden), and for the backward pass q (T · N, hidden) and
/// the gates r, z, n (T · N, 3 · hidden).
struct GRUSequence: VariadicOperation {
    let hasBias: Bool
    let hasPlaces: Bool
    let reversed: Bool
    static let name = "gru"
    static let formula = Formula(
        "a = x Wxᵀ + bx, s = h₋ Whᵀ + bh, r, z = σ(a + s), q = s₃, n = tanh(a₃ + r q), h = n + z (h₋ − n)",
        gradient: "∂L/∂x = da Wx, ∂L/∂Wx = daᵀ x, ∂L/∂Wh = dsᵀ h₋, ∂L/∂b = Σ da, Σ ds; da, ds backwards through time"
    )
    static let dtypes: DTypes = .fullPrecision
    static let keeps: Keeps = [.input, .output]

    func forward(_ inputs: [Tensor]) -> [Tensor] {
        guard let (given, places) = input(inputs).product(in: Self.name) else {
            return Array(repeating: .placeholderAfterError, count: 3)
        }
        let results = CPU.recurrence(
            state(inputs), given: given, places: places, bias: hasBias ? inputs[4] : nil,
            stateBias: hasBias ? inputs[5] : nil)
        return Tensor.list(results.outputs, results.cells, results.gates)
    }

    func gradients(_ dy: [Tensor?], _ kept: KeptList, needs: [Bool]) -> [Tensor?] {
        guard let dOutputs = dy[0] else { return [] }
        let (inputs, outputs) = (kept.inputs, kept.outputs)
        let results = apply(GRUSequenceGradient(sequence: self), to: [dOutputs] + outputs + inputs)
        let ds = results[1]
        var gradients = [Tensor?](repeating: nil, count: inputs.count)
        let input = input(inputs), da = input.collected(results[0])
        if needs[0] { gradients[0] = input.gradient(da) }
        if needs[1] { gradients[1] = input.weightGradient(da) }
        if needs[2] { gradients[2] = stateWeightGradient(ds, outputs[0], before: inputs[3], reversed: reversed) }
        gradients[3] = results[2]
        if hasBias && needs[4] { gradients[4] = da.sum(dim: 0) }
        if hasBias && needs[5] { gradients[5] = ds.sum(dim: 0) }
        return gradients
    }

    fileprivate func input(_ inputs: [Tensor]) -> SequenceInput {
        SequenceInput(x: inputs[0], weight: inputs[1], places: hasPlaces ? inputs[inputs.count - 1] : nil)
    }

    fileprivate func state(_ inputs: [Tensor], from first: Int = 0) -> RecurrentState {
        RecurrentState(
            unit: .gru, weight: inputs[first + 2], outputBefore: inputs[first + 3], reversed: reversed)
    }

    static let samples = [(false, false), (true, false), (false, true)].map { reversed, hasPlaces in
        Sample(sampleInputs + (hasPlaces ? [samplePlaces] : [])) { inputs in
            [apply(GRUSequence(hasBias: true, hasPlaces: hasPlaces, reversed: reversed), to: inputs)[0]]
        }
    }
}

/// x of two sequences and three times, Wx, Wh, h, bx, bh.
private let sampleInputs = sequenceSamples([[6, 2], [9, 2], [9, 3], [2, 3], [9], [9]])

/// The gradients of a, of s and of h before. Inputs: that of the outputs, then the outputs of `GRUSequence`, which count as functions of the
/// rest, then its inputs.
struct GRUSequenceGradient: VariadicOperation {
    let sequence: GRUSequence
    static let name = "gru_gradient"
    static let formula = Formula(
        "dh += dh₊ z₊ + ds₊ Wh, da = (da₃ q r(1 − r), dh (h₋ − n) z(1 − z), dh (1 − z)(1 − n²)), ds = (da₁, da₂, da₃ r)",
        gradient: "that of the same steps, composed of elementary operations")
    static let dtypes: DTypes = .fullPrecision
    static let keeps: Keeps = .input

    func forward(_ inputs: [Tensor]) -> [Tensor] {
        let state = sequence.state(inputs, from: 4)
        let result = CPU.recurrenceGradient(state, outputs: inputs[0], of: (inputs[1], inputs[2], inputs[3]))
        let batch = state.outputBefore.shape[0], start = state.reversed ? result.states.shape[0] - batch : 0
        let first = result.states.narrow(dim: 0, start: start, length: batch)
        let throughWeights = CPU.matrixProduct(first, state.weight)
        return Tensor.list(
            result.inputs, result.states, CPU.binary(CK_ADD, result.before, throughWeights, name: Self.name))
    }

    /// Differentiates the gradient of the composition.
    func gradients(_ g: [Tensor?], _ kept: KeptList, needs: [Bool]) -> [Tensor?] {
        secondGradients(of: kept.inputs, functions: 1..<4, needs: needs) { variables in
            let inputs = Array(variables[4...])
            let a = sequence.input(inputs).given(bias: sequence.hasBias ? inputs[4] : nil)
            let before = apply(Alias(), to: inputs[3])
            let stateBias = sequence.hasBias ? inputs[5] : nil
            let steps = gruSteps(a, inputs[2], stateBias, before, reversed: sequence.reversed)
            let loss = (steps.outputs * variables[0]).sum()
            let first = gradient(of: loss, wrt: [a, before] + steps.fromState, createGraph: true)
            return weighted([first[0], cat(Array(first[2...])), first[1]], g)
        }
    }

    static let samples = [(false, false), (true, false), (false, true)].map { reversed, hasPlaces in
        Sample(sequenceSamples([[6, 3]]) + sampleInputs + (hasPlaces ? [samplePlaces] : [])) { inputs in
            let operation = GRUSequence(hasBias: true, hasPlaces: hasPlaces, reversed: reversed)
            let sequence = Array(inputs[1...])
            let saved = withoutGradient { apply(operation, to: sequence) }
            return apply(GRUSequenceGradient(sequence: operation), to: inputs[..<1] + saved + sequence)
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
        _ weights: RecurrentWeights, state: [Tensor], reversed: Bool, places: Tensor?
    ) -> (output: Tensor, state: [Tensor]) {
        let (bx, bh) = (weights.inputBias, weights.stateBias)
        let biases = [bx ?? bh.map { .zeros(like: $0) }, bh ?? bx.map { .zeros(like: $0) }].compactMap { $0 }
        let operation = GRUSequence(hasBias: !biases.isEmpty, hasPlaces: places != nil, reversed: reversed)
        let inputs = [self, weights.input, weights.state, state[0]] + biases + [places].compactMap { $0 }
        let output = apply(operation, to: inputs)[0]
        return (output, [lastState(output, batch: state[0].shape[0], reversed: reversed)])
    }
}
