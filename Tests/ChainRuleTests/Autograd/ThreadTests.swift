import ChainRule
import Foundation
import Testing

/// Two threads build and run graphs at once.
struct ThreadTests {
    /// Runs `body(0..<count)` on that many threads and waits.
    private func onThreads(_ count: Int, _ body: @escaping @Sendable (Int) -> Void) {
        DispatchQueue.concurrentPerform(iterations: count) { body($0) }
    }

    @Test func gradientsOfSeveralThreadsMeetInOneLeaf() {
        let w = Tensor([1.0, 2.0, 3.0], requiresGrad: true)
        let (threads, rounds) = (4, 2000)
        onThreads(threads) { thread in
            for _ in 0..<rounds {
                let h = w * Double(thread + 1)
                (h + h).sum().backward()
            }
        }
        let expected = Double(2 * rounds * (1 + 2 + 3 + 4))
        #expect(w.grad?.toArray(of: Double.self) == [expected, expected, expected])
    }

    @Test func aSharedGraphThatIsRetained() {
        let w = Tensor([2.0], requiresGrad: true)
        let shared = w * w * w
        onThreads(4) { _ in
            for _ in 0..<500 { (shared * 2).backward(retainGraph: true) }
        }
        #expect(w.grad?.item() == 48_000)
    }

    @Test func graphsHandedFromThreadToThread() {
        let w = Tensor([2.0], requiresGrad: true)
        let group = DispatchGroup()
        onThreads(2) { _ in
            for _ in 0..<200 {
                let loss = (w * w).sum()
                DispatchQueue.global().async(group: group) { loss.backward() }
            }
        }
        group.wait()
        #expect(w.grad?.item() == 1600)
    }

    @Test func scopesBelongToTheirThread() {
        let w = Tensor([2.0], requiresGrad: true)
        withoutGradient {
            onThreads(4) { thread in
                // The calling thread may take part, and is inside the scope.
                if !Thread.isMainThread && thread > 0 { _ = withGradient { w * w } }
            }
            #expect(!(w * w).requiresGrad)
        }
        onThreads(4) { thread in
            for _ in 0..<500 {
                if thread.isMultiple(of: 2) {
                    withoutGradient { #expect(!(w * w).requiresGrad) }
                } else {
                    #expect((w * w).requiresGrad)
                }
            }
        }
    }
}
