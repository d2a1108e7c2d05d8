// The LSTM over all time steps of equally long sequences. One large product serves the inputs of all steps; what is left for each step is
// the product with the state, which the kernel takes together with the gates. Composed: `RecurrentUnit.lstm`, step by step.

let recurrenceOperations: [any Operation.Type] = [
    LSTMSequence.self, LSTMSequenceGradient.self, GRUSequence.self, GRUSequenceGradient.self,
]

/// Inputs: x (T · N, features), Wx (4 · hidden, features), Wh (4 · hidden, hidden), h and c before (N, hidden), b (4 · hidden) when `hasBias`,
/// and the places (T · N) when `hasPlaces`: see `SequenceInput`. Outputs: h and c at each time (T · N, hidden), and the gates i, f, g, o
/// (T · N, 4 · hidden) for the backward pass.
struct LSTMSequence: VariadicOperation {
    let hasBias: Bool
    let hasPlaces: Bool
    let reversed: Bool
    static let name = "lstm"
    static let formula = Formula(
        "z = x Wxᵀ + h₋ Whᵀ + b, i = σ(z₁), f = σ(z₂), g = tanh z₃, o = σ(z₄), c = f c₋ + i g, h = o tanh c",
        gradient:
            "∂L/∂x = ∂L/∂z Wx, ∂L/∂Wx = (∂L/∂z)ᵀ x, ∂L/∂Wh = (∂L/∂z)ᵀ h₋, ∂L/∂b = Σ ∂L/∂z; ∂L/∂z backwards through time"
    )
    static let dtypes: DTypes = .fullPrecision
    static let keeps: Keeps = [.input, .output]

    func forward(_ inputs: [Tensor]) -> [Tensor] {
        guard let (given, places) = input(inputs).product(in: Self.name) else {
            return Array(repeating: .placeholderAfterError, count: 3)
        }
        let results = CPU.recurrence(state(inputs), given: given, places: places, bias: hasBias ? inputs[5] : nil)
        return Tensor.list(results.outputs, results.cells, results.gates)
    }

    func gradients(_ dy: [Tensor?], _ kept: KeptList, needs: [Bool]) -> [Tensor?] {
        guard dy[0] != nil || dy[1] != nil else { return [] }
        let (inputs, outputs) = (kept.inputs, kept.outputs)
        let operation = LSTMSequenceGradient(sequence: self, hasCellGradient: dy[1] != nil)
        let upstream = [dy[0] ?? .zeros(like: outputs[0])] + (dy[1].map { [$0] } ?? [])
        let results = apply(operation, to: upstream + outputs + inputs)
        let dz = results[0]
        var gradients = [Tensor?](repeating: nil, count: inputs.count)
        let input = input(inputs), da = input.collected(dz)
        if needs[0] { gradients[0] = input.gradient(da) }
        if needs[1] { gradients[1] = input.weightGradient(da) }
        if needs[2] { gradients[2] = stateWeightGradient(dz, outputs[0], before: inputs[3], reversed: reversed) }
        if needs[3] {
            let batch = inputs[3].shape[0]
            let first = dz.narrow(dim: 0, start: reversed ? dz.shape[0] - batch : 0, length: batch)
            gradients[3] = apply(MatrixProduct(), to: first, inputs[2])
        }
        gradients[4] = results[1]
        if hasBias && needs[5] { gradients[5] = da.sum(dim: 0) }
        return gradients
    }

    fileprivate func input(_ inputs: [Tensor]) -> SequenceInput {
        SequenceInput(x: inputs[0], weight: inputs[1], places: hasPlaces ? inputs[inputs.count - 1] : nil)
    }

    fileprivate func state(_ inputs: [Tensor], from first: Int = 0) -> RecurrentState {
        RecurrentState(
            unit: .lstm, weight: inputs[first + 2], outputBefore: inputs[first + 3], cellBefore: inputs[first + 4],
            reversed: reversed)
    }

    static let samples =
        [false, true].map { reversed in
            Sample(sampleInputs) { inputs in
                Array(apply(LSTMSequence(hasBias: true, hasPlaces: false, reversed: reversed), to: inputs)[..<2])
            }
        }
        + [
            Sample(sampleInputs + [samplePlaces]) { inputs in
                Array(apply(LSTMSequence(hasBias: true, hasPlaces: true, reversed: false), to: inputs)[..<2])
            }
        ]
}

/// x of two sequences and three times, Wx, Wh, h, c, b.
private let sampleInputs = sequenceSamples([[6, 2], [12, 2], [12, 3], [2, 3], [2, 3], [12]])

/// The gradients of z and of c before. Inputs: those of the outputs, those of the cells when `hasCellGradient`, then the outputs h, c and the gates
/// of `LSTMSequence`, which count as functions of the rest, then its inputs.
struct LSTMSequenceGradient: VariadicOperation {
    let sequence: LSTMSequence
    let hasCellGradient: Bool
    static let name = "lstm_gradient"
    static let formula = Formula(
        "dh += dz₊ Wh, dc = dh o (1 − tanh² c) + dc₊ f₊, dz = (dc g i(1 − i), dc c₋ f(1 − f), dc i (1 − g²), dh tanh(c) o(1 − o))",
        gradient: "that of the same steps, composed of elementary operations")
    static let dtypes: DTypes = .fullPrecision
    static let keeps: Keeps = .input

    func forward(_ inputs: [Tensor]) -> [Tensor] {
        let first = hasCellGradient ? 2 : 1
        let result = CPU.recurrenceGradient(
            sequence.state(inputs, from: first + 3), outputs: inputs[0], cells: hasCellGradient ? inputs[1] : nil,
            of: (inputs[first], inputs[first + 1], inputs[first + 2]))
        return Tensor.list(result.states, result.before)
    }

    /// Differentiates the gradient of the composition.
    func gradients(_ g: [Tensor?], _ kept: KeptList, needs: [Bool]) -> [Tensor?] {
        let upstream = hasCellGradient ? 2 : 1
        return secondGradients(of: kept.inputs, functions: upstream..<upstream + 3, needs: needs) { variables in
            let inputs = Array(variables[(upstream + 3)...])
            let z = sequence.input(inputs).given(bias: sequence.hasBias ? inputs[5] : nil)
            let before = apply(Alias(), to: inputs[4])
            let steps = lstmSteps(z, inputs[2], inputs[3], before, reversed: sequence.reversed)
            var loss = (steps.outputs * variables[0]).sum()
            if hasCellGradient { loss = loss + (steps.cells * variables[1]).sum() }
            return weighted(gradient(of: loss, wrt: [z, before], createGraph: true), g)
        }
    }

    static let samples = [(false, false), (true, false), (false, true)].map { hasCellGradient, hasPlaces in
        let upstream = sequenceSamples(Array(repeating: [6, 3], count: hasCellGradient ? 2 : 1))
        return Sample(upstream + sampleInputs + (hasPlaces ? [samplePlaces] : [])) { inputs in
            let operation = LSTMSequence(hasBias: true, hasPlaces: hasPlaces, reversed: false)
            let sequence = Array(inputs[upstream.count...])
            let saved = withoutGradient { apply(operation, to: sequence) }
            return apply(
                LSTMSequenceGradient(sequence: operation, hasCellGradient: hasCellGradient),
                to: inputs[..<upstream.count] + saved + sequence)
        }
    }
}

/// The steps of `LSTMSequence` from z = x Wxᵀ + b on, composed.
private func lstmSteps(
    _ z: Tensor, _ weight: Tensor, _ h: Tensor, _ c: Tensor, reversed: Bool
) -> (outputs: Tensor, cells: Tensor) {
    let weights = RecurrentWeights(input: weight, state: weight)
    var (state, steps) = ([h, c], [[Tensor]]())
    let inputs = z.split(h.shape[0])
    for input in reversed ? inputs.reversed() : inputs {
        state = RecurrentUnit.lstm.step(input, weights, state)
        steps.append(state)
    }
    if reversed { steps.reverse() }
    return (cat(steps.map { $0[0] }), cat(steps.map { $0[1] }))
}

extension Tensor {
    /// `recurrent` for an LSTM without projection, over sequences of equal length.
    func lstmSequence(
        _ weights: RecurrentWeights, state: [Tensor], reversed: Bool, places: Tensor?
    ) -> (output: Tensor, state: [Tensor]) {
        let bias =
            switch (weights.inputBias, weights.stateBias) {
            case (let first?, let second?): first + second
            case (let first, let second): first ?? second
            }
        let operation = LSTMSequence(hasBias: bias != nil, hasPlaces: places != nil, reversed: reversed)
        let inputs = [self, weights.input, weights.state, state[0], state[1]] + [bias, places].compactMap { $0 }
        let results = apply(operation, to: inputs)
        return (results[0], results[..<2].map { lastState($0, batch: state[0].shape[0], reversed: reversed) })
    }
}
