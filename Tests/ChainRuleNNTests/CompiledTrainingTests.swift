import ChainRule
import ChainRuleNN
import Testing

/// Whole training steps, compiled and as written: the same losses, parameters and buffers.
struct CompiledTrainingTests {
    enum Network: CaseIterable {
        case perceptron, convolutional
    }

    enum Update: CaseIterable {
        case momentum, nesterov, adam, amsgrad, adamW, rmsprop, nadam
    }

    private final class Run {
        let model: Sequential
        let optimizer: any Optimizer
        let generator = Generator(seed: 5)
        let input: Shape

        init(_ network: Network, _ update: Update) {
            let generator = generator
            switch network {
            case .perceptron:
                model = Sequential {
                    Linear(6, 8)
                    Tanh()
                    Linear(8, 8)
                    ReLU()
                    Linear(8, 3)
                }
                input = [5, 6]
            case .convolutional:
                model = Sequential {
                    Conv2d(1, 4, kernelSize: 3)
                    BatchNorm2d(4)
                    ReLU()
                    MaxPool2d(2)
                    GeneratedDropout(generator)
                    Flatten()
                    Linear(16, 3)
                }
                input = [5, 1, 6, 6]
            }
            let random = Generator(seed: 3)
            for (_, parameter) in model.namedParameters {
                parameter.data = Tensor.uniform(parameter.shape, -0.5...0.5, generator: random)
            }
            let parameters = model.parameters
            switch update {
            case .momentum: optimizer = SGD(parameters, learningRate: 0.05, momentum: 0.9, weightDecay: 0.01)
            case .nesterov: optimizer = SGD(parameters, learningRate: 0.05, momentum: 0.9, nesterov: true)
            case .adam: optimizer = Adam(parameters, learningRate: 0.01)
            case .amsgrad: optimizer = Adam(parameters, learningRate: 0.01, amsgrad: true)
            case .adamW: optimizer = AdamW(parameters, learningRate: 0.01)
            case .rmsprop: optimizer = RMSprop(parameters, learningRate: 0.01, momentum: 0.5)
            case .nadam: optimizer = NAdam(parameters, learningRate: 0.01)
            }
        }

        func step(_ x: Tensor, _ y: Tensor) -> Tensor {
            optimizer.zeroGrad()
            let loss = model(x).crossEntropy(y)
            loss.backward()
            optimizer.step()
            return loss
        }
    }

    @Test(arguments: Network.allCases, Update.allCases) func twentySteps(_ network: Network, _ update: Update) {
        let (eager, compiled) = (Run(network, update), Run(network, update))
        let step = compile { (x: Tensor, y: Tensor) in compiled.step(x, y) }
        let random = Generator(seed: 7)
        for count in 0..<20 {
            if count == 10 {
                eager.optimizer.learningRate /= 2
                compiled.optimizer.learningRate /= 2
            }
            let x = Tensor.randn(eager.input, generator: random)
            let y = Tensor.randint(0, 3, [5], generator: random)
            let (expected, loss) = (eager.step(x, y), step(x, y))
            #expect(isClose(loss.doubles, expected.doubles, tolerance: 1e-5), "step \(count)")
        }
        #expect(step.fallbackReason == nil)
        for ((path, mine), (_, theirs)) in zip(compiled.model.namedParameters, eager.model.namedParameters) {
            #expect(isClose(mine.doubles, theirs.doubles, tolerance: 1e-4), "\(path)")
        }
        for ((path, mine), (_, theirs)) in zip(compiled.model.namedBuffers, eager.model.namedBuffers) {
            #expect(isClose(mine.doubles, theirs.doubles, tolerance: 1e-4), "\(path)")
        }
    }

    @Test func trainingAndEvaluationHavePlansOfTheirOwn() {
        let model = BatchNorm1d(3)
        let step = compile { (x: Tensor) in withoutGradient { model(x) } }
        let x = Tensor.randn([4, 3], generator: Generator(seed: 1))
        for isTraining in [true, true, true, false, false, false, true, false] {
            model.train(isTraining)
            let copy = BatchNorm1d(3)
            copy.runningMean = model.runningMean
            copy.runningVariance = model.runningVariance
            copy.train(isTraining)
            #expect(isClose(step(x).doubles, copy(x).doubles, tolerance: 1e-6))
            #expect(isClose(model.runningMean?.doubles ?? [], copy.runningMean?.doubles ?? [1], tolerance: 1e-6))
        }
        #expect(step.fallbackReason == nil)
    }

    @Test func parametersMayBeFrozenAndReplaced() {
        let model = Linear(2, 1)
        let step = compile { (x: Tensor) in
            for parameter in model.parameters { parameter.zeroGrad() }
            model(x).sum().backward()
        }
        let x = Tensor([1, 2] as [Float], shape: [1, 2])
        for _ in 0..<3 { step(x) }
        #expect(model.weight.grad?.doubles == [1, 2])
        model.weight = Tensor([3, 4] as [Float], shape: [1, 2])
        for _ in 0..<4 {
            step(x)
            #expect(model.weight.grad?.doubles == [1, 2])
        }
    }
}

/// Dropout with a generator of its own.
private final class GeneratedDropout: Module, Layer {
    private let generator: Generator
    init(_ generator: Generator) { self.generator = generator }
    func callAsFunction(_ input: Tensor) -> Tensor { input.dropout(p: 0.5, training: isTraining, generator: generator) }
}
