import ChainRule
import Testing

/// What cannot be recorded runs as it is written, and says why.
struct FallbackTests {
    private func reason(_ function: @escaping (Tensor) -> Tensor, calls: Int = 6) -> String? {
        let step = compile(function)
        for seed in 0..<calls {
            let x = Tensor.randn([3], dtype: .float64, generator: Generator(seed: UInt64(seed)))
            #expect(agree([step(x)], [function(x)]))
        }
        return step.fallbackReason
    }

    @Test func readingNumbers() {
        #expect(reason { $0.sum().item() > 0 ? $0 : -$0 }?.contains("item() reads a number") == true)
        #expect(reason { $0.equal($0.abs()) ? $0 : -$0 }?.contains("booleans are read") == true)
        #expect(reason { $0.toArray(of: Double.self)[0] > 0 ? $0 : -$0 }?.contains("numbers are read out") == true)
        #expect(reason { "\($0)".isEmpty ? $0 : -$0 }?.contains("numbers are read out") == true)
        let sumsMemory = { (x: Tensor) in
            x * x.withUnsafeElements(of: Double.self) { $0.reduce(0, +) }
        }
        #expect(reason(sumsMemory)?.contains("memory of a tensor is read") == true)
    }

    @Test func classesNeedNotBeRead() {
        let step = compile { (x: Tensor) in x.oneHot(numClasses: 4) }
        for call in 0..<4 {
            let classes = Tensor([call, 3 - call])
            #expect(agree([step(classes)], [classes.oneHot(numClasses: 4)]))
        }
        #expect(step.fallbackReason == nil)
    }

    @Test func shapesThatDependOnValues() {
        #expect(reason { $0[$0 .> 0].sum() + $0 }?.contains("'nonzero' depends on values") == true)
    }

    @Test func numbersThatChange() {
        var count = 0.0
        let step = compile { (x: Tensor) in
            count += 1
            return x * count
        }
        let x = Tensor([1.0, 2.0])
        for call in 1..<7 { #expect(agree([step(x)], [x * Double(call)])) }
        #expect(step.fallbackReason?.contains("'mul' is not the same from call to call") == true)
    }

    @Test func tensorsThatChange() {
        var count = 0.0
        let made = compile { (x: Tensor) in
            count += 1
            return x * Tensor([count])
        }
        let x = Tensor([1.0, 2.0])
        for call in 1..<7 { #expect(agree([made(x)], [x * Double(call)])) }
        #expect(made.fallbackReason?.contains("from numbers that change") == true)
        var other = Tensor([1.0])
        let captured = compile { (x: Tensor) in x * other }
        for call in 1..<7 {
            other = Tensor([Double(call)])
            #expect(agree([captured(x)], [x * Double(call)]))
        }
        #expect(captured.fallbackReason?.contains("another one in every call") == true)
    }

    @Test func keptResults() {
        var kept: Tensor?
        let step = compile { (x: Tensor) in
            let y = x.exp()
            kept = y
            return y * 2
        }
        for call in 1..<7 {
            let x = Tensor([Double(call)])
            step(x)
            #expect(kept.map { agree([$0], [x.exp()]) } == true)
        }
        #expect(step.fallbackReason?.contains("the result of 'exp' is kept outside") == true)
    }

    @Test func somethingSetUpInTheFirstCallDoesNoHarm() {
        var kept: Tensor?
        let step = compile { (x: Tensor) in
            let factor = kept ?? Tensor([2.0])
            kept = factor
            return x * factor
        }
        for call in 1..<7 {
            let x = Tensor([Double(call)])
            #expect(agree([step(x)], [x * 2]))
        }
        #expect(step.fallbackReason == nil)
    }

    @Test func graphsThatGoOn() {
        let w = Tensor([1.0, 2.0], requiresGrad: true)
        let step = compile { (x: Tensor) in (w * x).sum() }
        for _ in 0..<4 {
            w.zeroGrad()
            step(Tensor([3.0, 4.0])).backward()
            #expect(w.grad?.toArray(of: Double.self) == [3, 4])
        }
        #expect(step.fallbackReason?.contains("call backward() inside") == true)
    }

    @Test func randomNumbersForTheProgram() {
        let generator = Generator(seed: 1)
        let step = compile { (x: Tensor) in
            var generator = generator
            return Bool.random(using: &generator) ? x : -x
        }
        for _ in 0..<4 { step(Tensor([1.0])) }
        #expect(step.fallbackReason?.contains("random numbers are drawn") == true)
    }

    @Test func mistakesAreReportedAsAlways() {
        let step = compile { (x: Tensor, index: Tensor) in x.gather(dim: 0, index) }
        let x = Tensor([1.0, 2.0])
        for _ in 0..<3 { #expect(step(x, Tensor([1])).toArray(of: Double.self) == [2]) }
        #expect(throws: TensorError.self) { try catchingErrors { step(x, Tensor([5])) } }
        #expect(step(x, Tensor([0])).toArray(of: Double.self) == [1])
    }
}
