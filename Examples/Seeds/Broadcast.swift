import ChainRule
import ChainRuleNN

/// One network, three ways to its gradients: rules written by hand with broadcasting, the engine, and module calls as in
/// Torch 7. All are compared element by element.
public func broadcast() {
    manualSeed(0)
    let data = Data()
    let byHand = handWritten(data)
    let byEngine = engine(data)
    let byModules = moduleCalls(data)

    print("loss:", byEngine.loss)
    print("output[:4]:", listed(byEngine.output.reshape(-1)[0..<4]))
    print("input.grad[0,:4]:", listed(byEngine.gradients["input"]?[0][0..<4]))
    print("input.grad.abs.sum:", total(byEngine.gradients["input"]?.to(.float64).abs()))
    print("w1.grad[0,:4]:", listed(byEngine.gradients["w1"]?[0][0..<4]))
    print("w1.grad.sum:", total(byEngine.gradients["w1"]?.to(.float64)))
    print("w1.grad.abs.sum:", total(byEngine.gradients["w1"]?.to(.float64).abs()))
    print("b1.grad[:4]:", listed(byEngine.gradients["b1"]?[0..<4]))
    print("w2.grad[:4]:", listed(byEngine.gradients["w2"]?.reshape(-1)[0..<4]))
    print("b2.grad:", listed(byEngine.gradients["b2"]))

    for (name, other) in [("by hand", byHand), ("module calls", byModules)] {
        print("engine and \(name):")
        for parameter in Data.names { compare(parameter, byEngine.gradients[parameter], other.gradients[parameter]) }
    }
}

/// x(1000, 784) · w1(784, 50) + b1 → relu → · w2(50, 1) + b2 → mean squared error, drawn in this order.
private struct Data {
    static let names = ["input", "w1", "b1", "w2", "b2"]
    let input = Tensor.randn([1000, 784])
    let target = Tensor.randn([1000])
    let w1 = Tensor.randn([784, 50])
    let b1 = Tensor.randn([50])
    let w2 = Tensor.randn([50, 1])
    let b2 = Tensor.randn([1])
}

private struct Outcome {
    var loss: Double
    var output: Tensor
    var gradients: [String: Tensor]
}

/// The chain rule by hand: each rule hands a gradient to what lies before it.
private func handWritten(_ d: Data) -> Outcome {
    let l1 = d.input.matmul(d.w1) + d.b1
    let l2 = l1.relu()
    let output = l2.matmul(d.w2) + d.b2
    let difference = output.squeeze(dim: -1) - d.target
    let loss = difference.squared().mean()

    // mse: 2 (prediction − target) / n
    let outputGrad = (2 * difference / d.target.count).unsqueeze(dim: -1)
    // y = x · w + b: x.g = (y.g[:, None, :] · w).sum(-1), w.g = (x[:, :, None] · y.g[:, None, :]).sum(0), b.g = y.g.sum(0)
    let l2Grad = (outputGrad.unsqueeze(dim: 1) * d.w2).sum(dim: -1)
    let w2Grad = (l2.unsqueeze(dim: -1) * outputGrad.unsqueeze(dim: 1)).sum(dim: 0)
    let b2Grad = outputGrad.sum(dim: 0)
    // relu: (x > 0) · y.g, handed on to the first layer
    let l1Grad = (l1 .> 0).to(.float32) * l2Grad
    let inputGrad = l1Grad.matmul(d.w1.mT)
    let w1Grad = (d.input.unsqueeze(dim: -1) * l1Grad.unsqueeze(dim: 1)).sum(dim: 0)
    let b1Grad = l1Grad.sum(dim: 0)
    return Outcome(
        loss: loss.item(), output: output,
        gradients: ["input": inputGrad, "w1": w1Grad, "b1": b1Grad, "w2": w2Grad, "b2": b2Grad])
}

/// The same by the dynamic graph.
private func engine(_ d: Data) -> Outcome {
    let leaves = [d.input, d.w1, d.b1, d.w2, d.b2].map { $0.requiringGrad() }
    let output = (leaves[0].matmul(leaves[1]) + leaves[2]).relu().matmul(leaves[3]) + leaves[4]
    let loss = (output.squeeze(dim: -1) - d.target).squared().mean()
    loss.backward()
    var gradients: [String: Tensor] = [:]
    for (name, leaf) in zip(Data.names, leaves) { gradients[name] = leaf.grad }
    return Outcome(loss: loss.item(), output: output.detach(), gradients: gradients)
}

/// The same by forward and backward calls, layer by layer.
private func moduleCalls(_ d: Data) -> Outcome {
    let first = Linear(784, 50)
    let second = Linear(50, 1)
    first.weight.data = d.w1.mT
    first.bias?.data = d.b1
    second.weight.data = d.w2.mT
    second.bias?.data = d.b2
    let relu = ReLU()
    let criterion = MSELoss()

    let l1 = first.forward(d.input)
    let l2 = relu.forward(l1)
    let output = second.forward(l2)
    let loss = criterion.forward(output.squeeze(dim: -1), d.target)
    let outputGrad = criterion.backward(output.squeeze(dim: -1), d.target).unsqueeze(dim: -1)
    let l2Grad = second.backward(l2, outputGrad)
    let l1Grad = relu.backward(l1, l2Grad)
    let inputGrad = first.backward(d.input, l1Grad)
    return Outcome(
        loss: loss.item(), output: output,
        gradients: [
            "input": inputGrad, "w1": first.weight.grad?.mT, "b1": first.bias?.grad, "w2": second.weight.grad?.mT,
            "b2": second.bias?.grad,
        ].compactMapValues { $0 })
}

/// Element by element: the largest difference, as a share of the largest gradient.
private func compare(_ name: String, _ a: Tensor?, _ b: Tensor?) {
    guard let a, let b, a.shape == b.shape else {
        print("  \(name): missing, or of another shape")
        return
    }
    let difference = (a - b).abs().to(.float64).max().item()
    let size = a.abs().to(.float64).max().item()
    let verdict = difference <= 1e-4 * size ? "equal" : "DIFFERENT"
    print("  \(name): \(verdict), largest difference \(difference) of \(size)")
}

private func listed(_ tensor: Tensor?) -> String {
    guard let tensor else { return "missing" }
    return "[" + tensor.toArray(of: Float.self).map { "\(Double($0))" }.joined(separator: ", ") + "]"
}

private func total(_ tensor: Tensor?) -> String { tensor.map { "\($0.sum().item())" } ?? "missing" }
