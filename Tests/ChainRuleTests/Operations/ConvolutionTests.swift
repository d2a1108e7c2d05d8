import ChainRule
import Testing

// Expected numbers are PyTorch's.

struct ConvolutionTests {
    @Test func values() {
        expectClose(
            patterned([1, 2, 5]).conv1d(
                weight: patterned([2, 2, 3], seed: 1), bias: patterned([2], seed: 2), stride: 2, padding: 1),
            [-1.03125, -1.546875, -1.109375, 0.203125, 2.90625, 3.5625])
        expectClose(
            patterned([1, 2, 3, 3]).conv2d(weight: patterned([2, 1, 2, 2], seed: 1), dilation: 2, groups: 2),
            [-1.609375, -0.796875])
        expectClose(
            patterned([1, 1, 2, 2, 3]).conv3d(weight: patterned([1, 1, 2, 2, 2], seed: 1)), [1.484375, -1.765625])
        expectClose(
            patterned([1, 1, 4]).conv1d(weight: patterned([1, 1, 2], seed: 1), padding: .same),
            [0.5625, -1.015625, 0.640625, -0.3125])
        let transposed = patterned([1, 1, 2, 2]).convTranspose2d(
            weight: patterned([1, 2, 2, 2], seed: 1), bias: patterned([2], seed: 2), stride: 2, padding: 1,
            outputPadding: 1)
        #expect(transposed.shape == [1, 2, 3, 3])
        expectClose(
            transposed,
            [
                1.25, -0.15625, 1.109375, 0.9375, 0.9375, 1.5, 1.328125, 0.625, 1.1875, 0.125, 0.546875, -1.421875,
                0.59375, 0.625, -0.25, 0.984375, 0.3125, -0.5625,
            ])
    }

    @Test func withoutABatch() {
        let (x, weight) = (patterned([2, 5, 4]), patterned([3, 2, 2, 3], seed: 1))
        let y = x.conv2d(weight: weight, stride: [2, 1], padding: [0, 1])
        #expect(y.shape == [3, 2, 4])
        expectClose(y, x.unsqueeze(dim: 0).conv2d(weight: weight, stride: [2, 1], padding: [0, 1]).toArray())
        #expect(x.convTranspose2d(weight: patterned([2, 3, 2, 2])).shape == [3, 6, 5])
    }

    /// Views, slices and empty batches.
    @Test func layouts() {
        let weight = patterned([3, 2, 2, 2], seed: 1)
        let x = patterned([4, 5, 2, 3]).permute(0, 2, 3, 1)[1...]
        expectClose(x.conv2d(weight: weight), x.contiguous().conv2d(weight: weight).toArray())
        let (empty, leaf) = (Tensor.zeros([0, 2, 3, 3], dtype: .float64).requiringGrad(), weight.requiringGrad())
        let y = empty.conv2d(weight: leaf)
        #expect(y.shape == [0, 3, 2, 2])
        y.sum().backward()
        #expect(empty.grad?.shape == [0, 2, 3, 3])
        expectClose(leaf.grad, [Double](repeating: 0, count: 24))
    }

    @Test(arguments: [DType.float32, .float16, .bfloat16]) func otherTypes(_ dtype: DType) {
        let (x, weight) = (patterned([1, 2, 4, 4], dtype: dtype), patterned([2, 2, 3, 3], seed: 1, dtype: dtype))
        let y = x.conv2d(weight: weight, padding: 1)
        #expect(y.dtype == dtype)
        let exact = x.to(.float64).conv2d(weight: weight.to(.float64), padding: 1)
        expectClose(y, exact.toArray(), tolerance: dtype == .float32 ? 1e-6 : 8e-3)
    }

    /// Each gradient against the definition, with everything that can differ between the axes.
    @Test func gradientsOfAGeneralCase() {
        let x = patterned([2, 4, 5, 6]).requiringGrad()
        let weight = patterned([6, 2, 2, 3], seed: 1).requiringGrad()
        let bias = patterned([6], seed: 2).requiringGrad()
        let y = x.conv2d(
            weight: weight, bias: bias, stride: [2, 1], padding: [1, 2], dilation: [1, 2], groups: 2)
        let dy = patterned(y.shape, seed: 3)
        (y * dy).sum().backward()
        expectClose(bias.grad, dy.sum(dim: [0, 2, 3]).toArray())
        // The loss is linear in each input: its value is the inner product of that input with its gradient, the bias aside.
        let linear = ((y.detach() - bias.detach().reshape([6, 1, 1])) * dy).sum().item()
        for leaf in [x, weight] {
            let product = leaf.grad.map { ($0 * leaf.detach()).sum().item() } ?? .nan
            #expect(abs(product - linear) < 1e-9)
        }
    }

    @Test func mistakesNameTheShapes() {
        let (x, weight) = (patterned([1, 3, 8, 8]), patterned([4, 2, 3, 3]))
        expectMistake("conv2d", "[1, 3, 8, 8]", "[4, 2, 3, 3]", "takes 2 channels") { _ = x.conv2d(weight: weight) }
        expectMistake("[9, 9]", "[8, 8]") { _ = patterned([1, 2, 8, 8]).conv2d(weight: weight, dilation: 4) }
        expectMistake("3 or 4 axes", "[8, 8]") { _ = patterned([8, 8]).conv2d(weight: weight) }
        expectMistake("bias", "[3]", "[4]") {
            _ = patterned([1, 2, 8, 8]).conv2d(weight: weight, bias: patterned([3]))
        }
        expectMistake("stride") { _ = patterned([1, 2, 8, 8]).conv2d(weight: weight, stride: 0) }
        expectMistake("groups", "takes 6 channels") { _ = patterned([1, 2, 8, 8]).conv2d(weight: weight, groups: 3) }
        expectMistake("float32") { _ = patterned([1, 2, 8, 8]).conv2d(weight: weight.to(.float32)) }
        expectMistake("one number or 2", "[1, 2, 3]") {
            _ = patterned([1, 2, 8, 8]).conv2d(weight: weight, stride: [1, 2, 3])
        }
        expectMistake("padding: .same needs stride 1") {
            _ = patterned([1, 2, 8, 8]).conv2d(weight: weight, stride: 2, padding: .same)
        }
        expectMistake("output padding") {
            _ = patterned([1, 4, 8, 8]).convTranspose2d(weight: weight, outputPadding: 1)
        }
    }
}
