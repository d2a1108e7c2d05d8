import ChainRule
import ChainRuleNN
import Testing

private final class Block: Module, Layer {
    let first = Linear(2, 3)
    let norms = [BatchNorm1d(3), BatchNorm1d(3)]
    let shortcut: Linear?
    @Parameter var scale: Tensor

    init(hasShortcut: Bool) {
        shortcut = hasShortcut ? Linear(2, 3, bias: false) : nil
        _scale = Parameter(.ones([1]))
        super.init()
    }

    func callAsFunction(_ input: Tensor) -> Tensor {
        let main = norms.reduce(first(input)) { $1($0) } * scale
        return shortcut.map { main + $0(input) } ?? main
    }
}

struct ModuleTests {
    @Test func parametersHavePaths() {
        let names = Block(hasShortcut: true).namedParameters.map(\.path)
        #expect(
            Set(names) == [
                "scale", "first.weight", "first.bias", "norms.0.weight", "norms.0.bias", "norms.1.weight",
                "norms.1.bias", "shortcut.weight",
            ])
        #expect(names.count == 8)
    }

    @Test func buffersHavePyTorchNames() {
        let names = Block(hasShortcut: false).namedBuffers.map(\.path)
        #expect(names.contains("norms.0.running_mean"))
        #expect(names.contains("norms.1.running_var"))
        #expect(names.contains("norms.1.num_batches_tracked"))
    }

    @Test func stateTravels() throws {
        let source = Block(hasShortcut: true)
        let target = Block(hasShortcut: true)
        _ = source(.randn([4, 2]))
        let leaf = target.first.weight
        try target.load(stateDictionary: source.stateDictionary)
        let input = Tensor.randn([3, 2])
        source.eval()
        target.eval()
        #expect(source(input).doubles == target(input).doubles)
        #expect(leaf.doubles == source.first.weight.doubles, "loading must keep the identity of the leaves")
    }

    @Test func stateMustFit() {
        let block = Block(hasShortcut: false)
        var state = block.stateDictionary
        state["scale"] = nil
        #expect(throws: StateError.self) { try block.load(stateDictionary: state) }
        state["scale"] = .ones([2])
        #expect(throws: StateError.self) { try block.load(stateDictionary: state) }
        state["scale"] = .ones([1])
        state["more"] = .ones([1])
        #expect(throws: StateError.self) { try block.load(stateDictionary: state) }
        #expect(throws: Never.self) { try block.load(stateDictionary: state, strict: false) }
    }

    @Test func freezing() {
        let block = Block(hasShortcut: false)
        block.first.freeze()
        #expect(block.parameters.count == 5)
        #expect(block.namedParameters.count == 7)
        block(.randn([4, 2])).sum().backward()
        #expect(block.first.namedParameters.allSatisfy { $0.tensor.grad == nil })
        #expect(block.scale.grad != nil)
        block.first.unfreeze()
        #expect(block.parameters.count == 7)
    }

    @Test func modesReachAllModules() {
        let block = Block(hasShortcut: false)
        block.eval()
        #expect(block.namedModules().allSatisfy { !$0.module.isTraining })
        block.train()
        #expect(block.namedModules().allSatisfy { $0.module.isTraining })
    }

    @Test func printing() {
        let model = Sequential {
            Conv2d(1, 16, kernelSize: 5)
            ReLU()
            Flatten()
            Linear(9216, 10, bias: false)
        }
        #expect(
            model.description == """
                Sequential(
                  (0): Conv2d(1, 16, kernelSize: 5)  weight [16, 1, 5, 5], bias [16]  416 parameters
                  (1): ReLU()
                  (2): Flatten()
                  (3): Linear(9216, 10, bias: false)  weight [10, 9216]  92,160 parameters
                )  92,576 parameters
                """)
    }

    @Test func explicitTrainingLowersTheLoss() {
        let model = Sequential {
            Linear(2, 8)
            Tanh()
            Linear(8, 1)
        }
        // Weights of its own: the default generator is shared with tests that run at the same time.
        let generator = Generator(seed: 1)
        for (_, parameter) in model.namedParameters {
            parameter.data = .uniform(parameter.shape, -0.5...0.5, generator: generator)
        }
        let criterion = MSELoss()
        let input = Tensor([Float(0), 0, 0, 1, 1, 0, 1, 1], shape: [4, 2])
        let target = Tensor([Float(0), 1, 1, 1], shape: [4, 1])
        let before = criterion.forward(model.forward(input), target).item()
        for _ in 0..<200 {
            let output = model.forward(input)
            model.zeroGradParameters()
            model.backward(input, criterion.backward(output, target))
            model.updateParameters(learningRate: 0.05)
        }
        #expect(criterion.forward(model.forward(input), target).item() < before / 2)
    }
}
