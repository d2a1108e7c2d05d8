import ChainRule

/// The dynamic graph on the smallest network there is: y = w · x, one sample at a time.
public func linear() {
    let xData = [1.0, 2.0, 3.0]
    let yData = [2.0, 4.0, 6.0]
    let w = Tensor(1.0, requiresGrad: true)

    func forward(_ x: Double) -> Tensor { x * w }
    func loss(_ x: Double, _ y: Double) -> Tensor { (forward(x) - y).squared() }

    print("predict (before training)", 4, forward(4).item())
    for epoch in 0..<100 {
        var last = 0.0
        for (x, y) in zip(xData, yData) {
            let l = loss(x, y)
            l.backward()
            guard let gradient = w.grad else { return }
            print("\tgrad:", x, y, gradient.item())
            w.data -= 0.01 * gradient
            w.zeroGrad()
            last = l.item()
        }
        print("progress:", epoch, last)
    }
    print("w:", w.item())
    print("predict (after training)", 4, forward(4).item())
}
