#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

// Tensors of evenly spaced numbers.

extension Tensor {
    /// 0, 1, 2, ... below `end`: int64 for an integer, else float32.
    public static func arange(_ end: some ScalarOperand, dtype: DType? = nil) -> Tensor {
        arange(0, end, step: 1, dtype: dtype)
    }

    /// start, start + step, ... up to, not including, `end`: ⌈(end − start) / step⌉ numbers. int64 when all three are integers, else
    /// float32.
    public static func arange(
        _ start: some ScalarOperand, _ end: some ScalarOperand, step: some ScalarOperand = 1, dtype: DType? = nil
    ) -> Tensor {
        let (start, end, step) = (start.scalar, end.scalar, step.scalar)
        let isInteger = start.isInteger && end.isInteger && step.isInteger
        guard step.double != 0, step.double.isFinite, start.double.isFinite, end.double.isFinite else {
            return fail("arange", "needs finite bounds and a step other than 0, got \(start) to \(end) by \(step)")
        }
        let span = isInteger ? Double(end.integer - start.integer) : end.double - start.double
        let steps = (span / step.double).rounded(.up)
        guard steps >= 0 else { return fail("arange", "a step of \(step) does not lead from \(start) to \(end)") }
        guard steps < 1e18 else { return fail("arange", "\(start) to \(end) by \(step) are too many numbers") }
        let dtype = dtype ?? (isInteger ? .int64 : .float32)
        let count = Int(steps)
        if dtype.isFloatingPoint {
            return made(count, dtype) { start.double + step.double * Double($0) }
        }
        let (first, distance) = (start.integer, step.integer)
        let exact = Tensor(uninitialized: [count], dtype: .int64)
        exact.noteMade()
        let output = exact.freshPointer(to: Int.self)
        for place in 0..<count { output[place] = first &+ distance &* place }
        return exact.to(dtype)
    }

    /// `steps` numbers evenly spaced from `start` to `end`, both included.
    public static func linspace(
        _ start: some ScalarOperand, _ end: some ScalarOperand, steps: Int, dtype: DType = .float32
    ) -> Tensor {
        let (start, end) = (start.scalar.rounded(for: dtype), end.scalar.rounded(for: dtype))
        guard steps >= 0 else { return fail("linspace", "the number of steps must not be negative, it is \(steps)") }
        if dtype == .float32 {
            // In single precision, as PyTorch has it: the spacing is rounded before it is used.
            let range = EvenRange(Float(start), Float(end), steps)
            return made(steps, .float32) { Double(range[$0]) }
        }
        let range = EvenRange(start, end, steps)
        return made(steps, dtype) { range[$0] }
    }

    /// base^x for `steps` numbers x evenly spaced from `start` to `end`, both included.
    public static func logspace(
        _ start: some ScalarOperand, _ end: some ScalarOperand, steps: Int, base: Double = 10, dtype: DType = .float32
    ) -> Tensor {
        guard steps >= 0 else { return fail("logspace", "the number of steps must not be negative, it is \(steps)") }
        let exponents = EvenRange(start.scalar.rounded(for: dtype), end.scalar.rounded(for: dtype), steps)
        return made(steps, dtype) { power(base, exponents[$0]) }
    }

    @inline(__always)
    private static func made(_ count: Int, _ dtype: DType, _ value: (Int) -> Double) -> Tensor {
        let exact = Tensor(uninitialized: [count], dtype: .float64)
        exact.noteMade()
        let output = exact.freshPointer(to: Double.self)
        for place in 0..<count { output[place] = value(place) }
        return exact.to(dtype)
    }

    /// The matrix with ones on the main diagonal and zeros elsewhere; square without `columns`.
    public static func eye(_ rows: Int, _ columns: Int? = nil, dtype: DType = .float32) -> Tensor {
        let columns = columns ?? rows
        guard rows >= 0 && columns >= 0 else {
            return fail("eye", "sizes must not be negative, got \(rows), \(columns)")
        }
        let matrix = Tensor.zeros([rows, columns], dtype: dtype)
        let place = DiagonalPlace(from: matrix.shape, offset: 0, first: 0, second: 1)
        CPU.copy(Tensor.ones([], dtype: dtype), into: matrix, layout: place.layout(in: matrix.layout))
        return matrix
    }

    /// `value` everywhere, in the shape of `other` and, unless another is asked for, its dtype.
    public static func full(like other: Tensor, _ value: some ScalarOperand, dtype: DType? = nil) -> Tensor {
        full(other.shape, value.scalar, dtype: dtype ?? other.dtype)
    }

    /// The rows and columns of the lower triangle of a matrix, in row-major order: int64 [2, n].
    public static func trilIndices(_ rows: Int, _ columns: Int, offset: Int = 0) -> Tensor {
        Tensor.ones([rows, columns], dtype: .bool).tril(offset).nonzero().t().contiguous()
    }

    /// The rows and columns of the upper triangle of a matrix, in row-major order: int64 [2, n].
    public static func triuIndices(_ rows: Int, _ columns: Int, offset: Int = 0) -> Tensor {
        Tensor.ones([rows, columns], dtype: .bool).triu(offset).nonzero().t().contiguous()
    }
}

extension Scalar {
    /// The number as a bound of a sequence of `dtype`: for integers without its fraction, as PyTorch has it.
    fileprivate func rounded(for dtype: DType) -> Double {
        dtype.isFloatingPoint ? double : double.rounded(.towardZero)
    }

    fileprivate var isInteger: Bool {
        if case .integer = self { true } else { false }
    }
}

/// Outside the extension, where `pow` would be the tensor's.
private func power(_ base: Double, _ exponent: Double) -> Double { pow(base, exponent) }

/// Numbers from `start` to `end`, counted from the nearer end, so that both ends are met and the middle is symmetric.
private struct EvenRange<T: BinaryFloatingPoint> {
    private let start, end, step: T
    private let steps: Int

    init(_ start: T, _ end: T, _ steps: Int) {
        self.start = start
        self.end = steps <= 1 ? start : end
        self.steps = steps
        step = steps <= 1 ? 0 : (end - start) / T(steps - 1)
    }

    @inline(__always)
    subscript(place: Int) -> T { place < steps / 2 ? start + step * T(place) : end - step * T(steps - 1 - place) }
}
