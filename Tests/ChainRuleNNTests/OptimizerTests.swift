import ChainRule
import ChainRuleNN
import Testing

/// Three steps on w₀² + ½ w₁² from (1, −2), as PyTorch takes them.
struct OptimizerTests {
    private func minimize(_ make: ([Tensor]) -> any Optimizer, steps: Int = 3) -> [Double] {
        let w = Tensor([1.0, -2.0]).requiringGrad()
        let optimizer = make([w])
        for _ in 0..<steps { step(optimizer, w) }
        return w.doubles
    }

    private func step(_ optimizer: any Optimizer, _ w: Tensor) {
        optimizer.zeroGrad()
        (w.squared() * Tensor([1.0, 0.5])).sum().backward()
        optimizer.step()
    }

    @Test func plainSGD() {
        #expect(isClose(minimize { SGD($0, learningRate: 0.1) }, [0.512, -1.458]))
    }

    @Test func momentumAndWeightDecay() {
        let end = minimize { SGD($0, learningRate: 0.1, momentum: 0.9, weightDecay: 0.01) }
        #expect(isClose(end, [0.058194199, -0.962648998]))
    }

    @Test func dampening() {
        #expect(isClose(minimize { SGD($0, learningRate: 0.1, momentum: 0.9, dampening: 0.5) }, [0.252, -1.2105]))
    }

    @Test func nesterov() {
        #expect(
            isClose(minimize { SGD($0, learningRate: 0.1, momentum: 0.9, nesterov: true) }, [-0.108352, -0.654642]))
    }

    @Test func adam() {
        let end = minimize { Adam($0, learningRate: 0.1, weightDecay: 0.1) }
        #expect(isClose(end, [0.701586273, -1.700623393], tolerance: 1e-6))
    }

    @Test func amsgrad() {
        let end = minimize { Adam($0, learningRate: 0.1, amsgrad: true) }
        #expect(isClose(end, [0.701586273, -1.700623393], tolerance: 1e-6))
    }

    @Test func adamW() {
        #expect(isClose(minimize { AdamW($0, learningRate: 0.1) }, [0.698911183, -1.694944515]))
    }

    /// Stopping after two steps and going on with the saved state is as if nothing had happened.
    @Test(arguments: ["sgd", "adam"])
    func resuming(_ kind: String) throws {
        let make: ([Tensor]) -> any Optimizer = {
            kind == "sgd" ? SGD($0, learningRate: 0.1, momentum: 0.9) : Adam($0, learningRate: 0.1, amsgrad: true)
        }
        let whole = minimize(make, steps: 5)
        let w = Tensor([1.0, -2.0]).requiringGrad()
        let first = make([w])
        for _ in 0..<2 { step(first, w) }
        let second = make([w])
        try second.load(state: first.state)
        for _ in 0..<3 { step(second, w) }
        #expect(w.doubles == whole)
    }

    @Test func parametersWithoutGradientStay() {
        let w = Tensor([1.0, -2.0]).requiringGrad()
        Adam([w]).step()
        #expect(w.doubles == [1, -2])
    }

    @Test func settingsBelowZeroAreErrors() {
        #expect(throws: TensorError.self) { try catchingErrors { SGD([], learningRate: -1) } }
    }
}
