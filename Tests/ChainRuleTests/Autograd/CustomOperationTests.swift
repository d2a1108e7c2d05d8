import ChainRule
import ChainRuleTestSupport
import Testing

struct CustomOperationTests {
    private let reciprocal = CustomOperation("reciprocal") { inputs, saved in
        let y = 1 / inputs[0]
        saved.keep(y)
        return [y]
    } gradient: { dy, saved in
        [-dy[0] * saved[0] * saved[0]]
    }

    @Test func firstAndSecondOrder() {
        let report = GradientCheck.check([Tensor([0.5, -2.0, 4.0])], order: 2) { reciprocal($0[0]) }
        #expect(report.passed, "\(report)")
    }

    @Test func severalInputsAndOutputs() {
        // (a b, a + b), and an integer output that carries no gradient.
        let both = CustomOperation("both") { inputs, saved in
            saved.keep(inputs[0], inputs[1])
            return [inputs[0] * inputs[1], inputs[0] + inputs[1], Tensor(7)]
        } gradient: { dy, saved in
            [dy[0] * saved[1] + dy[1], dy[0] * saved[0] + dy[1]]
        }
        let inputs = [Tensor([1.0, 2.0]), Tensor([3.0, -4.0])]
        #expect(GradientCheck.check(inputs, order: 2) { both($0) }.passed)
        let outputs = both(inputs.map { $0.requiringGrad() })
        #expect(outputs[0].requiresGrad && !outputs[2].requiresGrad)
        let second = GradientCheck.check(inputs, order: 2) { both($0)[1] }
        #expect(second.passed, "an output nobody used counts as zero: \(second)")
    }

    @Test func nothingIsRecordedInside() {
        let x = Tensor([2.0], requiresGrad: true)
        let constant = CustomOperation("constant") { inputs, _ in
            [inputs[0] * 5]
        } gradient: { _, _ in
            [nil]
        }
        let y = constant(x) + x
        y.backward()
        #expect(x.grad?.item() == 1)
    }

    @Test func anInputHandedBackIsNotTheInput() {
        let reversed = CustomOperation("reversed") { inputs, _ in
            inputs
        } gradient: { dy, _ in
            [-dy[0]]
        }
        let x = Tensor([2.0], requiresGrad: true)
        let y = reversed(x)
        #expect(x.isLeaf && !y.isLeaf)
        y.backward()
        #expect(x.grad?.item() == -1)
    }

    @Test func withoutGradientNothingIsKept() {
        let y = withoutGradient { reciprocal(Tensor([2.0], requiresGrad: true)) }
        #expect(!y.requiresGrad && y.item() == 0.5)
        #expect(!reciprocal(Tensor([2.0])).requiresGrad)
    }

    @Test func mistakesNameTheOperation() {
        let x = Tensor([2.0], requiresGrad: true)
        func error(_ gradient: @escaping @Sendable ([Tensor], SavedTensors) -> [Tensor?]) -> TensorError? {
            let wrong = CustomOperation("wrong", forward: { inputs, _ in [inputs[0] * 1] }, gradient: gradient)
            return #expect(throws: TensorError.self) { try catchingErrors { wrong(x).backward() } }
        }
        #expect(error { _, _ in [] }?.description.hasPrefix("wrong: its gradient gave 0 tensors for 1 inputs") == true)
        #expect(error { _, _ in [Tensor([1.0, 2.0])] }?.message.contains("has shape [2], the input") == true)
        #expect(error { _, saved in [saved[0]] }?.message.contains("asks for kept tensor 0, but 0 were kept") == true)
        #expect(x.grad == nil)
    }

    @Test func aSecondBackward() {
        let y = reciprocal(Tensor([2.0], requiresGrad: true))
        y.backward()
        let error = #expect(throws: TensorError.self) { try catchingErrors { y.backward() } }
        #expect(error?.message.contains("'reciprocal' was freed") == true)
    }
}

/// A cell of the program's own, beside those of the library.
struct UserCellTests {
    private struct Cube: UnaryOperation, ElementwiseOperation {
        static let name = "cube"
        static let formula = Formula("x³", gradient: "∂L/∂x = 3 x² · ∂L/∂y")
        static let keeps: Keeps = .input
        func forward(_ x: Tensor) -> Tensor { withoutGradient { x * x * x } }
        func gradient(_ dy: Tensor, _ kept: Kept) -> Tensor { dy * (3 * kept.input * kept.input) }
        static let samples = [Sample(Cube(), -2...2)]
    }

    @Test func isSwept() {
        let failures = OperationSweep.failures(of: Cube.self)
        #expect(failures.isEmpty, "\(failures)")
    }

    private struct WrongOnViews: UnaryOperation, ElementwiseOperation {
        static let name = "wrong"
        static let formula = Formula("x", gradient: "∂L/∂x = ∂L/∂y")
        static let keeps: Keeps = []
        func forward(_ x: Tensor) -> Tensor { withoutGradient { x * 1 } }
        func gradient(_ dy: Tensor, _ kept: Kept) -> Tensor { dy.shape == [2, 3] ? dy : dy * 2 }
        static let samples = [Sample(WrongOnViews(), -2...2)]
    }

    @Test func theSweepLooksBeyondTheSample() {
        let failures = OperationSweep.failures(of: WrongOnViews.self)
        #expect(failures.map(\.variant) == ["sample 0, a single number"], "\(failures)")
    }

    private struct Quantum: UnaryOperation, NotDifferentiable {
        static let name = "quantum"
        static let reason = "it jumps"
        static let keeps: Keeps = []
        func forward(_ x: Tensor) -> Tensor { withoutGradient { x * 1 } }
        func gradient(_ dy: Tensor, _ kept: Kept) -> Tensor { dy }
    }

    @Test func nothingCutsTheGraphInSilence() {
        let x = Tensor([1.0], requiresGrad: true)
        let error = #expect(throws: TensorError.self) { try catchingErrors { apply(Quantum(), to: x) } }
        #expect(error?.operation == "quantum")
        #expect(error?.message.contains("not differentiable, because it jumps; call detach()") == true)
        #expect(apply(Quantum(), to: x.detach()).item() == 1)
        #expect(withoutGradient { apply(Quantum(), to: x) }.item() == 1)
    }
}
