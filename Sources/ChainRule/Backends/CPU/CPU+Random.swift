import CKernels

// Fills of whole tensors. The draws are one stream and come one after the other; what is computed from them runs in blocks on all
// threads, through the same kernels that compute logarithms and sines elsewhere.

extension Generator.State {
    private static let blockSize = 1024

    /// Calls `body` with each of `count` numbers from 0 up to 1 of 24 bits.
    @inline(__always)
    mutating func forFloats(_ count: Int, _ body: (Int, Float) -> Void) {
        if count < 64 {
            for index in 0..<count { body(index, uniformFloat()) }
            return
        }
        // Allocated by hand: a closure inside the closure of a temporary allocation would be called for every element.
        let words = UnsafeMutablePointer<UInt32>.allocate(capacity: Self.blockSize)
        defer { words.deallocate() }
        for start in stride(from: 0, to: count, by: Self.blockSize) {
            let block = Swift.min(Self.blockSize, count - start)
            twister.fill(words, block)
            for index in 0..<block { body(start &+ index, Float(Int32(words[index] & 0xFF_FFFF)) * 0x1p-24) }
        }
    }

    /// Calls `body` with each of `count` numbers from 0 up to 1 of 53 bits.
    @inline(__always)
    mutating func forDoubles(_ count: Int, _ body: (Int, Double) -> Void) {
        if count < 32 {
            for index in 0..<count { body(index, uniformDouble()) }
            return
        }
        let words = UnsafeMutablePointer<UInt32>.allocate(capacity: 2 * Self.blockSize)
        defer { words.deallocate() }
        for start in stride(from: 0, to: count, by: Self.blockSize) {
            let block = Swift.min(Self.blockSize, count - start)
            twister.fill(words, 2 * block)
            for index in 0..<block {
                // The upper 21 bits of the number and the lower 32, each exact.
                let (high, low) = (words[2 &* index] & 0x1F_FFFF, words[2 &* index &+ 1])
                body(start &+ index, Double(Int32(high)) * 0x1p-21 + Double(low) * 0x1p-53)
            }
        }
    }

    /// Uniform from `low` up to `high`. Where rounding gives `high` itself `low` takes its place, as in PyTorch.
    mutating func fillUniform(_ target: UnsafeMutablePointer<Float>, _ count: Int, from low: Float, to high: Float) {
        if low == 0 && high == 1 {
            forFloats(count) { target[$0] = $1 }
            return
        }
        let (start, span) = (Double(low), Double(high - low))
        forFloats(count) { index, u in
            let value = Float(Double(u) * span + start)  // rounded once
            target[index] = value == high ? low : value
        }
    }

    mutating func fillUniform(_ target: UnsafeMutablePointer<Double>, _ count: Int, from low: Double, to high: Double) {
        if low == 0 && high == 1 {
            forDoubles(count) { target[$0] = $1 }
            return
        }
        let span = high - low
        forDoubles(count) { index, u in
            let value = low.addingProduct(u, span)  // PyTorch's kernels are compiled to fuse the two
            target[index] = value == high ? low : value
        }
    }

    /// Fewer than 16 normal numbers come from pairs of doubles, one after the other. More are made in blocks of 16 uniform numbers, the first
    /// eight giving radii and the last eight angles; a tail that fills no block is drawn anew, together with what it overlaps.
    ///
    /// - Parameter wholeBlocks: whether only the whole blocks are drawn before the tail, as PyTorch does for 16-bit floats.
    mutating func fillNormal(
        _ target: UnsafeMutablePointer<Float>, _ count: Int, _ mean: Double, _ std: Double, wholeBlocks: Bool
    ) {
        if count < 16 {
            for index in 0..<count { target[index] = Float(normal() * std + mean) }
            return
        }
        let body = count & ~15
        fillUniform(target, wholeBlocks ? body : count, from: 0, to: 1)
        CPU.boxMuller(target, body, Float(mean), Float(std))
        if count > body {
            fillUniform(target + count - 16, 16, from: 0, to: 1)
            CPU.boxMuller(target + count - 16, 16, Float(mean), Float(std))
        }
    }

    mutating func fillNormal(_ target: UnsafeMutablePointer<Double>, _ count: Int, _ mean: Double, _ std: Double) {
        if count < 16 {
            for index in 0..<count { target[index] = normal() * std + mean }
            return
        }
        let body = count & ~15
        fillUniform(target, count, from: 0, to: 1)
        CPU.boxMuller(target, body, mean, std)
        if count > body {
            fillUniform(target + count - 16, 16, from: 0, to: 1)
            CPU.boxMuller(target + count - 16, 16, mean, std)
        }
    }
}

extension CPU {
    /// Turns uniform numbers into normal ones in place, block of 16 by block: √(−2 ln(1 − u₁)) times cosine and sine of 2π u₂.
    fileprivate static func boxMuller<T: BoxMullerScalar>(
        _ values: UnsafeMutablePointer<T>, _ count: Int, _ mean: T, _ std: T
    ) {
        // Not 2 * T.pi: Swift rounds Float.pi down, C and PyTorch to the nearest.
        let turnAngle = T(2 * Double.pi)
        parallel(count / 16, block: 256) { blocks in
            let half = blocks.count * 8
            withUnsafeTemporaryAllocation(of: T.self, capacity: 3 * half) { scratch in
                guard let radius = scratch.baseAddress else { return }
                let (angle, sine) = (radius + half, radius + 2 * half)
                for block in 0..<blocks.count {
                    let source = values + (blocks.lowerBound + block) * 16
                    let (length, turn) = (radius + block * 8, angle + block * 8)
                    for lane in 0..<8 {
                        length[lane] = 1 - source[lane]
                        turn[lane] = turnAngle * source[lane &+ 8]
                    }
                }
                T.run(CK_LOG, half, radius, radius)
                for index in 0..<half { radius[index] *= -2 }
                T.run(CK_SQRT, half, radius, radius)
                T.run(CK_SIN, half, sine, angle)
                T.run(CK_COS, half, angle, angle)
                for block in 0..<blocks.count {
                    let target = values + (blocks.lowerBound + block) * 16
                    let (length, x, y) = (radius + block * 8, angle + block * 8, sine + block * 8)
                    for lane in 0..<8 {
                        target[lane] = length[lane] * x[lane] * std + mean
                        target[lane &+ 8] = length[lane] * y[lane] * std + mean
                    }
                }
            }
        }
    }
}

/// The two types that normal numbers are computed in.
private protocol BoxMullerScalar: BinaryFloatingPoint {
    static func run(
        _ operation: ck_unary, _ count: Int, _ output: UnsafeMutablePointer<Self>, _ input: UnsafePointer<Self>)
}

extension Float: BoxMullerScalar {
    fileprivate static func run(
        _ operation: ck_unary, _ count: Int, _ output: UnsafeMutablePointer<Float>, _ input: UnsafePointer<Float>
    ) {
        var loop = ck_loop(run: count, 1)
        ck_unary_f32(operation, &loop, output, input)
    }
}

extension Double: BoxMullerScalar {
    fileprivate static func run(
        _ operation: ck_unary, _ count: Int, _ output: UnsafeMutablePointer<Double>, _ input: UnsafePointer<Double>
    ) {
        var loop = ck_loop(run: count, 1)
        ck_unary_f64(operation, &loop, output, input)
    }
}

// MARK: - Tensors

extension CPU {
    /// A fresh tensor of uniform numbers; the 16-bit floats are drawn as float32 and rounded.
    static func uniform(_ shape: Shape, _ dtype: DType, _ low: Double, _ high: Double, _ generator: Generator) -> Tensor
    {
        let y = Tensor(uninitialized: shape, dtype: dtype.computeType)
        generator.draw { state in
            if y.dtype == .float64 {
                state.fillUniform(y.freshPointer(to: Double.self), y.count, from: low, to: high)
            } else {
                state.fillUniform(y.freshPointer(to: Float.self), y.count, from: Float(low), to: Float(high))
            }
        }
        guard dtype.isHalf else { return y }
        // Rounding to 16 bits reaches the upper bound again.
        let narrow = convert(y, to: dtype)
        let bounds = [low, high].map { dtype == .float16 ? Half(Float($0)).bits : BFloat16(Float($0)).bits }
        let bits = narrow.freshPointer(to: UInt16.self)
        for index in 0..<narrow.count where bits[index] == bounds[1] { bits[index] = bounds[0] }
        return narrow
    }

    static func normal(_ shape: Shape, _ dtype: DType, _ mean: Double, _ std: Double, _ generator: Generator) -> Tensor
    {
        let y = Tensor(uninitialized: shape, dtype: dtype.computeType)
        generator.draw { state in
            if y.dtype == .float64 {
                state.fillNormal(y.freshPointer(to: Double.self), y.count, mean, std)
            } else {
                state.fillNormal(y.freshPointer(to: Float.self), y.count, mean, std, wholeBlocks: dtype.isHalf)
            }
        }
        return convert(y, to: dtype)
    }

    static func exponential(_ shape: Shape, _ dtype: DType, _ rate: Double, _ generator: Generator) -> Tensor {
        let y = Tensor(uninitialized: shape, dtype: .float64)
        let output = y.freshPointer(to: Double.self)
        generator.draw { state in
            for index in 0..<y.count { output[index] = state.exponential() / rate }
        }
        return convert(y, to: dtype)
    }

    static func integers(_ shape: Shape, _ low: Int, _ range: UInt64, _ generator: Generator) -> Tensor {
        let y = Tensor(uninitialized: shape, dtype: .int64)
        let output = y.freshPointer(to: Int64.self)
        generator.draw { state in
            for index in 0..<y.count {
                output[index] = Int64(low) &+ Int64(truncatingIfNeeded: state.integer(below: range))
            }
        }
        return y
    }

    /// Ones (as bytes) with probability `p`, which is compared with 53 bits.
    static func bernoulli(_ p: Double, _ shape: Shape, _ generator: Generator) -> Tensor {
        let y = Tensor(uninitialized: shape, dtype: .bool)
        let output = y.freshPointer(to: UInt8.self)
        generator.draw { $0.forDoubles(y.count) { output[$0] = $1 < p ? 1 : 0 } }
        return y
    }

    /// Ones with the probabilities of a tensor: compared with 24 bits for float32 and less, with 53 for float64.
    static func bernoulli(_ probabilities: Tensor, _ generator: Generator) -> Tensor {
        let p = contiguous(convert(probabilities, to: probabilities.dtype.computeType))
        let y = Tensor(uninitialized: p.shape, dtype: .bool)
        let output = y.freshPointer(to: UInt8.self)
        generator.draw { state in
            if p.dtype == .float64 {
                let p = p.pointer(to: Double.self)
                state.forDoubles(y.count) { output[$0] = $1 < p[$0] ? 1 : 0 }
            } else {
                let p = p.pointer(to: Float.self)
                state.forFloats(y.count) { output[$0] = $1 < p[$0] ? 1 : 0 }
            }
        }
        return y
    }

    /// For each row of weights, `count` draws of a column with replacement: where a uniform number falls among the running sums. Nil when the
    /// sum of a row is 0.
    static func choices(_ weights: Tensor, _ count: Int, _ generator: Generator) -> Tensor? {
        weights.dtype == .float64
            ? choices(weights, count, generator, Double.self) : choices(weights, count, generator, Float.self)
    }

    private static func choices<T: BinaryFloatingPoint & Sendable>(
        _ weights: Tensor, _ count: Int, _ generator: Generator, _: T.Type
    ) -> Tensor? {
        let (rows, columns) = (weights.shape[0], weights.shape[1])
        let input = weights.pointer(to: T.self)
        let y = Tensor(uninitialized: [rows, count], dtype: .int64)
        let output = y.freshPointer(to: Int64.self)
        var sums = [T](repeating: 0, count: columns)
        for row in 0..<rows {
            var total: T = 0
            for column in 0..<columns {
                total += input[row * columns + column]
                sums[column] = total
            }
            guard total > 0 else { return nil }
            for column in 0..<columns { sums[column] /= total }
            sums[columns - 1] = 1  // whatever the rounding: every draw must fall somewhere
            generator.draw { state in
                for sample in 0..<count {
                    let u = state.uniformDouble()
                    output[row * count + sample] = Int64(firstIndex(in: sums, notBelow: u))
                }
            }
        }
        return y
    }

    private static func firstIndex<T: BinaryFloatingPoint>(in sums: [T], notBelow value: Double) -> Int {
        var (low, high) = (0, sums.count - 1)
        while low < high {
            let middle = (low + high) / 2
            if Double(sums[middle]) < value { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// The columns of the `count` largest elements of each row, largest first.
    static func largestColumns(_ x: Tensor, _ count: Int) -> Tensor {
        let (rows, columns) = (x.shape[0], x.shape[1])
        let values = x.toArray(of: Double.self)
        var result: [Int] = []
        for row in 0..<rows {
            let order = (0..<columns).sorted { values[row * columns + $0] > values[row * columns + $1] }
            result += order.prefix(count)
        }
        return Tensor(result, shape: [rows, count])
    }
}
