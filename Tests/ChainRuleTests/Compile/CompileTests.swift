import ChainRule
import Testing

struct CompileTests {
    private func numbers(_ seed: UInt64, _ shape: Shape) -> Tensor {
        .randn(shape, dtype: .float64, generator: Generator(seed: seed))
    }

    @Test func whatDependsOnNothingIsComputedOnce() {
        let offset = Tensor.ones([8], dtype: .float32)
        let function = { (x: Tensor) in
            let mask = (Tensor.ones([8, 8], dtype: .float32) * 3).tril() + offset.exp()
            return [x + mask, mask]
        }
        let step = compile(function)
        for call in 0..<5 {
            let x = Tensor.full([8, 8], Double(call), dtype: .float32)
            var results = step(x)
            #expect(zip(results, function(x)).allSatisfy { $0.equal($1) })
            // Nobody else sees what a caller does with a result.
            results[1] += 1
        }
        let text = step.plan.description
        #expect(text.contains("computed once and for all") && !text.contains("tril"), "\(text)")
    }

    @Test func aPlanIsMadeAfterTwoCallsThatAgree() {
        var calls = 0
        let step = compile { (x: Tensor, y: Tensor) in
            calls += 1
            return (x * y).tanh() + x
        }
        for seed in 0..<5 as Range<UInt64> {
            let (x, y) = (numbers(seed, [3, 4]), numbers(seed + 10, [4]))
            #expect(agree([step(x, y)], [(x * y).tanh() + x]))
        }
        #expect(calls == 2)
        #expect(step.fallbackReason == nil)
        #expect(step.plan.description.contains("plan for (float64 [3, 4], float64 [4])"))
    }

    @Test func everySignatureHasItsPlan() {
        var calls = 0
        let step = compile { (x: Tensor) in
            calls += 1
            return x * Double(x.rank)
        }
        for _ in 0..<3 {
            #expect(step(numbers(1, [2])).shape == [2])
            #expect(step(numbers(1, [2, 2])).shape == [2, 2])
            #expect(step(numbers(1, [2]).to(.float32)).dtype == .float32)
        }
        #expect(calls == 6)
    }

    @Test func whatIsComputedTwiceOrForNobodyIsLeftOut() {
        let step = compile { (x: Tensor) in
            _ = x.exp()
            return x.sin() * x.sin()
        }
        let x = numbers(1, [3])
        for _ in 0..<3 { #expect(agree([step(x)], [x.sin() * x.sin()])) }
        let text = step.plan.description
        #expect(text.contains("1 computed before, 1 unused"), "\(text)")
    }

    @Test func aPlanSaysWhatItDoesAndWhatItTakes() {
        let step = compile { (x: Tensor) in ((x + 1).exp().sum(dim: 0) * 2).cos() }
        for seed in 0..<3 as Range<UInt64> { step(numbers(seed, [100, 10])) }
        let expected = """
            plan for (float64 [100, 10])
            4 steps for 6 recorded, 0 computed before, 0 unused
            peak memory 8.0 kB: one block of 8.0 kB, and 0 bytes that stay (results, gradients)
              1  fused (add, exp) → float64 [100, 10]
              2  sum → float64 [1, 10]
              3  reshape → float64 [10]
              4  fused (mul, cos) → float64 [10]
            """
        #expect(step.plan.description == expected)
    }

    @Test func gradientsReachLeaves() throws {
        let w = numbers(1, [3]).requiringGrad()
        let eager = numbers(1, [3]).requiringGrad()
        let function = { (w: Tensor, x: Tensor) in
            w.zeroGrad()
            let loss = (w * x).sin().sum()
            loss.backward()
            if let gradient = w.grad { w.data -= gradient * 0.1 }
            return loss
        }
        let step = compile { (x: Tensor) in function(w, x) }
        for seed in 0..<6 as Range<UInt64> {
            let x = numbers(seed, [3])
            #expect(agree([step(x)], [function(eager, x).detach()]))
            #expect(agree([w.detach(), try #require(w.grad)], [eager.detach(), try #require(eager.grad)]))
        }
        #expect(step.fallbackReason == nil)
    }

    @Test func gradientsAddUpOverCalls() throws {
        let w = numbers(1, [3]).requiringGrad()
        let eager = numbers(1, [3]).requiringGrad()
        let step = compile { (x: Tensor) in (w * w * x).sum().backward() }
        for seed in 0..<6 as Range<UInt64> {
            let x = numbers(seed, [3])
            if seed == 4 {
                w.zeroGrad()
                eager.zeroGrad()
            }
            step(x)
            (eager * eager * x).sum().backward()
            #expect(agree([try #require(w.grad)], [try #require(eager.grad)]))
        }
        #expect(step.fallbackReason == nil)
    }

    @Test func argumentsGetGradientsToo() throws {
        let step = compile { (x: Tensor) in x.exp().sum().backward() }
        for seed in 0..<4 as Range<UInt64> {
            let x = numbers(seed, [3]).requiringGrad()
            step(x)
            #expect(agree([try #require(x.grad)], [x.detach().exp()]))
        }
    }

    @Test func aLeafIsReadAnew() {
        let w = Tensor([1.0, 2.0], requiresGrad: true)
        let step = compile { (x: Tensor) in withoutGradient { x * w } }
        let x = Tensor([3.0, 4.0])
        for scale in [1.0, 1.0, 1.0, 2.0, 3.0] {
            w.data = Tensor([scale, scale])
            #expect(agree([step(x)], [x * scale]))
        }
    }

    @Test func randomNumbersAreDrawnAnew() {
        let (generator, other) = (Generator(seed: 1), Generator(seed: 1))
        let function = { (x: Tensor, generator: Generator) in
            x.dropout(p: 0.5, generator: generator) + Tensor.randn([4], dtype: .float64, generator: generator)
        }
        let step = compile { (x: Tensor) in function(x, generator) }
        let x = numbers(1, [4])
        for _ in 0..<5 { #expect(agree([step(x)], [function(x, other)])) }
        #expect(step.fallbackReason == nil)
    }

    @Test func secondOrderGradients() {
        let function = { (x: Tensor) in hessian(of: { ($0 * $0 * $0.sin()).sum() })(x) }
        let step = compile(function)
        for seed in 0..<4 as Range<UInt64> {
            #expect(agree([step(numbers(seed, [3]))], [function(numbers(seed, [3]))]))
        }
        #expect(step.fallbackReason == nil)
    }

    @Test func aCheckpointIsComputedAgain() {
        let function = { (x: Tensor) in
            let x = x.requiringGrad()
            let y = checkpoint([x]) { $0[0].exp().sin() }
            return [y.detach()] + gradient(of: y.sum(), wrt: [x])
        }
        let step = compile(function)
        for seed in 0..<4 as Range<UInt64> {
            #expect(agree(step(numbers(seed, [3])), function(numbers(seed, [3]))))
        }
        #expect(step.plan.description.components("exp") == 2, "\(step.plan)")
    }

    @Test func elementsAreSetAsOperations() {
        let function = { (x: Tensor) in
            var y = x
            y[0] = x[1] * 2
            y += 1
            return y
        }
        let step = compile(function)
        for seed in 0..<4 as Range<UInt64> {
            #expect(agree([step(numbers(seed, [3]))], [function(numbers(seed, [3]))]))
        }
        #expect(step.fallbackReason == nil)
    }
}

extension String {
    fileprivate func components(_ part: String) -> Int {
        indices.count { self[$0...].hasPrefix(part) }
    }
}
