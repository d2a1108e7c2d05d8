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
        // Taken out, so that squares neither overflow nor vanish.
        largest = Swift.max(largest, first.magnitude)
        for index in 1..<count {
            let scaled = x[index * step] / largest
            sum += scaled * scaled
        }
        let scaled = first / largest
        let norm = largest * (scaled * scaled + sum).squareRoot()
        beta = first > 0 || (first == 0 && first.sign == .plus) ? -norm : norm
        tau = (beta - first) / beta
        for index in 1..<count { x[index * step] /= first - beta }
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
        for row in 0..<q.rows {
            for column in 0..<q.columns { q[row][column] = row == column ? 1 : 0 }
        }
        for step in stride(from: steps - 1, through: 0, by: -1) {
            q.reflect(vectors + step * rows, taus[step], fromRow: step, fromColumn: 0, sums)
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
        let vectors = UnsafeMutablePointer<Double>.allocate(capacity: size * size + size + 1)
        defer { vectors.deallocate() }
        let sums = vectors + size * size
        var taus = [Double](repeating: 0, count: size)
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
        for row in 0..<size {
            for column in 0..<size { self[row][column] = row == column ? 1 : 0 }
        }
        for step in 0..<Swift.max(size - 1, 0) {
            reflect(vectors + step * size, taus[step], fromRow: step + 1, fromColumn: 0, sums)
        }
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
