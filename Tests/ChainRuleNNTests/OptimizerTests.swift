import ChainRule
import ChainRuleNN
import Testing

/// A method, and where three steps take it.
private struct Method: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let end: [Double]
    let make: @Sendable ([Tensor]) -> any Optimizer

    init(_ name: String, _ end: [Double] = [], _ make: @escaping @Sendable ([Tensor]) -> any Optimizer) {
        testDescription = name
        self.end = end
        self.make = make
    }
}

private let methods = [
    Method("Adam, upwards", [1.300490054, -2.300352395]) { Adam($0, learningRate: 0.1, maximize: true) },
    Method("NAdam", [0.752729266, -1.747508502]) { NAdam($0, learningRate: 0.1) },
    Method("RAdam", [0.46230336, -1.431540105]) { RAdam($0, learningRate: 0.1) },
    Method("Rprop", [0.636, -1.636]) { Rprop($0, learningRate: 0.1) },
    Method("Adafactor", [0.598743971, -1.582177268]) { Adafactor($0, learningRate: 0.1) },
    Method("LBFGS", [2.885e-06, -2.999e-06]) { LBFGS($0, learningRate: 0.1, lineSearch: .strongWolfe) },
    Method("ASGD", [0.495949384, -1.413805003]) { ASGD($0, learningRate: 0.1, lambda: 0.1, t0: 1) },
]

/// More that must go on from a saved state; their steps are held to PyTorch's by the conformance cases.
private let resumed = [
    Method("SGD") { SGD($0, learningRate: 0.1, momentum: 0.9) },
    Method("amsgrad") { Adam($0, learningRate: 0.1, amsgrad: true) },
    Method("RMSprop") { RMSprop($0, momentum: 0.9, centered: true) },
    Method("Adagrad") { Adagrad($0, learningRateDecay: 0.1, initialAccumulatorValue: 0.1) },
    Method("Adadelta") { Adadelta($0) },
    Method("Adamax") { Adamax($0) },
    Method("LBFGS of fixed steps") { LBFGS($0, learningRate: 0.1, maximumIterations: 2) },
]

/// Three steps on w₀² + ½ w₁² from (1, −2), as PyTorch takes them.
struct OptimizerTests {
    private func minimize(_ make: ([Tensor]) -> any Optimizer, steps: Int = 3) -> [Double] {
        let w = Tensor([1.0, -2.0]).requiringGrad()
        let optimizer = make([w])
        for _ in 0..<steps { step(optimizer, w) }
        return w.doubles
    }

    private func step(_ optimizer: any Optimizer, _ w: Tensor) {
        optimizer.step {
            optimizer.zeroGrad()
            let loss = (w.squared() * Tensor([1.0, 0.5])).sum()
            loss.backward()
            return loss
        }
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

    @Test(arguments: methods)
    private func methodsTakePyTorchsSteps(_ method: Method) {
        #expect(isClose(minimize(method.make), method.end, tolerance: 1e-6))
    }

    /// Stopping after two steps and going on with the saved state is as if nothing had happened.
    @Test(arguments: methods + resumed)
    private func resuming(_ method: Method) throws {
        let whole = minimize(method.make, steps: 5)
        let w = Tensor([1.0, -2.0]).requiringGrad()
        let first = method.make([w])
        for _ in 0..<2 { step(first, w) }
        let second = method.make([w])
        try second.load(state: first.state)
        for _ in 0..<3 { step(second, w) }
        #expect(w.doubles == whole)
    }

    @Test func stateMustFit() {
        let optimizer = RMSprop([Tensor([1.0, -2.0]).requiringGrad()])
        #expect(throws: StateError.self) { try optimizer.load(state: ["0.square_avg": .zeros([3])]) }
        #expect(throws: StateError.self) { try optimizer.load(state: ["1.square_avg": .zeros([2])]) }
    }

    @Test func factoredStateOfAMatrix() throws {
        let w = Tensor([1.0, -2, 3, 0.5, 2, -1], shape: [2, 3]).requiringGrad()
        let optimizer = Adafactor([w])
        w.squared().sum().backward()
        optimizer.step()
        #expect(optimizer.state["0.row_var"]?.shape == [2, 1])
        #expect(optimizer.state["0.col_var"]?.shape == [1, 3])
        try optimizer.load(state: optimizer.state)
    }

    @Test func groupsHaveTheirOwnSettings() {
        let w = Tensor([1.0, -2.0]).requiringGrad()
        let v = Tensor([3.0]).requiringGrad()
        let optimizer = SGD([w], learningRate: 0.1, momentum: 0.9)
        optimizer.addGroup([v]) {
            $0.learningRate = 0.01
            $0.momentum = 0
        }
        #expect(optimizer.learningRates == [0.1, 0.01])
        for _ in 0..<3 {
            optimizer.zeroGrad()
            ((w.squared() * Tensor([1.0, 0.5])).sum() + v.squared().sum()).backward()
            optimizer.step()
        }
        #expect(isClose(w.doubles + v.doubles, [0.062, -0.972, 2.823576]))
        optimizer.learningRate = 0.5
        #expect(optimizer.groups.map(\.options.learningRate) == [0.5, 0.5])
    }

    @Test func lineSearchNeedsTheLoss() {
        #expect(throws: TensorError.self) { try catchingErrors { LBFGS([]).step() } }
    }

    @Test func parametersWithoutGradientStay() {
        let w = Tensor([1.0, -2.0]).requiringGrad()
        Adam([w]).step()
        #expect(w.doubles == [1, -2])
    }

    @Test func printing() {
        let w = Tensor([1.0, -2.0]).requiringGrad()
        let optimizer = SGD([w], learningRate: 0.1, momentum: 0.9)
        optimizer.addGroup([w, w]) { $0.learningRate = 0.01 }
        let rest = "dampening: 0.0, weightDecay: 0.0, nesterov: false, maximize: false)"
        #expect(
            "\(optimizer)" == """
                SGD(1 parameter, learningRate: 0.1, momentum: 0.9, \(rest)
                SGD(2 parameters, learningRate: 0.01, momentum: 0.9, \(rest)
                """)
    }

    @Test func onlyLeavesCanBeTrained() {
        let w = Tensor([1.0, -2.0]).requiringGrad()
        for make in methods.map(\.make) {
            let error = #expect(throws: TensorError.self) { try catchingErrors { make([w, w * 2]) } }
            #expect(error?.message.contains("parameter 1 of shape [2] is no leaf") == true)
        }
    }

    @Test func settingsBelowZeroAreErrors() {
        #expect(throws: TensorError.self) { try catchingErrors { SGD([], learningRate: -1) } }
    }
}
