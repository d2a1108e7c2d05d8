import ChainRule
import Testing

struct AnomalyDetectionTests {
    private func error(_ body: () -> Void) -> TensorError? {
        #expect(throws: TensorError.self) { try catchingErrors { detectingAnomalies(body) } }
    }

    @Test func namesTheOperationForward() {
        let x = Tensor([1.0, 0.0, 2.0])
        let found = error {
            let y = 1 / x
            _ = y * 2 + 1
        }
        #expect(found?.operation == "reciprocal")
        #expect(found?.message == "made an infinity at flat index 1 of its result of shape [3]")
        #expect(error { _ = x / Tensor([1.0, 0.0, 1.0]) }?.message.hasPrefix("made a NaN at flat index 1") == true)
    }

    /// The value is finite, its derivative is not, and computing that takes other operations.
    @Test func namesTheOperationBackward() {
        let tiny = CustomOperation("root") { inputs, _ in
            [inputs[0] * 1]
        } gradient: { dy, _ in
            [dy[0] / 0.0]
        }
        let x = Tensor([1.0, 2.0], requiresGrad: true)
        let found = error { (tiny(x * 3) * 2).sum().backward() }
        #expect(found?.operation == "backward of root")
        #expect(found?.message.hasPrefix("made an infinity at flat index 0 of its result of shape [2]") == true)
        let divided = error { (Tensor([1.0]) / (x.sum() - 3)).backward() }
        #expect(divided?.operation == "div")
    }

    @Test func everyFloatingDType() {
        for dtype in [DType.float16, .bfloat16, .float32, .float64] {
            let zero = Tensor.zeros([2, 2], dtype: dtype)
            #expect(error { _ = Tensor.ones([2, 2], dtype: dtype).transpose(0, 1) / zero }?.operation == "div")
        }
    }

    @Test func finiteResultsAndOtherScopesPass() throws {
        let x = Tensor([0.0], requiresGrad: true)
        try catchingErrors { detectingAnomalies { (x * x + 1).backward() } }
        let outside = 1 / x.detach()
        #expect(outside.item() == .infinity)
        // An infinity that was there before: the operation that hands it on first in the scope is named.
        #expect(error { _ = outside * 2 }?.operation == "mul")
        detectingAnomalies {}
        #expect((1 / x.detach()).item() == .infinity, "checking ends with its scope")
    }
}
