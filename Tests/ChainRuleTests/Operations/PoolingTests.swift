import ChainRule
import Testing

// Expected numbers are PyTorch's.

struct PoolingTests {
    private let x = patterned([1, 1, 4, 5])

    @Test func maxima() {
        let (values, indices) = x.maxPool2dWithIndices(
            kernelSize: [2, 3], stride: [1, 2], padding: [0, 1], ceilMode: true)
        #expect(values.shape == [1, 1, 3, 3])
        expectClose(values, [0.125, 0.75, 1.375, 0.25, 0.875, 1.375, 0.375, 1, -0.125])
        #expect(indices.toArray(of: Int.self) == [5, 7, 9, 10, 12, 9, 15, 17, 18])
        #expect(x.maxPool2d(kernelSize: 2).shape == [1, 1, 2, 2])
        #expect(x[0].maxPool2d(kernelSize: 2).shape == [1, 2, 2])
        #expect(x[0].maxPool1d(kernelSize: 2).shape == [1, 4, 2])
        #expect(patterned([2, 3, 4, 4]).maxPool3d(kernelSize: 2).shape == [2, 1, 2, 2])
        #expect(x.to(.bfloat16).maxPool2d(kernelSize: 2).dtype == .bfloat16)
    }

    @Test func overlappingMaximaAddTheirGradients() {
        let leaf = Tensor([1.0, 5, 2], shape: [1, 3], requiresGrad: true)
        leaf.maxPool1d(kernelSize: 2, stride: 1).sum().backward()
        expectClose(leaf.grad, [0, 2, 0])
    }

    @Test func averages() {
        expectClose(
            x.avgPool2d(kernelSize: 2, padding: 1, ceilMode: true),
            [0, -0.125, 0.1875, 0.09375, -0.0625, -0.15625, 0.09375, 0.0625, -0.34375])
        expectClose(
            x.avgPool2d(kernelSize: 2, padding: 1, countIncludePad: false),
            [0, -0.25, 0.375, 0.1875, -0.0625, -0.15625, 0.375, 0.125, -0.6875])
        expectClose(
            x.avgPool2d(kernelSize: 2, divisorOverride: 3), [-0.6666666667, 0.1666666667, -0.3333333333, 0.5])
        let sliced = patterned([3, 1, 4, 5])[1...]
        expectClose(sliced.avgPool2d(kernelSize: 2), sliced.contiguous().avgPool2d(kernelSize: 2).toArray())
    }

    @Test func adaptive() {
        expectClose(
            x.adaptiveAvgPool2d([3, 2]),
            [-0.1041666667, 0.5208333333, 0.02083333333, 0.1666666667, 0.1458333333, -0.1875])
        let (values, indices) = x.adaptiveMaxPool2dWithIndices([3, 2])
        expectClose(values, [0.75, 1.375, 0.875, 1.375, 1, 1])
        #expect(indices.toArray(of: Int.self) == [7, 9, 12, 9, 17, 17])
        expectClose(x.adaptiveAvgPool2d(1), [x.mean().item()])
        #expect(x.adaptiveAvgPool2d([2, -1]).shape == [1, 1, 2, 5])
        #expect(patterned([2, 3, 5]).adaptiveMaxPool1d(2).shape == [2, 3, 2])
        #expect(patterned([2, 4, 4, 5]).adaptiveAvgPool3d(3).shape == [2, 3, 3, 3])
    }

    /// Drawn from the generator as PyTorch draws.
    @Test func fractions() {
        let x = (Tensor.arange(112) * 7).fmod(Tensor(56)).to(.float32).reshape([2, 1, 7, 8])
        let (values, indices) = x.fractionalMaxPool2d(
            kernelSize: [3, 2], outputSize: [3, 4], generator: Generator(seed: 5))
        expectClose(values[0], [7, 21, 35, 49, 7, 21, 35, 49, 7, 21, 35, 49])
        #expect(indices[1].flatten().toArray(of: Int.self) == [1, 3, 5, 7, 17, 19, 21, 23, 33, 35, 37, 39])
        let y = (Tensor.arange(420) * 11).fmod(Tensor(210)).to(.float32).reshape([1, 2, 5, 6, 7])
        let places = y.fractionalMaxPool3d(kernelSize: 2, outputSize: [2, 3, 4], generator: Generator(seed: 6)).indices
        let expected = [
            50, 52, 53, 55, 57, 17, 18, 19, 36, 38, 38, 76, 133, 171, 171, 132, 190, 150, 151, 152, 204, 206, 207, 209,
        ]
        #expect(places[0, 0].flatten().toArray(of: Int.self) == expected)
        expectMistake("fractionalMaxPool2d", "do not fit") { x.fractionalMaxPool2d(kernelSize: 4, outputSize: 5) }
    }

    @Test func mistakesNameTheShapes() {
        expectMistake("maxPool2d", "window spans 9", "[1, 1, 4, 5]") { _ = x.maxPool2d(kernelSize: [9, 9]) }
        expectMistake("at most half") { _ = x.maxPool2d(kernelSize: 2, padding: 2) }
        expectMistake("3 or 4 axes", "[5]") { _ = patterned([5]).avgPool2d(kernelSize: 2) }
        expectMistake("bool") { _ = x.to(.bool).maxPool2d(kernelSize: 2) }
        expectMistake("positive") { _ = x.maxPool2d(kernelSize: 2, stride: 0) }
        expectMistake("divisor") { _ = x.avgPool2d(kernelSize: 2, divisorOverride: 0) }
        expectMistake("adaptiveAvgPool2d", "[-2, -2]") { _ = x.adaptiveAvgPool2d(-2) }
    }
}
