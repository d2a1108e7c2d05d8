/// What a recurrent network computes at each time step from its input x and its state.
public enum RecurrentUnit: Sendable, Hashable {
    /// h ← tanh(Wx x + bx + Wh h + bh) (Elman 1990), or with max(·, 0).
    case tanh, relu
    /// i, f, o = σ(...), g = tanh(...): c ← f c + i g, h ← o tanh c (Hochreiter and Schmidhuber 1997). The rows of the weights are i, f, g, o.
    case lstm
    /// r, z = σ(...), n = tanh(Wx x + bx + r (Wh h + bh)): h ← (1 − z) n + z h (Cho et al. 2014). The rows of the weights are r, z, n.
    case gru

    /// How many linear functions of input and state there are.
    public var gateCount: Int {
        switch self {
        case .tanh, .relu: 1
        case .gru: 3
        case .lstm: 4
        }
    }
}

/// The weights of one layer of a recurrent network in one direction, for `hidden` units with `gateCount` gates each.
public struct RecurrentWeights: Sendable {
    /// (gates · hidden, features), and (gates · hidden, outputs) for the state, where outputs is hidden unless there is a projection.
    public let input, state: Tensor
    /// (gates · hidden)
    public let inputBias, stateBias: Tensor?
    /// (outputs, hidden): what is handed on is this matrix times h (Sak et al. 2014). Of the LSTM only.
    public let projection: Tensor?

    public init(
        input: Tensor, state: Tensor, inputBias: Tensor? = nil, stateBias: Tensor? = nil, projection: Tensor? = nil
    ) {
        self.input = input
        self.state = state
        self.inputBias = inputBias
        self.stateBias = stateBias
        self.projection = projection
    }
}

extension Tensor {
    /// One time step of a recurrent unit: x (N, features) and the state give the next state.
    ///
    /// - Parameter state: h (N, outputs), and for the LSTM also c (N, hidden). The result has the same parts.
    public func recurrentStep(_ unit: RecurrentUnit, weights: RecurrentWeights, state: [Tensor]) -> [Tensor] {
        guard checkRecurrence(unit, weights, state, "recurrentStep") else { return state }
        guard state.allSatisfy({ $0.shape[0] == shape[0] }) else {
            fail("recurrentStep", "states of shapes \(state.map(\.shape)) do not fit a batch of shape \(shape)")
            return state
        }
        return unit.step(linear(weight: weights.input, bias: weights.inputBias), weights, state)
    }

    /// A recurrent unit run over sequences, whose time steps lie one after the other as the rows of this tensor (rows, features): the
    /// first `batchSizes[0]` rows are time 0 of each sequence, the next `batchSizes[1]` time 1, and so on.
    ///
    /// - Parameters:
    ///   - batchSizes: How many sequences reach each time; they must not grow. Longer sequences come first.
    ///   - state: The state before: h (N, outputs), and for the LSTM also c (N, hidden), N = `batchSizes[0]`.
    ///   - reversed: Begins at the end of each sequence. The outputs keep the order of the inputs.
    ///   - places: int64 (rows): this tensor is then a table, as of an embedding, and row i of the sequences is its row places[i]. What a row
    ///     gives to the unit is computed once, however often it occurs, unless the table has as many rows or more.
    /// - Returns: h of each row (rows, outputs), and the state after the last step of each sequence.
    public func recurrent(
        _ unit: RecurrentUnit, weights: RecurrentWeights, state: [Tensor], batchSizes: [Int], reversed: Bool = false,
        places: Tensor? = nil
    ) -> (output: Tensor, state: [Tensor]) {
        let failed = (output: Tensor.placeholderAfterError, state: state)
        guard checkRecurrence(unit, weights, state, "recurrent") else { return failed }
        let isOrdered = zip(batchSizes, batchSizes.dropFirst()).allSatisfy { $0 >= $1 }
        guard let first = batchSizes.first, isOrdered, batchSizes.allSatisfy({ $0 > 0 }) else {
            fail("recurrent", "the batch sizes must be positive and must not grow, they are \(batchSizes)")
            return failed
        }
        let rows = places.map { $0.rank == 1 ? $0.count : -1 } ?? shape[0]
        guard batchSizes.reduce(0, +) == rows, state.allSatisfy({ $0.shape[0] == first }) else {
            fail(
                "recurrent",
                "batch sizes \(batchSizes) do not fit \(places.map { "places of shape \($0.shape)" } ?? "\(rows) rows") and states of shape \(state.map(\.shape))"
            )
            return failed
        }
        if let places, shape[0] >= rows {
            let gathered = indexSelect(dim: 0, places)
            return gathered.recurrent(unit, weights: weights, state: state, batchSizes: batchSizes, reversed: reversed)
        }
        let isEven = batchSizes.allSatisfy { $0 == first }
        if unit == .lstm && weights.projection == nil && isEven && !dtype.isHalf {
            return lstmSequence(weights, state: state, reversed: reversed, places: places)
        }
        if unit == .gru && isEven && !dtype.isHalf {
            return gruSequence(weights, state: state, reversed: reversed, places: places)
        }
        return recurrentSteps(unit, weights, state, batchSizes, reversed, places)
    }

    /// Step after step. The product with the input is made for all steps at once.
    private func recurrentSteps(
        _ unit: RecurrentUnit, _ weights: RecurrentWeights, _ initial: [Tensor], _ batchSizes: [Int],
        _ reversed: Bool, _ places: Tensor?
    ) -> (output: Tensor, state: [Tensor]) {
        let input = SequenceInput(x: self, weight: weights.input, places: places)
        let steps = input.given(bias: weights.inputBias).split(batchSizes)
        var state = reversed ? initial.map { $0.slice(dim: 0, to: batchSizes[steps.count - 1]) } : initial
        var outputs: [Tensor] = []
        /// The states of sequences that ended, the shortest first.
        var ended: [[Tensor]] = []
        for time in reversed ? Array(steps.indices.reversed()) : Array(steps.indices) {
            let (running, size) = (state[0].shape[0], batchSizes[time])
            if size < running {
                ended.append(state.map { $0.slice(dim: 0, from: size) })
                state = state.map { $0.slice(dim: 0, to: size) }
            } else if size > running {
                state = zip(state, initial).map { cat([$0, $1.slice(dim: 0, from: running, to: size)]) }
            }
            state = unit.step(steps[time], weights, state)
            outputs.append(state[0])
        }
        if !ended.isEmpty {
            state = state.indices.map { part in cat([state[part]] + ended.reversed().map { $0[part] }) }
        }
        return (cat(reversed ? outputs.reversed() : outputs), state)
    }

    private func checkRecurrence(
        _ unit: RecurrentUnit, _ weights: RecurrentWeights, _ state: [Tensor], _ operation: String
    ) -> Bool {
        let gates = weights.state.shape.first ?? 0
        let hidden = gates / unit.gateCount
        let outputs = weights.projection?.shape.first ?? hidden
        let widths = unit == .lstm ? [outputs, hidden] : [outputs]
        guard rank == 2, weights.input.shape == [gates, shape[1]], weights.state.shape == [gates, outputs] else {
            fail(
                operation,
                "the input of shape \(shape) does not fit weights of shapes \(weights.input.shape) and \(weights.state.shape)"
            )
            return false
        }
        let biases = [weights.inputBias, weights.stateBias].compactMap { $0 }
        guard biases.allSatisfy({ $0.shape == [gates] }) else {
            fail(operation, "the biases of shapes \(biases.map(\.shape)) are not of shape [\(gates)]")
            return false
        }
        let others = [weights.input, weights.state] + biases + [weights.projection].compactMap { $0 } + state
        guard dtype.isFloatingPoint, others.allSatisfy({ $0.dtype == dtype }) else {
            fail(operation, "needs one floating dtype, got \(dtype), and \(others.map(\.dtype)) of weights and states")
            return false
        }
        guard weights.projection == nil || unit == .lstm && weights.projection?.shape == [outputs, hidden] else {
            fail(operation, "only an LSTM has a projection, of shape [outputs, \(hidden)]")
            return false
        }
        guard state.count == widths.count, zip(state, widths).allSatisfy({ $0.rank == 2 && $0.shape[1] == $1 }) else {
            fail(
                operation,
                "the state has shapes \(state.map(\.shape)), expected \(widths.count) of (batch, width) with widths \(widths)"
            )
            return false
        }
        return true
    }
}

extension RecurrentUnit {
    /// One step, given the part of the gates that comes from the input.
    func step(_ fromInput: Tensor, _ weights: RecurrentWeights, _ state: [Tensor]) -> [Tensor] {
        let h = state[0]
        let fromState = h.linear(weight: weights.state, bias: weights.stateBias)
        switch self {
        case .tanh: return [(fromInput + fromState).tanh()]
        case .relu: return [(fromInput + fromState).relu()]
        case .gru: return [gruStep(fromInput, fromState, h)]
        case .lstm:
            let gates = (fromInput + fromState).chunk(4, dim: 1)
            let c = gates[1].sigmoid() * state[1] + gates[0].sigmoid() * gates[2].tanh()
            let h = gates[3].sigmoid() * c.tanh()
            return [weights.projection.map { h.linear(weight: $0) } ?? h, c]
        }
    }
}
