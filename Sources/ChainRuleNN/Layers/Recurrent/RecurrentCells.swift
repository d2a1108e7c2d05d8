import ChainRule

/// What the cells share: one time step of one layer. Input (N, inputSize) or (inputSize). The weights are drawn from U(−1/√hidden, 1/√hidden).
public class RecurrentCell: Module {
    public final let inputSize, hiddenSize: Int
    final let unit: RecurrentUnit
    private let parts: DirectionParameters

    init(_ unit: RecurrentUnit, _ inputSize: Int, _ hiddenSize: Int, bias: Bool, dtype: DType) {
        self.unit = unit
        self.inputSize = inputSize
        self.hiddenSize = hiddenSize
        parts = DirectionParameters(
            unit, inputs: inputSize, hidden: hiddenSize, suffix: "", bias: bias, projection: 0, dtype: dtype)
        super.init()
    }

    public final override var summary: String {
        let options = (unit == .relu ? ", nonlinearity: .relu" : "") + (parts.bias == nil ? ", bias: false" : "")
        return "\(type(of: self))(\(inputSize), \(hiddenSize)\(options))"
    }

    override final var ownParameters: [(name: String, parameter: any AnyParameter)] { parts.named }

    final func step(_ input: Tensor, _ state: [Tensor?]) -> [Tensor] {
        scope {
            guard input.rank == 1 || input.rank == 2, input.shape[input.rank - 1] == inputSize else {
                let message = "expects (batch, \(inputSize)) or (\(inputSize)), got shape \(input.shape)"
                let error = fail("\(type(of: self))", message)
                return state.map { _ in error }
            }
            let isBatch = input.rank == 2
            let rows = isBatch ? input : input.unsqueeze(dim: 0)
            let before = state.map { part in
                part.map { isBatch ? $0 : $0.unsqueeze(dim: 0) }
                    ?? .zeros([rows.shape[0], hiddenSize], dtype: input.dtype)
            }
            let after = rows.recurrentStep(unit, weights: parts.weights, state: before)
            return isBatch ? after : after.map { $0.squeeze(dim: 0) }
        }
    }
}

/// One step of `RNN`: h′ (N, hiddenSize) from x (N, inputSize) and h.
public final class RNNCell: RecurrentCell {
    public init(
        _ inputSize: Int, _ hiddenSize: Int, bias: Bool = true, nonlinearity: RecurrentNonlinearity = .tanh,
        dtype: DType = .float32
    ) {
        super.init(nonlinearity.unit, inputSize, hiddenSize, bias: bias, dtype: dtype)
    }

    public func callAsFunction(_ input: Tensor, _ hidden: Tensor? = nil) -> Tensor { step(input, [hidden])[0] }
}

/// One step of `GRU`: h′ (N, hiddenSize) from x (N, inputSize) and h.
public final class GRUCell: RecurrentCell {
    public init(_ inputSize: Int, _ hiddenSize: Int, bias: Bool = true, dtype: DType = .float32) {
        super.init(.gru, inputSize, hiddenSize, bias: bias, dtype: dtype)
    }

    public func callAsFunction(_ input: Tensor, _ hidden: Tensor? = nil) -> Tensor { step(input, [hidden])[0] }
}

/// One step of `LSTM`: h′ and c′ (N, hiddenSize) from x (N, inputSize), h and c.
public final class LSTMCell: RecurrentCell {
    public init(_ inputSize: Int, _ hiddenSize: Int, bias: Bool = true, dtype: DType = .float32) {
        super.init(.lstm, inputSize, hiddenSize, bias: bias, dtype: dtype)
    }

    public func callAsFunction(_ input: Tensor, _ state: LSTM.State? = nil) -> LSTM.State {
        let result = step(input, [state?.hidden, state?.cell])
        return LSTM.State(hidden: result[0], cell: result[1])
    }
}
