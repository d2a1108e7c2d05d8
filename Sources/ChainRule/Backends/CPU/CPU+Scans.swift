#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

// Running sums, products and the like along an axis. Single precision is summed up in double, as PyTorch does.

extension CPU {
    enum Scan { case sum, product, logSumExp }

    /// y_i = x_0 ∘ … ∘ x_i along `axis`, or from the end (`reverse`). Floating dtypes and int64.
    static func scan(_ scan: Scan, _ x: Tensor, axis: Int, reverse: Bool) -> Tensor {
        if x.dtype.isHalf {
            return convert(self.scan(scan, convert(x, to: .float32), axis: axis, reverse: reverse), to: x.dtype)
        }
        let x = contiguous(x)
        let y = Tensor(uninitialized: x.shape, dtype: x.dtype)
        let lines = Lines(x.shape, axis: axis, reverse: reverse)
        withExtendedLifetime(x) {
            switch x.dtype {
            case .float32: floatingScan(scan, x.pointer(to: Float.self), y.freshPointer(to: Float.self), lines)
            case .float64: floatingScan(scan, x.pointer(to: Double.self), y.freshPointer(to: Double.self), lines)
            default:
                let (input, output) = (x.pointer(to: Int64.self), y.freshPointer(to: Int64.self))
                if scan == .sum {
                    lines.run(input, output, from: Int64(0)) { $0 &+ $1 }
                } else {
                    lines.run(input, output, from: Int64(1)) { $0 &* $1 }
                }
            }
        }
        return y
    }

    private static func floatingScan<T: BinaryFloatingPoint>(
        _ scan: Scan, _ x: UnsafePointer<T>, _ y: UnsafeMutablePointer<T>, _ lines: Lines
    ) {
        switch scan {
        case .sum:
            lines.run(x, y, from: 0.0) {
                $0 + Double($1)
            } value: {
                T($0)
            }
        case .product:
            lines.run(x, y, from: 1.0) {
                $0 * Double($1)
            } value: {
                T($0)
            }
        case .logSumExp:
            lines.run(x, y, from: -Double.infinity, isCostly: true) {
                logAddExp($0, Double($1))
            } value: {
                T($0)
            }
        }
    }

    /// log(e^a + e^b).
    static func logAddExp(_ a: Double, _ b: Double) -> Double {
        let larger = a > b || a.isNaN ? a : b
        if larger.isInfinite { return larger }
        return larger + log1p(exp(-(a - b).magnitude))
    }

    /// r_i = b_i + a_i · r_{i−1} along `axis` (r_{−1} = 0), or from the end. `a` and `b` have one shape and floating dtype.
    static func recurrence(_ a: Tensor, _ b: Tensor, axis: Int, reverse: Bool) -> Tensor {
        if a.dtype.isHalf {
            let wide = recurrence(convert(a, to: .float32), convert(b, to: .float32), axis: axis, reverse: reverse)
            return convert(wide, to: a.dtype)
        }
        let (a, b) = (contiguous(a), contiguous(b))
        let y = Tensor(uninitialized: a.shape, dtype: a.dtype)
        let lines = Lines(a.shape, axis: axis, reverse: reverse)
        withExtendedLifetime((a, b)) {
            if a.dtype == .float32 {
                lines.recur(a.pointer(to: Float.self), b.pointer(to: Float.self), y.freshPointer(to: Float.self))
            } else {
                lines.recur(a.pointer(to: Double.self), b.pointer(to: Double.self), y.freshPointer(to: Double.self))
            }
        }
        return y
    }

    /// The largest (or smallest) element so far along `axis` and its place; the last one of equals, and NaN wins.
    static func runningExtremum(_ x: Tensor, axis: Int, minimum: Bool) -> [Tensor] {
        if x.dtype.isHalf {
            let wide = runningExtremum(convert(x, to: .float32), axis: axis, minimum: minimum)
            return [convert(wide[0], to: x.dtype), wide[1]]
        }
        let x = contiguous(x)
        let (y, places) = (
            Tensor(uninitialized: x.shape, dtype: x.dtype), Tensor(uninitialized: x.shape, dtype: .int64)
        )
        let kernel = RunningExtrema(
            lines: Lines(x.shape, axis: axis, reverse: false), minimum: minimum, x: x.rawPointer, y: y.rawPointer,
            places: places.freshPointer(to: Int64.self))
        withExtendedLifetime(x) { x.dtype.run(kernel) }
        return [y, places]
    }
}

private struct RunningExtrema: SumKernel {
    let lines: Lines
    let minimum: Bool
    let x, y: UnsafeMutableRawPointer
    let places: UnsafeMutablePointer<Int64>

    func run<Element: Summable>(_ element: Element.Type) {
        let (source, target) = (x.assumingMemoryBound(to: Element.self), y.assumingMemoryBound(to: Element.self))
        if minimum {
            lines.extremum(source, target, places) { $0 <= $1 || $0 != $0 }
        } else {
            lines.extremum(source, target, places) { $0 >= $1 || $0 != $0 }
        }
    }
}

/// The lines along an axis of a row-major tensor, gone through side by side: `inner` neighbours in memory at a time.
private struct Lines {
    private let space: RowSpace
    private let reverse: Bool

    init(_ shape: Shape, axis: Int, reverse: Bool) {
        space = shape.isEmpty ? RowSpace([1], axis: 0) : RowSpace(shape, axis: axis)
        self.reverse = reverse
    }

    /// Calls `body` for each block of lines with where it begins, and the distance from one place of a line to the next.
    @inline(__always)
    private func forEachBlock(_ body: (_ begin: Int, _ step: Int) -> Void) {
        let length = space.size * space.inner
        if length == 0 { return }
        let (first, step) = reverse ? (length - space.inner, -space.inner) : (0, space.inner)
        CPU.parallel(space.outer, block: CPU.blockSize(bytesEach: length * 16)) { blocks in
            for block in blocks { body(block * length + first, step) }
        }
    }

    @inline(__always)
    func run<Element, State>(
        _ x: UnsafePointer<Element>, _ y: UnsafeMutablePointer<Element>, from start: State, isCostly: Bool = false,
        _ combine: (State, Element) -> State, value: (State) -> Element
    ) {
        let (size, inner) = (space.size, space.inner)
        if inner == 1 && !isCostly {
            // On this thread: called from the pool's closure the function would not be inlined.
            for line in 0..<space.outer {
                var (state, place) = (start, line * size + (reverse ? size - 1 : 0))
                for _ in 0..<size {
                    state = combine(state, x[place])
                    y[place] = value(state)
                    place += reverse ? -1 : 1
                }
            }
            return
        }
        forEachBlock { begin, step in
            var states = [State](repeating: start, count: inner)
            var place = begin
            for _ in 0..<size {
                for column in 0..<inner {
                    let state = combine(states[column], x[place + column])
                    states[column] = state
                    y[place + column] = value(state)
                }
                place += step
            }
        }
    }

    @inline(__always)
    func run<Element>(
        _ x: UnsafePointer<Element>, _ y: UnsafeMutablePointer<Element>, from start: Element,
        _ combine: (Element, Element) -> Element
    ) {
        run(x, y, from: start, combine, value: { $0 })
    }

    func recur<T: BinaryFloatingPoint>(_ a: UnsafePointer<T>, _ b: UnsafePointer<T>, _ y: UnsafeMutablePointer<T>) {
        let (size, inner) = (space.size, space.inner)
        forEachBlock { begin, step in
            var states = [Double](repeating: 0, count: inner)
            var place = begin
            for number in 0..<size {
                for column in 0..<inner {
                    // The first one multiplies nothing: 0 times an infinite factor would be NaN.
                    let before = number == 0 ? 0 : Double(a[place + column]) * states[column]
                    let state = Double(b[place + column]) + before
                    states[column] = state
                    y[place + column] = T(state)
                }
                place += step
            }
        }
    }

    /// `beats` says whether an element takes the place of the best one so far.
    @inline(__always)
    func extremum<Element: Summable>(
        _ x: UnsafePointer<Element>, _ y: UnsafeMutablePointer<Element>, _ places: UnsafeMutablePointer<Int64>,
        _ beats: (Element, Element) -> Bool
    ) {
        let (size, inner) = (space.size, space.inner)
        if inner == 1 && size > 0 {
            for line in 0..<space.outer {
                var (best, bestPlace) = (x[line * size], Int64(0))
                for number in 0..<size {
                    let place = line * size + number
                    if beats(x[place], best) { (best, bestPlace) = (x[place], Int64(number)) }
                    (y[place], places[place]) = (best, bestPlace)
                }
            }
            return
        }
        forEachBlock { begin, step in
            for column in begin..<begin + inner { (y[column], places[column]) = (x[column], 0) }
            var place = begin
            for number in 1..<size {
                for column in place..<place + inner {
                    let wins = beats(x[column + step], y[column])
                    y[column + step] = wins ? x[column + step] : y[column]
                    places[column + step] = wins ? Int64(number) : places[column]
                }
                place += step
            }
        }
    }
}
