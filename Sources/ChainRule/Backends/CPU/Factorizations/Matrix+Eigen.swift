// Eigenvalues of symmetric matrices.

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
    func scaleToOne() -> Double? {
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
        var turns = Turns(rows: rows)
        defer { turns.deallocate() }
        let isDone = decouple(d, e) { first, last in
            turns.begin(first, last - first, on: self)
            Self.sweep(d, e, first, last, &turns)
        }
        if isDone { turns.make(on: self) }
        return isDone
    }

    /// Calls `sweep` with the last places that elements beside the diagonal still connect, from the first to the last of them, until there are none.
    /// False when that does not come about.
    func decouple(
        _ d: UnsafePointer<Double>, _ e: UnsafeMutablePointer<Double>, _ sweep: (_ first: Int, _ last: Int) -> Void
    ) -> Bool {
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
            sweep(first, last)
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

    /// One implicit QR step on the places from `first` to `last`.
    private static func sweep(
        _ d: UnsafeMutablePointer<Double>, _ e: UnsafeMutablePointer<Double>, _ first: Int, _ last: Int,
        _ turns: inout Turns
    ) {
        let half = (d[last - 1] - d[last]) / 2
        let beside = e[last - 1]
        let root = (half * half + beside * beside).squareRoot()
        let shift = d[last] - beside * beside / (half + (half < 0 ? -root : root))
        var (x, bulge) = (d[first] - shift, e[first])
        for place in first..<last {
            let (c, s, radius) = turns.append(x, bulge)
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
        }
    }

    /// Brings the rows into the order of their `keys`, which are sorted too.
    func sortRows(by keys: UnsafeMutablePointer<Double>, ascending: Bool) {
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
}
