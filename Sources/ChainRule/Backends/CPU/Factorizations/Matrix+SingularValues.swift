// Singular values: a bidiagonal matrix, then the QR algorithm on it (Golub and Kahan 1965; Demmel and Kahan, Accurate Singular Values of
// Bidiagonal Matrices, 1990).

extension Matrix {
    /// A = U S Vᵀ for a square A; this matrix becomes Uᵀ and `right` Vᵀ, in descending order of `values`. Errors are some units of the largest
    /// value. False when an element is not finite, or it does not converge.
    func singularValues(_ values: UnsafeMutablePointer<Double>, _ right: Matrix) -> Bool {
        let size = rows
        guard let largest = scaleToOne() else { return false }
        let beside = UnsafeMutablePointer<Double>.allocate(capacity: size + 1)
        defer { beside.deallocate() }
        bidiagonalize(values, beside, right)
        guard iterate(values, beside, right) else { return false }
        for place in 0..<size where values[place] < 0 {
            values[place] = -values[place]
            for column in 0..<size { right[place][column] = -right[place][column] }
        }
        // One order for both: the second sort repeats the first.
        beside.update(from: values, count: size)
        right.sortRows(by: beside, ascending: false)
        sortRows(by: values, ascending: false)
        for place in 0..<size { values[place] *= largest }
        return true
    }

    private func iterate(
        _ d: UnsafeMutablePointer<Double>, _ e: UnsafeMutablePointer<Double>, _ right: Matrix
    ) -> Bool {
        var (leftTurns, rightTurns) = (Turns(rows: rows), Turns(rows: rows))
        defer {
            leftTurns.deallocate()
            rightTurns.deallocate()
        }
        let isDone = decouple(d, e) { first, last in
            leftTurns.begin(first, last - first, on: self)
            rightTurns.begin(first, last - first, on: right)
            let shift = Self.shift(d, e, first, last)
            if shift == 0 {
                Self.sweep(d, e, first, last, &leftTurns, &rightTurns)
            } else {
                Self.sweep(d, e, first, last, shift, &leftTurns, &rightTurns)
            }
        }
        if isDone {
            leftTurns.make(on: self)
            rightTurns.make(on: right)
        }
        return isDone
    }

    /// The smaller singular value of the last two places; 0 where that would be lost beside the first place, or something is zero, which a
    /// sweep without a shift moves to the end.
    private static func shift(
        _ d: UnsafePointer<Double>, _ e: UnsafePointer<Double>, _ first: Int, _ last: Int
    ) -> Double {
        for place in first...last where d[place].magnitude < 1e-150 { return 0 }
        let (f, g, h) = (d[last - 1].magnitude, e[last - 1].magnitude, d[last].magnitude)
        let (small, large) = (Swift.min(f, h), Swift.max(f, h))
        let sum = ((f + h) * (f + h) + g * g).squareRoot(), difference = ((f - h) * (f - h) + g * g).squareRoot()
        let shift = 2 * small * large / (sum + difference)
        let ratio = shift / d[first].magnitude
        return ratio * ratio < Double.ulpOfOne ? 0 : shift
    }

    /// One implicit QR step on the places from `first` to `last`.
    private static func sweep(
        _ d: UnsafeMutablePointer<Double>, _ e: UnsafeMutablePointer<Double>, _ first: Int, _ last: Int,
        _ shift: Double, _ left: inout Turns, _ right: inout Turns
    ) {
        var x = (d[first].magnitude - shift) * ((d[first] < 0 ? -1 : 1) + shift / d[first])
        var bulge = e[first]
        for place in first..<last {
            var (c, s, radius) = right.append(x, bulge)
            if place > first { e[place - 1] = radius }
            x = c * d[place] + s * e[place]
            e[place] = c * e[place] - s * d[place]
            bulge = s * d[place + 1]
            d[place + 1] *= c
            (c, s, radius) = left.append(x, bulge)
            d[place] = radius
            x = c * e[place] + s * d[place + 1]
            d[place + 1] = c * d[place + 1] - s * e[place]
            if place + 1 < last {
                bulge = s * e[place + 1]
                e[place + 1] *= c
            }
        }
        e[last - 1] = x
    }

    /// The same with a shift of 0, without subtractions.
    private static func sweep(
        _ d: UnsafeMutablePointer<Double>, _ e: UnsafeMutablePointer<Double>, _ first: Int, _ last: Int,
        _ left: inout Turns, _ right: inout Turns
    ) {
        var (c, before) = (1.0, (c: 1.0, s: 0.0))
        for place in first..<last {
            let turn = right.append(d[place] * c, e[place])
            if place > first { e[place - 1] = before.s * turn.radius }
            c = turn.c
            let other = left.append(before.c * turn.radius, d[place + 1] * turn.s)
            d[place] = other.radius
            before = (other.c, other.s)
        }
        let rest = d[last] * c
        d[last] = rest * before.c
        e[last - 1] = rest * before.s
    }
}
