let matrixProductOperations: [any Operation.Type] = [
    MatrixProduct.self, Linear.self, LinearActivation.self, QuantizedLinear.self,
]

/// y = a b over the last two axes; the axes in front of them broadcast.
struct MatrixProduct: BinaryOperation, FinishableOperation {
    static let name = "matmul"
    static let formula = Formula("a b", gradient: "∂L/∂a = ∂L/∂y bᵀ, ∂L/∂b = aᵀ ∂L/∂y")
    static let dtypes: DTypes = .all
    static let keeps: Keeps = .inputs
    func forward(_ a: Tensor, _ b: Tensor) -> Tensor { CPU.matrixProduct(a, b) }
    func compute(_ inputs: [Tensor], into target: ProductTarget) {
        CPU.matrixProduct(inputs[0], inputs[1], into: target)
    }
    func gradientLeft(_ dy: Tensor, _ kept: Kept) -> Tensor { apply(self, to: dy, kept.rightInput.mT) }
    func gradientRight(_ dy: Tensor, _ kept: Kept) -> Tensor { apply(self, to: kept.leftInput.mT, dy) }
    static let samples = [
        Sample(MatrixProduct(), -2...2, -2...2, shapes: ([2, 3], [3, 4])),
        Sample(MatrixProduct(), -2...2, -2...2, shapes: ([2, 1, 2, 3], [3, 3, 2])),
        Sample(MatrixProduct(), -2...2, -2...2, shapes: ([2, 3], [2, 3, 1])),
        Sample(MatrixProduct(), -2...2, -2...2, shapes: ([2, 0], [0, 3])),
    ]
}

extension Tensor {
    /// The matrix product, as PyTorch's `matmul`:
    ///
    /// - vector · vector: a number; matrix · vector: a vector; vector · matrix: a vector;
    /// - (..., m, k) · (..., k, n): (..., m, n), where the axes in front broadcast.
    ///
    /// Both have the same dtype, any but bool; integers are multiplied exactly, wrapping around. Transposed and expanded operands are
    /// not copied.
    public func matmul(_ other: Tensor) -> Tensor { product(other, in: "matmul") }

    /// The product of two matrices: (m, k) · (k, n) = (m, n).
    public func mm(_ other: Tensor) -> Tensor { product(other, ranks: (2, 2), in: "mm") }

    /// The products of a batch of matrices: (b, m, k) · (b, k, n) = (b, m, n), nothing broadcast.
    public func bmm(_ other: Tensor) -> Tensor {
        if rank == 3 && other.rank == 3 && shape[0] != other.shape[0] {
            return fail("bmm", "the batches of shapes \(shape) and \(other.shape) differ; matmul broadcasts")
        }
        return product(other, ranks: (3, 3), in: "bmm")
    }

    /// Matrix · vector: (m, k) · (k) = (m).
    public func mv(_ vector: Tensor) -> Tensor { product(vector, ranks: (2, 1), in: "mv") }

    /// The sum of the products of two vectors' elements, a number.
    public func dot(_ other: Tensor) -> Tensor { product(other, ranks: (1, 1), in: "dot") }

    /// All products of two vectors' elements: (m) and (n) give (m, n).
    public func outer(_ other: Tensor) -> Tensor {
        guard rank == 1 && other.rank == 1 else { return wrongRanks(other, (1, 1), "outer") }
        return reshape([count, 1]) * other
    }

    /// Sums of products over the last axis of both: (a..., k) and (b..., k) give (a..., b...). A number multiplies.
    public func inner(_ other: Tensor) -> Tensor {
        if rank == 0 || other.rank == 0 { return self * other }
        guard shape[rank - 1] == other.shape[other.rank - 1] else {
            return fail("inner", "the last axes of shapes \(shape) and \(other.shape) differ")
        }
        let result = Shape(Array(shape.dropLast()) + Array(other.shape.dropLast()))
        return flattenedRows.product(other.flattenedRows.transpose(0, 1), in: "inner").reshape(result)
    }

    /// The sum of a matrix's main diagonal.
    public func trace() -> Tensor {
        guard rank == 2 else { return fail("trace", "expects a matrix, the shape is \(shape)") }
        return diagonal().sum()
    }

    /// The vector product along an axis of size 3, the first such one unless `dim` says; the other axes broadcast.
    public func cross(_ other: Tensor, dim: Int? = nil) -> Tensor {
        guard let common = Shape.broadcast(shape, other.shape), rank == other.rank else {
            return fail(
                "cross", "shapes \(shape) and \(other.shape) differ in their number of axes or do not broadcast")
        }
        guard let found = dim ?? common.firstIndex(of: 3), let axis = axis(found, in: "cross") else {
            return fail("cross", "needs an axis of size 3, the shape is \(shape)")
        }
        guard rank > 0, shape[axis] == 3, other.shape[axis] == 3 else {
            return fail("cross", "axis \(axis) of shapes \(shape) and \(other.shape) must have size 3")
        }
        let (next, last) = (roll(-1, dim: axis), roll(-2, dim: axis))
        return next * other.roll(-2, dim: axis) - last * other.roll(-1, dim: axis)
    }

    /// y[..., o] = x₁ᵀ W[o] x₂ + b[o] on the last axes of this tensor x₁ (..., m) and of x₂ (..., n).
    ///
    /// - Parameters:
    ///   - weight: W (outputs, m, n).
    ///   - bias: b (outputs), or nil.
    public func bilinear(_ other: Tensor, weight: Tensor, bias: Tensor? = nil) -> Tensor {
        guard rank > 0, rank == other.rank, weight.rank == 3, shape.dropLast().elementsEqual(other.shape.dropLast()),
            shape[rank - 1] == weight.shape[1], other.shape[rank - 1] == weight.shape[2]
        else {
            return fail(
                "bilinear", "inputs of shapes \(shape) and \(other.shape) do not fit a weight of shape \(weight.shape)")
        }
        let y = einsum("...i,oij,...j->...o", self, weight, other)
        return bias.map { y + $0 } ?? y
    }

    /// beta · self + alpha · a b, for matrices; self broadcasts. With beta 0 the elements of self don't count, NaN included. Integers take
    /// the integers in beta and alpha, here and in the functions below.
    public func addmm(
        _ a: Tensor, _ b: Tensor, beta: some ScalarOperand = 1, alpha: some ScalarOperand = 1
    ) -> Tensor {
        adding(a.wideProduct(b, ranks: (2, 2), in: "addmm"), beta: beta.scalar, alpha: alpha.scalar, in: "addmm")
    }

    /// beta · self + alpha · a v for a matrix and a vector.
    public func addmv(
        _ a: Tensor, _ vector: Tensor, beta: some ScalarOperand = 1, alpha: some ScalarOperand = 1
    ) -> Tensor {
        adding(a.wideProduct(vector, ranks: (2, 1), in: "addmv"), beta: beta.scalar, alpha: alpha.scalar, in: "addmv")
    }

    /// beta · self + alpha · v wᵀ for two vectors. For booleans + is "or", · is "and", and a factor counts as whether it is 0.
    public func addr(
        _ v: Tensor, _ w: Tensor, beta: some ScalarOperand = 1, alpha: some ScalarOperand = 1
    ) -> Tensor {
        adding(v.wide.outer(w.wide), beta: beta.scalar, alpha: alpha.scalar, in: "addr")
    }

    /// beta · self + alpha · a b for batches of matrices.
    public func baddbmm(
        _ a: Tensor, _ b: Tensor, beta: some ScalarOperand = 1, alpha: some ScalarOperand = 1
    ) -> Tensor {
        adding(a.wideProduct(b, ranks: (3, 3), in: "baddbmm"), beta: beta.scalar, alpha: alpha.scalar, in: "baddbmm")
    }

    /// beta · self + alpha · Σ a[i] b[i] over the batch.
    public func addbmm(
        _ a: Tensor, _ b: Tensor, beta: some ScalarOperand = 1, alpha: some ScalarOperand = 1
    ) -> Tensor {
        let products = a.wideProduct(b, ranks: (3, 3), in: "addbmm")
        guard products.rank == 3 else { return products }
        return adding(products.sum(dim: 0).to(products.dtype), beta: beta.scalar, alpha: alpha.scalar, in: "addbmm")
    }

    private func adding(_ product: Tensor, beta: Scalar, alpha: Scalar, in operation: String) -> Tensor {
        guard Shape.broadcast(shape, product.shape) == product.shape else {
            return fail(operation, "shape \(shape) does not broadcast to that of the product, \(product.shape)")
        }
        let (common, own) = (Tensor.resultType(wide, product), wide)
        let (alpha, beta) = (alpha.factor(for: common), beta.factor(for: common))
        let scaled = alpha.double == 1 ? product : product * alpha
        if beta.double == 0 { return scaled.to(common).rounded(to: dtype) }
        return ((beta.double == 1 ? own : own * beta) + scaled).to(common).rounded(to: dtype)
    }

    // MARK: Shapes

    /// All axes but the last as one.
    private var flattenedRows: Tensor { reshape([shape.dropLast().reduce(1, *), shape[rank - 1]]) }

    /// The product of 16-bit floats in float32, for what is added to it before it is rounded.
    private func wideProduct(_ other: Tensor, ranks: (Int, Int), in operation: String) -> Tensor {
        dtype == other.dtype
            ? wide.product(other.wide, ranks: ranks, in: operation) : product(other, ranks: ranks, in: operation)
    }

    private func product(_ other: Tensor, ranks: (Int, Int), in operation: String) -> Tensor {
        guard rank == ranks.0 && other.rank == ranks.1 else { return wrongRanks(other, ranks, operation) }
        return product(other, in: operation)
    }

    private func wrongRanks(_ other: Tensor, _ ranks: (Int, Int), _ operation: String) -> Tensor {
        fail(
            operation,
            "takes operands of \(ranks.0) and \(ranks.1) axes, their shapes are \(shape) and \(other.shape)")
    }

    private func product(_ other: Tensor, in operation: String) -> Tensor {
        guard canMultiply(other, operation) else { return .placeholderAfterError }
        let left = rank == 1 ? reshape([1, shape[0]]) : self
        let right = other.rank == 1 ? other.reshape([other.shape[0], 1]) : other
        guard left.shape[left.rank - 1] == right.shape[right.rank - 2] else {
            return fail(
                operation,
                "shapes \(shape) and \(other.shape) do not fit: \(left.shape[left.rank - 1]) columns meet \(right.shape[right.rank - 2]) rows"
            )
        }
        let batches = (Shape(left.shape.dropLast(2)), Shape(right.shape.dropLast(2)))
        guard var result = Shape.broadcast(batches.0, batches.1) else {
            return fail(
                operation, "the axes in front of the matrices of shapes \(shape) and \(other.shape) do not broadcast")
        }
        if rank > 1 { result.append(shape[rank - 2]) }
        if other.rank > 1 { result.append(other.shape[other.rank - 1]) }
        // A batch times one matrix is one large product, and the gradient of the matrix then needs no sum over the batch.
        if left.rank > 2 && right.rank == 2 {
            let rows: Shape = [left.shape.dropLast().reduce(1, *), left.shape[left.rank - 1]]
            if left.layout.stridesForReshape(to: rows) != nil {
                return apply(MatrixProduct(), to: left.reshape(rows), right).reshape(result)
            }
        }
        return apply(MatrixProduct(), to: left, right).reshape(result)
    }

    private func canMultiply(_ other: Tensor, _ operation: String) -> Bool {
        guard rank > 0 && other.rank > 0 else {
            fail(
                operation, "multiplies vectors and matrices, shapes are \(shape) and \(other.shape); use * for numbers")
            return false
        }
        guard dtype == other.dtype else {
            fail(operation, "the dtypes \(dtype) and \(other.dtype) differ; convert one with .to(...)")
            return false
        }
        guard dtype != .bool else {
            fail(operation, "is not defined for booleans; convert with .to(.int64) first")
            return false
        }
        return true
    }
}

extension Scalar {
    /// This factor as one for elements of `dtype`.
    fileprivate func factor(for dtype: DType) -> Scalar {
        if dtype.isFloatingPoint { return self }
        return .integer(dtype == .bool ? (double == 0 ? 0 : 1) : Int(double))
    }
}
