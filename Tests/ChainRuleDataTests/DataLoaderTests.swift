import ChainRule
import ChainRuleData
import Foundation
import Synchronization
import Testing

struct DataLoaderTests {
    private let data = LabeledData(
        inputs: Tensor((0..<20).map { Float($0) }, shape: [10, 2]), targets: Tensor((0..<10).map { Int64($0) }))

    private func targets(_ loader: DataLoader, epoch: Int = 0) -> [[Int64]] {
        loader.epoch(epoch).map { $0.target.toArray(of: Int64.self) }
    }

    @Test(arguments: [0, 2])
    func lastBatchIsPartial(_ prefetch: Int) {
        #expect(
            targets(DataLoader(data, batchSize: 4, prefetch: prefetch)) == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]])
        let dropping = DataLoader(data, batchSize: 4, dropLast: true, prefetch: prefetch)
        #expect(targets(dropping) == [[0, 1, 2, 3], [4, 5, 6, 7]])
        #expect(dropping.sampleCount == 8 && dropping.batchCount == 2)
        #expect(targets(DataLoader(data, batchSize: 40, prefetch: prefetch)) == [Array(0..<10)])
        #expect(targets(DataLoader(data, batchSize: 40, dropLast: true, prefetch: prefetch)) == [])
        #expect(DataLoader(data, batchSize: 4).batchCount == 3)
    }

    @Test(arguments: [0, 1, 2, 5])
    func prefetchDoesNotChangeTheOrder(_ prefetch: Int) {
        let loader = DataLoader(data, batchSize: 3, shuffleSeed: 7, prefetch: prefetch)
        let reference = DataLoader(data, batchSize: 3, shuffleSeed: 7, prefetch: 0)
        for epoch in 0..<3 { #expect(targets(loader, epoch: epoch) == targets(reference, epoch: epoch)) }
    }

    /// A checkpoint names a seed and an epoch: what they mean never changes.
    @Test func ordersAreFixed() {
        let loader = DataLoader(data, batchSize: 5, shuffleSeed: 7)
        #expect(targets(loader, epoch: 1) == [[7, 9, 3, 6, 2], [4, 1, 8, 0, 5]])
        #expect(targets(loader, epoch: 0) == [[3, 1, 2, 5, 6], [4, 0, 8, 7, 9]])
        #expect(targets(loader, epoch: 1) == [[7, 9, 3, 6, 2], [4, 1, 8, 0, 5]])
        #expect(targets(loader) != targets(DataLoader(data, batchSize: 5, shuffleSeed: 8)))
    }

    @Test func inputsStayWithTargets() {
        for batch in DataLoader(data, batchSize: 3, shuffleSeed: 1).epoch(0) {
            #expect(batch.input.shape == [batch.target.count, 2])
            let firsts = batch.input.toArray(of: Float.self).enumerated().filter { $0.offset % 2 == 0 }.map(\.element)
            #expect(firsts == batch.target.toArray(of: Float.self).map { 2 * $0 })
        }
    }

    @Test func droppedSamplesChangeWithTheEpoch() {
        let loader = DataLoader(data, batchSize: 3, shuffleSeed: 1, dropLast: true)
        let dropped = (0..<8).map { Set(0..<10).subtracting(targets(loader, epoch: $0).joined()) }
        #expect(dropped.allSatisfy { $0.count == 1 })
        #expect(Set(dropped).count > 1)
    }

    @Test func iterationsAreIndependent() async {
        let loader = DataLoader(data, batchSize: 3, shuffleSeed: 1)
        let epoch = loader.epoch(2)
        let expected = targets(loader, epoch: 2)
        await withTaskGroup(of: [[Int64]].self) { group in
            for _ in 0..<8 { group.addTask { epoch.map { $0.target.toArray(of: Int64.self) } } }
            for await result in group { #expect(result == expected) }
        }
    }

    @Test func sizesMustFit() {
        #expect(throws: TensorError.self) { try catchingErrors { DataLoader(data, batchSize: 0) } }
        #expect(throws: TensorError.self) {
            try catchingErrors { DataLoader(LabeledData(inputs: .zeros([3]), targets: data.targets), batchSize: 1) }
        }
    }

    @Test func emptyData() {
        let empty = LabeledData(inputs: .zeros([0, 2]), targets: .zeros([0], dtype: .int64))
        #expect(targets(DataLoader(empty, batchSize: 4, shuffleSeed: 1)) == [])
    }
}

/// Counts what it gives, throws at one sample, and can be seen to go.
private final class Files: Dataset {
    let count = 100
    private let failing: Int?
    private let batches = Mutex(0)

    init(failing: Int? = nil) { self.failing = failing }

    var batchesGiven: Int { batches.withLock { $0 } }

    func batch(at indices: [Int]) throws -> (input: Tensor, target: Tensor) {
        if let failing, indices.contains(failing) { throw DataError("file \(failing) is broken") }
        batches.withLock { $0 += 1 }
        let numbers = Tensor(indices.map { Int64($0) })
        return (numbers, numbers)
    }
}

/// Uses tensors wrongly.
private struct Mistaken: Dataset {
    let count = 10
    func batch(at indices: [Int]) -> (input: Tensor, target: Tensor) {
        (fail("Mistaken", "this cannot be"), Tensor([Int64(0)]))
    }
}

struct DataLoaderThreadTests {
    /// Waits for another thread, for as long as a busy machine may need.
    private func eventually(_ condition: () -> Bool) -> Bool {
        for _ in 0..<1000 where !condition() { Thread.sleep(forTimeInterval: 0.01) }
        return condition()
    }

    @Test(arguments: [0, 1, 2])
    func errorsReachTheConsumer(_ prefetch: Int) throws {
        let batches = DataLoader(Files(failing: 25), batchSize: 10, prefetch: prefetch).epoch(0).makeIterator()
        #expect(try batches.nextBatch()?.target.toArray(of: Int.self) == Array(0..<10))
        #expect(try batches.nextBatch() != nil)
        #expect(dataError { _ = try batches.nextBatch() } == "file 25 is broken")
        #expect(try batches.nextBatch() == nil)
        #expect(batches.next() == nil)
    }

    @Test(arguments: [0, 2])
    func errorsInALoopAreLoud(_ prefetch: Int) {
        let loader = DataLoader(Files(failing: 25), batchSize: 10, prefetch: prefetch)
        let error = #expect(throws: TensorError.self) { try catchingErrors { for _ in loader.epoch(0) {} } }
        #expect(error.map { "\($0)".contains("file 25 is broken") } == true)
    }

    @Test(arguments: [0, 2])
    func mistakesWithTensorsReachTheConsumer(_ prefetch: Int) {
        let loader = DataLoader(Mistaken(), batchSize: 2, prefetch: prefetch)
        let error = #expect(throws: TensorError.self) { try catchingErrors { for _ in loader.epoch(0) {} } }
        #expect(error.map { "\($0)".contains("this cannot be") } == true)
    }

    /// Two wait in the queue, one is held by the thread until there is room.
    @Test func prefetchIsBounded() throws {
        let files = Files()
        let batches = DataLoader(files, batchSize: 1, prefetch: 2).epoch(0).makeIterator()
        #expect(eventually { files.batchesGiven == 3 })
        Thread.sleep(forTimeInterval: 0.05)
        #expect(files.batchesGiven == 3)
        _ = batches.next()
        #expect(eventually { files.batchesGiven == 4 })
    }

    @Test func abandonedIterationsLetTheirThreadGo() {
        weak var released: Files?
        do {
            let files = Files()
            released = files
            let loader = DataLoader(files, batchSize: 1, shuffleSeed: 1)
            for _ in loader.epoch(0) { break }
            _ = loader.epoch(1).makeIterator()
            let unused = loader.epoch(2).makeIterator()
            _ = unused.next()
        }
        #expect(eventually { released == nil })
    }

    /// Many that stop early must not use up the machine's threads.
    @Test func manyAbandonedEpochs() {
        let loader = DataLoader(Files(), batchSize: 1, shuffleSeed: 1)
        for _ in 0..<2000 { for _ in loader.epoch(0) { break } }
        #expect(loader.epoch(0).reduce(0) { sum, _ in sum + 1 } == 100)
    }
}
