import ChainRule
import ChainRuleNN
import ChainRuleTestSupport
import Testing

/// A layer to try both ways of differentiating on, and the shape of its input.
private struct Row: Sendable, CustomTestStringConvertible {
    let name: String
    let shape: Shape
    let make: @Sendable () -> any Layer

    var testDescription: String { name }
}

private let rows: [Row] = [
    Row(name: "Linear", shape: [4, 3]) { Linear(3, 2, dtype: .float64) },
    Row(name: "Linear without bias", shape: [4, 3]) { Linear(3, 2, bias: false, dtype: .float64) },
    Row(name: "Identity", shape: [4, 3]) { Identity() },
    Row(name: "Dropout of nothing", shape: [3, 4]) { Dropout(0) },
    Row(name: "Flatten", shape: [3, 2, 2]) { Flatten() },
    Row(name: "Unflatten", shape: [3, 4]) { Unflatten(dim: 1, [2, -1]) },
    Row(name: "PixelShuffle", shape: [1, 8, 2, 3]) { PixelShuffle(2) },
    Row(name: "PixelUnshuffle", shape: [1, 2, 4, 6]) { PixelUnshuffle(2) },
    Row(name: "ChannelShuffle", shape: [2, 4, 2, 3]) { ChannelShuffle(2) },
    Row(name: "Unfold", shape: [2, 2, 4, 5]) { Unfold([2, 3], padding: 1, stride: 2) },
    Row(name: "Fold", shape: [2, 8, 6]) { Fold([3, 4], 2) },
    Row(name: "Upsample", shape: [1, 2, 3, 4]) { Upsample(scaleFactor: [1.5, 2], mode: .linear, alignCorners: true) },
    Row(name: "Upsample to a size", shape: [1, 2, 3]) { Upsample(size: 5) },
    Row(name: "Sequential", shape: [4, 3]) {
        Sequential {
            Linear(3, 5, dtype: .float64)
            Tanh()
            Linear(5, 2, dtype: .float64)
        }
    },
]

private let activations: [Row] =
    ([
        { ReLU() },
        { ReLU6() },
        { Tanh() },
        { Tanhshrink() },
        { Sigmoid() },
        { LogSigmoid() },
        { Hardsigmoid() },
        { Hardswish() },
        { SiLU() },
        { Mish() },
        { SELU() },
        { Softsign() },
        { GELU() },
        { GELU(approximate: .tanh) },
        { LeakyReLU(negativeSlope: 0.2) },
        { ELU(alpha: 0.7) },
        { CELU(alpha: 1.3) },
        { Hardtanh(min: -0.5, max: 0.7) },
        { Hardshrink() },
        { Softshrink(lambda: 0.3) },
        { Softplus(beta: 2, threshold: 1) },
        { Threshold(0.1, 3) },
        { GLU() },
        { Softmax(dim: -1) },
        { Softmin(dim: 1) },
        { LogSoftmax(dim: 0) },
        { PReLU(4, dtype: .float64) },
    ] as [@Sendable () -> any Layer]).map { make in Row(name: make().summary, shape: [3, 4], make: make) }
    + [Row(name: "Softmax2d", shape: [2, 3, 2, 2]) { Softmax2d() }]

private let windows: [Row] = [
    Row(name: "Conv1d", shape: [2, 4, 7]) {
        Conv1d(4, 6, kernelSize: 3, stride: 2, padding: 1, groups: 2, dtype: .float64)
    },
    Row(name: "Conv1d that reflects", shape: [2, 2, 7]) {
        Conv1d(2, 2, kernelSize: 3, padding: 2, paddingMode: .reflect, dtype: .float64)
    },
    Row(name: "Conv2d", shape: [2, 2, 6, 5]) { Conv2d(2, 3, kernelSize: [3, 2], dilation: 2, dtype: .float64) },
    Row(name: "Conv2d of the same size", shape: [1, 2, 4, 5]) {
        Conv2d(2, 2, kernelSize: [2, 3], padding: .same, dtype: .float64)
    },
    Row(name: "Conv2d around the edge", shape: [1, 2, 4, 5]) {
        Conv2d(2, 2, kernelSize: [2, 3], padding: .same, paddingMode: .circular, dtype: .float64)
    },
    Row(name: "Conv3d", shape: [1, 2, 3, 4, 4]) { Conv3d(2, 2, kernelSize: 2, dtype: .float64) },
    Row(name: "ConvTranspose1d", shape: [2, 4, 3]) {
        ConvTranspose1d(4, 6, kernelSize: 3, stride: 2, padding: 1, outputPadding: 1, groups: 2, dtype: .float64)
    },
    Row(name: "ConvTranspose2d", shape: [1, 2, 3, 2]) {
        ConvTranspose2d(2, 3, kernelSize: [3, 2], bias: false, dilation: 2, dtype: .float64)
    },
    Row(name: "ConvTranspose3d", shape: [1, 2, 2, 2, 2]) { ConvTranspose3d(2, 2, kernelSize: 2, dtype: .float64) },
    Row(name: "MaxPool1d", shape: [2, 2, 7]) { MaxPool1d(2) },
    Row(name: "MaxPool2d", shape: [2, 2, 6, 6]) { MaxPool2d(3, stride: 2, padding: 1) },
    Row(name: "MaxPool3d", shape: [1, 2, 4, 4, 4]) { MaxPool3d(2) },
    Row(name: "AvgPool1d", shape: [2, 2, 7]) { AvgPool1d(3, stride: 2, padding: 1) },
    Row(name: "AvgPool2d", shape: [2, 2, 6, 6]) { AvgPool2d(2, divisorOverride: 3) },
    Row(name: "AvgPool3d", shape: [1, 2, 4, 4, 4]) { AvgPool3d(2) },
    Row(name: "AdaptiveAvgPool1d", shape: [2, 2, 7]) { AdaptiveAvgPool1d(3) },
    Row(name: "AdaptiveAvgPool2d", shape: [2, 2, 5, 7]) { AdaptiveAvgPool2d([2, -1]) },
    Row(name: "AdaptiveAvgPool3d", shape: [1, 2, 4, 5, 3]) { AdaptiveAvgPool3d(2) },
    Row(name: "AdaptiveMaxPool1d", shape: [2, 2, 7]) { AdaptiveMaxPool1d(3) },
    Row(name: "AdaptiveMaxPool2d", shape: [2, 2, 5, 7]) { AdaptiveMaxPool2d([2, 3]) },
    Row(name: "AdaptiveMaxPool3d", shape: [1, 2, 4, 5, 3]) { AdaptiveMaxPool3d(2) },
    Row(name: "LPPool1d", shape: [2, 2, 7]) { LPPool1d(2, 3, stride: 2) },
    Row(name: "LPPool2d", shape: [2, 2, 4, 4]) { LPPool2d(.infinity, 2) },
    Row(name: "LPPool3d", shape: [1, 1, 4, 4, 4]) { LPPool3d(2, 2) },
    Row(name: "ReflectionPad1d", shape: [2, 2, 4]) { ReflectionPad1d([1, 2]) },
    Row(name: "ReflectionPad2d", shape: [1, 2, 3, 4]) { ReflectionPad2d(2) },
    Row(name: "ReflectionPad3d", shape: [1, 2, 2, 3]) { ReflectionPad3d(1) },
    Row(name: "ReplicationPad1d", shape: [2, 4]) { ReplicationPad1d(3) },
    Row(name: "ReplicationPad2d", shape: [1, 2, 3, 4]) { ReplicationPad2d([1, 2, 0, 1]) },
    Row(name: "ReplicationPad3d", shape: [1, 2, 2, 3]) { ReplicationPad3d(1) },
    Row(name: "CircularPad1d", shape: [2, 2, 4]) { CircularPad1d([3, 1]) },
    Row(name: "CircularPad2d", shape: [1, 2, 3, 4]) { CircularPad2d(2) },
    Row(name: "CircularPad3d", shape: [1, 1, 2, 2, 3]) { CircularPad3d([3, 2, 2, 1]) },
    Row(name: "ZeroPad1d", shape: [2, 4]) { ZeroPad1d([-1, 2]) },
    Row(name: "ZeroPad2d", shape: [2, 3, 4]) { ZeroPad2d(1) },
    Row(name: "ZeroPad3d", shape: [1, 2, 2, 3]) { ZeroPad3d(1) },
    Row(name: "ConstantPad1d", shape: [2, 4]) { ConstantPad1d(1, 3) },
    Row(name: "ConstantPad2d", shape: [2, 3, 4]) { ConstantPad2d([0, 1, 2, 0], -1) },
    Row(name: "ConstantPad3d", shape: [1, 2, 2, 3]) { ConstantPad3d(1, 0.5) },
]

private let normalizations: [Row] = [
    Row(name: "BatchNorm1d", shape: [5, 3]) { BatchNorm1d(3, dtype: .float64) },
    Row(name: "BatchNorm2d", shape: [3, 2, 4, 3]) { BatchNorm2d(2, dtype: .float64) },
    Row(name: "BatchNorm3d", shape: [2, 2, 2, 2, 3]) { BatchNorm3d(2, bias: false, dtype: .float64) },
    Row(name: "InstanceNorm1d", shape: [2, 3, 4]) { InstanceNorm1d(3, affine: true, dtype: .float64) },
    Row(name: "InstanceNorm2d", shape: [3, 2, 3]) { InstanceNorm2d(3, trackRunningStatistics: true, dtype: .float64) },
    Row(name: "InstanceNorm3d", shape: [2, 2, 2, 2, 2]) { InstanceNorm3d(2, dtype: .float64) },
    Row(name: "LayerNorm", shape: [3, 2, 4]) { LayerNorm([2, 4], dtype: .float64) },
    Row(name: "RMSNorm", shape: [3, 2, 4]) { RMSNorm([2, 4], dtype: .float64) },
    Row(name: "GroupNorm", shape: [2, 4, 3]) { GroupNorm(2, 4, dtype: .float64) },
    Row(name: "LocalResponseNorm", shape: [2, 5, 3]) { LocalResponseNorm(3, alpha: 0.5) },
]

/// A layer of two inputs.
private struct PairRow: Sendable, CustomTestStringConvertible {
    let name: String
    let shapes: (Shape, Shape)
    let make: @Sendable () -> any PairLayer

    var testDescription: String { name }
}

private let pairRows: [PairRow] = [
    PairRow(name: "Bilinear", shapes: ([4, 2], [4, 3])) { Bilinear(2, 3, 2, dtype: .float64) },
    PairRow(name: "CosineSimilarity", shapes: ([4, 3], [4, 3])) { CosineSimilarity() },
    PairRow(name: "PairwiseDistance", shapes: ([4, 3], [4, 3])) { PairwiseDistance(p: 3) },
]

struct LayerTests {
    /// The graph and the explicit calls of Torch 7 give the same output and gradients, and these agree with finite differences.
    @Test(arguments: rows + activations + windows + normalizations)
    private func bothWays(_ row: Row) {
        let layer = row.make()
        let input = Tensor.randn(row.shape, dtype: .float64)
        let leaf = input.requiringGrad()
        let output = layer(leaf)
        let cotangent = Tensor.randn(output.shape, dtype: .float64)
        output.backward(gradient: cotangent)
        let recorded = layer.parameters.map { $0.grad?.doubles ?? [] }

        layer.zeroGradParameters()
        #expect(layer.forward(input).doubles == output.doubles)
        let inputGradient = layer.backward(input, cotangent)
        #expect(isClose(inputGradient.doubles, leaf.grad?.doubles ?? [], tolerance: 1e-12))
        for (explicit, graph) in zip(layer.parameters, recorded) {
            #expect(isClose(explicit.grad?.doubles ?? [], graph, tolerance: 1e-12))
        }
        checkAgainstDifferences(layer, input, cotangent, inputGradient)
    }

    /// The same for layers of two inputs.
    @Test(arguments: pairRows)
    private func bothWaysOfPairs(_ row: PairRow) {
        let layer = row.make()
        let inputs = [row.shapes.0, row.shapes.1].map { Tensor.randn($0, dtype: .float64) }
        let leaves = inputs.map { $0.requiringGrad() }
        let output = layer(leaves[0], leaves[1])
        let cotangent = Tensor.randn(output.shape, dtype: .float64)
        output.backward(gradient: cotangent)
        let recorded = (leaves + layer.parameters).map { $0.grad?.doubles ?? [] }

        layer.zeroGradParameters()
        #expect(layer.forward(inputs[0], inputs[1]).doubles == output.doubles)
        let gradients = layer.backward(inputs[0], inputs[1], cotangent)
        let explicit = [gradients.0, gradients.1] + layer.parameters.map { $0.grad ?? .zeros([]) }
        for (explicit, recorded) in zip(explicit, recorded) {
            #expect(isClose(explicit.doubles, recorded, tolerance: 1e-12))
        }
        let report = GradientCheck.check(inputs) { [layer($0[0], $0[1])] }
        #expect(report.passed, "\(report)")
        #expect(throws: TensorError.self) { try catchingErrors { layer.backward(inputs[0], inputs[1], cotangent) } }
    }

    private func checkAgainstDifferences(_ layer: any Layer, _ input: Tensor, _ cotangent: Tensor, _ gradient: Tensor) {
        let epsilon = 1e-6
        let values = input.doubles
        let analytic = gradient.doubles
        for index in stride(from: 0, to: values.count, by: max(values.count / 12, 1)) {
            func loss(_ offset: Double) -> Double {
                var moved = values
                moved[index] += offset
                return (withoutGradient { layer(Tensor(moved, shape: input.shape)) } * cotangent).sum().item()
            }
            let numeric = (loss(epsilon) - loss(-epsilon)) / (2 * epsilon)
            #expect(abs(analytic[index] - numeric) <= 1e-5 + 1e-3 * abs(numeric))
        }
    }

    @Test func batchNormKeepsRunningStatistics() {
        let layer = BatchNorm1d(2, dtype: .float64)
        let input = Tensor([1.0, 2, 3, 5, -2, 0.5], shape: [3, 2]).requiringGrad()
        let output = layer(input)
        #expect(
            isClose(output.doubles, [0.162221229, -0.26726086, 1.135548603, 1.336304301, -1.297769832, -1.06904344]))
        #expect(isClose(layer.runningMean?.doubles ?? [], [0.066666667, 0.25]))
        #expect(isClose(layer.runningVariance?.doubles ?? [], [1.533333333, 1.425]))
        output.backward(gradient: Tensor([1.0, 2, 3, -1, 0.5, 0], shape: [3, 2]))
        #expect(
            isClose(
                input.grad?.doubles ?? [],
                [-0.320173296, 0.801782835, 0.192105361, -0.267262133, 0.128067935, -0.534520702]))
        #expect(isClose(layer.weight?.grad?.doubles ?? [], [2.919982122, -1.870826021]))
        layer.eval()
        #expect(
            isClose(
                layer(input).doubles,
                [0.753732205, 1.465983535, 2.368872644, 3.979098167, -1.668978454, 0.209426219]))
    }

    @Test func layerNormGradients() {
        let layer = LayerNorm(3, dtype: .float64)
        let leaf = scores.requiringGrad()
        let output = layer(leaf)
        #expect(
            isClose(output.doubles, [0.834804821, -1.405987066, 0.571182246, 1.354107781, -0.323808382, -1.030299399]))
        output.backward(gradient: regressionTarget)
        #expect(
            isClose(
                leaf.grad?.doubles ?? [],
                [-0.610695004, -0.081450836, 0.692145839, -0.330585169, 1.115751749, -0.78516658]))
        #expect(isClose(layer.weight?.grad?.doubles ?? [], [0.166960964, 1.373606228, 3.352990623]))
    }

    @Test func embeddingAddsUpGradientsOfRows() {
        let layer = Embedding(4, 2, dtype: .float64)
        layer(Tensor([Int64(1), 3, 1])).sum().backward()
        #expect(layer.weight.grad?.doubles == [0, 0, 2, 2, 0, 0, 1, 1])
    }

    @Test func embeddingKeepsItsPadding() {
        let layer = Embedding(4, 2, paddingIndex: -1, dtype: .float64)
        #expect(layer.weight[3].doubles == [0, 0])
        layer(Tensor([Int64(1), 3, 1])).sum().backward()
        #expect(layer.weight.grad?.doubles == [0, 0, 2, 2, 0, 0, 0, 0])
    }

    @Test func embeddingShortensLongRows() {
        let layer = Embedding(3, 2, maxNorm: 1, dtype: .float64)
        layer.weight.data = Tensor([3.0, 4, 0.3, 0.4, 6, 8], shape: [3, 2])
        let leaf = layer.weight
        #expect(isClose(layer(Tensor([Int64(0), 1])).doubles, [0.6, 0.8, 0.3, 0.4], tolerance: 1e-7))
        #expect(isClose(leaf.doubles, [0.6, 0.8, 0.3, 0.4, 6, 8], tolerance: 1e-7))
    }

    @Test func embeddingDividesByFrequency() {
        let layer = Embedding(3, 1, scalesGradientByFrequency: true, dtype: .float64)
        layer(Tensor([Int64(1), 1, 2])).sum().backward()
        #expect(layer.weight.grad?.doubles == [0, 1, 1])
    }

    @Test func bagsOfRows() {
        let layer = EmbeddingBag(4, 1, reduction: .sum, dtype: .float64)
        layer.weight.data = Tensor([1.0, 10, 100, 1000], shape: [4, 1])
        #expect(layer(Tensor([Int64(0), 1, 2, 2], shape: [2, 2])).doubles == [11, 200])
        let bags = layer(Tensor([Int64(0), 1, 3]), offsets: Tensor([Int64(0), 1]))
        #expect(bags.doubles == [1, 1010])
    }

    @Test func instanceNormKeepsRunningStatistics() {
        let layer = InstanceNorm1d(2, momentum: 0.5, trackRunningStatistics: true, dtype: .float64)
        let input = Tensor([1.0, 3, 0, 4, 5, 7, 2, 2], shape: [2, 2, 2])
        _ = layer(input)
        #expect(layer.runningMean?.doubles == [2, 1])
        #expect(layer.runningVariance?.doubles == [1.5, 2.5])
        #expect(layer.batchesTracked?.doubles == [0])
        layer.eval()
        #expect(isClose(layer(input)[0, 1].doubles, [-0.632454267, 1.8973628], tolerance: 1e-7))
    }

    @Test func transposedConvolutionReachesTheSizeWanted() {
        let layer = ConvTranspose2d(1, 1, kernelSize: 3, stride: 2, padding: 1)
        #expect(layer(.ones([1, 1, 4, 5])).shape == [1, 1, 7, 9])
        #expect(layer(.ones([1, 1, 4, 5]), outputSize: [8, 9]).shape == [1, 1, 8, 9])
        #expect(throws: TensorError.self) {
            try catchingErrors { layer(.ones([1, 1, 4, 5]), outputSize: [10, 9]) }
        }
    }

    @Test func poolingTellsWhereMaximaWere() {
        let result = MaxPool2d(2).withIndices(Tensor([1.0, 2, 4, 3, 9, 8, 7, 6], shape: [1, 1, 2, 4]))
        #expect(result.values.doubles == [9, 7])
        #expect(result.indices.doubles == [4, 6])
        let undone = MaxUnpool2d(2)(result.values, indices: result.indices)
        #expect(undone.doubles == [0, 0, 0, 0, 9, 0, 7, 0])
    }

    @Test func channelsAreDroppedWhole() {
        let shapes: [Shape] = [[40, 3], [1, 40, 3, 2], [40, 2, 2, 2]]
        for (layer, shape) in zip([Dropout1d(0.5), Dropout2d(0.5), Dropout3d(0.5)] as [any Layer], shapes) {
            let sums = layer(Tensor.ones(shape)).reshape(40, -1).sum(dim: 1).doubles
            #expect(Set(sums).count == 2)
            layer.eval()
            #expect(layer(Tensor.ones(shape)).doubles.allSatisfy { $0 == 1 })
        }
    }

    @Test func alphaDropoutKeepsMeanAndVariance() {
        let generator = Generator(seed: 1)
        let input = Tensor.randn([200_000], generator: generator)
        let output = AlphaDropout(0.3)(input)
        #expect(abs(output.mean().item()) < 0.02)
        #expect(abs(output.variance().item() - 1) < 0.03)
        #expect(AlphaDropout(1)(.ones([3])).doubles == [0, 0, 0])
    }

    @Test func leaksAreRandomInTraining() {
        let layer = RReLU(lower: 0.1, upper: 0.3)
        let leaks = layer(.full([1000], -1.0)).doubles
        #expect(leaks.allSatisfy { (-0.3 ... -0.1).contains($0) } && Set(leaks).count > 900)
        layer.eval()
        #expect(isClose(layer(Tensor([Float(-1), 2])).doubles, [-0.2, 2]))
    }

    /// Expected values are PyTorch's.
    @Test func leaksAreDrawnForNegativesAlone() {
        let x = ((Tensor.arange(20).to(.float64) - 9) * 0.37).sin().requiringGrad()
        let y = Generator(seed: 9).asDefault { RReLU(lower: 0.1, upper: 0.4)(x) }
        let leaks = [0.17388282, 0.35175149, 0.20311442, 0.12486505, 0.11305499, 0.28244956, 0.13142936, 0.13336098]
        #expect(isClose((y / x)[1..<9].doubles, leaks))
        #expect(isClose(y[10..<18].doubles, x[10..<18].doubles))
        y.sum().backward()
        #expect(isClose(x.grad?[1..<9].doubles ?? [], leaks) && x.grad?[12].item() == 1)
    }

    @Test func dropoutOnlyInTraining() {
        let layer = Dropout(0.5)
        layer.eval()
        #expect(layer(Tensor.ones([100])).doubles == Array(repeating: 1, count: 100))
        layer.train()
        let mean = layer(Tensor.ones([10_000])).mean().item()
        #expect(abs(mean - 1) < 0.06)
    }

    /// `Sequential` leaves activations to convolutions, and rectifies behind a pooling: the same bits.
    @Test func convolutionsComputeActivations() {
        let random = Generator(seed: 5)
        func check(_ layers: [any Layer], _ shape: Shape) {
            let model = Sequential(layers)
            for parameter in model.parameters {
                parameter.data = Tensor.uniform(parameter.shape, -1...1, generator: random)
            }
            let x = Tensor.uniform(shape, -1...1, generator: random).requiringGrad()
            let (y, expected) = (model(x), layers.reduce(x) { $1($0) })
            #expect(y.doubles == expected.doubles)
            let dy = Tensor.uniform(y.shape, -1...1, generator: random)
            let got = gradient(of: y, wrt: [x] + model.parameters, gradient: dy)
            let wanted = gradient(of: expected, wrt: [x] + model.parameters, gradient: dy)
            for (a, b) in zip(got, wanted) { #expect(a.doubles == b.doubles) }
        }
        for activation: any Layer in [ReLU(), Tanh(), SiLU()] {
            check([Conv1d(2, 3, kernelSize: 2, padding: .same), activation], [2, 2, 5])
            check([Conv2d(16, 20, kernelSize: 3, padding: 1, paddingMode: .circular), activation], [2, 16, 9, 9])
            check([Conv3d(2, 3, kernelSize: 2), activation, MaxPool3d(2)], [1, 2, 5, 4, 6])
        }
        check([Conv2d(1, 4, kernelSize: 3), ReLU(), MaxPool2d(2)], [2, 1, 13, 12])
        check([Conv2d(3, 4, kernelSize: 5), ReLU(), MaxPool2d(3, stride: 2, padding: 1)], [2, 3, 12, 12])
        check([ReLU(), MaxPool1d(4, dilation: 2)], [2, 3, 9])
    }

    @Test func backwardNeedsForward() {
        #expect(throws: TensorError.self) {
            try catchingErrors { Linear(2, 2).backward(.ones([1, 2]), .ones([1, 2])) }
        }
    }

    @Test func sizesMustFit() {
        func message<Result>(_ body: () -> Result) -> String {
            let error = #expect(throws: TensorError.self) { try catchingErrors(body) }
            return error?.message ?? ""
        }
        #expect(message { Linear(-1, 4) }.contains("[4, -1] has a negative size"))
        #expect(message { Conv2d(-3, 4, kernelSize: 3) }.contains("[4, -3, 3, 3] has a negative size"))
        #expect(message { Embedding(3, 2, paddingIndex: 7) } == "the padding index 7 is none of the 3 rows")
        #expect(message { BatchNorm2d(3)(.zeros([2, 3])) }.contains("expects 4 axes"))
        #expect(message { BatchNorm1d(3)(.zeros([2, 4])) }.contains("expects 2 or 3 axes"))
    }

    @Test func errorsNameTheModule() throws {
        let model = Sequential {
            Linear(3, 4)
            Linear(5, 2)
        }
        _ = model.namedModules()
        let error = #expect(throws: TensorError.self) { try catchingErrors { model(.ones([1, 3])) } }
        #expect(error?.description.contains("1 (Linear)") == true)
    }
}
