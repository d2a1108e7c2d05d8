// Factors that are triangles, and systems with a triangle. Everything goes row by row, since rows are runs of memory.

extension Matrix {
    /// A = L Lᵀ from the lower triangle of A, which L replaces; the rest becomes 0. Returns 0, or the order of the first leading minor
    /// that is not positive definite (L is then unfinished).
    func cholesky() -> Int32 {
        for row in 0..<rows {
            for column in row + 1..<Swift.max(columns, row + 1) { self[row][column] = 0 }
        }
        for row in 0..<rows {
            let target = self[row]
            for column in 0..<row {
                target[column] = (target[column] - dot(target, self[column], column)) / self[column][column]
            }
            let square = target[row] - dot(target, target, row)
            guard square > 0 else { return Int32(row + 1) }
            target[row] = square.squareRoot()
        }
        return 0
    }

    /// P A = L U with the largest pivot of each column, in place: U on and above the diagonal, L without its ones below it. `order[i]` is
    /// the row of A that became row i. Returns the sign of that permutation and 0, or the place (from 1 on) of the first pivot that is 0.
    func eliminate(_ order: UnsafeMutablePointer<Int>) -> (sign: Double, info: Int32) {
        for row in 0..<rows { order[row] = row }
        var (sign, info) = (1.0, Int32(0))
        for step in 0..<Swift.min(rows, columns) {
            var pivot = step
            for row in step + 1..<Swift.max(rows, step + 1)
            where self[row][step].magnitude > self[pivot][step].magnitude {
                pivot = row
            }
            if pivot != step {
                swapRows(pivot, step)
                swap(&order[pivot], &order[step])
                sign = -sign
            }
            let source = self[step]
            guard source[step] != 0 else {
                if info == 0 { info = Int32(step + 1) }
                continue
            }
            let rest = columns - step - 1
            for row in step + 1..<Swift.max(rows, step + 1) {
                let target = self[row]
                let factor = target[step] / source[step]
                target[step] = factor
                if factor != 0 { add(-factor, source + step + 1, to: target + step + 1, rest) }
            }
        }
        return (sign, info)
    }

    private func swapRows(_ first: Int, _ second: Int) {
        let (x, y) = (self[first], self[second])
        for column in 0..<columns { swap(&x[column], &y[column]) }
    }

    /// X = T⁻¹ X, where T is a triangle of this matrix, with ones on its diagonal if `unit`.
    func solveTriangle(_ x: Matrix, upper: Bool, unit: Bool) {
        for step in 0..<rows {
            let row = upper ? rows - 1 - step : step
            let (target, factors) = (x[row], self[row])
            for other in upper ? row + 1..<rows : 0..<row where factors[other] != 0 {
                add(-factors[other], x[other], to: target, x.columns)
            }
            if !unit {
                for column in 0..<x.columns { target[column] /= factors[row] }
            }
        }
    }
}
