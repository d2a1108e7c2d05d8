// The LSTM over all time steps of equally long sequences. One large product serves the inputs of all steps; what is left for each step is
// the product with the state, which the kernel takes together with the gates. Composed: `RecurrentUnit.lstm`, step by step.

let recurrenceOperations: [any Operation.Type] = [
    LSTMSequence.self, LSTMSequenceGradient.self, GRUSequence.self, GRUSequenceGradient.self,
]

/// Inputs: x (T · N, features), Wx (4 · hidden, features), Wh (4 · hidden, hidden), h and c before (N, hidden), and b (4 · hidden) when
/// `hasBias`. Outputs: h and c at each time (T · N, hidden), and the gates i, f, g, o (T · N, 4 · hidden) for the backward pass.
struct LSTMSequence: VariadicOperation {
    let hasBias: Bool
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
        let gates = CPU.matrixProduct(inputs[0], inputs[1].mT)
        let (outputs, cells) = CPU.lstm(
            gates: gates, weight: inputs[2], bias: hasBias ? inputs[5] : nil, outputBefore: inputs[3],
            cellBefore: inputs[4], reversed: reversed)
        return [outputs, cells, gates]
    }

    func gradients(_ dy: [Tensor?], _ kept: KeptList, needs: [Bool]) -> [Tensor?] {
        guard dy[0] != nil || dy[1] != nil else { return [] }
        let (x, outputs, before) = (kept.inputs[0], kept.outputs[0], kept.inputs[3])
        let operation = LSTMSequenceGradient(hasBias: hasBias, hasCellGradient: dy[1] != nil, reversed: reversed)
        let upstream = [dy[0] ?? .zeros(like: outputs)] + (dy[1].map { [$0] } ?? [])
        let results = apply(operation, to: upstream + [outputs, kept.outputs[1], kept.outputs[2]] + kept.inputs)
        let (dz, dBefore) = (results[0], results[1])
        let (rows, batch) = (x.shape[0], before.shape[0])
        var gradients: [Tensor?] = [nil, nil, nil, nil, dBefore] + (hasBias ? [nil] : [])
        let product = MatrixProduct()
        if needs[0] { gradients[0] = apply(product, to: dz, kept.inputs[1]) }
        if needs[1] || needs[2] {
            // Both weights at once, of what is multiplied with them side by side: turning dz costs as much as a quarter of a product.
            let others = outputs.narrow(dim: 0, start: reversed ? batch : 0, length: rows - batch)
            let states = cat(reversed ? [others, before] : [before, others])
            let both = apply(product, to: dz.mT, cat([x, states], dim: 1)).split([x.shape[1], states.shape[1]], dim: 1)
            gradients.replaceSubrange(1...2, with: zip(both, needs[1...2]).map { $1 ? $0 : nil })
        }
        if needs[3] {
            let first = dz.narrow(dim: 0, start: reversed ? rows - batch : 0, length: batch)
            gradients[3] = apply(product, to: first, kept.inputs[2])
        }
        if hasBias && needs[5] { gradients[5] = dz.sum(dim: 0) }
        return gradients
    }

    static let samples = [false, true].map { reversed in
        Sample(sampleShapes.map { Sample.Input(.uniform(-1...1), shape: $0) }) { inputs in
            Array(apply(LSTMSequence(hasBias: true, reversed: reversed), to: inputs)[..<2])
        }
    }
}

/// x of two sequences and three times, Wx, Wh, h, c, b.
private let sampleShapes: [Shape] = [[6, 2], [12, 2], [12, 3], [2, 3], [2, 3], [12]]

/// The gradients of z and of c before. Inputs: those of the outputs, those of the cells when `hasCellGradient`, then the outputs h, c and the gates
/// of `LSTMSequence`, which count as functions of the rest, then its inputs.
struct LSTMSequenceGradient: VariadicOperation {
    let hasBias: Bool
    let hasCellGradient: Bool
    let reversed: Bool
    static let name = "lstm_gradient"
    static let formula = Formula(
        "dh += dz₊ Wh, dc = dh o (1 − tanh² c) + dc₊ f₊, dz = (dc g i(1 − i), dc c₋ f(1 − f), dc i (1 − g²), dh tanh(c) o(1 − o))",
        gradient: "that of the same steps, composed of elementary operations")
    static let dtypes: DTypes = .fullPrecision
    static let keeps: Keeps = .input

    func forward(_ inputs: [Tensor]) -> [Tensor] {
        let part = Parts(inputs, self)
        let result = CPU.lstmGradient(
            outputs: inputs[0], cells: hasCellGradient ? inputs[1] : nil, gates: part.gates, cells: part.cells,
            cellBefore: part.sequence[4], weight: part.sequence[2], reversed: reversed)
        return [result.gates, result.cellBefore]
    }

    /// Differentiates the gradient of the composition.
    func gradients(_ g: [Tensor?], _ kept: KeptList, needs: [Bool]) -> [Tensor?] {
        let upstream = hasCellGradient ? 2 : 1
        let wanted = kept.inputs.indices.filter { $0 < upstream || $0 >= upstream + 3 }
        let isRecorded = isRecording
        let results = withGradient {
            let variables = kept.inputs.map { apply(Alias(), to: $0.requiresGrad ? $0 : $0.requiringGrad()) }
            let sequence = Array(variables[(upstream + 3)...])
            let z = sequence[0].linear(weight: sequence[1], bias: hasBias ? sequence[5] : nil)
            let before = apply(Alias(), to: sequence[4])
            let steps = lstmSteps(z, sequence[2], sequence[3], before, reversed: reversed)
            var loss = (steps.outputs * variables[0]).sum()
            if hasCellGradient { loss = loss + (steps.cells * variables[1]).sum() }
            let first = gradient(of: loss, wrt: [z, before], createGraph: true)
            let parts = zip(first, g).compactMap { value, weight in weight.map { (value * $0).sum() } }
            guard let total = parts.reduce(nil, { (sum: Tensor?, part) in sum.map { $0 + part } ?? part }) else {
                return [Tensor]()
            }
            return gradient(
                of: total, wrt: wanted.map { variables[$0] }, createGraph: isRecorded, allowUnused: true)
        }
        var gradients = [Tensor?](repeating: nil, count: needs.count)
        for (index, result) in zip(wanted, results) where needs[index] { gradients[index] = result }
        return gradients
    }

    static let samples = [false, true].map { hasCellGradient in
        let shapes: [Shape] = (hasCellGradient ? [[6, 3], [6, 3]] : [[6, 3]]) + sampleShapes
        return Sample(shapes.map { Sample.Input(.uniform(-1...1), shape: $0) }) { inputs in
            let operation = LSTMSequenceGradient(hasBias: true, hasCellGradient: hasCellGradient, reversed: false)
            let upstream = hasCellGradient ? 2 : 1
            let sequence = Array(inputs[upstream...])
            let saved = withoutGradient { apply(LSTMSequence(hasBias: true, reversed: false), to: sequence) }
            return apply(operation, to: inputs[..<upstream] + saved + sequence)
        }
    }

    /// The inputs by name.
    private struct Parts {
        let cells, gates: Tensor
        /// The inputs of `LSTMSequence`.
        let sequence: [Tensor]

        init(_ inputs: [Tensor], _ operation: LSTMSequenceGradient) {
            let saved = operation.hasCellGradient ? 2 : 1
            (cells, gates) = (inputs[saved + 1], inputs[saved + 2])
            sequence = Array(inputs[(saved + 3)...])
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
        _ weights: RecurrentWeights, state: [Tensor], reversed: Bool
    ) -> (output: Tensor, state: [Tensor]) {
        let batch = state[0].shape[0]
        let bias =
            switch (weights.inputBias, weights.stateBias) {
            case (let first?, let second?): first + second
            case (let first, let second): first ?? second
            }
        let operation = LSTMSequence(hasBias: bias != nil, reversed: reversed)
        let inputs = [self, weights.input, weights.state, state[0], state[1]] + (bias.map { [$0] } ?? [])
        let results = apply(operation, to: inputs)
        let last = reversed ? 0 : shape[0] - batch
        return (results[0], results[..<2].map { $0.narrow(dim: 0, start: last, length: batch) })
    }
}
