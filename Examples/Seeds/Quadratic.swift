import ChainRule

/// The same with three weights: y = w1 · x² + w2 · x + b.
public func quadratic() {
    let xData = [1.0, 2.0, 3.0]
    let yData = [2.0, 4.0, 6.0]
    let w1 = Tensor(1.0, requiresGrad: true)
    let w2 = Tensor(1.0, requiresGrad: true)
    let b = Tensor(1.0, requiresGrad: true)

    func forward(_ x: Double) -> Tensor { w1 * (x * x) + w2 * x + b }
    func loss(_ x: Double, _ y: Double) -> Tensor { (forward(x) - y).squared() }

    print("predict (before training)", 4, forward(4).item())
    for epoch in 0..<100 {
        var last = 0.0
        for (x, y) in zip(xData, yData) {
            let l = loss(x, y)
            l.backward()
            let gradients = [w1, w2, b].compactMap(\.grad)
            print("\tgrad:", x, y, gradients.map { "\($0.item())" }.joined(separator: " "))
            for (parameter, gradient) in zip([w1, w2, b], gradients) {
                parameter.data -= 0.01 * gradient
                parameter.zeroGrad()
            }
            last = l.item()
        }
        print("progress:", epoch, last)
    }
    print("w1:", w1.item(), "w2:", w2.item(), "b:", b.item())
    print("predict (after training)", 4, forward(4).item())
}
