import Testing

@testable import ChainRule

// Expected numbers are PyTorch's.

struct MatrixProductTests {
    @Test func matricesAndBatches() {
        expectClose(patterned([2, 3]).matmul(patterned([3, 2], seed: 1)), [-2.03125, 0.328125, 1.125, 0.5])
        let batched = patterned([2, 1, 2, 3]).matmul(patterned([2, 3, 2], seed: 1))
        #expect(batched.shape == [2, 2, 2, 2])
        expectClose(
            batched,
            [
                -2.03125, 0.328125, 1.125, 0.5, 0.265625, 0.828125, 0.609375, -1.8125, 0.6875, 0.3125, 2.046875,
                -1.3125, 0.234375, -1.9375, -1.21875, 1.890625,
            ])
    }

    @Test(
        arguments: [
            ([3], [3], []), ([2, 3], [3], [2]), ([3], [3, 2], [2]), ([5, 2, 3], [3], [5, 2]),
            ([3], [5, 3, 2], [5, 2]),
            ([5, 1, 2, 3], [4, 3, 2], [5, 4, 2, 2]), ([2, 3], [5, 3, 4], [5, 2, 4]), ([5, 2, 3], [3, 4], [5, 2, 4]),
            ([0, 3], [3, 2], [0, 2]), ([2, 0], [0, 3], [2, 3]), ([0, 2, 3], [3, 2], [0, 2, 2]), ([0], [0], []),
        ] as [(Shape, Shape, Shape)])
    func shapes(_ left: Shape, _ right: Shape, _ result: Shape) {
        let (a, b) = (patterned(left), patterned(right, seed: 1))
        let product = a.matmul(b)
        #expect(product.shape == result)
        // The same through broadcasting and a sum.
        let columns = right.count == 1 ? b.reshape([right[0], 1]) : b
        let rows = left.count == 1 ? a.reshape([1, left[0]]) : a
        let terms = rows.unsqueeze(dim: -1) * columns.unsqueeze(dim: -3)
        expectClose(product, terms.sum(dim: -2).toArray(of: Double.self))
    }

    /// Transposed, expanded, sliced and permuted operands are read where they lie.
    @Test func anyStrides() {
        let a = patterned([4, 3, 2])
        let b = patterned([4, 5, 3], seed: 2)
        let expected = a.permute(0, 2, 1).contiguous().matmul(b.mT.contiguous()).toArray(of: Double.self)
        expectClose(a.mT.matmul(b.mT), expected)
        let sliced = patterned([6, 4])[1..<5, 1..<3]
        expectClose(sliced.matmul(sliced.t()), sliced.contiguous().matmul(sliced.t().contiguous()).toArray())
        let expanded = patterned([1, 3]).expand([2, 3])
        expectClose(expanded.matmul(b[0].t()), expanded.contiguous().matmul(b[0].t()).toArray())
        // Batch axes that no single stride can describe.
        let crossed = patterned([2, 3, 4, 2]).permute(1, 0, 3, 2)
        let square = patterned([1, 2, 4, 3], seed: 3)
        expectClose(crossed.matmul(square), crossed.contiguous().matmul(square.expand([3, 2, 4, 3])).toArray())
    }

    @Test(arguments: [DType.float32, .float16, .bfloat16]) func floatingTypes(_ dtype: DType) {
        let (a, b) = (patterned([3, 4], dtype: dtype), patterned([4, 2], seed: 1, dtype: dtype))
        let product = a.matmul(b)
        #expect(product.dtype == dtype)
        let exact = a.to(.float64).matmul(b.to(.float64)).toArray(of: Double.self)
        expectClose(product, exact, tolerance: dtype == .bfloat16 ? 8e-3 : dtype == .float16 ? 1e-3 : 1e-6)
    }

    @Test func integersAreExact() {
        let large = Tensor([Int64(1) << 31, 3, -5, 7], shape: [2, 2])
        let expected: [Int64] = [(1 << 62) - 15, (3 << 31) + 21, -(5 << 31) - 35, 34]
        #expect(large.matmul(large).toArray(of: Int64.self) == expected)
        let small = Tensor([100, 100, 1, 1] as [Int8], shape: [2, 2])
        #expect(small.matmul(small).dtype == .int8)
        #expect(small.matmul(small.t()).toArray(of: Int8.self) == [Int8(truncatingIfNeeded: 20000), -56, -56, 2])
    }

    @Test func namedProducts() {
        let (a, b, v) = (patterned([2, 3]), patterned([3, 2], seed: 1), patterned([3], seed: 2))
        let product = a.matmul(b).toArray(of: Double.self)
        expectClose(a.mm(b), product)
        expectClose(a.mv(v), a.matmul(v).toArray())
        expectClose(v.dot(v), [v.squared().sum().item()])
        expectClose(v.outer(v), v.reshape([3, 1]).matmul(v.reshape([1, 3])).toArray())
        expectClose(a.inner(v), a.matmul(v).toArray())
        let base = patterned([2], seed: 4)
        expectClose(base.addmm(a, b, beta: 0.5, alpha: 2), (base * 0.5 + a.matmul(b) * 2).toArray())
        expectClose(Tensor(Double.nan, dtype: .float64).addmm(a, b, beta: 0), product)
        expectClose(base.baddbmm(a.reshape([1, 2, 3]), b.reshape([1, 3, 2])), (base + a.matmul(b)).toArray())
        expectClose(base.addbmm(stack([a, a]), stack([b, b])), (base + a.matmul(b) * 2).toArray())
        expectClose(base.addmv(a, v), (base + a.matmul(v)).toArray())
        expectClose(patterned([3, 1]).addr(v, base), (patterned([3, 1]) + v.outer(base)).toArray())
    }

    @Test func mistakesNameTheShapes() {
        let (a, b) = (patterned([2, 3]), patterned([2, 3]))
        expectMistake("matmul", "[2, 3]", "3 columns meet 2 rows") { _ = a.matmul(b) }
        expectMistake("do not broadcast", "[2, 2, 3]", "[3, 3, 2]") {
            _ = patterned([2, 2, 3]).matmul(patterned([3, 3, 2]))
        }
        expectMistake("float64", "float32") { _ = a.matmul(b.t().to(.float32)) }
        expectMistake("bool") { _ = a.to(.bool).matmul(b.t().to(.bool)) }
        expectMistake("use * for numbers") { _ = a.matmul(Tensor(2.0, dtype: .float64)) }
        expectMistake("mm", "2 and 2 axes") { _ = a.mm(patterned([3])) }
        expectMistake("bmm", "differ") { _ = patterned([2, 2, 2]).bmm(patterned([1, 2, 2])) }
        expectMistake("addmm", "does not broadcast") { _ = patterned([3]).addmm(a, b.t()) }
    }

    /// A batch times one matrix: the gradient of the matrix has its shape, that of the batch its own.
    @Test func gradientsHaveTheShapesOfTheirTensors() {
        for (left, right) in [([5, 2, 3], [3, 4]), ([2, 3], [5, 3, 4]), ([3], [5, 3, 2]), ([5, 2, 3], [3])]
            as [(Shape, Shape)]
        {
            let (a, b) = (patterned(left).requiringGrad(), patterned(right, seed: 1).requiringGrad())
            a.matmul(b).sum().backward()
            #expect(a.grad?.shape == left)
            #expect(b.grad?.shape == right)
        }
    }

    @Test func traceCrossAndBilinear() {
        expectClose(Tensor([1.0, 2, 3, 4, 5, 6], shape: [2, 3]).trace(), [6])
        let (a, b) = (Tensor([1.0, 2, 3], shape: [1, 3]), Tensor([4.0, -5, 6], shape: [1, 3]))
        expectClose(a.cross(b), [27, 6, -13])
        expectClose(a.cross(Tensor([4.0, -5, 6, 4, -5, 6], shape: [2, 3]), dim: -1), [27, 6, -13, 27, 6, -13])
        let weight = Tensor.arange(8, dtype: .float64).reshape(2, 2, 2)
        expectClose(
            Tensor([1, 0.5, -1, 2], shape: [2, 2]).bilinear(
                Tensor([0.5, -1, 1, 1], shape: [2, 2]), weight: weight, bias: Tensor([1.0, 2])), [-1, -3, 10, 19])
    }
}
