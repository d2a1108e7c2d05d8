import ChainRule
import Testing

private let inf = Double.infinity
private let nan = Double.nan

struct SelectionTests {
    private let mask = Tensor([true, false])

    @Test func choosing() {
        let rows = Tensor.where(mask, Tensor([1.0, 2]), Tensor([5.0, 6, 7, 8], shape: [2, 2]))
        #expect(rows.shape == [2, 2])
        expectExactElements(rows, [1, 6, 1, 8])
        expectExactElements(Tensor.where(mask, Tensor([1.0, 2]), 9), [1, 9])
        expectExactElements(Tensor.where(mask, 9, Tensor([1.0, 2])), [9, 2])
        #expect(Tensor.where(mask, Tensor([1, 2]), 2.5).dtype == .float32)
        #expect(Tensor.where(mask, Tensor([1, 2] as [Int8]), 2).dtype == .int8)
        expectMistake(in: "where") { Tensor.where(Tensor([1, 0]), Tensor([1.0, 2]), Tensor([3.0, 4])) }
        expectMistake(in: "where") { Tensor.where(self.mask, Tensor([1.0, 2]), Tensor([3.0, 4, 5])) }
    }

    @Test func filling() {
        expectExactElements(Tensor([1.0, 2, 3, 4], shape: [2, 2]).maskedFill(mask, -inf), [-inf, 2, -inf, 4])
        let kept = Tensor([1, 2]).maskedFill(mask, 2.5)
        #expect(kept.dtype == .int64)
        #expect(kept.toArray(of: Int.self) == [2, 2])
        for dtype in DType.allCases {
            let y = Tensor([1, 1, 1]).to(dtype).maskedFill(Tensor([false, true, false]), 0)
            #expect(y.dtype == dtype)
            expectExactElements(y, [1, 0, 1])
        }
        expectExactElements(Tensor([1.0, 2]).to(.bfloat16).maskedFill(mask, -1.5), [-1.5, 2])
        expectExactElements(Tensor([1, 2] as [Int8]).maskedFill(mask, -7), [-7, 2])
        expectMistake(in: "maskedFill") { Tensor([1.0]).maskedFill(Tensor([1]), 0) }
    }

    @Test func clamping() {
        #expect(Tensor([1, 5, 9]).clamp(min: 3, max: 7).toArray(of: Int.self) == [3, 5, 7])
        expectExactElements(Tensor([1, nan, 9]).clamp(min: 3, max: 7), [3, nan, 7])
        expectExactElements(Tensor([1.0, 5]).clamp(min: 7, max: 3), [3, 3])
        let raised = Tensor([1, 5]).clamp(min: 2.5)
        #expect(raised.dtype == .float32)
        expectExactElements(raised, [2.5, 5])
        expectExactElements(Tensor([1.0, 5]).clamp(min: Tensor([2.0]), max: Tensor([9.0, 3])), [2, 3])
        expectMistake(in: "clamp") { Tensor([true]).clamp(min: 0) }
    }

    @Test func gradientsAtTheBounds() {
        #expect(gradients([0, 3, 6, 7], of: { $0[0].clamp(min: 0, max: 6) }) == [[0, 1, 0, 0]])
        #expect(gradients([0, 1, -1], of: { $0[0].clamp(min: 0) }) == [[0, 1, 0]])
        let shared = gradients([0, 6, -1, 7, 3], [0, 0, 0, 0, 5], [6, 6, 6, 6, 4]) {
            $0[0].clamp(min: $0[1], max: $0[2])
        }
        #expect(shared == [[0.5, 0.5, 0, 0, 0], [0.5, 0, 1, 0, 0], [0, 0.5, 0, 1, 1]])
    }

    @Test func mixing() {
        let (start, end) = (Tensor([1.0, 2]), Tensor([3.0, 6]))
        expectExactElements(start.lerp(end, 0.25), [1.5, 3])
        expectExactElements(start.lerp(end, Tensor([0.25, 0.75])), [1.5, 5])
        expectExactElements(start.lerp(end, 1), [3, 6])
        let (a, b, c) = (Tensor([1.0, 2]), Tensor([3.0, 4]), Tensor([5.0, 8]))
        expectExactElements(a.addcmul(b, c, value: 0.5), [8.5, 18])
        expectExactElements(a.addcdiv(b, c, value: 2), [2.2, 3])
        #expect(Tensor([1, 2]).addcmul(Tensor([3, 4]), Tensor([5, 6]), value: 2).toArray(of: Int.self) == [31, 50])
    }

    @Test func replacingWhatIsNotFinite() {
        let x = Tensor([nan, inf, -inf, 1])
        expectExactElements(x.nanToNum(), [0, Double.greatestFiniteMagnitude, -Double.greatestFiniteMagnitude, 1])
        expectExactElements(x.nanToNum(nan: 1, posinf: 2, neginf: -3), [1, 2, -3, 1])
        #expect(Tensor([inf]).to(.float16).nanToNum().item() == 65504)
        #expect(gradients([nan, inf, 1], of: { $0[0].nanToNum() }) == [[0, 0, 1]])
    }
}
