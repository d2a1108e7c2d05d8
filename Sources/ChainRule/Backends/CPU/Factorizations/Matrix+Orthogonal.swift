// Householder reflections, as LAPACK chooses their signs: H = I − τ v vᵀ maps x to (β, 0, …), β = −sign(x₀) ‖x‖.

/// A reflection, with v₀ = 1.
private struct Reflection {
    var tau = 0.0
    var beta = 0.0

    /// Replaces x, `step` apart, by v.
    init(_ x: UnsafeMutablePointer<Double>, step: Int, count: Int) {
        let first = x[0]
        beta = first
        var (largest, sum) = (0.0, 0.0)
        for index in 1..<Swift.max(count, 1) { largest = Swift.max(largest, x[index * step].magnitude) }
        x[0] = 1
        if largest == 0 { return }
        // Taken out, so that neither squares nor numbers that have few digits left spoil the reflection.
        largest = Swift.max(largest, first.magnitude)
        for index in 1..<count {
            x[index * step] /= largest
            sum += x[index * step] * x[index * step]
        }
        let scaled = first / largest
        let norm = (scaled * scaled + sum).squareRoot()
        let target = first > 0 || (first == 0 && first.sign == .plus) ? -norm : norm
        beta = largest * target
        tau = (target - scaled) / target
        for index in 1..<count { x[index * step] /= scaled - target }
    }
}

extension Matrix {
    /// A = Q R in place: R on and above the diagonal. `q`, rows × any number of columns, becomes the first columns of Q.
    func orthogonalize(into q: Matrix) {
        let steps = Swift.min(rows, columns)
        let vectors = UnsafeMutablePointer<Double>.allocate(capacity: rows * steps + columns + q.columns + 1)
        defer { vectors.deallocate() }
        let sums = vectors + rows * steps
        var taus = [Double](repeating: 0, count: steps)
        for step in 0..<steps {
            let reflection = Reflection(self[step] + step, step: columns, count: rows - step)
            // The vector, row-major in memory of its own, and zeros where it was.
            for row in step..<rows {
                vectors[step * rows + row] = self[row][step]
                self[row][step] = 0
            }
            self[step][step] = reflection.beta
            taus[step] = reflection.tau
            reflect(vectors + step * rows, reflection.tau, fromRow: step, fromColumn: step + 1, sums)
        }
        q.setToIdentity()
        for step in stride(from: steps - 1, through: 0, by: -1) {
            // To the left of this column there are zeros in these rows.
            q.reflect(vectors + step * rows, taus[step], fromRow: step, fromColumn: step, sums)
        }
    }

    /// A = (I − τ v vᵀ) A in the rows and columns from some place on. `sums` has room for a row.
    private func reflect(
        _ v: UnsafePointer<Double>, _ tau: Double, fromRow first: Int, fromColumn left: Int,
        _ sums: UnsafeMutablePointer<Double>
    ) {
        let count = columns - left
        if tau == 0 || count <= 0 { return }
        for column in 0..<count { sums[column] = 0 }
        for row in first..<rows { add(v[row], self[row] + left, to: sums, count) }
        for row in first..<rows { add(-tau * v[row], sums, to: self[row] + left, count) }
    }

    /// A = Q T Qᵀ for a symmetric A with tridiagonal T; this matrix becomes Qᵀ.
    func tridiagonalize(_ diagonal: UnsafeMutablePointer<Double>, _ beside: UnsafeMutablePointer<Double>) {
        let size = rows
        let vectors = UnsafeMutablePointer<Double>.allocate(capacity: size * size + 2 * size + 1)
        defer { vectors.deallocate() }
        let sums = vectors + size * size
        let taus = sums + size
        for step in 0..<size {
            diagonal[step] = self[step][step]
            let first = step + 1
            if first >= size { break }
            let v = vectors + step * size
            for row in first..<size { v[row] = self[step][row] }
            let reflection = Reflection(v + first, step: 1, count: size - first)
            beside[step] = reflection.beta
            taus[step] = reflection.tau
            reflectBothSides(v + first, reflection.tau, from: first, sums)
        }
        accumulate(vectors, taus, shift: 1)
    }

    /// This square matrix becomes … H₁ H₀, where Hₛ = I − τ v vᵀ with v in row s of `vectors`, which begins at place s + `shift`.
    private func accumulate(_ vectors: UnsafePointer<Double>, _ taus: UnsafePointer<Double>, shift: Int) {
        setToIdentity()
        for step in stride(from: rows - 1 - shift, through: 0, by: -1) where taus[step] != 0 {
            let (first, count) = (step + shift, rows - step - shift)
            let v = vectors + step * rows + first
            for row in first..<rows {
                add(-taus[step] * dot(self[row] + first, v, count), v, to: self[row] + first, count)
            }
        }
    }

    func setToIdentity() {
        for row in 0..<rows {
            for column in 0..<columns { self[row][column] = row == column ? 1 : 0 }
        }
    }

    /// A = U B Vᵀ for a square A, B having `diagonal` and, above it, `beside`; this matrix becomes Uᵀ, `right` Vᵀ. A row is read once and
    /// changed once for both reflections of a step.
    func bidiagonalize(
        _ diagonal: UnsafeMutablePointer<Double>, _ beside: UnsafeMutablePointer<Double>, _ right: Matrix
    ) {
        let size = rows
        let vectors = UnsafeMutablePointer<Double>.allocate(capacity: 2 * size * size + 3 * size + 1)
        defer { vectors.deallocate() }
        let (others, sums) = (vectors + size * size, vectors + 2 * size * size)
        let (taus, otherTaus) = (sums + size, sums + 2 * size)
        for step in 0..<size {
            let (u, v, first) = (vectors + step * size, others + step * size, step + 1)
            for row in step..<size { u[row] = self[row][step] }
            let reflection = Reflection(u + step, step: 1, count: size - step)
            (diagonal[step], taus[step]) = (reflection.beta, reflection.tau)
            let count = size - first
            if count == 0 { break }
            for column in 0..<count { sums[column] = 0 }
            for row in step..<size { add(reflection.tau * u[row], self[row] + first, to: sums, count) }
            for column in 0..<count { v[first + column] = self[step][first + column] - sums[column] }
            let other = Reflection(v + first, step: 1, count: count)
            (beside[step], otherTaus[step]) = (other.beta, other.tau)
            for row in first..<size {
                let rest = self[row] + first
                add(-u[row], sums, to: rest, count)
                add(-other.tau * dot(rest, v + first, count), v + first, to: rest, count)
            }
        }
        accumulate(vectors, taus, shift: 0)
        right.accumulate(others, otherTaus, shift: 1)
    }

    /// A = H A H in the rows and columns from `first` on: with p = τ A v and w = p − ½ τ (p·v) v, A − v wᵀ − w vᵀ.
    private func reflectBothSides(
        _ v: UnsafePointer<Double>, _ tau: Double, from first: Int, _ w: UnsafeMutablePointer<Double>
    ) {
        let count = rows - first
        if tau == 0 { return }
        for row in 0..<count { w[row] = tau * dot(self[first + row] + first, v, count) }
        add(-0.5 * tau * dot(w, v, count), v, to: w, count)
        for row in 0..<count {
            add(-v[row], w, to: self[first + row] + first, count)
            add(-w[row], v, to: self[first + row] + first, count)
        }
    }
}
