import Synchronization
import Testing

@testable import ChainRule

struct CreationTests {
    @Test func literals() {
        let integers: Tensor = [[1, 2, 3], [-4, 5, 6]]
        #expect(integers.dtype == .int64)
        #expect(integers.shape == [2, 3])
        #expect(integers.toArray(of: Int.self) == [1, 2, 3, -4, 5, 6])
        let floats: Tensor = [1, 2.5, -3]
        #expect(floats.dtype == .float32)
        #expect(floats.toArray() == [1, 2.5, -3] as [Float])
        let booleans: Tensor = [[true], [false]]
        #expect(booleans.dtype == .bool)
        let mixed: Tensor = [true, 7]
        #expect(mixed.dtype == .int64)
        #expect(mixed.toArray(of: Int.self) == [1, 7])
        let deep: Tensor = [[[[1.0]]], [[[2]]]]
        #expect(deep.shape == [2, 1, 1, 1])
        let empty: Tensor = []
        #expect(empty.shape == [0])
        #expect(empty.dtype == .float32)
        #expect((floats + [1, 1, 1]).toArray() == [2, 3.5, -2] as [Float])
    }

    @Test func literalsThatAreNoBox() {
        func message(_ make: () -> Tensor) -> String {
            do {
                _ = try catchingErrors(make)
                return ""
            } catch { return (error as? TensorError)?.message ?? "" }
        }
        #expect(
            message { [[1, 2], [3]] } == "the literal is ragged: 1 elements at [1], where the first ones have 2")
        #expect(message { [[1, 2], 3] } == "there is a number at [1], where the first elements are arrays")
        #expect(message { [1, [2]] } == "there is an array at [1], where the first elements are numbers")
        #expect(
            message { Tensor([[1, 2], [3]] as [[Float]]) }
                == "the nested array is ragged: its parts do not all have the sizes [2, 2] of the first ones")
    }

    @Test func nestedArrays() {
        let rows: [[[Float]]] = [[[1, 2]], [[3, 4]], [[5, 6]]]
        #expect(Tensor(rows).shape == [3, 1, 2])
        #expect(Tensor(rows).dtype == .float32)
        #expect(Tensor([[1.0, 2], [3, 4]]).dtype == .float64)
        #expect(Tensor([[true, false]]).dtype == .bool)
        #expect(Tensor([[Int32]]()).shape == [0, 0])
    }

    /// Counts, dtypes and values are PyTorch's.
    @Test func ranges() {
        #expect(Tensor.arange(3).toArray(of: Int.self) == [0, 1, 2])
        #expect(Tensor.arange(3).dtype == .int64)
        #expect(Tensor.arange(5, 0, step: -2).toArray(of: Int.self) == [5, 3, 1])
        #expect(Tensor.arange(1, 2.5, step: 0.5).toArray() == [1, 1.5, 2] as [Float])
        #expect(Tensor.arange(0, 1, step: 0.3).toArray() == [0, 0.3, 0.6, 0.9] as [Float])
        #expect(Tensor.arange(3, dtype: .float16).dtype == .float16)
        #expect(Tensor.arange(3, 3).shape == [0])
        #expect(throws: TensorError.self) { try catchingErrors { Tensor.arange(1, 3, step: -1) } }
        #expect(throws: TensorError.self) { try catchingErrors { Tensor.arange(1, 3, step: 0) } }
    }

    @Test func evenlySpaced() {
        #expect(Tensor.linspace(0, 1, steps: 5).toArray() == [0, 0.25, 0.5, 0.75, 1] as [Float])
        #expect(
            Tensor.linspace(0.1, 0.7, steps: 7).toArray()
                == [
                    0.10000000149011612, 0.19999998807907104, 0.29999998211860657, 0.4000000059604645, 0.5,
                    0.6000000238418579, 0.699999988079071,
                ] as [Float])
        #expect(Tensor.linspace(-1, 10, steps: 4, dtype: .int64).toArray(of: Int.self) == [-1, 2, 6, 10])
        // Bounds lose their fraction before they are used.
        #expect(Tensor.linspace(4.3, 10.9, steps: 4, dtype: .int64).toArray(of: Int.self) == [4, 6, 8, 10])
        #expect(Tensor.logspace(1.9, 3.5, steps: 3, base: 2, dtype: .int64).toArray(of: Int.self) == [2, 4, 8])
        #expect(Tensor.linspace(3, 10, steps: 1).toArray() == [3] as [Float])
        #expect(Tensor.linspace(3, 10, steps: 0).shape == [0])
        #expect(Tensor.logspace(-1, 2, steps: 4).toArray() == [0.1, 1, 10, 100] as [Float])
        #expect(Tensor.eye(2, 3).toArray() == [1, 0, 0, 0, 1, 0] as [Float])
        #expect(Tensor.full(like: Tensor.eye(2), 7, dtype: .int8).dtype == .int8)
    }

    /// A shape that no tensor can have is a mistake, and never a tensor without the memory for it.
    @Test func sizesThatCannotBe() {
        let huge = 1 << 40, far = 1 << 62
        expectMistake(in: "full", "[2, -1] has a negative size") { Tensor.zeros([2, -1]) }
        expectMistake(in: "full", "larger than any memory") { Tensor.ones([huge, huge]) }
        expectMistake(in: "uniform", "larger than any memory") { Tensor.rand([huge, huge]) }
        expectMistake(in: "Tensor", "do not fill") { Tensor([1.0], shape: [-1, -1]) }
        expectMistake(in: "Tensor", "larger than any memory") {
            Tensor(copying: UnsafeRawBufferPointer(start: nil, count: 0), shape: [huge, huge], dtype: .int8)
        }
        expectMistake(in: "expand", "larger than any memory") { Tensor(1.0).expand([huge, huge]) }
        expectMistake(in: "reshape", "do not fill") { Tensor([1.0]).reshape([far, far, -1]) }
        expectMistake(in: "repeat", "larger than any memory") { Tensor([1.0, 2]).tile(far) }
        expectMistake(in: "pad", "larger than any memory") { Tensor([1.0, 2]).pad([far, far]) }
        let image = Tensor.ones([1, 1, 4, 4])
        expectMistake(in: "conv2d", "more than any window") { image.conv2d(weight: image, dilation: SpatialSize(far)) }
        for factor in [Double.nan, .infinity, 1e300] {
            expectMistake(in: "interpolate", "cannot scale") { image.interpolate(scaleFactor: [factor]) }
        }
        #expect(Tensor.zeros([huge, huge, 0]).count == 0)
    }

    @Test func memoryFromElsewhere() {
        let numbers: [Int32] = [1, 2, 3, 4]
        let copied = numbers.withUnsafeBytes { Tensor(copying: $0, shape: [2, 2], dtype: .int32) }
        #expect(copied.toArray(of: Int32.self) == numbers)
        #expect(throws: TensorError.self) {
            try catchingErrors { numbers.withUnsafeBytes { Tensor(copying: $0, shape: [3], dtype: .int32) } }
        }
        let memory = UnsafeMutablePointer<Float>.allocate(capacity: 3)
        memory.update(repeating: 2, count: 3)
        let address = UInt(bitPattern: memory)
        var whole: Tensor? = Tensor(adopting: memory, shape: [3], dtype: .float32) {
            UnsafeMutablePointer<Float>(bitPattern: address)?.deallocate()
            releases.add(1, ordering: .relaxed)
        }
        #expect(whole?.rawPointer == UnsafeMutableRawPointer(memory))
        var part = whole?[1...]
        whole = nil
        #expect(part?.toArray() == [2, 2] as [Float])
        #expect(releases.load(ordering: .relaxed) == 0)
        part = nil
        #expect(releases.load(ordering: .relaxed) == 1)
    }

    @Test func memoryInUse() {
        var x = Tensor([[1, 2], [3, 4]] as [[Float]])
        let copy = x
        x.withUnsafeMutableElements(of: Float.self) { $0[0] = 9 }
        #expect(x.t().withUnsafeElements(of: Float.self) { Array($0) } == [9, 3, 2, 4])
        #expect(copy[0, 0].item() == 1)
        let address = x.rawPointer
        x.withUnsafeMutableElements(of: Float.self) { $0[1] = 8 }
        #expect(x.rawPointer == address)
        #expect(throws: TensorError.self) { try catchingErrors { x.withUnsafeElements(of: Double.self) { $0.count } } }
        var w = x.requiringGrad()
        #expect(throws: TensorError.self) {
            try catchingErrors { w.withUnsafeMutableElements(of: Float.self) { _ in } }
        }
    }
}

private let releases = Atomic<Int>(0)
