import ChainRule
import Testing

struct RepeatingTests {
    private let x = Tensor(Array(0..<6), shape: [2, 3])

    @Test func repeating() {
        let twice = x.repeat(2, 1, 2)
        #expect(twice.shape == [2, 2, 6])
        #expect(
            twice.toArray(of: Int.self)
                == [0, 1, 2, 0, 1, 2, 3, 4, 5, 3, 4, 5, 0, 1, 2, 0, 1, 2, 3, 4, 5, 3, 4, 5])
        #expect(x.tile(2).shape == [2, 6])
        #expect(x.repeat(0, 1).shape == [0, 3])
        #expect(x.repeatInterleave(2, dim: 1).toArray(of: Int.self) == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5])
        #expect(x.repeatInterleave([1, 0, 2], dim: 1).toArray(of: Int.self) == [0, 2, 2, 3, 5, 5])
        #expect(x.repeatInterleave(2).shape == [12])
    }

    @Test func turning() {
        #expect(x.flip(0).toArray(of: Int.self) == [3, 4, 5, 0, 1, 2])
        #expect(x.t().flip(0, 1).toArray(of: Int.self) == [5, 2, 4, 1, 3, 0])
        #expect(x.fliplr().toArray(of: Int.self) == [2, 1, 0, 5, 4, 3])
        #expect(x.roll(1).toArray(of: Int.self) == [5, 0, 1, 2, 3, 4])
        #expect(x.roll([1, -1], dim: [0, 1]).toArray(of: Int.self) == [4, 5, 3, 1, 2, 0])
        #expect(x.rot90().toArray(of: Int.self) == [2, 5, 1, 4, 0, 3])
        #expect(x.rot90(-1).toArray(of: Int.self) == [3, 0, 4, 1, 5, 2])
    }

    @Test func grids() {
        let grids = meshgrid([[1, 2], [3, 4, 5]], indexing: .xy)
        #expect(grids.map(\.shape) == [[3, 2], [3, 2]])
        #expect(grids[0].toArray(of: Int.self) == [1, 2, 1, 2, 1, 2])
        #expect(grids[1].toArray(of: Int.self) == [3, 3, 4, 4, 5, 5])
        #expect(meshgrid([[1, 2], [3, 4, 5]])[0].toArray(of: Int.self) == [1, 1, 1, 2, 2, 2])
    }

    @Test func mistakes() {
        #expect(throws: TensorError.self) { try catchingErrors { x.repeat(2) } }
        #expect(throws: TensorError.self) { try catchingErrors { x.repeat(2, -1) } }
        #expect(throws: TensorError.self) { try catchingErrors { x.flip(0, 0) } }
        #expect(throws: TensorError.self) { try catchingErrors { x.repeatInterleave([1, 2], dim: 1) } }
        #expect(throws: TensorError.self) { try catchingErrors { meshgrid([x]) } }
    }
}
