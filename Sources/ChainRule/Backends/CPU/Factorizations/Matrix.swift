import CKernels

// What the factorisations work on. All of them compute in double precision, whatever the dtype: they are written once, and single
// precision gets results that are rounded once.

/// A row-major matrix of doubles in memory that somebody else owns.
struct Matrix {
    let start: UnsafeMutablePointer<Double>
    let rows, columns: Int

    /// Where a row begins.
    @inline(__always)
    subscript(row: Int) -> UnsafeMutablePointer<Double> { start + row * columns }
}

/// The matrices in the last two axes of a tensor, copied to row-major float64 memory of their own.
struct MatrixBatch {
    /// float64, seen by nobody else until it is handed out as a result.
    let tensor: Tensor
    let rows, columns: Int

    init(copying x: Tensor) {
        tensor = x.dtype == .float64 ? CPU.contiguousCopy(x) : CPU.convert(x, to: .float64)
        rows = x.shape[x.rank - 2]
        columns = x.shape[x.rank - 1]
    }

    init(zeros batch: Shape, rows: Int, columns: Int) {
        tensor = Tensor.zeros(batch.appending([rows, columns]), dtype: .float64)
        self.rows = rows
        self.columns = columns
    }

    /// How many matrices there are.
    var count: Int { batch.elementCount }
    /// The axes in front of the matrices.
    var batch: Shape { Shape(tensor.shape.dropLast(2)) }

    /// Valid while this batch is: use it inside `forEach`.
    subscript(index: Int) -> Matrix {
        let start = tensor.freshPointer(to: Double.self) + index * rows * columns
        return Matrix(start: start, rows: rows, columns: columns)
    }

    /// Runs `body` for each matrix, several at a time; the matrices of this batch and of `others` stay alive meanwhile.
    func forEach(with others: MatrixBatch..., body: (Int) -> Void) {
        withExtendedLifetime((self, others)) {
            let block = Swift.max(1, (1 << 14) / Swift.max(rows * columns * Swift.min(rows, columns), 1))
            CPU.parallel(count, block: block) { range in
                for index in range { body(index) }
            }
        }
    }
}

/// Elements from which a call of a kernel is repaid.
private let few = 16

/// x · y
@inline(__always)
func dot(_ x: UnsafePointer<Double>, _ y: UnsafePointer<Double>, _ count: Int) -> Double {
    if count >= few { return ck_dot_f64(Int64(count), x, y) }
    var sum = 0.0
    for index in 0..<count { sum += x[index] * y[index] }
    return sum
}

/// y += factor · x
@inline(__always)
func add(_ factor: Double, _ x: UnsafePointer<Double>, to y: UnsafeMutablePointer<Double>, _ count: Int) {
    if count >= few { return ck_add_scaled_f64(Int64(count), factor, x, y) }
    for index in 0..<count { y[index] += factor * x[index] }
}
