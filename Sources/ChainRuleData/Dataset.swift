import ChainRule

/// Samples that can be asked for by number. `LabeledData` holds them in memory; a type of your own may read files.
public protocol Dataset: Sendable {
    /// The number of samples.
    var count: Int { get }

    /// The samples with these numbers, stacked in this order along the first axis.
    ///
    /// The loader calls this from a thread of its own, for one batch after the other. What it throws reaches whoever takes the batch.
    func batch(at indices: [Int]) throws -> (input: Tensor, target: Tensor)
}
