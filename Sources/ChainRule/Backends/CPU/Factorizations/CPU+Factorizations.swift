// Factorisations of the matrices in the last two axes. Shapes and dtypes were checked by the caller; results have the dtype of the input.

extension CPU {
    /// The lower triangular factor L of A = L Lᵀ, and for each matrix 0 or the order of its first leading minor that is not positive
    /// definite (int32).
    static func cholesky(_ a: Tensor) -> (factor: Tensor, info: Tensor) {
        let factors = MatrixBatch(copying: a)
        let info = Tensor(uninitialized: factors.batch, dtype: .int32)
        let flags = info.freshPointer(to: Int32.self)
        factors.forEach { flags[$0] = factors[$0].cholesky() }
        return (convert(factors.tensor, to: a.dtype), info)
    }

    /// X with A X = B, where the batches of A and B broadcast, and for each A 0 or the place of its first zero pivot (int32).
    static func solve(_ a: Tensor, _ b: Tensor) -> (solution: Tensor, info: Tensor) {
        let factors = MatrixBatch(copying: a)
        let size = factors.rows
        let info = Tensor(uninitialized: factors.batch, dtype: .int32)
        let order = Tensor(uninitialized: factors.batch.appending([size]), dtype: .int64)
        let (flags, places) = (info.freshPointer(to: Int32.self), order.freshPointer(to: Int.self))
        factors.forEach { flags[$0] = factors[$0].eliminate(places + $0 * size).info }
        let batch = Shape.broadcast(factors.batch, Shape(b.shape.dropLast(2))) ?? []
        let sides = MatrixBatch(copying: expandedCopy(b, to: batch.appending(b.shape.suffix(2))))
        let solution = MatrixBatch(zeros: batch, rows: size, columns: sides.columns)
        let matrix = matrixNumbers(factors.batch, in: batch)
        solution.forEach(with: factors, sides) { index in
            let (x, side, factor) = (solution[index], sides[index], factors[matrix[index]])
            for row in 0..<size {
                x[row].update(from: side[places[matrix[index] * size + row]], count: x.columns)
            }
            factor.solveTriangle(x, upper: false, unit: true)
            factor.solveTriangle(x, upper: true, unit: false)
        }
        return withExtendedLifetime(order) { (convert(solution.tensor, to: a.dtype), info) }
    }

    /// T⁻¹ B for a triangle T of each matrix of `a`; the batches broadcast.
    static func solveTriangle(_ a: Tensor, _ b: Tensor, upper: Bool, unit: Bool) -> Tensor {
        let triangles = MatrixBatch(copying: a)
        let batch = Shape.broadcast(triangles.batch, Shape(b.shape.dropLast(2))) ?? []
        let solution = MatrixBatch(copying: expandedCopy(b, to: batch.appending(b.shape.suffix(2))))
        let matrix = matrixNumbers(triangles.batch, in: batch)
        solution.forEach(with: triangles) {
            triangles[matrix[$0]].solveTriangle(solution[$0], upper: upper, unit: unit)
        }
        return convert(solution.tensor, to: a.dtype)
    }

    /// Which matrix of the batch `from` stands at each place of the batch `target`, to which it broadcasts.
    private static func matrixNumbers(_ from: Shape, in target: Shape) -> [Int] {
        let numbers = expandedCopy(Tensor(Array(0..<from.elementCount), shape: from), to: target)
        return withExtendedLifetime(numbers) {
            Array(UnsafeBufferPointer(start: numbers.pointer(to: Int.self), count: numbers.count))
        }
    }

    /// The determinants, their signs (−1, 0, 1) and the logarithms of their magnitudes. The last two neither overflow nor vanish.
    static func determinants(_ a: Tensor) -> (determinant: Tensor, sign: Tensor, logarithm: Tensor) {
        let factors = MatrixBatch(copying: a)
        let results = (0..<3).map { _ in Tensor(uninitialized: factors.batch, dtype: .float64) }
        let (values, signs, logarithms) = (
            results[0].freshPointer(to: Double.self), results[1].freshPointer(to: Double.self),
            results[2].freshPointer(to: Double.self)
        )
        factors.forEach { index in
            let factor = factors[index]
            var order = [Int](repeating: 0, count: factor.rows)
            var sign = order.withUnsafeMutableBufferPointer { buffer in
                buffer.baseAddress.map { factor.eliminate($0).sign } ?? 1
            }
            var (product, logarithm) = (sign, 0.0)
            for place in 0..<factor.rows {
                let pivot = factor[place][place]
                product *= pivot
                logarithm += naturalLogarithm(pivot.magnitude)
                sign *= pivot > 0 ? 1 : pivot < 0 ? -1 : pivot
            }
            (values[index], signs[index], logarithms[index]) = (product, sign, logarithm)
        }
        let converted = results.map { convert($0, to: a.dtype) }
        return (converted[0], converted[1], converted[2])
    }

    /// A = Q R with min(m, n) columns in Q, or all m of them (`complete`).
    static func orthogonalize(_ a: Tensor, complete: Bool) -> (q: Tensor, r: Tensor) {
        let factors = MatrixBatch(copying: a)
        let width = complete ? factors.rows : Swift.min(factors.rows, factors.columns)
        let q = MatrixBatch(zeros: factors.batch, rows: factors.rows, columns: width)
        factors.forEach(with: q) { factors[$0].orthogonalize(into: q[$0]) }
        let rows = rowsOf(factors.tensor, first: width)
        return (convert(q.tensor, to: a.dtype), convert(rows, to: a.dtype))
    }

    /// The first rows of row-major matrices.
    private static func rowsOf(_ x: Tensor, first count: Int) -> Tensor {
        var shape = x.shape
        shape[x.rank - 2] = count
        return contiguousCopy(x.view(Layout(shape: shape, strides: x.strides, offset: x.layout.offset)))
    }

    /// A = V Λ Vᵀ for symmetric matrices of which one triangle is read: the eigenvalues in ascending order and the eigenvectors as columns.
    /// Nil when a matrix is not finite.
    static func diagonalize(_ a: Tensor, upper: Bool) -> (values: Tensor, vectors: Tensor)? {
        let vectors = MatrixBatch(copying: a)
        let size = vectors.rows
        let values = Tensor(uninitialized: vectors.batch.appending([size]), dtype: .float64)
        let failures = Tensor.zeros(vectors.batch, dtype: .bool)
        let (output, hasFailed) = (values.freshPointer(to: Double.self), failures.freshPointer(to: UInt8.self))
        vectors.forEach { index in
            let matrix = vectors[index]
            for row in 0..<size {
                for column in 0..<row {
                    if upper {
                        matrix[row][column] = matrix[column][row]
                    } else {
                        matrix[column][row] = matrix[row][column]
                    }
                }
            }
            if !matrix.diagonalize(output + index * size) { hasFailed[index] = 1 }
        }
        guard !isAnyTrue(failures) else { return nil }
        return (convert(values, to: a.dtype), convert(contiguous(transposed(vectors.tensor)), to: a.dtype))
    }

    /// A = U S Vᵀ with min(m, n) columns in U and rows in Vᵀ; the singular values in descending order. Nil when a matrix is not finite.
    static func singularValues(_ a: Tensor) -> (u: Tensor, s: Tensor, vh: Tensor)? {
        let (rows, columns) = (a.shape[a.rank - 2], a.shape[a.rank - 1])
        if rows < columns {
            // Aᵀ = V S Uᵀ
            return singularValues(transposed(a)).map {
                (contiguous(transposed($0.vh)), $0.s, contiguous(transposed($0.u)))
            }
        }
        // A triangle as large as the columns stands for many rows.
        let factors = rows > columns ? orthogonalize(convert(a, to: .float64), complete: false) : nil
        let left = MatrixBatch(copying: factors?.r ?? a)
        let right = MatrixBatch(zeros: left.batch, rows: columns, columns: columns)
        let values = Tensor(uninitialized: left.batch.appending([columns]), dtype: .float64)
        let failures = Tensor.zeros(left.batch, dtype: .bool)
        let (output, hasFailed) = (values.freshPointer(to: Double.self), failures.freshPointer(to: UInt8.self))
        left.forEach(with: right) { index in
            if !left[index].singularValues(output + index * columns, right[index]) { hasFailed[index] = 1 }
        }
        guard !isAnyTrue(failures) else { return nil }
        let turned = transposed(left.tensor)
        let u = factors.map { matrixProduct($0.q, turned) } ?? contiguous(turned)
        return (convert(u, to: a.dtype), convert(values, to: a.dtype), convert(right.tensor, to: a.dtype))
    }

    private static func isAnyTrue(_ x: Tensor) -> Bool {
        withExtendedLifetime(x) {
            UnsafeBufferPointer(start: x.pointer(to: UInt8.self), count: x.count).contains { $0 != 0 }
        }
    }

    /// Whether an element is 0.
    static func hasZero(_ x: Tensor) -> Bool {
        isAnyTrue(compare(.equal, x, .integer(0), name: "=="))
    }

    /// The last two axes exchanged; a view.
    static func transposed(_ x: Tensor) -> Tensor {
        var (shape, strides) = (x.shape, x.strides)
        (shape[x.rank - 2], shape[x.rank - 1]) = (shape[x.rank - 1], shape[x.rank - 2])
        (strides[x.rank - 2], strides[x.rank - 1]) = (strides[x.rank - 1], strides[x.rank - 2])
        return x.view(Layout(shape: shape, strides: strides, offset: x.layout.offset))
    }
}
