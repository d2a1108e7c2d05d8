import ChainRule

/// Which function a simple recurrent layer applies.
public enum RecurrentNonlinearity: Sendable, Hashable {
    case tanh, relu

    var unit: RecurrentUnit { self == .tanh ? .tanh : .relu }
}

/// h ← tanh(Wx x + bx + Wh h + bh), or with max(·, 0) (Elman 1990).
///
/// Input (time, N, inputSize), (N, time, inputSize) with `batchFirst`, or (time, inputSize); the output has hiddenSize numbers, twice as many when
/// `bidirectional`. The state is (layers · directions, N, hiddenSize).
public final class RNN: RecurrentNetwork {
    public init(
        _ inputSize: Int, _ hiddenSize: Int, layers: Int = 1, nonlinearity: RecurrentNonlinearity = .tanh,
        bias: Bool = true, batchFirst: Bool = false, dropout: Double = 0, bidirectional: Bool = false,
        dtype: DType = .float32
    ) {
        super.init(
            nonlinearity.unit, inputSize, hiddenSize, layers: layers, bias: bias, batchFirst: batchFirst,
            dropout: dropout, bidirectional: bidirectional, dtype: dtype)
    }
}

/// The gated recurrent unit (Cho et al. 2014, arXiv 1406.1078) in PyTorch's form, with the reset gate behind the product. Shapes as for `RNN`.
public final class GRU: RecurrentNetwork {
    public init(
        _ inputSize: Int, _ hiddenSize: Int, layers: Int = 1, bias: Bool = true, batchFirst: Bool = false,
        dropout: Double = 0, bidirectional: Bool = false, dtype: DType = .float32
    ) {
        super.init(
            .gru, inputSize, hiddenSize, layers: layers, bias: bias, batchFirst: batchFirst, dropout: dropout,
            bidirectional: bidirectional, dtype: dtype)
    }
}

/// Long short-term memory (Hochreiter and Schmidhuber 1997), with forget gates and, when `projectionSize` is above 0, projected
/// outputs (Sak et al. 2014, arXiv 1402.1128). Shapes as for `RNN`, the output having projectionSize numbers if that is given.
///
/// ```swift
/// let lstm = LSTM(65, 256, layers: 2, batchFirst: true)
/// let (output, state) = lstm(x)
/// let (more, _) = lstm(y, state)
/// ```
public final class LSTM: RecurrentNetwork {
    /// h (layers · directions, N, outputs) and c (layers · directions, N, hiddenSize).
    public struct State: Sendable {
        public let hidden, cell: Tensor

        public init(hidden: Tensor, cell: Tensor) {
            self.hidden = hidden
            self.cell = cell
        }
    }

    public init(
        _ inputSize: Int, _ hiddenSize: Int, layers: Int = 1, bias: Bool = true, batchFirst: Bool = false,
        dropout: Double = 0, bidirectional: Bool = false, projectionSize: Int = 0, dtype: DType = .float32
    ) {
        super.init(
            .lstm, inputSize, hiddenSize, layers: layers, bias: bias, batchFirst: batchFirst, dropout: dropout,
            bidirectional: bidirectional, projectionSize: projectionSize, dtype: dtype)
    }

    /// The output of the last layer at each time, and the state at the end. The state before is zero unless given.
    public func callAsFunction(_ input: Tensor, _ state: State? = nil) -> (output: Tensor, state: State) {
        let result = run(input, state.map { [$0.hidden, $0.cell] })
        return (result.output, State(hidden: result.state[0], cell: result.state[1]))
    }

    /// What `self(embedding(indices), state)` gives, without a tensor of what is looked up where the embedding has fewer rows than there are indices.
    public func callAsFunction(
        _ indices: Tensor, of embedding: Embedding, _ state: State? = nil
    ) -> (output: Tensor, state: State) {
        let result = run(indices, of: embedding, state.map { [$0.hidden, $0.cell] })
        return (result.output, State(hidden: result.state[0], cell: result.state[1]))
    }

    public func callAsFunction(
        _ input: PackedSequence, _ state: State? = nil
    ) -> (output: PackedSequence, state: State) {
        let result = run(input, state.map { [$0.hidden, $0.cell] })
        return (result.output, State(hidden: result.state[0], cell: result.state[1]))
    }
}

/// A recurrent network whose state is one tensor.
public protocol SingleStateNetwork: RecurrentNetwork {}

extension RNN: SingleStateNetwork {}
extension GRU: SingleStateNetwork {}

extension SingleStateNetwork {
    /// The output of the last layer at each time, and the state at the end. The state before is zero unless given.
    public func callAsFunction(_ input: Tensor, _ state: Tensor? = nil) -> (output: Tensor, state: Tensor) {
        let result = run(input, state.map { [$0] })
        return (result.output, result.state[0])
    }

    /// What `self(embedding(indices), state)` gives, without a tensor of what is looked up where the embedding has fewer rows than there are indices.
    public func callAsFunction(
        _ indices: Tensor, of embedding: Embedding, _ state: Tensor? = nil
    ) -> (output: Tensor, state: Tensor) {
        let result = run(indices, of: embedding, state.map { [$0] })
        return (result.output, result.state[0])
    }

    public func callAsFunction(
        _ input: PackedSequence, _ state: Tensor? = nil
    ) -> (output: PackedSequence, state: Tensor) {
        let result = run(input, state.map { [$0] })
        return (result.output, result.state[0])
    }
}
