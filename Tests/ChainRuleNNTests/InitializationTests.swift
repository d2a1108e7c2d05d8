import ChainRule
import ChainRuleNN
import Testing

/// After the same seed, PyTorch's weights. The default generator is one for the process, and other tests draw from it: each of
/// these has a process of its own.
struct InitializationTests {
    @Test func linear() async {
        await #expect(processExitsWith: .success) {
            manualSeed(0)
            let layer = Linear(3, 2)
            #expect(
                isClose(
                    layer.weight.doubles,
                    [-0.004322518, 0.309715837, -0.475185335, -0.424894601, -0.222368971, 0.154820725]))
            #expect(isClose(layer.bias?.doubles ?? [], [-0.011439145, 0.457774937]))
        }
    }

    @Test func linearOverSixteenWeights() async {
        await #expect(processExitsWith: .success) {
            manualSeed(0)
            let layer = Linear(20, 3)
            let weight = layer.weight.doubles
            #expect(isClose(Array(weight.prefix(4)), [-0.001674104, 0.119952433, -0.18403849, -0.164560974]))
            #expect(isClose(Array(weight.suffix(4)), [0.041667789, -0.173363581, -0.154978767, -0.115511596]))
            #expect(isClose(layer.bias?.doubles ?? [], [0.101176046, 0.089925796, -0.132454053]))
        }
    }

    @Test func convolution() async {
        await #expect(processExitsWith: .success) {
            manualSeed(0)
            let layer = Conv2d(1, 2, kernelSize: 3)
            #expect(layer.weight.shape == [2, 1, 3, 3])
            #expect(isClose(Array(layer.weight.doubles.prefix(3)), [-0.002495607, 0.17881453, -0.274348378]))
            #expect(isClose(layer.bias?.doubles ?? [], [-0.225980371, -0.145154282]))
        }
    }

    @Test func transposedConvolutions() async {
        await #expect(processExitsWith: .success) {
            manualSeed(0)
            let layer = ConvTranspose2d(2, 3, kernelSize: 2)
            #expect(isClose(Array(layer.weight.doubles.prefix(3)), [-0.002161259, 0.154857919, -0.237592667]))
            #expect(isClose(layer.bias?.doubles ?? [], [-0.046529628, 0.0305459, 0.261388451]))
            manualSeed(0)
            let grouped = ConvTranspose1d(4, 6, kernelSize: 3, groups: 2)
            #expect(grouped.weight.shape == [4, 3, 3])
            #expect(isClose(Array(grouped.bias?.doubles.prefix(3) ?? []), [-0.194580168, 0.2865327, 0.148739457]))
        }
    }

    @Test func groupedConvolution() async {
        await #expect(processExitsWith: .success) {
            manualSeed(0)
            let layer = Conv3d(2, 2, kernelSize: 2, groups: 2)
            #expect(isClose(Array(layer.weight.doubles.prefix(3)), [-0.002646991, 0.189661443, -0.290990382]))
            #expect(isClose(layer.bias?.doubles ?? [], [0.139772102, 0.212140083]))
        }
    }

    @Test func bilinear() async {
        await #expect(processExitsWith: .success) {
            manualSeed(0)
            let layer = Bilinear(2, 3, 2)
            #expect(isClose(Array(layer.weight.doubles.prefix(3)), [-0.005293981, 0.379322886, -0.581980765]))
            #expect(isClose(layer.bias?.doubles ?? [], [-0.675533414, -0.468304157]))
        }
    }

    @Test func paddedEmbedding() async {
        await #expect(processExitsWith: .success) {
            manualSeed(0)
            let weight = Embedding(3, 2, paddingIndex: 1).weight.doubles
            #expect(
                isClose(weight, [1.540996075, -0.293428898, 0, 0, -1.084522367, -1.398595452], tolerance: 1e-6))
        }
    }

    @Test func dropoutsOfChannels() async {
        await #expect(processExitsWith: .success) {
            manualSeed(5)
            #expect(Dropout2d(0.5)(.ones([1, 6, 1, 2])).doubles == [0, 0, 2, 2, 2, 2, 2, 2, 2, 2, 0, 0])
            manualSeed(5)
            let kept = AlphaDropout(0.4)(.ones([6])).doubles
            #expect(isClose(kept, [-0.9106, 1.4704, 1.4704, 1.4704, 1.4704, -0.9106], tolerance: 1e-4))
        }
    }

    @Test func embedding() async {
        await #expect(processExitsWith: .success) {
            manualSeed(0)
            #expect(
                isClose(
                    Embedding(3, 2).weight.doubles,
                    [1.540996075, -0.293428898, -2.178789377, 0.568431258, -1.084522367, -1.398595452], tolerance: 1e-6)
            )
        }
    }

    @Test func dropout() async {
        await #expect(processExitsWith: .success) {
            manualSeed(3)
            let kept = Dropout(0.4)(.ones([12])).doubles.map { $0 > 0 }
            #expect(kept == [true, true, false, true, false, false, true, true, true, false, true, true])
        }
    }
}
