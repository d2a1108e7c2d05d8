import ChainRule
import Testing

// Typed-in numbers are PyTorch's.

private func random(_ shape: Shape, seed: UInt64 = 3) -> Tensor {
    Tensor.randn(shape, dtype: .float64, generator: Generator(seed: seed))
}

/// Whether the columns of matrices are orthonormal.
private func areOrthonormal(_ q: Tensor) -> Bool {
    let size = q.shape[q.rank - 1]
    return q.mT.matmul(q).allClose(
        Tensor.eye(size, dtype: .float64).expand(q.shape.dropLast(2) + [size, size]), atol: 1e-12)
}

extension Shape {
    fileprivate static func + (a: some Sequence<Int>, b: Shape) -> Shape { Shape(Array(a) + Array(b)) }
}

private let symmetric = Tensor([[4.0, 2, 1], [2, 5, 3], [1, 3, 6]])
private let general = Tensor([[2.0, -1, 0.5], [1, 3, -2], [0.5, 4, 1]])

struct CholeskyTests {
    @Test func factors() {
        expectClose(LinearAlgebra.cholesky(symmetric), [2, 0, 0, 1, 2, 0, 0.5, 1.25, 2.0463381929681126])
        let x = random([3, 20, 20])
        let a = x.matmul(x.mT)
        let (lower, upper) = (LinearAlgebra.cholesky(a), LinearAlgebra.cholesky(a, upper: true))
        #expect(lower.matmul(lower.mT).allClose(a, atol: 1e-12))
        #expect(upper.equal(lower.mT))
        #expect(LinearAlgebra.cholesky(Tensor.zeros([2, 0, 0], dtype: .float64)).shape == [2, 0, 0])
    }

    @Test func readsOneTriangle() {
        let factor = LinearAlgebra.cholesky(symmetric)
        #expect(LinearAlgebra.cholesky(symmetric.tril()).equal(factor))
        #expect(LinearAlgebra.cholesky(symmetric.triu(), upper: true).equal(factor.mT))
    }

    @Test func saysWhichMatrixIsNotPositive() throws {
        let a = stack([symmetric, Tensor([[1.0, 0, 0], [0, -1, 0], [0, 0, 1]])])
        #expect(LinearAlgebra.choleskyEx(a).info.toArray(of: Int.self) == [0, 2])
        let error = #expect(throws: TensorError.self) { try catchingErrors { LinearAlgebra.cholesky(a) } }
        #expect(
            error?.message == "matrix [1] of the batch is not positive definite: its leading minor of order 2 isn't")
    }

    @Test func single() {
        let a = symmetric.to(.float32)
        #expect(LinearAlgebra.cholesky(a).dtype == .float32)
        #expect(LinearAlgebra.cholesky(a).equal(LinearAlgebra.cholesky(symmetric).to(.float32)))
    }
}

struct OrthogonalFactorsTests {
    @Test func signsAreLAPACKs() {
        let (q, r) = LinearAlgebra.qr(general)
        expectClose(
            r,
            [
                -2.29128784747792, -1.3093073414159546, 0.21821789023599247, 0, -4.928053803045811, 0.44932255263064746,
                0, 0, 2.2361775859887403,
            ])
        #expect(q.matmul(r).allClose(general, atol: 1e-14))
    }

    @Test(arguments: [[5, 3], [3, 5], [4, 4], [30, 17], [1, 1], [2, 0], [0, 2]] as [Shape])
    func modes(_ shape: Shape) {
        let a = random([2] + shape)
        let (rows, columns) = (shape[0], shape[1])
        let least = min(rows, columns)
        let (q, r) = LinearAlgebra.qr(a)
        #expect(q.shape == [2, rows, least] && r.shape == [2, least, columns])
        #expect(areOrthonormal(q) && q.matmul(r).allClose(a, atol: 1e-12) && r.equal(r.triu()))
        let complete = LinearAlgebra.qr(a, mode: .complete)
        #expect(complete.q.shape == [2, rows, rows] && complete.r.shape == [2, rows, columns])
        #expect(areOrthonormal(complete.q) && complete.q.matmul(complete.r).allClose(a, atol: 1e-12))
        let onlyR = LinearAlgebra.qr(a, mode: .r)
        #expect(onlyR.q.shape == [0] && onlyR.r.equal(r))
    }

    @Test func dependentColumns() {
        // Of equal columns there is less and less left, down to numbers with few digits.
        for a in [random([6, 2]).matmul(random([2, 4], seed: 4)), Tensor.ones([40, 40], dtype: .float64)] {
            let (q, r) = LinearAlgebra.qr(a)
            #expect(areOrthonormal(q) && q.matmul(r).allClose(a, atol: 1e-12))
        }
    }

    @Test func completeHasNoGradient() {
        let a = random([3, 2]).requiringGrad()
        let error = #expect(throws: TensorError.self) { try catchingErrors { LinearAlgebra.qr(a, mode: .complete).q } }
        #expect(error?.message.contains("free to turn") == true)
    }
}

struct SymmetricEigenTests {
    @Test func values() {
        expectClose(LinearAlgebra.eigvalsh(symmetric), eigenvalues)
        expectClose(LinearAlgebra.eigvalsh(symmetric.tril()), eigenvalues)
        expectClose(LinearAlgebra.eigvalsh(symmetric.triu(), upper: true), eigenvalues)
    }
    private let eigenvalues = [1.9213469419616898, 3.730159123688258, 9.348493934350051]

    @Test(arguments: [0, 1, 2, 3, 10, 50]) func reconstructs(_ size: Int) {
        let x = random([2, size, size])
        let a = x + x.mT
        let (values, vectors) = LinearAlgebra.eigh(a)
        #expect(areOrthonormal(vectors))
        #expect((vectors * values.unsqueeze(dim: -2)).matmul(vectors.mT).allClose(a, atol: 1e-12))
        #expect(values.sort().values.equal(values))
    }

    @Test func specialMatrices() {
        expectClose(LinearAlgebra.eigvalsh(Tensor.eye(4, dtype: .float64)), [1, 1, 1, 1])
        expectClose(LinearAlgebra.eigvalsh(Tensor.zeros([3, 3], dtype: .float64)), [0, 0, 0])
        expectClose(LinearAlgebra.eigvalsh(Tensor([[0.0, 1], [1, 0]])), [-1, 1])
        expectClose(LinearAlgebra.eigvalsh(Tensor([1e200, -1e200, 3.0]).diag() / 1e200), [-1, 0, 1])
        expectClose(LinearAlgebra.eigvalsh(Tensor.ones([6, 6], dtype: .float64)), [0, 0, 0, 0, 0, 6])
    }

    @Test func refusesWhatIsNotFinite() {
        let error = #expect(throws: TensorError.self) {
            try catchingErrors { LinearAlgebra.eigvalsh(Tensor([[Double.nan, 1], [1, 0]])) }
        }
        #expect(error?.message == "has no result for matrices with elements that are not finite")
    }
}

struct SingularValuesTests {
    @Test func values() {
        expectClose(LinearAlgebra.svdvals(general), [5.169789655083643, 2.2455971983262133, 2.1749869298594944])
    }

    @Test(
        arguments: [[5, 3], [3, 5], [4, 4], [100, 100], [40, 25], [1, 1], [1, 4], [2, 0], [0, 2]] as [Shape])
    func reconstructs(_ shape: Shape) {
        let a = random([2] + shape)
        let (u, s, vh) = LinearAlgebra.svd(a)
        #expect(areOrthonormal(u) && areOrthonormal(vh.mT))
        #expect((u * s.unsqueeze(dim: -2)).matmul(vh).allClose(a, atol: 1e-12))
        #expect(s.sort(descending: true).values.equal(s))
    }

    /// Where singular values are 0, the vectors are free, and orthonormal all the same.
    @Test func deficientRank() {
        for a in [
            random([6, 2]).matmul(random([2, 5], seed: 4)), Tensor.zeros([4, 3], dtype: .float64),
            Tensor.ones([3, 3], dtype: .float64), Tensor.ones([40, 40], dtype: .float64), Tensor([0.0, 3, 0]).diag(),
            Tensor.ones([9], dtype: .float64).diag(1),
            Tensor([0.0, 1, 2, 0, 3, 0]).diag() + Tensor.ones([5], dtype: .float64).diag(1),
        ] {
            let (u, s, vh) = LinearAlgebra.svd(a)
            #expect(areOrthonormal(u) && areOrthonormal(vh.mT))
            #expect((u * s.unsqueeze(dim: -2)).matmul(vh).allClose(a, atol: 1e-12))
        }
    }

    /// Rows whose sizes rise or fall by ninety orders of magnitude.
    @Test func gradedMatrices() {
        for ascends in [true, false] {
            let exponents = Tensor.arange(30).to(.float64) * (ascends ? 3 : -3)
            let a = random([30, 30]) * Tensor.full([], 10, dtype: .float64).pow(exponents).unsqueeze(dim: 1)
            let (u, s, vh) = LinearAlgebra.svd(a)
            #expect(areOrthonormal(u) && areOrthonormal(vh.mT))
            let error = ((u * s.unsqueeze(dim: -2)).matmul(vh) - a).abs().max() / s.max()
            #expect(error.item() < 1e-14)
        }
    }

    @Test func smallOnesKeepTheirDigits() {
        expectClose(LinearAlgebra.svdvals(Tensor([1e-200, 1e20, 3]).diag()), [1e20, 3, 1e-200])
    }
}
