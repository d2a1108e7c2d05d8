import CKernels

/// Runs of rotations of neighbouring rows, gathered so that a matrix is read once for many of them.
struct Turns {
    private let turns, scratch: UnsafeMutablePointer<Double>
    private let capacity: Int
    private var count = 0
    private var place = 0

    /// For a matrix of so many rows.
    init(rows: Int) {
        capacity = Swift.min(1 << 15, 8 * rows * rows) + 2 * rows + 2
        turns = .allocate(capacity: capacity)
        scratch = .allocate(capacity: rows * Int(CK_ROTATED_COLUMNS))
    }

    func deallocate() {
        turns.deallocate()
        scratch.deallocate()
    }

    /// Begins a run of `length` rotations of the rows from `first` on, after those before it were made if there is no room left.
    mutating func begin(_ first: Int, _ length: Int, on matrix: Matrix) {
        if count + 2 * length + 2 > capacity { make(on: matrix) }
        (turns[count], turns[count + 1]) = (Double(first), Double(length))
        place = count + 2
        count += 2 * length + 2
    }

    /// The next rotation of the run: the one that turns (x, y) to (radius, 0).
    @inline(__always)
    mutating func append(_ x: Double, _ y: Double) -> (c: Double, s: Double, radius: Double) {
        let radius = (x * x + y * y).squareRoot()
        let (c, s) = radius == 0 ? (1, 0) : (x / radius, y / radius)
        (turns[place], turns[place + 1]) = (c, s)
        place += 2
        return (c, s, radius)
    }

    /// Makes the rotations there are.
    mutating func make(on matrix: Matrix) {
        if count == 0 { return }
        ck_rotate_rows_f64(
            Int64(matrix.rows), Int64(matrix.columns), matrix.start, Int64(count), turns, scratch)
        count = 0
    }
}
