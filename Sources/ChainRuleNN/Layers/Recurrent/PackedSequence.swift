import ChainRule

/// Sequences of different lengths without padding: the rows of all sequences at time 0, then at time 1, and so on, longer sequences first.
///
/// ```swift
/// let packed = PackedSequence([first, second, third])      // each (length, features)
/// let (output, state) = lstm(packed)
/// let (padded, lengths) = output.padded(batchFirst: true)  // in the order the sequences were given
/// ```
public struct PackedSequence: Sendable {
    /// (rows, features...)
    public let data: Tensor
    /// How many sequences reach each time.
    public let batchSizes: [Int]
    /// The place in the given order of each packed sequence.
    public let order: [Int]

    init(data: Tensor, batchSizes: [Int], order: [Int]) {
        self.data = data
        self.batchSizes = batchSizes
        self.order = order
    }

    /// Packs sequences of shape (length, features...), of any length above 0.
    public init(_ sequences: [Tensor]) {
        let lengths = sequences.map { $0.rank > 0 ? $0.shape[0] : 0 }
        let longest = lengths.max() ?? 0
        let padded = zip(sequences, lengths).map { sequence, length in
            length == longest
                ? sequence
                : cat([sequence, .zeros(Shape([longest - length] + sequence.shape.dropFirst()), dtype: sequence.dtype)])
        }
        self.init(padded: padded.isEmpty ? .zeros([0, 0]) : stack(padded), lengths: lengths, batchFirst: true)
    }

    /// Packs the first `lengths[i]` steps of each sequence of a padded batch (time, N, features...), or with N first.
    public init(padded: Tensor, lengths: [Int], batchFirst: Bool = false) {
        let steps = batchFirst ? padded.transpose(0, 1) : padded
        let order = lengths.indices.sorted { lengths[$0] > lengths[$1] || lengths[$0] == lengths[$1] && $0 < $1 }
        let longest = lengths.max() ?? 0
        let isValid = longest <= steps.shape[0] && lengths.allSatisfy { $0 > 0 } && lengths.count == steps.shape[1]
        guard isValid, longest > 0 else {
            let error = fail(
                "PackedSequence",
                "lengths \(lengths) do not fit a padded batch of shape \(padded.shape); each must be above 0")
            self.init(data: error, batchSizes: [], order: order)
            return
        }
        let batchSizes = (0..<longest).map { time in lengths.count { $0 > time } }
        let places = batchSizes.enumerated().flatMap { time, size in
            order.prefix(size).map { time * lengths.count + $0 }
        }
        let rows = steps.flatten(startDim: 0, endDim: 1)
        self.init(data: rows.indexSelect(dim: 0, Tensor(places)), batchSizes: batchSizes, order: order)
    }

    /// The length of each sequence, in the order they were given.
    public var lengths: [Int] {
        var lengths = [Int](repeating: 0, count: order.count)
        for (packed, given) in order.enumerated() { lengths[given] = batchSizes.count { $0 > packed } }
        return lengths
    }

    /// The sequences as one batch (time, N, features...), or with N first, filled up with `paddingValue`, and their lengths.
    public func padded(batchFirst: Bool = false, paddingValue: Double = 0) -> (sequences: Tensor, lengths: [Int]) {
        let (longest, count) = (batchSizes.count, order.count)
        var places: [Int] = []
        for (time, size) in batchSizes.enumerated() {
            places += order.prefix(size).map { batchFirst ? $0 * longest + time : time * count + $0 }
        }
        let features = Array(data.shape.dropFirst())
        let blank = Tensor.full(Shape([longest * count] + features), paddingValue, dtype: data.dtype)
        let rows = blank.indexCopy(dim: 0, Tensor(places), data)
        return (rows.reshape(Shape((batchFirst ? [count, longest] : [longest, count]) + features)), lengths)
    }

    /// The same packing of other rows.
    func with(_ data: Tensor) -> PackedSequence { PackedSequence(data: data, batchSizes: batchSizes, order: order) }
}
