import ChainRule
import Testing

// Typed-in numbers are PyTorch's.

private let a = Tensor([[2.0, -1, 0.5], [1, 3, -2], [0.5, 4, 1]])

private func random(_ shape: Shape, seed: UInt64 = 3) -> Tensor {
    Tensor.randn(shape, dtype: .float64, generator: Generator(seed: seed))
}

struct SystemsTests {
    @Test func solves() {
        expectClose(
            LinearAlgebra.solve(a, Tensor([1.0, 2, 3])), [0.7326732673267327, 0.594059405940594, 0.2574257425742574])
        let (batch, sides) = (random([4, 1, 6, 6]), random([3, 6, 2], seed: 4))
        let x = LinearAlgebra.solve(batch, sides)
        #expect(x.shape == [4, 3, 6, 2])
        #expect(batch.matmul(x).allClose(sides.expand([4, 3, 6, 2]), atol: 1e-10))
        let right = LinearAlgebra.solve(batch, sides.mT, left: false)
        #expect(right.matmul(batch).allClose(sides.mT.expand([4, 3, 2, 6]), atol: 1e-10))
    }

    /// (2, 3) beside (2, 3, 3) are two vectors, (3, 3) would be a matrix.
    @Test func vectors() {
        let batch = stack([a, a.mT])
        let sides = random([2, 3])
        let x = LinearAlgebra.solve(batch, sides)
        #expect(x.shape == [2, 3])
        #expect(batch.matmul(x.unsqueeze(dim: -1)).squeeze(dim: -1).allClose(sides, atol: 1e-12))
        #expect(LinearAlgebra.solve(batch, sides[0]).shape == [2, 3])
        #expect(LinearAlgebra.solve(a, random([3, 3])).shape == [3, 3])
    }

    @Test func pivots() {
        expectClose(LinearAlgebra.inv(Tensor([[0.0, 1], [1, 0]])), [0, 1, 1, 0])
        #expect(LinearAlgebra.inv(a).matmul(a).allClose(Tensor.eye(3, dtype: .float64), atol: 1e-14))
        #expect(LinearAlgebra.inv(Tensor.zeros([2, 0, 0], dtype: .float64)).shape == [2, 0, 0])
    }

    @Test func singularMatrices() {
        let singular = stack([a, Tensor.ones([3, 3], dtype: .float64)])
        #expect(LinearAlgebra.invEx(singular).info.toArray(of: Int.self) == [0, 2])
        #expect(LinearAlgebra.solveEx(singular, random([3])).info.toArray(of: Int.self) == [0, 2])
        let error = #expect(throws: TensorError.self) { try catchingErrors { LinearAlgebra.inv(singular) } }
        #expect(error?.message == "matrix [1] of the batch is singular: pivot 2 is 0")
    }

    @Test func misfits() {
        let error = #expect(throws: TensorError.self) { try catchingErrors { LinearAlgebra.solve(a, random([2, 2])) } }
        #expect(error?.message == "the matrices of shape [3, 3] do not fit the right-hand sides of shape [2, 2]")
        #expect(throws: TensorError.self) { try catchingErrors { LinearAlgebra.inv(random([2, 3])) } }
        #expect(throws: TensorError.self) { try catchingErrors { LinearAlgebra.inv(Tensor([[1, 2], [3, 4]])) } }
    }

    @Test(arguments: [(true, true), (true, false), (false, true), (false, false)])
    func triangles(_ upper: Bool, _ unit: Bool) {
        let full = random([2, 4, 4]) + Tensor.eye(4, dtype: .float64) * 3
        var triangle = upper ? full.triu(unit ? 1 : 0) : full.tril(unit ? -1 : 0)
        if unit { triangle = triangle + Tensor.eye(4, dtype: .float64) }
        let sides = random([4, 2], seed: 5)
        let x = LinearAlgebra.solveTriangular(full, sides, upper: upper, unitriangular: unit)
        #expect(triangle.matmul(x).allClose(sides.expand([2, 4, 2]), atol: 1e-12))
        let right = LinearAlgebra.solveTriangular(full, sides.mT, upper: upper, left: false, unitriangular: unit)
        #expect(right.matmul(triangle).allClose(sides.mT.expand([2, 2, 4]), atol: 1e-12))
    }
}

struct DeterminantTests {
    @Test func values() {
        expectClose(LinearAlgebra.det(stack([a, a.mT, a.flip(0)])), [25.25, 25.25, -25.25])
        expectClose(LinearAlgebra.det(Tensor.zeros([2, 0, 0], dtype: .float64)), [1, 1])
        expectClose(LinearAlgebra.logdet(a), [3.228826155721369])
        #expect(LinearAlgebra.logdet(a.flip(0)).item().isNaN)
        #expect(LinearAlgebra.logdet(Tensor.ones([2, 2], dtype: .float64)).item() == -.infinity)
    }

    @Test func logarithmsDoNotOverflow() {
        let (sign, logarithm) = LinearAlgebra.slogdet(Tensor.eye(401, dtype: .float64) * -1e10)
        #expect(sign.item() == -1)
        expectClose(logarithm, [9233.366222906123])
    }

    /// A singular matrix has cofactors, of rank 1, or none when its rank is lower by two.
    @Test func gradientOfSingularMatrices() {
        let x = Tensor([[1.0, 2, 0], [2, 4, 0], [0, 0, 3]], requiresGrad: true)
        LinearAlgebra.det(x).backward()
        expectClose(x.grad ?? x, [12, -6, 0, -6, 3, 0, 0, 0, 0])
        let y = Tensor.zeros([3, 3], dtype: .float64).requiringGrad()
        LinearAlgebra.det(y).backward()
        expectClose(y.grad ?? y + 1, [Double](repeating: 0, count: 9))
    }
}

struct PseudoInverseTests {
    @Test(arguments: [[5, 3], [3, 5], [4, 4], [2, 0], [0, 2]] as [Shape]) func penrose(_ shape: Shape) {
        let x = random(shape)
        let y = LinearAlgebra.pinv(x)
        #expect(y.shape == [shape[1], shape[0]])
        #expect(x.matmul(y).matmul(x).allClose(x, atol: 1e-12) && y.matmul(x).matmul(y).allClose(y, atol: 1e-12))
        #expect(x.matmul(y).mT.allClose(x.matmul(y), atol: 1e-12) && y.matmul(x).mT.allClose(y.matmul(x), atol: 1e-12))
    }

    @Test func cutoffs() {
        let x = Tensor([8.0, 4, 1]).diag()
        expectClose(LinearAlgebra.pinv(x, atol: 2).diagonal(), [0.125, 0.25, 0])
        expectClose(LinearAlgebra.pinv(x, rtol: 0.5).diagonal(), [0.125, 0, 0])
        expectClose(LinearAlgebra.pinv(x, atol: 2, rtol: 0.5).diagonal(), [0.125, 0, 0])
        let perMatrix = LinearAlgebra.pinv(stack([x, x]), atol: nil, rtol: Tensor([0.01, 0.2]))
        expectClose(perMatrix.diagonal(dim1: -2, dim2: -1), [0.125, 0.25, 1, 0.125, 0.25, 0])
        #expect(LinearAlgebra.pinv(x, hermitian: true).allClose(LinearAlgebra.inv(x)))
    }
}

struct MatrixFunctionTests {
    @Test func exponential() {
        expectClose(LinearAlgebra.matrixExp(a), exponentialOfA)
        expectClose(LinearAlgebra.matrixExp(Tensor([[0.0, 1], [0, 0]])), [1, 1, 0, 1])
        // A rotation by 100 radians, beside a matrix that needs no halving.
        let turns = LinearAlgebra.matrixExp(Tensor([[[0.0, -100], [100, 0]], [[0, 0], [0, 0]]]))
        let (c, s) = (0.8623188722876839, -0.5063656411097588)
        expectClose(turns, [c, -s, s, c, 1, 0, 0, 1])
        #expect(LinearAlgebra.matrixExp(Tensor.zeros([0, 2, 2], dtype: .float64)).shape == [0, 2, 2])
    }
    private let exponentialOfA: [Double] = [
        7.4309797387476095, 0.676186971195071, 3.5034628037642213, 1.244591173485806, -5.2500706367029535,
        -1.5287932746311708,
        7.345019093125973, 4.01797562160278, -5.338280302823466,
    ]

    @Test func powers() {
        #expect(LinearAlgebra.matrixPower(a, 5).allClose(a.matmul(a).matmul(a).matmul(a).matmul(a)))
        #expect(LinearAlgebra.matrixPower(a, -2).matmul(a).matmul(a).allClose(Tensor.eye(3, dtype: .float64)))
        expectClose(LinearAlgebra.matrixPower(a, 0), [1, 0, 0, 0, 1, 0, 0, 0, 1])
    }

    @Test(
        arguments: [
            (.frobenius, 6.041522986797286), (.nuclear, 9.590373783269351), (.spectral, 5.169789655083643),
            (.smallestSingularValue, 2.1749869298594944), (.one, 8), (.minusOne, 3.5), (.infinity, 6),
            (.minusInfinity, 3.5),
        ] as [(LinearAlgebra.MatrixNorm, Double)])
    func norms(_ norm: LinearAlgebra.MatrixNorm, _ expected: Double) {
        expectClose(LinearAlgebra.matrixNorm(a, norm), [expected])
        let axes = LinearAlgebra.matrixNorm(a.mT.unsqueeze(dim: 1), norm, dims: (-1, 0), keepDim: true)
        #expect(axes.shape == [1, 1, 1])
        expectClose(axes, [expected])
    }

    @Test func normsOfNothing() {
        for shape in [[0, 4], [4, 0], [2, 0, 0]] as [Shape] {
            let empty = Tensor.zeros(shape)
            for norm in [.frobenius, .nuclear, .spectral, .one, .infinity] as [LinearAlgebra.MatrixNorm] {
                #expect(LinearAlgebra.matrixNorm(empty, norm).equal(Tensor.zeros(Shape(shape.dropLast(2)))))
            }
            #expect(throws: TensorError.self) {
                try catchingErrors { LinearAlgebra.matrixNorm(empty, .smallestSingularValue) }
            }
        }
    }

    @Test func vandermonde() {
        expectClose(LinearAlgebra.vander(Tensor([2.0, 3])), [1, 2, 1, 3])
        expectClose(LinearAlgebra.vander(Tensor([2, 3]), columns: 4), [1, 2, 4, 8, 1, 3, 9, 27])
        #expect(LinearAlgebra.vander(Tensor([2, 3])).dtype == .int64)
    }
}
