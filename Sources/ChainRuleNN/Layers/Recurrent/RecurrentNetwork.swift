import ChainRule

/// What `RNN`, `LSTM` and `GRU` share: layers on top of each other, one or two directions, dropout between the layers.
///
/// Input (time, N, features), (N, time, features) with `batchFirst`, or (time, features) without a batch. All weights are drawn from
/// U(−1/√hidden, 1/√hidden), in PyTorch's order and under its names ("weight_ih_l0", "bias_hh_l1_reverse", ...).
public class RecurrentNetwork: Module {
    public final let inputSize, hiddenSize, layerCount: Int
    public final let batchFirst, bidirectional: Bool
    /// With which probability the output of each layer but the last is dropped in training.
    public final let dropout: Double
    /// The size of the output where it is a projection of h, else 0. Of the LSTM only.
    public final let projectionSize: Int
    final let unit: RecurrentUnit
    /// Layer by layer, both directions of a layer together.
    private let directions: [DirectionParameters]

    init(
        _ unit: RecurrentUnit, _ inputSize: Int, _ hiddenSize: Int, layers: Int, bias: Bool, batchFirst: Bool,
        dropout: Double, bidirectional: Bool, projectionSize: Int = 0, dtype: DType
    ) {
        self.unit = unit
        self.inputSize = inputSize
        self.hiddenSize = hiddenSize
        self.layerCount = layers
        self.batchFirst = batchFirst
        self.dropout = dropout
        self.bidirectional = bidirectional
        self.projectionSize = projectionSize
        if !(0...1).contains(dropout) { fail("dropout", "the probability must be from 0 to 1, it is \(dropout)") }
        if hiddenSize < 1 || layers < 1 || projectionSize < 0 || projectionSize >= hiddenSize && projectionSize > 0 {
            fail(
                "RecurrentNetwork",
                "needs a hidden size and layers above 0 and a smaller projection, got \(hiddenSize), \(layers) and \(projectionSize)"
            )
        }
        let count = bidirectional ? 2 : 1
        let outputSize = projectionSize > 0 ? projectionSize : hiddenSize
        directions = (0..<layers * count).map { index in
            DirectionParameters(
                unit, inputs: index < count ? inputSize : outputSize * count, hidden: hiddenSize,
                suffix: "_l\(index / count)" + (index % count == 1 ? "_reverse" : ""), bias: bias,
                projection: projectionSize, dtype: dtype)
        }
        super.init()
    }

    public final override var summary: String {
        var text = "\(type(of: self))(\(inputSize), \(hiddenSize)"
        if layerCount != 1 { text += ", layers: \(layerCount)" }
        if unit == .relu { text += ", nonlinearity: .relu" }
        if directions[0].bias == nil { text += ", bias: false" }
        if batchFirst { text += ", batchFirst: true" }
        if dropout != 0 { text += ", dropout: \(dropout)" }
        if bidirectional { text += ", bidirectional: true" }
        return text + (projectionSize > 0 ? ", projectionSize: \(projectionSize))" : ")")
    }

    override final var ownParameters: [(name: String, parameter: any AnyParameter)] { directions.flatMap(\.named) }

    private var directionCount: Int { bidirectional ? 2 : 1 }

    /// The widths of the parts of the state.
    private var stateWidths: [Int] {
        let output = projectionSize > 0 ? projectionSize : hiddenSize
        return unit == .lstm ? [output, hiddenSize] : [output]
    }

    /// Runs a batch: an input (time, N, features), or places (time, N) of rows of a table. The parts of the state are
    /// (layers · directions, N, width). All of it also without the axis of the batch.
    final func run(_ input: Tensor, of table: Tensor? = nil, _ initial: [Tensor]?) -> (output: Tensor, state: [Tensor])
    {
        scope {
            let features = table ?? input, axes = input.rank - (table == nil ? 1 : 0)
            guard axes == 1 || axes == 2, features.shape[features.rank - 1] == inputSize else {
                guard let table else {
                    return failed(
                        "expects (time, batch, \(inputSize)) or (time, \(inputSize)), got shape \(input.shape)")
                }
                return failed(
                    "expects indices (time, batch) or (time) of rows of \(inputSize), got shape \(input.shape) of rows of \(table.shape)"
                )
            }
            let isBatch = axes == 2
            let steps = !isBatch ? input.unsqueeze(dim: 1) : batchFirst ? input.transpose(0, 1) : input
            let (time, batch) = (steps.shape[0], steps.shape[1])
            guard let state = initialState(initial, isBatch: isBatch, batch, features.dtype), time > 0, batch > 0 else {
                return failed("cannot run an input of shape \(input.shape)")
            }
            let rows = steps.reshape(Shape([time * batch] + steps.shape[2...]))
            let sizes = Array(repeating: batch, count: time)
            let result = run(table ?? rows, places: table == nil ? nil : rows, state, batchSizes: sizes)
            let output = result.output.reshape([time, batch, result.output.shape[1]])
            if !isBatch { return (output.squeeze(dim: 1), result.state.map { $0.squeeze(dim: 1) }) }
            return (batchFirst ? output.transpose(0, 1) : output, result.state)
        }
    }

    /// Runs what an embedding looks up, (time, N) or (time).
    final func run(
        _ indices: Tensor, of embedding: Embedding, _ initial: [Tensor]?
    ) -> (output: Tensor, state: [Tensor]) {
        embedding.isPlain ? run(indices, of: embedding.weight, initial) : run(embedding(indices), initial)
    }

    /// Runs sequences of different lengths. The state is in the order the sequences were given.
    final func run(_ input: PackedSequence, _ initial: [Tensor]?) -> (output: PackedSequence, state: [Tensor]) {
        scope {
            let order = input.order
            guard let state = initialState(initial, isBatch: true, order.count, input.data.dtype) else {
                return (input, failed("cannot run \(order.count) sequences").state)
            }
            let sorted = state.map { $0.indexSelect(dim: 1, Tensor(order)) }
            let result = run(input.data, sorted, batchSizes: input.batchSizes)
            var places = order
            for (packed, given) in order.enumerated() { places[given] = packed }
            return (input.with(result.output), result.state.map { $0.indexSelect(dim: 1, Tensor(places)) })
        }
    }

    private func failed(_ message: String) -> (output: Tensor, state: [Tensor]) {
        let error = fail("\(type(of: self))", message)
        return (error, stateWidths.map { _ in error })
    }

    /// The given state with a batch axis, or zeros. Nil after an error.
    private func initialState(_ initial: [Tensor]?, isBatch: Bool, _ batch: Int, _ dtype: DType) -> [Tensor]? {
        let count = layerCount * directionCount
        guard let initial else { return stateWidths.map { .zeros([count, batch, $0], dtype: dtype) } }
        let state = isBatch ? initial : initial.map { $0.unsqueeze(dim: 1) }
        let expected = stateWidths.map { Shape([count, batch, $0]) }
        guard state.map(\.shape) == expected else {
            fail("\(type(of: self))", "the state has shapes \(state.map(\.shape)), expected \(expected)")
            return nil
        }
        return state
    }

    private func run(
        _ rows: Tensor, places: Tensor? = nil, _ initial: [Tensor], batchSizes: [Int]
    ) -> (output: Tensor, state: [Tensor]) {
        var layer = rows
        var states: [[Tensor]] = []
        for index in 0..<layerCount {
            if index > 0 && dropout > 0 { layer = layer.dropout(p: dropout, training: isTraining) }
            let outputs = (0..<directionCount).map { direction in
                let place = index * directionCount + direction
                let result = layer.recurrent(
                    unit, weights: directions[place].weights, state: initial.map { $0[place] }, batchSizes: batchSizes,
                    reversed: direction == 1, places: index == 0 ? places : nil)
                states.append(result.state)
                return result.output
            }
            layer = outputs.count == 1 ? outputs[0] : cat(outputs, dim: 1)
        }
        return (layer, initial.indices.map { part in stack(states.map { $0[part] }) })
    }
}

/// The parameters of one layer in one direction.
final class DirectionParameters {
    private let input, state: Parameter<Tensor>
    let bias: (input: Parameter<Tensor>, state: Parameter<Tensor>)?
    private let projection: Parameter<Tensor>?
    private let suffix: String

    init(
        _ unit: RecurrentUnit, inputs: Int, hidden: Int, suffix: String, bias: Bool, projection: Int, dtype: DType
    ) {
        let bound = 1 / Double(Swift.max(hidden, 1)).squareRoot()
        let draw = { (shape: Shape) in Parameter<Tensor>(.uniform(shape, -bound...bound, dtype: dtype)) }
        let gates = unit.gateCount * hidden
        input = draw([gates, inputs])
        state = draw([gates, projection > 0 ? projection : hidden])
        self.bias = bias ? (draw([gates]), draw([gates])) : nil
        self.projection = projection > 0 ? draw([projection, hidden]) : nil
        self.suffix = suffix
    }

    var named: [(name: String, parameter: any AnyParameter)] {
        var named: [(String, any AnyParameter)] = [("weight_ih" + suffix, input), ("weight_hh" + suffix, state)]
        if let bias { named += [("bias_ih" + suffix, bias.input), ("bias_hh" + suffix, bias.state)] }
        if let projection { named.append(("weight_hr" + suffix, projection)) }
        return named
    }

    var weights: RecurrentWeights {
        RecurrentWeights(
            input: input.wrappedValue, state: state.wrappedValue, inputBias: bias?.input.wrappedValue,
            stateBias: bias?.state.wrappedValue, projection: projection?.wrappedValue)
    }
}
