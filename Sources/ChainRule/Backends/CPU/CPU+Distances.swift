import CKernels

extension CPU {
    /// |aᵢ − bⱼ|
    static func euclideanDistances(_ a: Tensor, _ b: Tensor) -> Tensor {
        let batch = Shape.broadcast(Shape(a.shape.dropLast(2)), Shape(b.shape.dropLast(2))) ?? []
        let left = expandedCopy(a, to: batch.appending(a.shape.suffix(2)))
        let right = expandedCopy(b, to: batch.appending(b.shape.suffix(2)))
        let (rows, columns) = (a.shape[a.rank - 2], b.shape[b.rank - 2])
        let y = Tensor(uninitialized: batch.appending([rows, columns]), dtype: a.dtype)
        let width = a.shape[a.rank - 1]
        // Products take less time than differences where rows are long.
        if a.dtype == .float32, y.count >= 256, width >= 256 { return distancesByProducts(left, right, y) }
        let problem = ck_distances(
            batch: Int64(batch.elementCount), rows: Int64(rows), columns: Int64(columns), width: Int64(width), paired: 0
        )
        computeDistances(problem, left, right, y)
        return y
    }

    /// |xᵢ − xⱼ| for i < j, of the rows of a matrix.
    static func pairDistances(_ x: Tensor) -> Tensor {
        let (x, rows, width) = (contiguous(x), x.shape[0], x.shape[1])
        let y = Tensor(uninitialized: [rows * (rows - 1) / 2], dtype: x.dtype)
        let problem = ck_distances(
            batch: 1, rows: Int64(rows), columns: Int64(rows), width: Int64(width), paired: 1)
        computeDistances(problem, x, x, y)
        return y
    }

    private static func computeDistances(_ problem: ck_distances, _ a: Tensor, _ b: Tensor, _ y: Tensor) {
        var problem = problem
        withExtendedLifetime((a, b)) {
            if a.dtype == .float32 {
                ck_distances_f32(
                    &problem, y.freshPointer(to: Float.self), a.pointer(to: Float.self), b.pointer(to: Float.self))
            } else {
                ck_distances_f64(
                    &problem, y.freshPointer(to: Double.self), a.pointer(to: Double.self), b.pointer(to: Double.self))
            }
        }
    }

    /// |a|² + |b|² − 2 a·b in double. It loses the digits of near neighbours: there the differences themselves are added up.
    private static func distancesByProducts(_ a: Tensor, _ b: Tensor, _ y: Tensor) -> Tensor {
        let (rows, columns, width) = (a.shape[a.rank - 2], b.shape[b.rank - 2], a.shape[a.rank - 1])
        let (wideA, wideB) = (convert(a, to: .float64), convert(b, to: .float64))
        let products = matrixProduct(wideA, wideB.mT)
        let last = AxisSet(last: a.rank)
        let (squaresA, squaresB) = (
            reduce(CK_SUM_SQUARES, wideA, over: last), reduce(CK_SUM_SQUARES, wideB, over: last)
        )
        let output = y.freshPointer(to: Float.self)
        withExtendedLifetime((a, b, products, squaresA, squaresB)) {
            let (left, right) = (a.pointer(to: Float.self), b.pointer(to: Float.self))
            let (product, ofA, ofB) = (
                products.pointer(to: Double.self), squaresA.pointer(to: Double.self), squaresB.pointer(to: Double.self)
            )
            parallel(y.count / columns, block: blockSize(bytesEach: columns * 12)) { lines in
                for line in lines {
                    let begin = line / rows * columns
                    for column in 0..<columns {
                        let squares = ofA[line] + ofB[begin + column]
                        let square = squares - 2 * product[line * columns + column]
                        // Written so that a NaN, which infinities leave, goes the long way too.
                        let isExact = square > 1e-7 * squares
                        output[line * columns + column] =
                            isExact
                            ? Float(square.squareRoot())
                            : distance(left + line * width, right + (begin + column) * width, width)
                    }
                }
            }
        }
        return y
    }

    private static func distance(_ x: UnsafePointer<Float>, _ z: UnsafePointer<Float>, _ width: Int) -> Float {
        var sum = 0.0
        for index in 0..<width {
            let difference = Double(x[index]) - Double(z[index])
            sum += difference * difference
        }
        return Float(sum.squareRoot())
    }
}
