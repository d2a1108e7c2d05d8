import ChainRule
import Testing

struct ReshapingTests {
    private let x = Tensor(Array(0..<6), shape: [1, 2, 1, 3])

    @Test func shapes() {
        #expect(x.squeeze().shape == [2, 3])
        #expect(x.squeeze(dim: 2).shape == [1, 2, 3])
        #expect(x.squeeze(dim: [0, 1]).shape == [2, 1, 3])
        #expect(x.unsqueeze(dim: -1).shape == [1, 2, 1, 3, 1])
        #expect(Tensor(1).unsqueeze(dim: 0).shape == [1])
        #expect(x.flatten().shape == [6])
        #expect(x.flatten(startDim: 1, endDim: 2).shape == [1, 2, 3])
        #expect(Tensor(1).flatten().shape == [1])
        #expect(Tensor.zeros([2, 0, 3]).flatten(startDim: 1).shape == [2, 0])
        #expect(x.unflatten(dim: -1, [3, -1]).shape == [1, 2, 1, 3, 1])
        #expect(x.movedim(1, -1).shape == [1, 1, 3, 2])
        #expect(x.movedim([0, 1], [3, 2]).shape == [1, 3, 2, 1])
        #expect(x.T.shape == [3, 1, 2, 1])
        #expect(x.squeeze().t().toArray(of: Int.self) == [0, 3, 1, 4, 2, 5])
        #expect(Tensor([1, 2]).atLeast3D().shape == [1, 2, 1])
    }

    @Test func mistakes() {
        #expect(throws: TensorError.self) { try catchingErrors { x.unsqueeze(dim: 6) } }
        #expect(throws: TensorError.self) { try catchingErrors { x.flatten(startDim: 2, endDim: 1) } }
        #expect(throws: TensorError.self) { try catchingErrors { x.unflatten(dim: 3, [2, 2]) } }
        #expect(throws: TensorError.self) { try catchingErrors { x.movedim([0, 0], [1, 2]) } }
        #expect(throws: TensorError.self) { try catchingErrors { x.t() } }
    }
}
