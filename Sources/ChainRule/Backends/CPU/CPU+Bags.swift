/// Which rows of a matrix belong together: bag b has the rows that `index` names from place `starts[b]` to `starts[b + 1]`.
struct Bags {
    let index, starts: Tensor
    /// A factor for each place, contiguous.
    let weights: Tensor?
    let rows: Int
    let averages: Bool
    /// An index that counts for nothing; −1 if there is none.
    let ignored: Int64

    var count: Int { starts.count - 1 }

    /// Nil after an error.
    init?(_ index: Tensor, _ starts: Tensor, _ weights: Tensor?, _ rows: Int, _ averages: Bool, _ ignored: Int?) {
        // An ignored index may be the one behind the last row.
        let size = ignored == rows ? rows + 1 : rows
        guard let index = CPU.indices(index, below: size, in: "embeddingBag", for: { "a weight of \(rows) rows" }),
            let starts = CPU.indices(starts, in: "embeddingBag")
        else { return nil }
        (self.index, self.starts, self.weights) = (index, starts, weights.map(CPU.contiguous))
        (self.rows, self.averages, self.ignored) = (rows, averages, Int64(ignored ?? -1))
        let offsets = starts.toArray(of: Int.self)
        let isRising = zip(offsets, offsets.dropFirst()).allSatisfy { $0 <= $1 }
        guard offsets.first == 0, isRising, let last = offsets.last, last <= index.count else {
            fail(
                "embeddingBag",
                "the offsets \(offsets) must begin with 0 and rise to at most the \(index.count) indices")
            return nil
        }
    }
}

extension CPU {
    /// The sums, or means, of the rows of each bag.
    static func bagSums(_ x: Tensor, _ bags: Bags) -> Tensor {
        let y = Tensor(uninitialized: [bags.count, x.shape[1]], dtype: x.dtype)
        let x = contiguous(x)
        withExtendedLifetime((x, bags)) {
            x.dtype == .float32
                ? BagRows<Float>(bags, width: x.shape[1]).sum(x, into: y)
                : BagRows<Double>(bags, width: x.shape[1]).sum(x, into: y)
        }
        return y
    }

    /// Zeros, with what each bag has in `dy` added to the rows of the bag.
    static func spreadBags(_ dy: Tensor, _ bags: Bags) -> Tensor {
        let dx = Tensor.zeros([bags.rows, dy.shape[1]], dtype: dy.dtype)
        let dy = contiguous(dy)
        withExtendedLifetime((dy, bags)) {
            dy.dtype == .float32
                ? BagRows<Float>(bags, width: dy.shape[1]).spread(dy, into: dx)
                : BagRows<Double>(bags, width: dy.shape[1]).spread(dy, into: dx)
        }
        return dx
    }

    /// The rows of the maxima of each bag, int64; −1 where there are none. A NaN is the largest.
    static func bagMaxima(_ x: Tensor, _ bags: Bags) -> Tensor {
        let rows = Tensor.full([bags.count, x.shape[1]], -1, dtype: .int64)
        let x = contiguous(x)
        withExtendedLifetime((x, bags)) {
            x.dtype == .float32
                ? BagRows<Float>(bags, width: x.shape[1]).findMaxima(x, rows)
                : BagRows<Double>(bags, width: x.shape[1]).findMaxima(x, rows)
        }
        return rows
    }
}

/// The loops over the rows of bags. Columns go by strips that stay in registers while the rows of a bag pass.
private struct BagRows<T: BinaryFloatingPoint & SIMDScalar & BitwiseCopyable & Sendable> {
    private typealias Strip = SIMD16<T>
    private let bags, width: Int
    private let index, starts: UnsafePointer<Int64>
    private let weights: UnsafePointer<T>?
    private let averages: Bool
    private let ignored: Int64
    private let bytesPerBag: Int

    init(_ bags: Bags, width: Int) {
        (self.bags, self.width) = (bags.count, width)
        index = UnsafePointer(bags.index.pointer(to: Int64.self))
        starts = UnsafePointer(bags.starts.pointer(to: Int64.self))
        weights = bags.weights.map { UnsafePointer($0.pointer(to: T.self)) }
        (averages, ignored) = (bags.averages, bags.ignored)
        bytesPerBag = bags.index.count / Swift.max(bags.count, 1) * width * MemoryLayout<T>.stride
    }

    /// `body` with each place of a bag that counts.
    @inline(__always)
    private func forEachPlace(of bag: Int, _ body: (_ place: Int, _ row: Int) -> Void) {
        for place in Int(starts[bag])..<Int(starts[bag + 1]) where index[place] != ignored {
            body(place, Int(index[place]))
        }
    }

    /// What the sum of a bag is divided by.
    private func divisor(of bag: Int) -> T {
        var count = 0
        if averages { forEachPlace(of: bag) { _, _ in count += 1 } }
        return T(Swift.max(count, 1))
    }

    func sum(_ x: Tensor, into y: Tensor) {
        let (source, target) = (x.pointer(to: T.self), y.freshPointer(to: T.self))
        CPU.parallel(bags, block: CPU.blockSize(bytesEach: bytesPerBag)) { range in
            for bag in range {
                let divisor = divisor(of: bag)
                var column = 0
                while column + Strip.scalarCount <= width {
                    var sum = Strip.zero
                    forEachPlace(of: bag) { place, row in
                        let part = UnsafeRawPointer(source + row * width + column).loadUnaligned(as: Strip.self)
                        sum += weights.map { part * $0[place] } ?? part
                    }
                    UnsafeMutableRawPointer(target + bag * width + column).storeBytes(of: sum / divisor, as: Strip.self)
                    column += Strip.scalarCount
                }
                for column in column..<width {
                    var sum: T = 0
                    forEachPlace(of: bag) { place, row in
                        let part = source[row * width + column]
                        sum += weights.map { part * $0[place] } ?? part
                    }
                    target[bag * width + column] = sum / divisor
                }
            }
        }
    }

    /// Threads share the columns: each sum is made by one thread in the order of the places.
    func spread(_ dy: Tensor, into dx: Tensor) {
        let (source, target) = (dy.pointer(to: T.self), dx.freshPointer(to: T.self))
        let strips = (width + 63) / 64
        CPU.parallel(strips, block: CPU.blockSize(bytesEach: bytesPerBag * bags / Swift.max(strips, 1))) { range in
            let columns = range.lowerBound * 64..<Swift.min(range.upperBound * 64, width)
            for bag in 0..<bags {
                let (from, divisor) = (source + bag * width, divisor(of: bag))
                forEachPlace(of: bag) { place, row in
                    let (to, factor) = (target + row * width, weights?[place] ?? 1)
                    for column in columns { to[column] += from[column] / divisor * factor }
                }
            }
        }
    }

    func findMaxima(_ x: Tensor, _ rows: Tensor) {
        let (source, target) = (x.pointer(to: T.self), rows.freshPointer(to: Int64.self))
        CPU.parallel(bags, block: CPU.blockSize(bytesEach: bytesPerBag)) { range in
            withUnsafeTemporaryAllocation(of: T.self, capacity: width) { largest in
                for bag in range {
                    let best = target + bag * width
                    var isFirst = true
                    forEachPlace(of: bag) { _, row in
                        let part = source + row * width
                        for column in 0..<width {
                            let (value, before) = (part[column], largest[column])
                            let isLarger = isFirst || (!(value <= before) && before == before)
                            largest[column] = isLarger ? value : before
                            best[column] = isLarger ? Int64(row) : best[column]
                        }
                        isFirst = false
                    }
                }
            }
        }
    }
}
