import ChainRule
import ChainRuleNN

/// A network with its data, loss and optimiser: one training step is a workload, a run of steps is compared with PyTorch's losses.
struct Network {
    let model: any Layer
    let input: @Sendable () -> Tensor
    let target: @Sendable () -> Tensor
    let loss: (Tensor, Tensor) -> Tensor
    let optimizer: ([Tensor]) -> any Optimizer
}

/// The networks that are trained, by the name of their workload. The model is built when its function is called.
let networks: KeyValuePairs<String, @Sendable () -> Network> = [
    "mnist-mlp": mnistMLP, "lenet": lenet, "resnet18": resNet18, "char-lstm": characterLSTM, "gpt": gpt,
]

private func mnistMLP() -> Network {
    let model = Sequential {
        Linear(784, 256)
        ReLU()
        Linear(256, 128)
        ReLU()
        Linear(128, 10)
        LogSoftmax(dim: -1)
    }
    return Network(
        model: model, input: { .randn([64, 784]) }, target: { .randint(0, 10, [64]) }, loss: negativeLogLikelihood,
        optimizer: momentum)
}

private func lenet() -> Network {
    let model = Sequential {
        Conv2d(1, 16, kernelSize: 5)
        ReLU()
        MaxPool2d(2)
        Conv2d(16, 32, kernelSize: 5)
        ReLU()
        MaxPool2d(2)
        Flatten()
        Linear(512, 128)
        ReLU()
        Linear(128, 10)
        LogSoftmax(dim: -1)
    }
    return Network(
        model: model, input: { .randn([64, 1, 28, 28]) }, target: { .randint(0, 10, [64]) },
        loss: negativeLogLikelihood, optimizer: momentum)
}

private func resNet18() -> Network {
    Network(
        model: Classifiers.resNet18(channels: 3, classes: 10), input: { .randn([16, 3, 32, 32]) },
        target: { .randint(0, 10, [16]) }, loss: { $0.crossEntropy($1) }, optimizer: momentum)
}

private func characterLSTM() -> Network {
    Network(
        model: CharacterLSTM(vocabulary: 65, width: 256, layers: 2), input: { .randint(0, 65, [32, 64]) },
        target: { .randint(0, 65, [32, 64]) }, loss: crossEntropyOfTokens, optimizer: { Adam($0, learningRate: 1e-3) })
}

private func gpt() -> Network {
    Network(
        model: GPT(vocabulary: 65, context: 128, width: 256, layers: 4, heads: 4),
        input: { .randint(0, 65, [16, 128]) },
        target: { .randint(0, 65, [16, 128]) }, loss: crossEntropyOfTokens, optimizer: { AdamW($0, learningRate: 1e-3) }
    )
}

private func negativeLogLikelihood(_ output: Tensor, _ target: Tensor) -> Tensor { output.nllLoss(target) }

private func crossEntropyOfTokens(_ scores: Tensor, _ target: Tensor) -> Tensor {
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
