import ChainRule
import Foundation
import Testing

/// Whether this was built with the address sanitizer.
private let isSanitized = dlsym(dlopen(nil, RTLD_NOW), "__asan_init") != nil

/// Functions of their own, for the code inside `#expect` is the macro's as far as debug information goes.
@inline(never)
private func addMisfits() {
    _ = Tensor([1.0, 2.0]) + Tensor([1.0, 2.0, 3.0])
}
private let lineOfAddition = #line - 2

@inline(never)
private func multiplyMisfits() -> TensorError? {
    do {
        try catchingErrors {
            let wrong = Tensor([1.0, 2.0]) * Tensor([1.0, 2.0, 3.0])
            wrong.reshape(17).backward()
        }
        return nil
    } catch {
        return error as? TensorError
    }
}
private let lineOfProduct = #line - 8

/// Mistakes stop the program with a sentence, or are thrown by `catchingErrors`.
struct ErrorTests {
    // MARK: Traps

    /// The sentence a mistake stops the program with.
    private func text(_ result: ExitTest.Result?) -> String {
        String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
    }

    @Test func trapNamesOperationShapesAndLine() async {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            addMisfits()
        }
        let text = text(result)
        #expect(text.contains("add: shapes [2] and [3] do not broadcast"), "\(text)")
        #expect(
            text.contains("Called at ChainRuleTests/ErrorTests.swift:\(lineOfAddition) in addMisfits()."), "\(text)")
    }

    @Test func trapInBackward() async {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            Tensor([1.0, 2.0]).backward()
        }
        #expect(text(result).contains("backward: the tensor of shape [2] requires no gradient"), "\(text(result))")
    }

    @Test func trapNamesTheModule() async {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            final class Layer: OperationScope {
                override var scopeName: String { "layer1.0.conv1" }
            }
            Layer().scope { _ = Tensor([1.0, 2.0]).reshape(3) }
        }
        let text = text(result)
        #expect(text.contains("reshape (in module layer1.0.conv1): 2 elements of shape [2]"), "\(text)")
    }

    @Test func trapNamesAShapeWithoutMemory() async {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            _ = Tensor.ones([1, 1]).expand([1 << 40, 1]) + Tensor.ones([1, 1]).expand([1, 1 << 40])
        }
        #expect(text(result).contains("larger than any memory"), "\(text(result))")
    }

    // MARK: catchingErrors

    private func fails() -> Tensor { Tensor([1.0, 2.0]) + Tensor([1.0, 2.0, 3.0]) }

    @Test func throwsTheFirstMistake() {
        let error = multiplyMisfits()
        #expect(error?.operation == "mul")
        #expect(error?.message.contains("shapes [2] and [3]") == true)
        #expect(error?.module == nil)
        #expect(error?.description.hasSuffix(".") == true)
    }

    /// What follows the mistake looks for axes that the empty tensor in its place lacks.
    @Test func goesOnToTheEndAfterAMistake() {
        expectMistake("differ") {
            var shape = einsum("ij,jk->ik", Tensor.ones([2, 3]), Tensor.ones([3, 2], dtype: .int64)).shape
            shape[1] = shape[2] + 1
        }
    }

    @Test(.disabled(if: isSanitized, "frames have no names under the address sanitizer"))
    func namesTheLineThatMadeTheMistake() {
        let error = multiplyMisfits()
        #expect(error?.caller.line == lineOfProduct)
        #expect(error?.caller.file?.hasSuffix("ErrorTests.swift") == true)
    }

    @Test func everythingStillWorksAfterwards() throws {
        let x = Tensor([1.0, 2.0], requiresGrad: true)
        #expect(throws: TensorError.self) {
            try catchingErrors { ((x * x) + Tensor([1.0, 2.0, 3.0])).sum().backward() }
        }
        #expect(x.grad == nil)
        #expect(throws: TensorError.self) {
            try catchingErrors { withoutGradient { (x.reshape(7) * x).sum() } }
        }
        try catchingErrors { (x * x).sum().backward() }
        #expect(x.grad?.toArray(of: Double.self) == [2, 4])
        // What stood in for a failed result has not become part of a graph.
        let later = #expect(throws: TensorError.self) { try catchingErrors { fails().backward() } }
        #expect(later?.operation == "add")
    }

    /// A mistake in backward leaves the leaves as they were from there on, and says which operation made it.
    @Test func inBackward() throws {
        let broken = CustomOperation("broken") { inputs, _ in
            [inputs[0] * 2]
        } gradient: { dy, _ in
            [dy[0] + Tensor([1.0, 2.0, 3.0])]
        }
        let x = Tensor([1.0, 2.0], requiresGrad: true)
        let error = #expect(throws: TensorError.self) { try catchingErrors { broken(x * 1).sum().backward() } }
        #expect(error?.message.contains("shapes [2] and [3]") == true)
        #expect(x.grad == nil)
        (x * x).sum().backward()
        #expect(x.grad?.toArray(of: Double.self) == [2, 4])
    }

    @Test func nests() throws {
        var inner: TensorError?
        let value = try catchingErrors {
            do { _ = try catchingErrors { fails() } } catch let error as TensorError { inner = error }
            return Tensor([1.0, 2.0]).sum().item()
        }
        #expect(value == 3 && inner?.operation == "add")
        // The outer scope's own mistake is not covered by an inner scope that went well.
        let error = #expect(throws: TensorError.self) {
            try catchingErrors {
                _ = fails()
                _ = try catchingErrors { Tensor([1.0]) * 2 }
            }
        }
        #expect(error?.operation == "add")
    }

    @Test func theMistakeGoesBeforeWhatFollowsFromIt() {
        struct Consequence: Error {}
        #expect(throws: TensorError.self) {
            try catchingErrors {
                _ = fails()
                throw Consequence()
            }
        }
        #expect(throws: Consequence.self) { try catchingErrors { throw Consequence() } }
    }

    @Test func aGradientThatDoesNotFitItsLeaf() {
        let x = Tensor([1.0, 2.0], requiresGrad: true)
        let error = #expect(throws: TensorError.self) { try catchingErrors { x.grad = Tensor([1.0]) } }
        #expect(
            error?.description.hasPrefix("grad: a gradient of shape [1] float64 does not fit its tensor of shape [2]")
                == true)
        let data = #expect(throws: TensorError.self) { try catchingErrors { x.data = Tensor([1.0]) } }
        #expect(data?.message.contains("does not fit the leaf's [2] float64") == true)
        let inner = #expect(throws: TensorError.self) { try catchingErrors { (x * 2).data = x.detach() } }
        #expect(inner?.message.contains("the result of 'mul'") == true)
        let integers = #expect(throws: TensorError.self) { try catchingErrors { Tensor([1, 2]).requiringGrad() } }
        #expect(integers?.message.contains("this one is int64") == true)
    }
}
