import ChainRule
import ChainRuleNN

/// A network with its data, loss and optimiser: one training step is a workload, a run of steps is compared with PyTorch's losses.
struct Network {
    let model: any Layer
    let input: @Sendable () -> Tensor
    let target: @Sendable () -> Tensor
    let loss: (Tensor, Tensor) -> Tensor
    let optimizer: ([Tensor]) -> any Optimizer
    /// On paper, for the whole batch: the multiplications of the forward pass, and the numbers that its layers hand on.
    let multiplications, activations: Double

    /// Floating-point operations of a training step: the forward products, and as many again for the gradients of weights and of inputs.
    var operations: Double { 6 * multiplications }
}

/// How much larger than the workload a network and its batch are.
struct Scale: Hashable {
    var batch = 1
    var width = 1
}

/// The networks that are trained, by the name of their workload. The model is built when its function is called.
let networks: KeyValuePairs<String, @Sendable (Scale) -> Network> = [
    "mnist-mlp": mnistMLP, "lenet": lenet, "resnet18": resNet18, "char-lstm": characterLSTM, "gpt": gpt,
]

private func mnistMLP(_ scale: Scale) -> Network {
    let (batch, first, second) = (64 * scale.batch, 256 * scale.width, 128 * scale.width)
    let model = Sequential {
        Linear(784, first)
        ReLU()
        Linear(first, second)
        ReLU()
        Linear(second, 10)
        LogSoftmax(dim: -1)
    }
    return Network(
        model: model, input: { .randn([batch, 784]) }, target: { .randint(0, 10, [batch]) },
        loss: negativeLogLikelihood, optimizer: momentum,
        multiplications: Double(batch * (784 * first + first * second + second * 10)),
        activations: Double(batch * 2 * (first + second + 10)))
}

private func lenet(_ scale: Scale) -> Network {
    let (batch, first, second, hidden) = (64 * scale.batch, 16 * scale.width, 32 * scale.width, 128 * scale.width)
    let model = Sequential {
        Conv2d(1, first, kernelSize: 5)
        ReLU()
        MaxPool2d(2)
        Conv2d(first, second, kernelSize: 5)
        ReLU()
        MaxPool2d(2)
        Flatten()
        Linear(16 * second, hidden)
        ReLU()
        Linear(hidden, 10)
        LogSoftmax(dim: -1)
    }
    let products = 576 * 25 * first + 64 * 25 * first * second + 16 * second * hidden + hidden * 10
    return Network(
        model: model, input: { .randn([batch, 1, 28, 28]) }, target: { .randint(0, 10, [batch]) },
        loss: negativeLogLikelihood, optimizer: momentum,
        multiplications: Double(batch * products),
        activations: Double(batch * ((576 * 2 + 144) * first + (64 * 2 + 16) * second + 2 * hidden + 20)))
}

/// The width is the ready model's.
private func resNet18(_ scale: Scale) -> Network {
    let batch = 16 * scale.batch
    // 3×3 convolutions on 64 channels and 32×32 places: the later stages have half the places and twice the channels. In the first block of
    // a later stage one convolution reads half its channels, and a 1×1 convolution stands beside it.
    let convolution = 9 * 64 * 64 * 1024
    let stages = 4 * convolution + 3 * (3 * convolution + convolution * 10 / 18)
    return Network(
        model: Classifiers.resNet18(channels: 3, classes: 10), input: { .randn([batch, 3, 32, 32]) },
        target: { .randint(0, 10, [batch]) }, loss: { $0.crossEntropy($1) }, optimizer: momentum,
        multiplications: Double(batch * (27 * 64 * 1024 + stages + 5120)),
        activations: Double(batch * ((3 + 14) * 64 * 1024 + 16 * (32 + 16 + 8) * 1024 + 1024)))
}

private func characterLSTM(_ scale: Scale) -> Network {
    let (batch, width) = (32 * scale.batch, 256 * scale.width)
    return Network(
        model: CharacterLSTM(vocabulary: 65, width: width, layers: 2), input: { .randint(0, 65, [batch, 64]) },
        target: { .randint(0, 65, [batch, 64]) }, loss: crossEntropyOfTokens,
        optimizer: { Adam($0, learningRate: 1e-3) },
        multiplications: Double(batch * 64 * (2 * 2 * width * 4 * width + width * 65)),
        activations: Double(batch * 64 * (width + 2 * 6 * width + 65)))
}

private func gpt(_ scale: Scale) -> Network {
    let (batch, width) = (16 * scale.batch, 256 * scale.width)
    // Of a token in a layer: twelve squares of the width, and scores and sums over the 128 tokens.
    let layer = 12 * width * width + 2 * 128 * width
    return Network(
        model: GPT(vocabulary: 65, context: 128, width: width, layers: 4, heads: 4),
        input: { .randint(0, 65, [batch, 128]) }, target: { .randint(0, 65, [batch, 128]) },
        loss: crossEntropyOfTokens, optimizer: { AdamW($0, learningRate: 1e-3) },
        multiplications: Double(batch * 128 * (4 * layer + width * 65)),
        activations: Double(batch * 128 * (4 * (18 * width + 2 * 4 * 128) + 3 * width + 65)))
}

private func negativeLogLikelihood(_ output: Tensor, _ target: Tensor) -> Tensor { output.nllLoss(target) }

func crossEntropyOfTokens(_ scores: Tensor, _ target: Tensor) -> Tensor {
    scores.flatten(startDim: 0, endDim: 1).crossEntropy(target.flatten())
}

private func momentum(_ parameters: [Tensor]) -> any Optimizer { SGD(parameters, learningRate: 0.01, momentum: 0.9) }

extension Network {
    /// One training step: forward, backward, update. The result is the loss before the update.
    func step(_ optimizer: any Optimizer, _ x: Tensor, _ y: Tensor) -> Tensor {
        optimizer.zeroGrad()
        let loss = loss(model(x), y)
        loss.backward()
        optimizer.step()
        return loss.detach()
    }
}
