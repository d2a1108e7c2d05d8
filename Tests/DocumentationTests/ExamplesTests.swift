import CKernels
import ChainRuleNN
import ChainRuleTestSupport
import Foundation
import Testing

@testable import ChainRule

/// What README.md and CONTRIBUTING.md show, compiled and run. `everyExampleIsHere` sees to it that nothing shown is missing.
@Suite struct ExamplesTests {
    @Test func training() {
        let batches = [(Tensor.ones([4, 784]), Tensor([0, 1, 2, 3] as [Int64]))]
        let model = Sequential {
            Linear(784, 256)
            ReLU()
            Linear(256, 10)
        }
        let optimizer = SGD(model.parameters, learningRate: 0.1)
        let loss = CrossEntropyLoss()

        for (images, labels) in batches {
            optimizer.zeroGrad()
            loss(model(images), labels).backward()
            optimizer.step()
        }
        #expect(model.parameters.allSatisfy { $0.grad != nil })

        let step = compile { (images: Tensor, labels: Tensor) in
            optimizer.zeroGrad()
            let error = loss(model(images), labels)
            error.backward()
            optimizer.step()
            return error
        }
        for (images, labels) in batches { print(step(images, labels).item()) }
        print(step.plan)
        #expect(step.fallbackReason == nil)
    }

    @Test func threeWays() {
        let (x, y) = (Tensor(3.0), Tensor(1.0))
        let (input, target) = (Tensor.ones([2, 3]), Tensor([0, 1] as [Int64]))
        let model = Sequential {
            Linear(3, 2)
            LogSoftmax(dim: -1)
        }
        let criterion = NLLLoss()

        // 1. The dynamic graph (PyTorch): the graph is built as the program runs.
        let w = Tensor(1.0, requiresGrad: true)
        let loss = (x * w - y).squared()
        loss.backward()
        w.data -= 0.01 * w.grad!
        w.zeroGrad()

        // 2. Modules and criterions (Torch 7): forward and backward called by hand.
        let output = model.forward(input)
        let error = criterion.forward(output, target)
        let dOutput = criterion.backward(output, target)
        let dInput = model.backward(input, dOutput)
        model.updateParameters(learningRate: 0.01)

        // 3. Rules derived by hand, checked against the engine (GradientCheck is in ChainRuleTestSupport).
        let gradientByHand = x * 2 * (x * w - y)
        print(GradientCheck.compare((x * w - y).squared(), with: [(w, gradientByHand)]))

        #expect(error.item() > 0)
        #expect(dInput.shape == input.shape)
        #expect(GradientCheck.compare((x * w - y).squared(), with: [(w, gradientByHand)]).passed)
    }

    @Test func operationCell() {
        let check = GradientCheck.check([Tensor([0.5, -1.5])], order: 2) { $0[0].softsign() }
        #expect(check.passed, "\(check)")
        #expect(Tensor([-1, 0, 3] as [Float]).softsign().toArray() == [-0.5, 0, 0.75] as [Float])
    }

    @Test(arguments: ["README.md", "CONTRIBUTING.md"])
    func everyExampleIsHere(_ document: String) throws {
        let here = URL(fileURLWithPath: #filePath)
        let root = here.deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        let compiled = code(try String(contentsOf: here, encoding: .utf8))
        let text = try String(contentsOf: root.appendingPathComponent(document), encoding: .utf8)
        let blocks = text.components(separatedBy: "```swift\n").dropFirst()
        #expect(!blocks.isEmpty)
        // A line for a Package.swift is no program; imports stand at the top of this file.
        for block in blocks.map({ $0.components(separatedBy: "\n```")[0] }) where !block.hasPrefix(".package") {
            #expect(compiled.contains(code(block)), "\(document) shows what is not compiled here:\n\(block)")
        }
    }

    /// The text without imports and white space.
    private func code(_ text: String) -> String {
        text.split(separator: "\n").filter { !$0.hasPrefix("import ") }.joined().filter { !$0.isWhitespace }
    }
}

/// y = x / (1 + |x|)
struct Softsign: UnaryOperation, ElementwiseOperation {
    static let name = "softsign"
    static let formula = Formula("x / (1 + |x|)", gradient: "∂L/∂x = ∂L/∂y / (1 + |x|)²")
    static let keeps: Keeps = .input
    func forward(_ x: Tensor) -> Tensor {
        CPU.binary(CK_DIV, x, CPU.binary(CK_ADD, CPU.unary(CK_ABS, x), .integer(1), name: Self.name), name: Self.name)
    }
    func gradient(_ dy: Tensor, _ kept: Kept) -> Tensor { dy / (1 + kept.input.abs()).squared() }
    static let samples = [Sample(Softsign(), 0.1...3), Sample(Softsign(), -3 ... -0.1)]
}

extension Tensor {
    /// x / (1 + |x|) of each element. Floating dtypes; same shape.
    public func softsign() -> Tensor { apply(Softsign(), to: to(dtype.asFloatingPoint)) }
}
