import ChainRule
import Testing

// Expected numbers are PyTorch's.

struct ShufflingTests {
    @Test func channels() {
        let x = patterned([1, 8, 1, 2])
        let shuffled = [
            0, 0.625, -1.125, -0.5, 1.25, -1, 0.125, 0.75, -0.375, 0.25, 1.375, -0.875, 0.875, -1.375, -0.25, 0.375,
        ]
        expectClose(x.pixelShuffle(2), shuffled)
        #expect(x.pixelShuffle(2).pixelUnshuffle(2).equal(x))
        expectClose(
            x.channelShuffle(4),
            [0, -1.125, 1.25, 0.125, -0.375, 1.375, 0.875, -0.25, 0.625, -0.5, -1, 0.75, 0.25, -0.875, -1.375, 0.375])
    }

    @Test func columns() {
        expectClose(
            patterned([1, 2, 3, 3]).unfold(kernelSize: 2, dilation: [1, 2], padding: [1, 0], stride: [2, 1]),
            [0, -0.5, 0, 0.125, 0, -1, 0.625, -0.375, 0, 0.875, 0, -1.375, 1.375, 0.375, -0.875, 1])
        expectClose(
            patterned([1, 8, 2]).fold(
                outputSize: 3, kernelSize: 2, dilation: [1, 2], padding: [1, 0], stride: [2, 1]),
            [
                1.25, 0, -1, -1.125, 0, -0.5, 0.125, 0, 0.75, 0.875, 0, -1.375, 1.375, 0, -0.875, -0.25, 0, 0.375,
            ])
    }
}
