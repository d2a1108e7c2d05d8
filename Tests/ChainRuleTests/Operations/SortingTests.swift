import ChainRule
import Testing

struct SortingTests {
    private let z = Tensor([[2, 2, 1], [0, 5, 5]])

    @Test func specialValuesHaveTheirPlace() {
        let s = Tensor([3, .nan, -0.0, 0, -1, .infinity] as [Float])
        #expect(s.sort().indices.toArray(of: Int.self) == [4, 2, 3, 0, 5, 1])
        #expect(s.sort(descending: true).indices.toArray(of: Int.self) == [1, 5, 0, 2, 3, 4])
        #expect(s.to(.float16).argsort().toArray(of: Int.self) == [4, 2, 3, 0, 5, 1])
        #expect(s.to(.float64).argsort().toArray(of: Int.self) == [4, 2, 3, 0, 5, 1])
        #expect(Tensor([3, -5, Int.min, Int.max]).sort().values.toArray(of: Int.self) == [.min, -5, 3, .max])
        #expect(Tensor([3, -5, -128] as [Int8]).sort().values.toArray(of: Int.self) == [-128, -5, 3])
    }

    @Test func anyAxis() {
        #expect(z.argsort(dim: 0).toArray(of: Int.self) == [1, 0, 0, 0, 1, 1])
        #expect(z.t().sort(dim: 0).values.toArray(of: Int.self) == [1, 0, 2, 5, 2, 5])
        #expect(Tensor(4).sort().values.shape == [])
        #expect(Tensor.zeros([2, 0]).sort().indices.shape == [2, 0])
    }

    /// Lengths on both sides of each change of method, with many equal keys.
    @Test(arguments: [1, 31, 33, 512, 513, 20000])
    func longLinesAgreeWithTheStandardLibrary(count: Int) {
        let numbers = (0..<count).map { Float(($0 * 7919 + 13) % 1009) - 500 }
        let order = numbers.indices.sorted { (numbers[$0], $0) < (numbers[$1], $1) }
        let x = Tensor(numbers)
        #expect(x.argsort().toArray(of: Int.self) == order)
        #expect((x.to(.float64) * 1e100).argsort().toArray(of: Int.self) == order)
        let k = Swift.min(5, count)
        #expect(x.topk(k, largest: false).indices.toArray(of: Int.self) == Array(order.prefix(k)))
        #expect(x.topk(k).values.toArray() == Array(numbers.sorted(by: >).prefix(k)))
    }

    @Test func gradientsGoWhereTheValuesStood() {
        let x = Tensor([3, 1, 2] as [Float], requiresGrad: true)
        (x.sort().values * Tensor([1, 10, 100] as [Float])).sum().backward()
        x.kthvalue(2).values.backward()
        x.topk(1).values.sum().backward()
        #expect(x.grad?.toArray() == [101, 1, 11] as [Float])
    }

    @Test func selecting() {
        #expect(z.kthvalue(2, dim: 1).values.toArray(of: Int.self) == [2, 5])
        #expect(z.kthvalue(1, dim: 0, keepDim: true).values.shape == [1, 3])
        #expect(z.topk(0).values.shape == [2, 0])
        #expect(throws: TensorError.self) { try catchingErrors { _ = z.topk(4) } }
        #expect(throws: TensorError.self) { try catchingErrors { _ = z.kthvalue(0) } }
    }

    @Test func distinctElements() {
        let found = Tensor([3, 1, 3, 2, 1]).unique()
        #expect(found.values.toArray(of: Int.self) == [1, 2, 3])
        #expect(found.inverse.toArray(of: Int.self) == [2, 0, 2, 1, 0])
        #expect(found.counts.toArray(of: Int.self) == [2, 1, 2])
        let rows = Tensor([[1, 2], [0, 5], [1, 2]]).unique(dim: 0)
        #expect(rows.values.toArray(of: Int.self) == [0, 5, 1, 2])
        #expect(rows.inverse.toArray(of: Int.self) == [1, 0, 1])
        let runs = Tensor([1, 1, 2, 2, 1]).uniqueConsecutive()
        #expect(runs.values.toArray(of: Int.self) == [1, 2, 1])
        #expect(runs.inverse.toArray(of: Int.self) == [0, 0, 1, 1, 2])
        #expect(runs.counts.toArray(of: Int.self) == [2, 2, 1])
        #expect(Tensor([1.5], requiresGrad: true).detach().unique().values.count == 1)
        #expect(throws: TensorError.self) { try catchingErrors { _ = Tensor([1.5], requiresGrad: true).unique() } }
    }

    @Test func searching() {
        let lines = Tensor([[1, 3, 5], [2, 4, 6]])
        #expect(lines.searchsorted([[3, 0], [6, 7]]).toArray(of: Int.self) == [1, 0, 2, 3])
        #expect(lines.searchsorted([[3, 0], [6, 7]], right: true).toArray(of: Int.self) == [2, 0, 3, 3])
        let buckets = Tensor([[0.5, 1, 9]] as [[Float]]).bucketize([1, 2])
        #expect(buckets.shape == [1, 3])
        #expect(buckets.toArray(of: Int.self) == [0, 0, 2])
        #expect(throws: TensorError.self) { try catchingErrors { lines.searchsorted([1, 2]) } }
    }

    @Test func counting() {
        #expect(Tensor([1, 3, 1]).bincount(minLength: 5).toArray(of: Int.self) == [0, 2, 0, 1, 0])
        let weights = Tensor([0.5, 1, 2] as [Float], requiresGrad: true)
        let sums = Tensor([1, 3, 1]).bincount(weights: weights)
        #expect(sums.toArray() == [0, 2.5, 0, 1] as [Float])
        sums[1].backward()
        #expect(weights.grad?.toArray() == [1, 0, 1] as [Float])
        #expect(Tensor([2, 0]).oneHot().toArray(of: Int.self) == [0, 0, 1, 1, 0, 0])
        #expect(Tensor([[2], [0]]).oneHot(numClasses: 4).shape == [2, 1, 4])
        #expect(Tensor.zeros([0], dtype: .int64).bincount().shape == [0])
        expectMistake(in: "oneHot", "element -1 is none of the 3 classes") { Tensor([2, -1]).oneHot() }
        expectMistake(in: "oneHot", "element 3 is none of the 3 classes") { Tensor([2, 3]).oneHot(numClasses: 3) }
        #expect(throws: TensorError.self) { try catchingErrors { Tensor([2]).oneHot(numClasses: 2) } }
        #expect(throws: TensorError.self) { try catchingErrors { Tensor([-1]).bincount() } }
    }

    @Test func positions() {
        #expect(z.nonzero().toArray(of: Int.self) == [0, 0, 0, 1, 0, 2, 1, 1, 1, 2])
        #expect(Tensor(5).nonzero().shape == [1, 0])
    }
}
