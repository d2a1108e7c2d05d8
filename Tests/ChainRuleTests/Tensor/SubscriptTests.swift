import Testing

@testable import ChainRule

/// The expected numbers are PyTorch's for the same expressions.
struct SubscriptTests {
    /// 0, 1, 2, ... in row-major order.
    private func counting(_ shape: Shape) -> Tensor { Tensor(Array(0..<shape.elementCount), shape: shape) }

    private let i = Tensor([0, -1])
    private let j = Tensor([1, 0], shape: [2, 1])
    private let mask = Tensor([true, false, true, false, false, true], shape: [2, 3])

    private func expect(
        _ x: Tensor, _ shape: Shape, _ elements: [Int], sourceLocation: SourceLocation = #_sourceLocation
    ) {
        #expect(x.shape == shape, sourceLocation: sourceLocation)
        #expect(x.toArray(of: Int.self) == elements, sourceLocation: sourceLocation)
    }

    @Test func placesAndRanges() {
        let x = counting([2, 3, 4])
        expect(x[-1], [3, 4], Array(12..<24))
        expect(x[0, 1, -1], [], [7])
        expect(x[.all, 1..., .slice(by: 2)], [2, 2, 2], [4, 6, 8, 10, 16, 18, 20, 22])
        expect(x[.ellipsis, 0], [2, 3], [0, 4, 8, 12, 16, 20])
        expect(x[.newAxis, .all, 1], [1, 2, 4], [4, 5, 6, 7, 16, 17, 18, 19])
        expect(x[0, 0...1, ..<(-2)], [2, 2], [0, 1, 4, 5])
        expect(x[1, -1, -3..<0], [3], [21, 22, 23])
        expect(x[1, 0, 2..<100], [2], [14, 15])
        expect(x[0, ...(-1), 3], [3], [3, 7, 11])
        expect(x[0, 0, .slice(from: 1, to: -1)], [2], [1, 2])
        expect(x[5...], [0, 3, 4], [])
    }

    @Test func indexTensors() {
        let x = counting([2, 3, 4])
        expect(x[.all, i], [2, 2, 4], [0, 1, 2, 3, 8, 9, 10, 11, 12, 13, 14, 15, 20, 21, 22, 23])
        expect(x[.all, i, j], [2, 2, 2], [1, 9, 0, 8, 13, 21, 12, 20])
        expect(x[i, .all, j], [2, 2, 3], [1, 5, 9, 13, 17, 21, 0, 4, 8, 12, 16, 20])
        expect(x[j, 0, i], [2, 2], [12, 15, 0, 3])
        expect(x[i, .newAxis, i], [2, 1, 4], [0, 1, 2, 3, 20, 21, 22, 23])
        expect(x[.all, j], [2, 2, 1, 4], [4, 5, 6, 7, 0, 1, 2, 3, 16, 17, 18, 19, 12, 13, 14, 15])
        expect(x[Tensor(1)], [3, 4], Array(12..<24))
        expect(x[i.to(.int32), 0, 0], [2], [0, 12])
    }

    @Test func masks() {
        let x = counting([2, 3, 4])
        expect(x[mask], [3, 4], [0, 1, 2, 3, 8, 9, 10, 11, 20, 21, 22, 23])
        expect(x[mask, 1..<3], [3, 2], [1, 2, 9, 10, 21, 22])
        expect(x[.all, mask[0], j[.all, 0]], [2, 2], [1, 8, 13, 20])
        expect(x.permute(1, 0, 2)[mask.t()], [3, 4], [0, 1, 2, 3, 8, 9, 10, 11, 20, 21, 22, 23])
    }

    @Test func assigning() {
        let x = counting([2, 3, 4])
        var y = x
        y[.all, 1..., .slice(by: 2)] = Tensor([50, 60], shape: [2, 1])
        expect(
            y, [2, 3, 4],
            [0, 1, 2, 3, 50, 5, 50, 7, 60, 9, 60, 11, 12, 13, 14, 15, 50, 17, 50, 19, 60, 21, 60, 23])
        y = x
        y[.all, i, j] = Tensor([100, 200, 300, 400], shape: [2, 2])
        expect(
            y, [2, 3, 4],
            [300, 100, 2, 3, 4, 5, 6, 7, 400, 200, 10, 11, 300, 100, 14, 15, 16, 17, 18, 19, 400, 200, 22, 23])
        y = x
        y[i, .all, i] = Tensor([-1, -2, -3], shape: [1, 3])
        expect(
            y, [2, 3, 4], [-1, 1, 2, 3, -2, 5, 6, 7, -3, 9, 10, 11, 12, 13, 14, -1, 16, 17, 18, -2, 20, 21, 22, -3])
        y = x
        y[mask] = Tensor([7, 8, 9, 6])
        expect(y, [2, 3, 4], [7, 8, 9, 6, 4, 5, 6, 7, 7, 8, 9, 6, 12, 13, 14, 15, 16, 17, 18, 19, 7, 8, 9, 6])
        expect(x, [2, 3, 4], Array(0..<24))
    }

    @Test func assigningNumbers() {
        var x = Tensor.zeros([2, 3])
        x[0] = 5
        x[1..., 0] = 2.5
        let f: Float = -1
        x[0, 1] = f
        x[1] += 1
        #expect(x.toArray() == [5, -1, 5, 3.5, 1, 1] as [Float])
        let number: any ScalarOperand = x[0, 2]
        #expect(number.scalar == .floating(5))
    }

    @Test func assigningWritesInPlaceOnlyWhenAlone() {
        var x = Tensor.zeros([3, 2])
        let address = x.rawPointer
        x[1] = Tensor.ones([2])
        x[Tensor([2]), 0] = 4
        #expect(x.rawPointer == address)
        let copy = x
        let row = x[0]
        x[0] = 9
        #expect(x.rawPointer != address)
        #expect(copy.toArray() == [0, 0, 1, 1, 4, 0] as [Float])
        #expect(row.toArray() == [0, 0] as [Float])
        #expect(x.toArray() == [9, 9, 1, 1, 4, 0] as [Float])
    }

    @Test func readingIsDifferentiable() {
        let x = Tensor([1, 2, 3, 4, 5, 6] as [Float], shape: [2, 3], requiresGrad: true)
        (x[0, 1...] * Tensor([2, 3] as [Float])).sum().backward()
        x[.all, Tensor([2, 2])].sum().backward()
        #expect(x.grad?.toArray() == [0, 2, 5, 0, 0, 2] as [Float])
    }

    @Test func assigningIsDifferentiable() {
        let x = Tensor([1, 2, 3, 4] as [Float], requiresGrad: true)
        let v = Tensor([10, 20] as [Float], requiresGrad: true)
        var y = x * 2
        y[1..<3] = v
        (y * y).sum().backward()
        #expect(y.toArray() == [2, 10, 20, 8] as [Float])
        #expect(x.grad?.toArray() == [8, 0, 0, 32] as [Float])
        #expect(v.grad?.toArray() == [20, 40] as [Float])
        // What is assigned may be the first thing in a tensor that requires a gradient, and may broadcast.
        var z = Tensor.zeros([2, 2])
        z[Tensor([1, 0])] = v[0]
        z.sum().backward()
        #expect(v.grad?.toArray() == [24, 40] as [Float])
        // To an empty region goes the empty part of a value, though the value has the shape of the whole.
        let u = Tensor([5] as [Float], requiresGrad: true)
        var empty = Tensor([1] as [Float])
        empty[1...] = u
        empty.sum().backward()
        #expect(u.grad?.toArray() == [0] as [Float])
    }

    @Test func masksAndNumbers() {
        let x = Tensor([1, 2, 3, 4] as [Float], shape: [2, 2], requiresGrad: true)
        let v = Tensor(10.0, requiresGrad: true)
        var y = x * 1
        y[y.detach() .> 2.5] = 0
        y[Tensor([true, false])] = v
        y.sum().backward()
        #expect(y.toArray() == [10, 10, 0, 0] as [Float])
        #expect(x.grad?.toArray() == [0, 0, 0, 0] as [Float])
        #expect(v.grad?.item() == 2)
        var z = Tensor.zeros([2, 2])
        let address = z.rawPointer
        z[Tensor([false, true])] = 3
        #expect(z.toArray() == [0, 0, 3, 3] as [Float])
        #expect(z.rawPointer == address)
    }

    @Test func puttingAddsUp() {
        let x = Tensor.zeros([3]).requiringGrad()
        let v = Tensor([1, 2, 3] as [Float], requiresGrad: true)
        let y = x.indexPut([Tensor([0, 0, 2])], v, accumulate: true)
        #expect(y.toArray() == [3, 0, 3] as [Float])
        (y * y).sum().backward()
        #expect(v.grad?.toArray() == [6, 6, 6] as [Float])
        #expect(x.grad?.toArray() == [6, 0, 6] as [Float])
        #expect(x.indexPut([1...], v[..<1]).toArray() == [0, 1, 1] as [Float])
    }

    @Test func mistakes() {
        let x = counting([2, 3])
        func message(_ body: () -> Void) -> String {
            do {
                try catchingErrors(body)
                return ""
            } catch { return (error as? TensorError)?.message ?? "" }
        }
        #expect(message { _ = x[2] } == "index 2 is out of range for axis 0 of shape [2, 3] (expected -2 to 1)")
        #expect(
            message { _ = x[.all, Tensor([0, 1, 7, 1], shape: [2, 2])] }
                == "index 7 at position [1, 0] of the index tensor is out of range for axis 1 of shape [2, 3], which has size 3 (expected -3 to 2)"
        )
        #expect(
            message { _ = x[0, 0, 0] } == "too many indices for shape [2, 3]: it has 2 axes, the indices take 3")
        #expect(
            message { _ = x[Tensor([true])] } == "a mask of shape [1] does not fit the sizes [2] of the axes from 0 on")
        #expect(
            message { _ = x[Tensor([0, 1]), Tensor([0, 1, 2])] }
                == "the index tensors have shapes [2], [3], which do not broadcast")
        var y = x
        #expect(
            message { y[0] = Tensor([1, 2]) } == "a value of shape [2] does not broadcast to the selected [3]")
        #expect(y.toArray(of: Int.self) == [0, 1, 2, 3, 4, 5])
    }
}
