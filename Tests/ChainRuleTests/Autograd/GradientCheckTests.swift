import ChainRule
import ChainRuleTestSupport
import Testing

/// The checker itself: it must accept right gradients and catch wrong ones.
struct GradientCheckTests {
    private let x = Tensor([0.5, -1.25, 2.0])

    /// x² with a gradient of `factor` · 2x, and a second gradient that is right for it.
    private func squareWithFactor(_ factor: Double) -> CustomOperation {
        CustomOperation("square") { inputs, saved in
            saved.keep(inputs[0])
            return [inputs[0] * inputs[0]]
        } gradient: { dy, saved in
            [dy[0] * saved[0] * (2 * factor)]
        }
    }

    @Test func acceptsARightGradient() {
        let square = squareWithFactor(1)
        let report = GradientCheck.check([x], order: 2) { square($0[0]) }
        #expect(report.passed, "\(report)")
        #expect(report.checkedElements == 9)
        #expect(report.description == "the gradient equals central differences in 9 elements")
    }

    @Test func namesTheElementOfAWrongGradient() throws {
        let square = squareWithFactor(1.01)
        let report = GradientCheck.check([x]) { square($0[0]) }
        #expect(!report.passed)
        #expect(report.mismatches.count == 3)
        #expect(report.description.contains("the gradient of input 0 at [1] is"), "\(report)")
        #expect(report.description.contains("central differences give"))
    }

    @Test func catchesAGradientThatIsRightOnlyInFirstOrder() {
        // The gradient is right, but part of it was computed in forward, and counts as a constant when differentiated.
        let square = CustomOperation("square") { inputs, saved in
            saved.keep(inputs[0] * 2)
            return [inputs[0] * inputs[0]]
        } gradient: { dy, saved in
            [dy[0] * saved[0]]
        }
        #expect(GradientCheck.check([x]) { square($0[0]) }.passed)
        let report = GradientCheck.check([x], order: 2) { square($0[0]) }
        #expect(report.description.contains("the second-order gradient of input 0"), "\(report)")
    }

    @Test func catchesACutGraph() {
        #expect(!GradientCheck.check([x]) { $0[0].detach() * 3 }.passed)
        #expect(!GradientCheck.check([x, x]) { $0[0] * $0[1].detach() }.passed)
    }

    @Test func integersAreHandedOn() {
        let report = GradientCheck.check([x, Tensor([1, 2, 3])]) { $0[0] * $0[1] }
        #expect(report.passed && report.checkedElements == 3)
    }

    // MARK: Hand-written gradients

    private func loss(_ w: Tensor, _ b: Tensor) -> Tensor {
        let y = w * Tensor([1.0, 2.0]) + b
        return (y * y).sum()
    }

    @Test func comparesByHand() {
        let w = Tensor([[0.5, -1.0], [1.5, 2.0]].flatMap { $0 }, shape: [2, 2], requiresGrad: true)
        let b = Tensor([0.25, 0.75], requiresGrad: true)
        let loss = loss(w, b)
        let y = w.detach() * Tensor([1.0, 2.0]) + b.detach()
        let (dw, db) = (2 * y * Tensor([1.0, 2.0]), (2 * y).sum(dim: 0))
        let equal = GradientCheck.compare(loss, with: [(w, dw), (b, db)])
        #expect(equal.passed, "\(equal)")
        #expect(equal.description.hasPrefix("parameter 0 of shape [2, 2]: equal (largest difference "))
        #expect(w.grad == nil)

        let factor = GradientCheck.compare(loss, with: [(w, dw * 0.5), (b, -db)])
        #expect(!factor.passed)
        #expect(factor.rows[0].description.contains("yours is 0.5 times the engine's everywhere"), "\(factor)")
        #expect(factor.rows[1].description.contains("opposite sign"), "\(factor)")

        let shapes = GradientCheck.compare(loss, with: [(w, nil), (b, 2 * y)])
        #expect(shapes.rows[0].description == "missing: there is no gradient to compare")
        #expect(
            shapes.rows[1].description == "wrong shape: the gradient has [2, 2], the parameter [2]", "\(shapes)")

        let transposed = GradientCheck.compare(loss, with: [(w, dw.transpose(0, 1))])
        #expect(transposed.description.contains("transpose of the engine's"), "\(transposed)")
        loss.backward()
        #expect(w.grad != nil)
    }

    /// A gradient can be tiny and still not be zero.
    @Test func tinyGradientsAreNotZero() {
        let w = Tensor([1.0, 2.0], requiresGrad: true)
        let loss = (w * w * 1e-12).sum()
        let zero = GradientCheck.compare(loss, with: [(w, Tensor.zeros(like: w))])
        #expect(zero.description.contains("yours is zero everywhere"), "\(zero)")
        #expect(GradientCheck.compare(loss, with: [(w, w.detach() * 2e-12)]).passed)
    }

    /// Nor does an infinity, or a NaN, leave room for the other elements.
    @Test func whatIsNotFiniteIsNoMeasure() {
        for start in [0, -1.0] {
            let w = Tensor([start, 1], requiresGrad: true)
            let loss = (w.sqrt() * 3).sum()
            let engine = start == 0 ? Double.infinity : .nan
            #expect(GradientCheck.compare(loss, with: [(w, Tensor([engine, 1.5]))]).passed)
            #expect(!GradientCheck.compare(loss, with: [(w, Tensor([engine, 7]))]).passed)
            #expect(!GradientCheck.compare(loss, with: [(w, Tensor([7, 1.5]))]).passed)
        }
    }

    @Test func aParameterTheLossDoesNotUse() {
        let w = Tensor([1.0], requiresGrad: true)
        let unused = Tensor([1.0], requiresGrad: true)
        let check = GradientCheck.compare(w.sum(), with: [(w, Tensor([1.0])), (unused, Tensor([1.0]))])
        #expect(check.rows[0].isEqual && !check.rows[1].isEqual)
        #expect(check.rows[1].description.contains("does not depend on this parameter"))
    }
}
