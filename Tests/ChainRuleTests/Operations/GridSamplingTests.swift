import ChainRule
import Testing

// Expected numbers are PyTorch's.

struct GridSamplingTests {
    private let picture = patterned([1, 1, 3, 3])
    private let grid = Tensor([-0.6, 0.2, 1.2, -1.4, 0.1, 0.95], shape: [1, 1, 3, 2])

    @Test(arguments: [
        (GridSampleMode.bilinear, GridSamplePadding.zeros, [-0.475, 0, 0.33421875]),
        (.bilinear, .border, [-0.475, 0.625, 0.58125]), (.bilinear, .reflection, [-0.475, 0.575, 0.58125]),
        (.nearest, .zeros, [-0.5, 0, 0.75]), (.nearest, .border, [-0.5, 0.625, 0.75]),
        (.nearest, .reflection, [-0.5, 0.625, 0.75]),
        (.bicubic, .zeros, [-0.60058, -0.009234, 0.38071022268676774]),
        (.bicubic, .border, [-0.5154002734375, 0.667, 0.695900390625]),
        (.bicubic, .reflection, [-0.5154002734375, 0.769085, 0.656953125]),
    ])
    func modes(mode: GridSampleMode, padding: GridSamplePadding, expected: [Double]) {
        expectClose(picture.gridSample(grid, mode: mode, padding: padding), expected)
    }

    @Test func volumesAndCorners() {
        expectClose(picture.gridSample(grid, alignCorners: true), [0.1, 0.3, 0.6625])
        let place = Tensor([0.3, -0.2, 0.9], shape: [1, 1, 1, 1, 3])
        expectClose(patterned([1, 1, 2, 3, 2]).gridSample(place), [0.5025])
    }

    @Test func theGridHasAGradient() {
        let leaf = grid.requiringGrad()
        picture.gridSample(leaf, padding: .reflection).sum().backward()
        expectClose(leaf.grad, [2.625, -0.75, 0, 0.75, -1.6875, 0])
        expectMistake("gridSample", "[1, 2]") { _ = picture.gridSample(Tensor([[0.0, 0]])) }
    }
    /// What stands for elements beyond the ends takes nothing of the one that it reads.
    @Test func zerosBeyondTheEnds() {
        let notFinite = Tensor([Double.nan, 1, 2, 3], shape: [1, 1, 2, 2])
        expectClose(notFinite.gridSample(Tensor([0.5, 1.4, 2, 2, 1, 1], shape: [1, 1, 3, 2])), [0.3, 0, 0.75])
    }
}
