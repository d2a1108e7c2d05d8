import ChainRule

/// Reads text character by character and scores what comes next: embedding, LSTM layers, a linear layer.
public final class CharacterLSTM: Module, Layer {
    public let embedding: Embedding
    public let lstm: LSTM
    public let head: Linear

    public init(vocabulary: Int, width: Int = 256, layers: Int = 2, dropout: Double = 0, dtype: DType = .float32) {
        embedding = Embedding(vocabulary, width, dtype: dtype)
        lstm = LSTM(width, width, layers: layers, batchFirst: true, dropout: dropout, dtype: dtype)
        head = Linear(width, vocabulary, dtype: dtype)
        super.init()
    }

    /// Scores (N, time, vocabulary) of the next character for characters (N, time).
    public func callAsFunction(_ input: Tensor) -> Tensor { self(input, state: nil).scores }

    /// The same, beginning in a state, and the state at the end: to go on where a text stopped.
    public func callAsFunction(_ input: Tensor, state: LSTM.State?) -> (scores: Tensor, state: LSTM.State) {
        scope {
            let (output, state) = lstm(input, of: embedding, state)
            guard output.rank == 3 else { return (head(output), state) }
            // By time, as the output lies in memory: there are fewer scores to turn.
            return (head(output.transpose(0, 1)).transpose(0, 1), state)
        }
    }
}
