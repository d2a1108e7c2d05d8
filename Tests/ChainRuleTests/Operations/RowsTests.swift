import ChainRule
import Testing

struct RowsTests {
    private let x = Tensor(Array(0..<6), shape: [2, 3])

    @Test func selecting() {
        #expect(x.indexSelect(dim: 1, Tensor([2, 0, 2])).toArray(of: Int.self) == [2, 0, 2, 5, 3, 5])
        #expect(x.t().indexSelect(dim: 0, Tensor([1])).toArray(of: Int.self) == [1, 4])
        #expect(x.indexSelect(dim: 0, Tensor(1)).shape == [1, 3])
        #expect(x.take(Tensor([-1, 0, 3])).toArray(of: Int.self) == [5, 0, 3])
        #expect(x.maskedSelect(Tensor([true, false, true])).toArray(of: Int.self) == [0, 2, 3, 5])
    }

    @Test func updating() {
        let ones = Tensor.ones([2, 2], dtype: .int64)
        #expect(x.indexAdd(dim: 1, Tensor([0, 0]), ones, alpha: 10).toArray(of: Int.self) == [20, 1, 2, 23, 4, 5])
        #expect(x.indexCopy(dim: 1, Tensor([2, 0]), ones * 9).toArray(of: Int.self) == [9, 1, 9, 9, 4, 9])
        #expect(x.indexFill(dim: 0, Tensor([1]), 7).toArray(of: Int.self) == [0, 1, 2, 7, 7, 7])
        #expect(x.put(Tensor([-1, 0]), Tensor([8, 9])).toArray(of: Int.self) == [9, 1, 2, 3, 4, 8])
        #expect(
            x.put(Tensor([1, 1]), Tensor([8, 9]), accumulate: true).toArray(of: Int.self) == [0, 18, 2, 3, 4, 5])
        #expect(
            x.maskedScatter(x.to(.bool), Tensor([10, 20, 30, 40, 50, 60])).toArray(of: Int.self)
                == [0, 10, 20, 30, 40, 50])
    }

    @Test func fillingCountsEachPlaceOnce() {
        let value = Tensor(2.0, requiresGrad: true)
        let y = Tensor.zeros([2, 3]).indexFill(dim: 1, Tensor([0, 2, 0]), value)
        #expect(y.toArray() == [2, 0, 2, 2, 0, 2] as [Float])
        y.sum().backward()
        #expect(value.grad?.item() == 4)
    }

    @Test func embeddingAddsUpGradients() {
        let weight = Tensor([1, 2, 3, 4, 5, 6] as [Float], shape: [3, 2], requiresGrad: true)
        let indices = Tensor([2, 0, 2, 1] as [Int32], shape: [2, 2])
        let rows = embedding(indices, weight: weight, paddingIndex: -2)
        #expect(rows.shape == [2, 2, 2])
        #expect(rows.toArray() == [5, 6, 1, 2, 5, 6, 3, 4] as [Float])
        (rows * rows).sum().backward()
        #expect(weight.grad?.toArray() == [2, 4, 0, 0, 20, 24] as [Float])
    }

    @Test func wideRowsAddUpTheSameOnAnyThreads() {
        // 300 columns are several blocks; each row index occurs many times.
        let indices = Tensor((0..<5000).map { ($0 * 7919) % 13 })
        let weight = Tensor.zeros([13, 300]).requiringGrad()
        let dy = Tensor((0..<1_500_000).map { Float(($0 * 31) % 1009) / 1009 }, shape: [5000, 300])
        embedding(indices, weight: weight).backward(gradient: dy)
        let values: [Float] = dy.toArray()
        var expected = [Float](repeating: 0, count: 13 * 300)
        for (place, row) in indices.toArray(of: Int.self).enumerated() {
            for column in 0..<300 { expected[row * 300 + column] += values[place * 300 + column] }
        }
        #expect(weight.grad?.toArray() == expected)
    }

    @Test func halfPrecisionAddsUpInFloat32() {
        let weight = Tensor.zeros([1, 1], dtype: .float16).requiringGrad()
        let many = embedding(Tensor.zeros([4096], dtype: .int64), weight: weight)
        many.backward(gradient: Tensor.full([4096, 1], 1.0009765625, dtype: .float16))
        #expect(weight.grad?.item() == 4100)
    }

    @Test func mistakes() {
        func message(_ body: () -> Void) -> String {
            do {
                try catchingErrors(body)
                return ""
            } catch { return (error as? TensorError)?.message ?? "" }
        }
        #expect(
            message { _ = x.indexSelect(dim: 1, Tensor([0, -1])) }
                == "index -1 at position [1] of the index tensor is out of range for axis 1 of shape [2, 3], which has size 3 (expected 0 to 2)"
        )
        #expect(
            message { _ = x.indexSelect(dim: 1, Tensor([1.5])) }
                == "indices must be integers (int64), this tensor is float64")
        #expect(
            message { _ = x.indexAdd(dim: 0, Tensor([1]), x) }
                == "the source has shape [2, 3], expected [1, 3] for 1 indices")
        #expect(
            message { _ = embedding(Tensor([3]), weight: x.to(.float32).requiringGrad()[0...1]) }
                == "index 3 at position [0] of the index tensor is out of range for axis 0 of shape [2, 3], which has size 2 (expected 0 to 1)"
        )
    }
}
