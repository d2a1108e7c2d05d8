import Foundation

/// A queue of bounded length between the thread that prepares batches and the one that uses them.
final class BatchQueue: @unchecked Sendable {
    // @unchecked: everything below is touched with `condition` locked.
    private let condition = NSCondition()
    private let capacity: Int
    private var batches: [Result<DataLoader.Batch, any Error>] = []
    private var isClosed = false

    init(capacity: Int) { self.capacity = capacity }

    /// Waits for room. False when nobody wants more.
    func put(_ batch: Result<DataLoader.Batch, any Error>) -> Bool {
        condition.lock()
        defer { condition.unlock() }
        while batches.count >= capacity && !isClosed { condition.wait() }
        if isClosed { return false }
        batches.append(batch)
        condition.signal()
        return true
    }

    /// Waits for a batch. To be called once for each that is put.
    func take() -> Result<DataLoader.Batch, any Error> {
        condition.lock()
        defer { condition.unlock() }
        while batches.isEmpty { condition.wait() }
        condition.signal()
        return batches.removeFirst()
    }

    /// Lets the preparing thread end, and the batches that wait go.
    func close() {
        condition.lock()
        isClosed = true
        batches.removeAll()
        condition.signal()
        condition.unlock()
    }
}
