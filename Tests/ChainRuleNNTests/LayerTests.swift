import ChainRule
import ChainRuleNN
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
    Row(name: "Conv1d", shape: [2, 4, 7]) {
        Conv1d(4, 6, kernelSize: 3, stride: 2, padding: 1, groups: 2, dtype: .float64)
    },
    Row(name: "Conv2d", shape: [2, 2, 6, 5]) { Conv2d(2, 3, kernelSize: [3, 2], dilation: 2, dtype: .float64) },
    Row(name: "Conv3d", shape: [1, 2, 3, 4, 4]) { Conv3d(2, 2, kernelSize: 2, dtype: .float64) },
    Row(name: "MaxPool1d", shape: [2, 2, 7]) { MaxPool1d(2) },
    Row(name: "MaxPool2d", shape: [2, 2, 6, 6]) { MaxPool2d(3, stride: 2, padding: 1) },
    Row(name: "MaxPool3d", shape: [1, 2, 4, 4, 4]) { MaxPool3d(2) },
    Row(name: "AvgPool1d", shape: [2, 2, 7]) { AvgPool1d(3, stride: 2, padding: 1) },
    Row(name: "AvgPool2d", shape: [2, 2, 6, 6]) { AvgPool2d(2) },
    Row(name: "AvgPool3d", shape: [1, 2, 4, 4, 4]) { AvgPool3d(2) },
    Row(name: "AdaptiveAvgPool1d", shape: [2, 2, 7]) { AdaptiveAvgPool1d(3) },
    Row(name: "AdaptiveAvgPool2d", shape: [2, 2, 5, 7]) { AdaptiveAvgPool2d([2, 3]) },
    Row(name: "AdaptiveAvgPool3d", shape: [1, 2, 4, 5, 3]) { AdaptiveAvgPool3d(2) },
    Row(name: "BatchNorm1d", shape: [5, 3]) { BatchNorm1d(3, dtype: .float64) },
    Row(name: "BatchNorm2d", shape: [3, 2, 4, 3]) { BatchNorm2d(2, dtype: .float64) },
    Row(name: "LayerNorm", shape: [3, 2, 4]) { LayerNorm([2, 4], dtype: .float64) },
    Row(name: "Dropout of nothing", shape: [3, 4]) { Dropout(0) },
    Row(name: "Flatten", shape: [3, 2, 2]) { Flatten() },
    Row(name: "ReLU", shape: [3, 4]) { ReLU() },
    Row(name: "Tanh", shape: [3, 4]) { Tanh() },
    Row(name: "Sigmoid", shape: [3, 4]) { Sigmoid() },
    Row(name: "GELU", shape: [3, 4]) { GELU() },
    Row(name: "GELU by tanh", shape: [3, 4]) { GELU(approximate: .tanh) },
    Row(name: "Softmax", shape: [3, 4]) { Softmax(dim: -1) },
    Row(name: "LogSoftmax", shape: [3, 4]) { LogSoftmax(dim: 0) },
    Row(name: "Sequential", shape: [4, 3]) {
        Sequential {
            Linear(3, 5, dtype: .float64)
            Tanh()
            Linear(5, 2, dtype: .float64)
        }
    },
]

struct LayerTests {
    /// The graph and the explicit calls of Torch 7 give the same output and gradients, and these agree with finite differences.
    @Test(arguments: rows)
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

    @Test func dropoutOnlyInTraining() {
        let layer = Dropout(0.5)
        layer.eval()
        #expect(layer(Tensor.ones([100])).doubles == Array(repeating: 1, count: 100))
        layer.train()
        let mean = layer(Tensor.ones([10_000])).mean().item()
        #expect(abs(mean - 1) < 0.06)
    }

    @Test func backwardNeedsForward() {
        #expect(throws: TensorError.self) {
            try catchingErrors { Linear(2, 2).backward(.ones([1, 2]), .ones([1, 2])) }
        }
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
