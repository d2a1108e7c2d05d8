// Eigenvalues of symmetric matrices and singular values.

extension Matrix {
    /// A = V Λ Vᵀ for a symmetric A, both triangles of which are read; the rows of this matrix become the eigenvectors, in ascending order
    /// of `values`. Reduced to a tridiagonal matrix, then the QR algorithm with Wilkinson's shift (Golub and Van Loan, Matrix
    /// Computations, 8.3). False when an element is not finite, or it does not converge.
    func diagonalize(_ values: UnsafeMutablePointer<Double>) -> Bool {
        let size = rows
        guard let largest = scaleToOne() else { return false }
        let beside = UnsafeMutablePointer<Double>.allocate(capacity: size + 1)
        defer { beside.deallocate() }
        tridiagonalize(values, beside)
        guard iterate(values, beside) else { return false }
        for place in 0..<size { values[place] *= largest }
        sortRows(by: values, ascending: true)
        return true
    }

    /// Divides by the largest element, so that squares neither overflow nor vanish, and returns it; nil when one is not finite.
    private func scaleToOne() -> Double? {
        var largest = 0.0
        for place in 0..<rows * columns {
            guard start[place].isFinite else { return nil }
            largest = Swift.max(largest, start[place].magnitude)
        }
        if largest == 0 { return 1 }
        for place in 0..<rows * columns { start[place] /= largest }
        return largest
    }

    private func iterate(_ d: UnsafeMutablePointer<Double>, _ e: UnsafeMutablePointer<Double>) -> Bool {
        var last = rows - 1
        var budget = 60 * rows
        while last > 0 {
            if isNegligible(d, e, last - 1) {
                last -= 1
                continue
            }
            var first = last - 1
            while first > 0 && !isNegligible(d, e, first - 1) { first -= 1 }
            budget -= 1
            if budget < 0 { return false }
            sweep(d, e, first, last)
        }
        return true
    }

    /// Whether the element beside the diagonal has no digit left that the diagonal would notice; it is then made 0.
    private func isNegligible(_ d: UnsafePointer<Double>, _ e: UnsafeMutablePointer<Double>, _ place: Int) -> Bool {
        let limit = Double.ulpOfOne * (d[place].magnitude + d[place + 1].magnitude)
        // The second bound keeps the squares in a step from vanishing; the largest element is about 1.
        guard e[place].magnitude <= limit || e[place].magnitude < 1e-150 else { return false }
        e[place] = 0
        return true
    }

    /// One implicit QR step on the places from `first` to `last`; the rotations also turn the rows of this matrix.
    private func sweep(
        _ d: UnsafeMutablePointer<Double>, _ e: UnsafeMutablePointer<Double>, _ first: Int, _ last: Int
    ) {
        let half = (d[last - 1] - d[last]) / 2
        let beside = e[last - 1]
        let root = (half * half + beside * beside).squareRoot()
        let shift = d[last] - beside * beside / (half + (half < 0 ? -root : root))
        var (x, bulge) = (d[first] - shift, e[first])
        for place in first..<last {
            let radius = (x * x + bulge * bulge).squareRoot()
            let (c, s) = radius == 0 ? (1, 0) : (x / radius, bulge / radius)
            if place > first { e[place - 1] = radius }
            let (upper, lower, off) = (d[place], d[place + 1], e[place])
            d[place] = c * c * upper + 2 * c * s * off + s * s * lower
            d[place + 1] = s * s * upper - 2 * c * s * off + c * c * lower
            e[place] = c * s * (lower - upper) + (c * c - s * s) * off
            if place + 1 < last {
                x = e[place]
                bulge = s * e[place + 1]
                e[place + 1] *= c
            }
            rotate(self[place], self[place + 1], c, s, columns)
        }
    }

    /// Brings the rows into the order of their `keys`, which are sorted too.
    private func sortRows(by keys: UnsafeMutablePointer<Double>, ascending: Bool) {
        for place in 0..<rows {
            var best = place
            for other in place + 1..<Swift.max(rows, place + 1)
            where ascending ? keys[other] < keys[best] : keys[other] > keys[best] {
                best = other
            }
            if best == place { continue }
            swap(&keys[place], &keys[best])
            for column in 0..<columns { swap(&self[place][column], &self[best][column]) }
        }
    }

    /// A = U S Vᵀ for a square A whose *columns* are the rows of this matrix, which become the columns of U; the rows of `right` become
    /// those of Vᵀ, in descending order of `values`. One-sided Jacobi rotations make the columns orthogonal (Hestenes 1958).
    /// False when an element is not finite, or it does not converge.
    func singularValues(_ values: UnsafeMutablePointer<Double>, _ right: Matrix) -> Bool {
        let size = rows
        guard let largest = scaleToOne() else { return false }
        for row in 0..<size {
            for column in 0..<size { right[row][column] = row == column ? 1 : 0 }
        }
        let squares = UnsafeMutablePointer<Double>.allocate(capacity: size + 1)
        defer { squares.deallocate() }
        var sweeps = 0
        while rotateAllPairs(right, squares) {
            sweeps += 1
            if sweeps > 60 { return false }
        }
        for row in 0..<size { values[row] = dot(self[row], self[row], size).squareRoot() }
        // One order for both: the second sort repeats the first.
        let keys = UnsafeMutablePointer<Double>.allocate(capacity: size + 1)
        defer { keys.deallocate() }
        keys.update(from: values, count: size)
        right.sortRows(by: keys, ascending: false)
        sortRows(by: values, ascending: false)
        for row in 0..<size {
            normalize(row, values[row])
            values[row] *= largest
        }
        return true
    }

    /// Makes each pair of rows orthogonal in turn; whether any was not. The squares of their lengths follow the rotations, and are computed anew
    /// here, so that it is exact ones that say there is nothing to turn.
    private func rotateAllPairs(_ right: Matrix, _ squares: UnsafeMutablePointer<Double>) -> Bool {
        var hasTurned = false
        let tolerance = Double.ulpOfOne * (4 + Double(columns).squareRoot())
        for row in 0..<rows { squares[row] = dot(self[row], self[row], columns) }
        for p in 0..<rows {
            for q in p + 1..<Swift.max(rows, p + 1) {
                let (x, y) = (self[p], self[q])
                let (a, b) = (squares[p], squares[q])
                // Rows this small against the largest, which is about 1, are zeros.
                if a < 1e-280 || b < 1e-280 { continue }
                let between = dot(x, y, columns)
                if between.magnitude <= tolerance * (a.squareRoot() * b.squareRoot()) { continue }
                let zeta = (b - a) / (2 * between)
                let tangent = (zeta < 0 ? -1 : 1) / (zeta.magnitude + (1 + zeta * zeta).squareRoot())
                let c = 1 / (1 + tangent * tangent).squareRoot()
                rotate(x, y, c, -c * tangent, columns)
                rotate(right[p], right[q], c, -c * tangent, columns)
                squares[p] = Swift.max(a - tangent * between, 0)
                squares[q] = Swift.max(b + tangent * between, 0)
                hasTurned = true
            }
        }
        return hasTurned
    }

    /// Brings a row to length 1; a row of zeros becomes some direction orthogonal to the rows above it.
    private func normalize(_ row: Int, _ length: Double) {
        if length > 1e-140 {
            for column in 0..<columns { self[row][column] /= length }
            return
        }
        for axis in 0..<columns {
            for column in 0..<columns { self[row][column] = column == axis ? 1 : 0 }
            // Twice, since the first subtraction leaves rounding errors in the direction of the rows.
            for _ in 0..<2 {
                for above in 0..<row { add(-dot(self[above], self[row], columns), self[above], to: self[row], columns) }
            }
            let rest = dot(self[row], self[row], columns).squareRoot()
            // Some axis keeps at least this much, for the squares of what they keep add up to the rows that are missing.
            if rest * rest * Double(columns) < 0.5 { continue }
            for column in 0..<columns { self[row][column] /= rest }
            return
        }
    }
}
