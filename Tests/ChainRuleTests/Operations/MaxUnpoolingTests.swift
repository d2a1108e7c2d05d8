import ChainRule
import Testing

struct MaxUnpoolingTests {
    /// Pooling what was put back finds the same maxima.
    @Test func putsBack() {
        let x = patterned([2, 3, 6, 7]).abs() + 1
        let (values, indices) = x.maxPool2dWithIndices(kernelSize: 2, stride: [2, 1])
        let y = values.maxUnpool2d(indices, kernelSize: 2, stride: [2, 1])
        #expect(y.shape == x.shape)
        #expect(y.maxPool2d(kernelSize: 2, stride: [2, 1]).equal(values))
        #expect((y .!= 0).logicalAnd(y .!= x).any().item() == 0)
    }

    @Test func sizes() {
        let (values, indices) = patterned([2, 7]).maxPool1dWithIndices(kernelSize: 2)
        #expect(values.maxUnpool1d(indices, kernelSize: 2).shape == [2, 6])
        #expect(values.maxUnpool1d(indices, kernelSize: 2, outputSize: 7).shape == [2, 7])
        let error = #expect(throws: TensorError.self) {
            try catchingErrors { values.maxUnpool1d(indices, kernelSize: 2, outputSize: 9) }
        }
        #expect(error?.message == "the output [9] must differ from [6] by less than the stride [2]")
        let volume = patterned([1, 4, 4, 4]).maxPool3dWithIndices(kernelSize: 2)
        #expect(volume.values.maxUnpool3d(volume.indices, kernelSize: 2).shape == [1, 4, 4, 4])
    }
}
