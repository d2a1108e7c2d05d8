import ChainRule
import ChainRuleNN

/// The workloads, written with the public API alone, as a user would write them. Each is a function that prepares and returns
/// one step.
let workloads: [(name: String, prepare: @Sendable () -> () -> Void)] = [
    ("scalar", scalar), ("seed-mlp", seedMLP), ("mnist-mlp", mnistMLP), ("lenet", lenet), ("adamw", adamW),
]

/// 100 epochs of w · x on three samples: 300 times forward, backward, update of one scalar weight.
private func scalar() -> () -> Void {
    let data = [(1.0, 2.0), (2.0, 4.0), (3.0, 6.0)]
    return {
        let w = Tensor(1.0, requiresGrad: true)
        for _ in 0..<100 {
            for (x, y) in data {
                let loss = (x * w - y).squared()
                loss.backward()
                if let gradient = w.grad { w.data -= 0.01 * gradient }
                w.zeroGrad()
            }
        }
        consume(w.item())
    }
}

/// x(1000, 784) · w1(784, 50) + b1 → relu → · w2(50, 1) + b2 → mean squared error; forward and the gradients of the weights.
private func seedMLP() -> () -> Void {
    let x = Tensor.randn([1000, 784])
    let target = Tensor.randn([1000])
    let w1 = Tensor.randn([784, 50]).requiringGrad()
    let b1 = Tensor.randn([50]).requiringGrad()
    let w2 = Tensor.randn([50, 1]).requiringGrad()
    let b2 = Tensor.randn([1]).requiringGrad()
    return {
        for parameter in [w1, b1, w2, b2] { parameter.zeroGrad() }
        let output = (x.matmul(w1) + b1).relu().matmul(w2) + b2
        (output.squeeze(dim: -1) - target).squared().mean().backward()
    }
}

private func mnistMLP() -> () -> Void {
    let model = Sequential {
        Linear(784, 256)
        ReLU()
        Linear(256, 128)
        ReLU()
        Linear(128, 10)
        LogSoftmax(dim: -1)
    }
    return trainingStep(model, Tensor.randn([64, 784]), Tensor.randint(0, 10, [64]))
}

private func lenet() -> () -> Void {
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
    return trainingStep(model, Tensor.randn([64, 1, 28, 28]), Tensor.randint(0, 10, [64]))
}

/// Forward, backward and an SGD step with momentum; the loss is read back.
private func trainingStep(_ model: any Layer, _ x: Tensor, _ y: Tensor) -> () -> Void {
    let optimizer = SGD(model.parameters, learningRate: 0.01, momentum: 0.9)
    let criterion = NLLLoss()
    return {
        optimizer.zeroGrad()
        let loss = criterion(model(x), y)
        loss.backward()
        optimizer.step()
        consume(loss.item())
    }
}

/// One AdamW step over ten 1024×1024 parameters.
private func adamW() -> () -> Void {
    let parameters = (0..<10).map { _ in Tensor.randn([1024, 1024]).requiringGrad() }
    for parameter in parameters { parameter.grad = .randn([1024, 1024]) }
    let optimizer = AdamW(parameters, learningRate: 1e-3)
    return { optimizer.step() }
}

/// Keeps the optimiser from dropping a result.
@inline(never)
func consume(_ value: Double) {}
