import ChainRule
import Foundation

/// Batches of a data set in its own or a shuffled order, prepared on another thread while the last one is worked on.
///
/// ```swift
/// let loader = DataLoader(data.train, batchSize: 64, shuffleSeed: 7)
/// for epoch in 0..<5 {
///     for (input, target) in loader.epoch(epoch) { ... }
/// }
/// ```
public final class DataLoader: Sendable {
    public typealias Batch = (input: Tensor, target: Tensor)

    public let dataset: any Dataset
    public let batchSize: Int
    /// The seed of the order, or nil to keep the data's own. The order of an epoch depends on this and its number alone.
    public let shuffleSeed: UInt64?
    /// Whether a last batch that is not full is left out.
    public let dropLast: Bool
    /// How many batches may wait; 0 prepares each when it is asked for.
    public let prefetch: Int

    public init(
        _ dataset: some Dataset, batchSize: Int, shuffleSeed: UInt64? = nil, dropLast: Bool = false, prefetch: Int = 2
    ) {
        self.dataset = dataset
        self.batchSize = max(batchSize, 1)
        self.shuffleSeed = shuffleSeed
        self.dropLast = dropLast
        self.prefetch = prefetch
        if batchSize < 1 { fail("DataLoader", "the batch size must be 1 or more, not \(batchSize)") }
        if let data = dataset as? LabeledData, data.inputs.shape.first != data.count {
            fail("DataLoader", "inputs of shape \(data.inputs.shape) do not fit targets of shape \(data.targets.shape)")
        }
    }

    /// How many samples an epoch gives.
    public var sampleCount: Int { dropLast ? dataset.count / batchSize * batchSize : dataset.count }

    public var batchCount: Int { (sampleCount + batchSize - 1) / batchSize }

    /// The batches of one epoch, counted from 0.
    public func epoch(_ number: Int) -> Epoch { Epoch(loader: self, order: order(ofEpoch: number)) }

    /// A permutation for each epoch: the seed's stream of that number.
    private func order(ofEpoch number: Int) -> [Int] {
        guard let shuffleSeed else { return Array(0..<dataset.count) }
        let stream = UInt64(bitPattern: Int64(number))
        return SplitMix64(seed: shuffleSeed, stream: stream).permutation(of: dataset.count)
    }

    /// The batches of one epoch, in order. Each iteration is independent of others.
    public struct Epoch: Sequence, Sendable {
        fileprivate let loader: DataLoader
        fileprivate let order: [Int]

        public func makeIterator() -> Iterator { Iterator(self) }

        fileprivate func batch(_ index: Int) throws -> Batch {
            let end = Swift.min((index + 1) * loader.batchSize, loader.sampleCount)
            return try loader.dataset.batch(at: Array(order[(index * loader.batchSize)..<end]))
        }
    }

    /// Hands out the batches of an epoch. One left before its end lets its thread go.
    public final class Iterator: IteratorProtocol {
        private let epoch: Epoch
        private var position = 0
        private let queue: BatchQueue?

        fileprivate init(_ epoch: Epoch) {
            self.epoch = epoch
            guard epoch.loader.prefetch > 0, epoch.loader.batchCount > 1 else {
                queue = nil
                return
            }
            let queue = BatchQueue(capacity: epoch.loader.prefetch)
            self.queue = queue
            // The thread holds the queue but not the iterator: when nobody holds the iterator any more, it closes the queue.
            Thread.detachNewThread {
                for index in 0..<epoch.loader.batchCount {
                    // A mistake in the data set's own use of tensors is the consumer's to hear about, too.
                    let batch = Result { try catchingErrors { try epoch.batch(index) } }
                    guard queue.put(batch) else { return }
                    if case .failure = batch { return }
                }
            }
        }

        deinit { queue?.close() }

        /// The next batch, or nil after the last; for data sets whose `batch(at:)` throws. After an error there are no more batches.
        public func nextBatch() throws -> Batch? {
            guard position < epoch.loader.batchCount else { return nil }
            let index = position
            position = epoch.loader.batchCount
            let batch = try queue?.take().get() ?? epoch.batch(index)
            position = index + 1
            return batch
        }

        /// The next batch, or nil after the last. A data set in memory never throws; where one does, this stops the program with the
        /// sentence, as any mistake does, and `nextBatch` throws it.
        public func next() -> Batch? {
            do {
                return try nextBatch()
            } catch {
                fail(
                    "DataLoader",
                    "the data set could not give a batch (\(error)); take batches with nextBatch to catch this")
                return nil
            }
        }
    }
}
