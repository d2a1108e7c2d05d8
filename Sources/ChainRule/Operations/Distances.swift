let distanceOperations: [any Operation.Type] = [EuclideanDistance.self, PairDistance.self]

/// y[i, j] = |aᵢ − bⱼ| for the rows of two matrices; the axes in front of them broadcast. Where it is 0 the gradient is taken as 0.
struct EuclideanDistance: BinaryOperation {
    static let name = "cdist"
    static let formula = Formula(
        "|aᵢ − bⱼ|", gradient: "∂L/∂aᵢ = Σⱼ wᵢⱼ (aᵢ − bⱼ), ∂L/∂bⱼ = Σᵢ wᵢⱼ (bⱼ − aᵢ), w = ∂L/∂y / y")
    static let dtypes: DTypes = .fullPrecision
    static let keeps: Keeps = [.inputs, .output]
    func forward(_ a: Tensor, _ b: Tensor) -> Tensor { CPU.euclideanDistances(a, b) }
    func gradientLeft(_ dy: Tensor, _ kept: Kept) -> Tensor {
        pull(quotient(dy, by: kept.output), kept.leftInput, kept.rightInput)
    }
    func gradientRight(_ dy: Tensor, _ kept: Kept) -> Tensor {
        pull(quotient(dy, by: kept.output).mT, kept.rightInput, kept.leftInput)
    }
    static let samples = [
        Sample(EuclideanDistance(), -1...1, 2...3, shapes: ([3, 2], [2, 2])),
        Sample(EuclideanDistance(), -1...1, 2...3, shapes: ([2, 1, 2, 3], [2, 2, 3])),
    ]
}

/// y = |xᵢ − xⱼ| for i < j, in the order (0, 1), (0, 2), …, of the rows of a matrix. Where it is 0 the gradient is taken as 0.
struct PairDistance: UnaryOperation {
    static let name = "pdist"
    static let formula = Formula("|xᵢ − xⱼ|, i < j", gradient: "∂L/∂xᵢ = Σⱼ wᵢⱼ (xᵢ − xⱼ), w = ∂L/∂y / y")
    static let dtypes: DTypes = .fullPrecision
    static let keeps: Keeps = [.input, .output]
    func forward(_ x: Tensor) -> Tensor { CPU.pairDistances(x) }
    func gradient(_ dy: Tensor, _ kept: Kept) -> Tensor {
        let rows = kept.input.shape[0]
        let upper = Tensor.zeros([rows * rows], dtype: dy.dtype).indexAdd(
            dim: 0, pairPlaces(rows), quotient(dy, by: kept.output)
        ).reshape([rows, rows])
        return pull(upper + upper.mT, kept.input, kept.input)
    }
    static let samples = [
        Sample([Sample.Input(.distinct, shape: [4, 3])]) { [$0[0].pdist()] },
        Sample(PairDistance(), -1...1, shape: [1, 2]),
    ]
}

/// dy / y, and 0 where y is; filled before dividing too, so that no NaN arises in the second order.
private func quotient(_ dy: Tensor, by y: Tensor) -> Tensor {
    let isZero = y.detach() .== 0
    return (dy / y.maskedFill(isZero, 1)).maskedFill(isZero, 0)
}

/// Σⱼ wᵢⱼ (xᵢ − zⱼ)
private func pull(_ w: Tensor, _ x: Tensor, _ z: Tensor) -> Tensor {
    x * w.sum(dim: -1, keepDim: true) - w.matmul(z)
}

/// Where the pairs i < j stand among the elements of a square matrix.
private func pairPlaces(_ rows: Int) -> Tensor {
    Tensor((0..<rows).flatMap { row in (row + 1..<rows).map { row * rows + $0 } })
}

extension Tensor {
    /// The distances between the rows of this tensor and another's, (..., m, k) and (..., n, k) give (..., m, n): (Σ |aᵢ − bⱼ|ᵖ)^(1/p).
    /// The axes in front of the matrices broadcast. Where a distance is 0 the gradient is taken as 0. For p other than 2 it takes memory
    /// for m · n · k elements.
    public func cdist(_ other: Tensor, p: Double = 2) -> Tensor {
        guard rank >= 2, other.rank >= 2, shape[rank - 1] == other.shape[other.rank - 1],
            Shape.broadcast(Shape(shape.dropLast(2)), Shape(other.shape.dropLast(2))) != nil
        else { return fail("cdist", "the rows of shapes \(shape) and \(other.shape) cannot be compared") }
        guard dtype.isFloatingPoint, dtype == other.dtype, p >= 0 else {
            return fail(
                "cdist", "takes two tensors of one floating dtype and p ≥ 0, got \(dtype), \(other.dtype), \(p)")
        }
        if p == 2 { return apply(EuclideanDistance(), to: wide, other.wide).rounded(to: dtype) }
        return (wide.unsqueeze(dim: -2) - other.wide.unsqueeze(dim: -3)).rowNorms(p).rounded(to: dtype)
    }

    /// The distances between each two rows of a matrix (n, k), in the order (0, 1), (0, 2), …, (1, 2), …: n (n − 1) / 2 of them.
    public func pdist(p: Double = 2) -> Tensor {
        guard rank == 2, dtype.isFloatingPoint, p >= 0 else {
            return fail(
                "pdist", "takes a matrix of a floating dtype and p ≥ 0, this is \(dtype) of shape \(shape), p = \(p)")
        }
        if p == 2 { return apply(PairDistance(), to: wide).rounded(to: dtype) }
        let distances = wide.cdist(wide, p: p).reshape([shape[0] * shape[0]])
        return distances.indexSelect(dim: 0, pairPlaces(shape[0])).rounded(to: dtype)
    }

    /// The norms over the last axis, 0 where it is empty.
    private func rowNorms(_ p: Double) -> Tensor {
        shape[rank - 1] == 0 ? sum(dim: -1) : norm(p, dim: -1)
    }

    /// The norm of the difference of two tensors, which broadcast: a number.
    public func dist(_ other: Tensor, p: Double = 2) -> Tensor {
        (wide - other.wide).norm(p).rounded(to: Tensor.resultType(self, other))
    }

    /// Each part along an axis scaled down to the norm `maxNorm` where its norm is larger.
    public func renorm(p: Double, dim: Int, maxNorm: Double) -> Tensor {
        guard rank >= 2 else { return fail("renorm", "needs at least two axes, the shape is \(shape)") }
        guard let axis = axis(dim, in: "renorm") else { return .placeholderAfterError }
        guard p > 0, maxNorm >= 0 else {
            return fail("renorm", "needs p > 0 and maxNorm ≥ 0, they are \(p) and \(maxNorm)")
        }
        let norms = wide.norm(p, dim: (0..<rank).filter { $0 != axis }, keepDim: true)
        let isLarge = norms.detach() .> maxNorm
        // The small number is PyTorch's.
        let factors = Tensor.where(isLarge, maxNorm / (norms + 1e-7), Tensor.ones([], dtype: norms.dtype))
        return (wide * factors).rounded(to: dtype)
    }
}
