import ChainRule
import Testing

/// Gradients of small graphs whose derivatives are known by heart.
struct BackwardTests {
    private func leaf(_ values: Double...) -> Tensor { Tensor(values, requiresGrad: true) }
    private func numbers(_ tensor: Tensor?) -> [Double]? { tensor?.toArray(of: Double.self) }

    @Test func aNumber() {
        let w = Tensor(3.0, requiresGrad: true)
        let y = (w * 2 - 1) * (w * 2 - 1)
        y.backward()
        #expect(w.grad?.item() == 20)  // 2 (2w − 1) · 2
        #expect(w.grad?.shape == [])
        #expect(w.grad?.dtype == .float32)
    }

    @Test func gradientsAddUpUntilZeroed() {
        let w = leaf(1, 2)
        (w * 3).sum().backward()
        (w * 4).sum().backward()
        #expect(numbers(w.grad) == [7, 7])
        w.zeroGrad()
        #expect(w.grad == nil)
        w.sum().backward()
        #expect(numbers(w.grad) == [1, 1])
    }

    @Test func aTensorUsedTwice() {
        let x = leaf(2, 3)
        let h = x * x
        (h * h + h).sum().backward()  // x⁴ + x²
        #expect(numbers(x.grad) == [36, 114])
    }

    @Test func broadcastingSumsOverExpandedAxes() {
        let x = Tensor([1.0, 2, 3, 4, 5, 6], shape: [2, 3], requiresGrad: true)
        let row = leaf(1, 2, 3)
        let column = Tensor([10.0, 20], shape: [2, 1], requiresGrad: true)
        let number = Tensor(2.0, dtype: .float64, requiresGrad: true)
        ((x + row) * column * number).sum().backward()
        #expect(numbers(row.grad) == [60, 60, 60])
        #expect(row.grad?.shape == [3])
        #expect(numbers(column.grad) == [24, 42])
        #expect(column.grad?.shape == [2, 1])
        #expect(number.grad?.item() == 540)
        #expect(number.grad?.shape == [])
        #expect(numbers(x.grad) == [20, 20, 20, 40, 40, 40])
    }

    @Test func emptyTensors() {
        let x = Tensor.zeros([0, 3], dtype: .float64).requiringGrad()
        let b = leaf(1, 2, 3)
        (x * b).sum().backward()
        #expect(x.grad?.shape == [0, 3])
        #expect(numbers(b.grad) == [0, 0, 0])
    }

    @Test func gradientOfALeafIsContiguous() {
        let x = leaf(1, 2, 3)
        x.sum().backward()  // arrives expanded from one number
        #expect(x.grad?.isContiguous == true)
        var grad = x.grad
        grad? += Tensor([1.0, 1, 1])
        #expect(numbers(x.grad) == [1, 1, 1])  // a value: what was read does not write through
    }

    @Test func twoLeavesDoNotShareTheirGradients() {
        let (a, b) = (leaf(1), leaf(2))
        (a + b).backward()
        (a * 2).backward()
        #expect(numbers(a.grad) == [3] && numbers(b.grad) == [1])
    }

    @Test func dtypesMeet() {
        let w = Tensor([1.0, 2.0], requiresGrad: true)
        let x = Tensor([Float(3), 4])
        (w.to(.float32) * x).sum().backward()
        #expect(w.grad?.dtype == .float64)
        #expect(numbers(w.grad) == [3, 4])
    }

    @Test func theSeed() {
        let x = leaf(1, 2)
        (x * x).backward(gradient: Tensor([1.0, 10.0]))
        #expect(numbers(x.grad) == [2, 40])
    }

    @Test func detachAndScopes() {
        let x = leaf(2)
        let y = x * x
        #expect(y.requiresGrad && !y.isLeaf)
        #expect(!y.detach().requiresGrad && y.detach().isLeaf)
        #expect(!withoutGradient { x * x }.requiresGrad)
        #expect(withoutGradient { withGradient { x * x } }.requiresGrad)
        #expect(!withoutGradient { withoutGradient { x } * x }.requiresGrad)
        (y.detach() * x).backward()
        #expect(numbers(x.grad) == [4])
    }

    @Test func recordingResumesAfterAThrow() {
        struct Stop: Error {}
        let x = leaf(2)
        #expect(throws: Stop.self) { try withoutGradient { throw Stop() } }
        #expect((x * x).requiresGrad)
    }

    @Test func dataChangesWhatWasRecordedKeeps() {
        let w = leaf(3)
        let copy = w
        let y = w * w
        w.data -= Tensor([2.0])
        #expect(numbers(w) == [1] && numbers(copy) == [1], "copies of a leaf share its value")
        y.backward()
        #expect(numbers(w.grad) == [6], "the value at the time of the product")
        (w * w).backward()
        #expect(numbers(copy.grad) == [8])
    }

    @Test func dataWithinAnUpdateOfItself() {
        let w = leaf(3, 4)
        w.data += w * 2
        #expect(numbers(w) == [9, 12])
        w.data *= w.data
        #expect(numbers(w) == [81, 144])
        w.data = Tensor([1.0, 2.0])
        #expect(numbers(w) == [1, 2] && w.requiresGrad && w.isLeaf)
    }

    @Test func inPlaceOnRecordedValues() {
        let x = leaf(2)
        var y = x * x
        let z = y * y
        y += Tensor([1.0])  // z keeps the old y
        (z + y).backward()
        #expect(numbers(x.grad) == [36])  // 4x³ + 2x
    }

    @Test func retainedGradients() {
        let x = leaf(3)
        let h = x * x
        h.retainGrad()
        let y = h * h
        y.backward(retainGraph: true)
        #expect(numbers(h.grad) == [18])
        y.backward()
        #expect(numbers(h.grad) == [36])
        h.zeroGrad()
        #expect(h.grad == nil)
        let unretained = x * x
        (unretained * 1).backward()
        #expect(unretained.grad == nil)
    }

    @Test func hooks() {
        let x = leaf(3)
        let h = x * x
        let handle = h.registerHook { $0 * 10 }
        let atLeaf = x.registerHook { $0 + 1 }
        (h + h).backward(retainGraph: true)  // the hook sees the whole gradient, 2, once
        #expect(numbers(x.grad) == [121])
        handle.remove()
        atLeaf.remove()
        x.zeroGrad()
        (h + h).backward()
        #expect(numbers(x.grad) == [12])
    }

    @Test func createGraph() {
        let x = leaf(2)
        let y = x * x * x
        y.backward(createGraph: true)
        let first = x.grad ?? Tensor(0)
        #expect(first.requiresGrad)
        x.zeroGrad()
        first.backward()
        #expect(numbers(x.grad) == [12])  // 6x
    }

    @Test func aGraphGoneThroughAgain() {
        let x = leaf(2)
        let y = x * x
        y.backward(retainGraph: true)
        y.backward()
        #expect(numbers(x.grad) == [8])
        #expect(throws: TensorError.self) { try catchingErrors { y.backward() } }
        // Nothing was kept in the first place, so there is nothing to miss.
        let sum = x + 1
        sum.backward()
        sum.backward()
    }

    /// More gradients wait at once than the sorted array holds, and arrive in the worst order for it.
    @Test func wideGraphs() {
        let count = 3000
        let x = leaf(1, 2)
        let parts = (0..<count).map { x * Double($0 % 7) }
        var total = parts[0]
        for part in parts.dropFirst() { total = total + part * part }
        let fan = (0..<count).map { _ in total * 1 }
        var sum = fan[0]
        for part in fan.dropFirst() { sum = sum + part }
        sum.sum().backward()
        // total = Σ k² x², but for the first part, which is 0.
        let squares = Double((1..<count).reduce(0) { $0 + ($1 % 7) * ($1 % 7) })
        #expect(numbers(x.grad) == [2 * squares * Double(count), 4 * squares * Double(count)])
    }
}
