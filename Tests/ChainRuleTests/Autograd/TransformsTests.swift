import ChainRule
import ChainRuleTestSupport
import Testing

struct TransformsTests {
    private func numbers(_ tensor: Tensor) -> [Double] { tensor.toArray(of: Double.self) }
    private func leaf(_ values: Double...) -> Tensor { Tensor(values, requiresGrad: true) }

    // MARK: gradient(of:wrt:)

    @Test func ofLeavesAndInnerTensors() {
        let (x, w) = (leaf(2), leaf(3))
        let h = x * w
        let y = h * h
        let gradients = gradient(of: y, wrt: [x, h, w, y, x])
        #expect(gradients.map(numbers) == [[36], [12], [24], [1], [36]])
        #expect(x.grad == nil && w.grad == nil, "no leaf is touched")
    }

    /// What lies behind an inner tensor is not gone through, and stays as it was.
    @Test func stopsAtWhatIsAsked() {
        let x = leaf(2)
        let h = x * x
        #expect(numbers(gradient(of: h * 3, wrt: [h])[0]) == [3])
        h.backward()
        #expect(x.grad.map(numbers) == [4])
    }

    @Test func withASeed() {
        let x = leaf(1, 2)
        #expect(numbers(gradient(of: x * x, wrt: [x], gradient: Tensor([1.0, 10]))[0]) == [2, 40])
    }

    @Test func retainGraph() throws {
        let x = leaf(3)
        let y = x * x
        _ = gradient(of: y, wrt: [x], retainGraph: true)
        _ = gradient(of: y, wrt: [x])
        let error = #expect(throws: TensorError.self) { try catchingErrors { gradient(of: y, wrt: [x]) } }
        #expect(error?.message.contains("'mul' was freed") == true)
    }

    @Test func unusedInputs() {
        let (x, other) = (leaf(3), Tensor([1.0, 2, 3], requiresGrad: true))
        let y = x * x
        let error = #expect(throws: TensorError.self) {
            try catchingErrors { gradient(of: y, wrt: [x, other], retainGraph: true) }
        }
        #expect(error?.message.contains("does not depend on input 1 of shape [3]") == true)
        let gradients = gradient(of: y, wrt: [x, other], allowUnused: true)
        #expect(gradients.map(numbers) == [[6], [0, 0, 0]])
        let plain = #expect(throws: TensorError.self) {
            try catchingErrors { gradient(of: x * x, wrt: [Tensor([1.0])]) }
        }
        #expect(plain?.message.contains("input 0 of shape [1] requires no gradient") == true)
    }

    @Test func thirdOrder() {
        let x = leaf(2)
        var y = x * x * x * x
        for expected in [32.0, 48, 48, 24] {
            y = gradient(of: y, wrt: [x], createGraph: true)[0]
            #expect(numbers(y) == [expected])
        }
    }

    // MARK: Functions

    @Test func valueAndGradients() {
        let (w, b) = (Tensor([1.0, 2.0]), leaf(3))
        let (value, gradients) = valueAndGradient(of: { ($0[0] * $0[0] * $0[1]).sum() }, at: [w, b])
        #expect(value.item() == 15)
        #expect(gradients.map(numbers) == [[6, 12], [5]])
        #expect(b.grad == nil)
        let single = valueAndGradient(of: { ($0 * $0).sum() }, at: w)
        #expect(numbers(single.gradient) == [2, 4])
        #expect(!single.value.requiresGrad && !single.gradient.requiresGrad)
        let unused = valueAndGradient(of: { $0[0].sum() }, at: [w, Tensor([1.0])])
        #expect(numbers(unused.gradients[1]) == [0])
    }

    @Test func worksInsideWithoutGradient() {
        let value = withoutGradient { valueAndGradient(of: { ($0 * $0).sum() }, at: leaf(3)) }
        #expect(numbers(value.gradient) == [6])
        #expect(!value.value.requiresGrad && !value.gradient.requiresGrad)
    }

    @Test func nesting() {
        let cube: (Tensor) -> Tensor = { $0 * $0 * $0 }
        let x = Tensor(2.0, dtype: .float64)
        #expect(gradient(of: cube)(x).item() == 12)
        #expect(gradient(of: gradient(of: cube))(x).item() == 12)
        #expect(gradient(of: gradient(of: gradient(of: cube)))(x).item() == 6)
    }

    /// d/dx of x · d/dy (x + y) at y = 1, the classic of confused perturbations: 1, not 2.
    @Test func nestedVariablesStayApart() {
        let f: (Tensor) -> Tensor = { x in x * gradient(of: { y in x + y })(Tensor(1.0, dtype: .float64)) }
        #expect(gradient(of: f)(Tensor(1.0, dtype: .float64)).item() == 1)
    }

    /// A gradient as part of a loss: what the function captured gets its gradient through it.
    @Test func gradientsOfCapturedTensors() {
        let w = leaf(3)
        let slope = gradient(of: { ($0 * $0 * w).sum() })(Tensor([2.0]))  // 2xw
        #expect(slope.requiresGrad)
        slope.backward()
        #expect(w.grad.map(numbers) == [4])
    }

    @Test func products() {
        let f: (Tensor) -> Tensor = { x in x * x.sum() }  // Jᵢⱼ = Σx δᵢⱼ + xᵢ
        let x = Tensor([1.0, 2.0, 4.0])
        let v = Tensor([1.0, -1.0, 0.5])
        let (value, pulled) = vjp(f, x, v)
        #expect(numbers(value) == [7, 14, 28])
        #expect(numbers(pulled) == [8, -6, 4.5])  // 7v + v·x
        let pushed = jvp(f, x, v)
        #expect(numbers(pushed.value) == [7, 14, 28])
        #expect(numbers(pushed.product) == [7.5, -6, 5.5])  // 7v + x Σv
        #expect(!pushed.product.requiresGrad)
    }

    @Test func jvpIsDifferentiable() {
        let report = GradientCheck.check([Tensor([1.0, 2.0]), Tensor([0.5, -1.0])], order: 2) { inputs in
            jvp({ $0 * $0 * $0 }, inputs[0], inputs[1]).product
        }
        #expect(report.passed, "\(report)")
    }

    @Test func jvpOfAConstant() {
        let product = jvp({ _ in Tensor([1.0, 2.0]) }, Tensor([3.0]), Tensor([1.0])).product
        #expect(numbers(product) == [0, 0])
    }

    @Test func jacobians() {
        let f: (Tensor) -> Tensor = { x in x * x.sum() }
        let J = jacobian(of: f)(Tensor([1.0, 2.0, 4.0]))
        #expect(J.shape == [3, 3])
        #expect(numbers(J) == [8, 1, 1, 2, 9, 2, 4, 4, 11])
        let wide = jacobian(of: { $0.sum(dim: 0) })(Tensor([1.0, 2, 3, 4, 5, 6], shape: [2, 3]))
        #expect(wide.shape == [3, 2, 3])
        #expect(numbers(wide.sum(dim: [1, 2])) == [2, 2, 2])
        #expect(jacobian(of: { $0.sum() })(Tensor([1.0, 2.0])).shape == [2])
        #expect(jacobian(of: { $0 * 2 })(Tensor.zeros([0], dtype: .float64)).shape == [0, 0])
    }

    @Test func hessians() {
        // f = x² y + y³
        let f: (Tensor) -> Tensor = { v in v[0] * v[0] * v[1] + v[1] * v[1] * v[1] }
        let H = hessian(of: f)(Tensor([2.0, 3.0]))
        #expect(H.shape == [2, 2])
        #expect(numbers(H) == [6, 4, 4, 18])
        // Third derivatives, and a Hessian as part of a loss.
        let third = jacobian(of: hessian(of: f))(Tensor([2.0, 3.0]))
        #expect(numbers(third) == [0, 2, 2, 0, 2, 0, 0, 6])
        let x = leaf(2, 3)
        hessian(of: f)(x).sum().backward()  // 2y + 4x + 6y
        #expect(x.grad.map(numbers) == [4, 8])
    }

    @Test func mistakes() {
        func message(_ body: () -> Void) -> String? {
            #expect(throws: TensorError.self) { try catchingErrors(body) }?.message
        }
        let x = Tensor([1.0, 2.0])
        #expect(message { _ = gradient(of: { $0 * 2 })(x) }?.contains("has shape [2]") == true)
        #expect(message { _ = vjp({ $0.sum() }, x, x) }?.contains("v has shape [2]") == true)
        #expect(message { _ = jvp({ $0.sum() }, x, Tensor(1.0)) }?.contains("v has shape []") == true)
        #expect(message { x.backward() }?.contains("requires no gradient") == true)
        #expect(message { (leaf(1, 2) * 2).backward() }?.contains("one element") == true)
    }
}
