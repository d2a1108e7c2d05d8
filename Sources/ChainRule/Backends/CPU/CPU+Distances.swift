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
        if a.dtype == .float32, y.count >= 256, width >= 8 { return distancesByProducts(left, right, y) }
        withExtendedLifetime((left, right)) {
            if a.dtype == .float32 {
                distances(
                    left.pointer(to: Float.self), right.pointer(to: Float.self), y.freshPointer(to: Float.self),
                    y.count,
                    rows, columns, width)
            } else {
                distances(
                    left.pointer(to: Double.self), right.pointer(to: Double.self), y.freshPointer(to: Double.self),
                    y.count, rows, columns, width)
            }
        }
        return y
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

    @inline(__always)
    private static func distance<T: BinaryFloatingPoint>(_ x: UnsafePointer<T>, _ z: UnsafePointer<T>, _ width: Int)
        -> T
    {
        var sum = 0.0
        for index in 0..<width {
            let difference = Double(x[index]) - Double(z[index])
            sum += difference * difference
        }
        return T(sum.squareRoot())
    }

    @inline(__always)
    private static func distances<T: BinaryFloatingPoint>(
        _ a: UnsafePointer<T>, _ b: UnsafePointer<T>, _ y: UnsafeMutablePointer<T>, _ count: Int, _ rows: Int,
        _ columns: Int, _ width: Int
    ) {
        parallel(count, block: Swift.max(1, (1 << 14) / Swift.max(width, 1))) { places in
            for place in places {
                let (row, column) = (place / columns, place % columns)
                y[place] = distance(a + row * width, b + (row / rows * columns + column) * width, width)
            }
        }
    }
}
