import ChainRule
import ChainRuleNN

/// A workload, written with the public API alone, as a user would write it.
struct Workload {
    let name: String
    let floor: Floor
    /// Prepares, and returns one step.
    let prepare: @Sendable (Mode) -> () -> Void
}

/// The least that a step can cost, and how near to that it should come.
struct Floor {
    enum Bound {
        /// Floating-point operations at the machine's peak.
        case operations(Double)
        /// Bytes read once, or read and written.
        case reading(Double)
        case updating(Double)
        /// The calls themselves.
        case overhead
    }

    let bound: Bound
    /// What was agreed on: time over floor, or for overhead milliseconds.
    let goal: Double
}

let workloads: [Workload] =
    [
        Workload(name: "scalar", floor: Floor(bound: .overhead, goal: 0.4), prepare: scalar),
        Workload(name: "seed-mlp", floor: Floor(bound: .operations(4 * 784e3 * 50), goal: 1.25), prepare: seedMLP),
    ] + networks.map(training) + [
        // x, b and ∂L/∂y read, ∂L/∂x written.
        Workload(
            name: "elementwise", floor: Floor(bound: .updating(4 * arrayBytes), goal: 2.94), prepare: elementwise),
        // x and ∂L/∂y, the normalised rows, y and ∂L/∂x.
        Workload(name: "rowwise", floor: Floor(bound: .updating(5 * arrayBytes), goal: 2.08), prepare: rowwise),
        // Four arrays read and three written.
        Workload(name: "adamw", floor: Floor(bound: .updating(7 * 10 * 4 * 1024 * 1024), goal: 1.08), prepare: adamW),
        // Every weight but the embeddings.
        Workload(
            name: "decode", floor: Floor(bound: .reading(4 * 768 * (12 * 12 * 768 + 50257)), goal: 1.23),
            prepare: decode),
    ]

/// 4,194,304 floats.
private let arrayBytes = 16_777_216.0

private let trainingGoals = ["mnist-mlp": 1.33, "lenet": 1.9, "resnet18": 1.11, "char-lstm": 1.23, "gpt": 1.19]

private func training(_ name: String, _ make: @escaping @Sendable (Scale) -> Network) -> Workload {
    let floor = Floor(bound: .operations(make(Scale()).operations), goal: trainingGoals[name] ?? 1)
    return Workload(name: name, floor: floor) { training(make(Scale()), $0) }
}

/// 100 epochs of w · x on three samples: 300 times forward, backward, update of one scalar weight.
private func scalar(_ mode: Mode) -> () -> Void {
    let data = [(1.0, 2.0), (2.0, 4.0), (3.0, 6.0)]
    let w = Tensor(1.0, requiresGrad: true)
    let epoch = mode.prepared {
        for (x, y) in data {
            let loss = (x * w - y).squared()
            loss.backward()
            if let gradient = w.grad { w.data -= 0.01 * gradient }
            w.zeroGrad()
        }
    }
    return {
        w.data = Tensor(1.0)
        for _ in 0..<100 { epoch() }
        consume(w.item())
    }
}

/// x(1000, 784) · w1(784, 50) + b1 → relu → · w2(50, 1) + b2 → mean squared error; forward and the gradients of the weights.
private func seedMLP(_ mode: Mode) -> () -> Void {
    let x = Tensor.randn([1000, 784])
    let target = Tensor.randn([1000])
    let w1 = Tensor.randn([784, 50]).requiringGrad()
    let b1 = Tensor.randn([50]).requiringGrad()
    let w2 = Tensor.randn([50, 1]).requiringGrad()
    let b2 = Tensor.randn([1]).requiringGrad()
    return mode.prepared {
        for parameter in [w1, b1, w2, b2] { parameter.zeroGrad() }
        let output = (x.matmul(w1) + b1).relu().matmul(w2) + b2
        (output.squeeze(dim: -1) - target).squared().mean().backward()
    }
}

/// Forward, backward and update; the loss is read back.
func training(_ network: Network, _ mode: Mode) -> () -> Void {
    let (x, y) = (network.input(), network.target())
    let optimizer = network.optimizer(network.model.parameters)
    let step = mode.prepared { network.step(optimizer, $0, $1) }
    return { consume(step(x, y).item()) }
}

/// tanh(gelu(x) · b + x / 2) on four million elements, forward and the gradient of x.
private func elementwise(_ mode: Mode) -> () -> Void {
    let x = Tensor.randn([1 << 22]).requiringGrad()
    let b = Tensor.randn([1 << 22])
    let gradient = Tensor.randn([1 << 22])
    return mode.prepared {
        x.zeroGrad()
        (x.gelu(approximate: .tanh) * b + x * 0.5).tanh().backward(gradient: gradient)
    }
}

/// softmax(layerNorm(x)) on 4096×1024, forward and the gradients of x, weight and bias.
private func rowwise(_ mode: Mode) -> () -> Void {
    let x = Tensor.randn([4096, 1024]).requiringGrad()
    let weight = Tensor.ones([1024]).requiringGrad()
    let bias = Tensor.zeros([1024]).requiringGrad()
    let gradient = Tensor.randn([4096, 1024])
    return mode.prepared {
        for leaf in [x, weight, bias] { leaf.zeroGrad() }
        x.layerNorm(normalizedShape: [1024], weight: weight, bias: bias).softmax(dim: -1).backward(gradient: gradient)
    }
}

/// One AdamW step over ten 1024×1024 parameters.
private func adamW(_ mode: Mode) -> () -> Void {
    let parameters = (0..<10).map { _ in Tensor.randn([1024, 1024]).requiringGrad() }
    for parameter in parameters { parameter.grad = .randn([1024, 1024]) }
    let optimizer = AdamW(parameters, learningRate: 1e-3)
    return mode.prepared { optimizer.step() }
}

/// One token through a network of GPT-2's size with 128 known positions, no gradient. The cache is no argument, hence nothing to compile.
private func decode(_ mode: Mode) -> () -> Void { decode(nil) }

/// The same, with weights in fewer bits.
func decode(_ format: QuantizedWeight.Format?) -> () -> Void {
    let model = GPT(vocabulary: 50257, context: 256, width: 768, layers: 12, heads: 12)
    model.eval()
    if let format { model.quantize(format) }
    let cache = KeyValueCache(for: model)
    withoutGradient { _ = model.decode(.randint(0, 50257, [1, 128]), cache) }
    let token = Tensor([5], shape: [1, 1])
    return {
        cache.truncate(to: 128)
        withoutGradient { _ = model.decode(token, cache) }
    }
}

/// Keeps the optimiser from dropping a result.
@inline(never)
func consume(_ value: Double) {}
