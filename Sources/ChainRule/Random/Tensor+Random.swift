import Foundation

/// Random tensors. After the same `manualSeed`, calls in the same order give PyTorch's numbers (uniform, integer and boolean ones exactly, normal
/// ones up to the last digits of sine and logarithm).
extension Tensor {
    /// Uniform from 0 up to 1.
    public static func rand(_ shape: Shape, dtype: DType = .float32, generator: Generator = .default) -> Tensor {
        uniform(shape, 0...1, dtype: dtype, generator: generator)
    }

    /// Uniform over `range`.
    public static func uniform(
        _ shape: Shape, _ range: ClosedRange<Double>, dtype: DType = .float32, generator: Generator = .default
    ) -> Tensor {
        random(shape, dtype, "uniform") { made in
            if dtype == .float64 {
                let span = range.upperBound - range.lowerBound
                generator.fill(made, Double.self) { $0.uniformDouble() * span + range.lowerBound }
            } else {
                let low = Float(range.lowerBound)
                let span = Float(range.upperBound) - low
                generator.fill(made, Float.self) { $0.uniformFloat() * span + low }
            }
        }
    }

    /// Standard normal.
    public static func randn(_ shape: Shape, dtype: DType = .float32, generator: Generator = .default) -> Tensor {
        normal(shape, mean: 0, deviation: 1, dtype: dtype, generator: generator)
    }

    /// Normal with the mean and standard deviation given.
    public static func normal(
        _ shape: Shape, mean: Double, deviation: Double, dtype: DType = .float32, generator: Generator = .default
    ) -> Tensor {
        random(shape, dtype, "normal") { made in
            if made.count < 16 {
                if dtype == .float64 {
                    generator.fill(made, Double.self) { $0.normal() * deviation + mean }
                } else {
                    generator.fill(made, Float.self) { Float($0.normal() * deviation + mean) }
                }
            } else if dtype == .float64 {
                generator.fill(made, Double.self) { $0.uniformDouble() }
                made.transformToNormal(Double.self, mean, deviation) { generator.draw { $0.uniformDouble() } }
            } else {
                generator.fill(made, Float.self) { $0.uniformFloat() }
                made.transformToNormal(Float.self, Float(mean), Float(deviation)) {
                    generator.draw { $0.uniformFloat() }
                }
            }
        }
    }

    /// Integers from `low` up to but not including `high`.
    public static func randint(
        _ low: Int, _ high: Int, _ shape: Shape, dtype: DType = .int64, generator: Generator = .default
    ) -> Tensor {
        guard high > low else { return fail("randint", "\(high) must be above \(low)") }
        let made = Tensor(uninitialized: shape, dtype: .int64)
        let range = UInt64(bitPattern: Int64(high &- low))
        generator.fill(made, Int64.self) { Int64(low) &+ Int64(bitPattern: $0.integer(below: range)) }
        return made.to(dtype)
    }

    /// The numbers from 0 up to `count` in random order, int64.
    public static func randperm(_ count: Int, generator: Generator = .default) -> Tensor {
        guard count >= 0 else { return fail("randperm", "the count must not be negative, it is \(count)") }
        var order = (0..<Int64(count)).map { $0 }
        let shuffled = generator.draw { state in
            for index in 0..<Swift.max(count - 1, 0) {
                order.swapAt(index, index + Int(UInt64(state.twister.next()) % UInt64(count - index)))
            }
            return order
        }
        return Tensor(shuffled)
    }

    /// 1 with probability `p`, else 0.
    public static func bernoulli(
        _ p: Double, _ shape: Shape, dtype: DType = .float32, generator: Generator = .default
    ) -> Tensor {
        guard (0...1).contains(p) else { return fail("bernoulli", "the probability must be from 0 to 1, it is \(p)") }
        let made = Tensor(uninitialized: shape, dtype: .uint8)
        generator.fill(made, UInt8.self) { $0.uniformDouble() < p ? 1 : 0 }
        return made.to(dtype)
    }

    /// 1 with the probability that stands in the same place of `self`, else 0.
    public func bernoulli(generator: Generator = .default) -> Tensor {
        guard dtype.isFloatingPoint else { return fail("bernoulli", "the probabilities are \(dtype), not floating") }
        let probabilities = toArray(of: Double.self)
        guard probabilities.allSatisfy({ (0...1).contains($0) }) else {
            return fail("bernoulli", "a probability is not from 0 to 1")
        }
        let isDouble = dtype == .float64
        var index = 0
        let made = Tensor(uninitialized: shape, dtype: .uint8)
        generator.fill(made, UInt8.self) { state in
            defer { index += 1 }
            return (isDouble ? state.uniformDouble() : Double(state.uniformFloat())) < probabilities[index] ? 1 : 0
        }
        return made.to(dtype)
    }

    // MARK: Filling

    /// Makes a float32 or float64 tensor; the 16-bit types are drawn as float32 and rounded.
    private static func random(
        _ shape: Shape, _ dtype: DType, _ name: String, _ fill: (Tensor) -> Void
    ) -> Tensor {
        guard dtype.isFloatingPoint else { return fail(name, "draws floating numbers, not \(dtype)") }
        let made = Tensor(uninitialized: shape, dtype: dtype.computeType)
        fill(made)
        return made.to(dtype)
    }

    /// Turns uniform numbers into normal ones, PyTorch's way for 16 and more: in blocks of 16, of which the first eight give radii and the last eight
    /// angles. A tail that fills no block is drawn anew, together with what it overlaps.
    private func transformToNormal<T: BinaryFloatingPoint & BoxMuller>(
        _: T.Type, _ mean: T, _ deviation: T, _ draw: () -> T
    ) {
        let values = freshPointer(to: T.self)
        for start in stride(from: 0, through: count - 16, by: 16) { transformBlock(values + start, mean, deviation) }
        guard count % 16 != 0 else { return }
        let tail = values + count - 16
        for index in 0..<16 { tail[index] = draw() }
        transformBlock(tail, mean, deviation)
    }

    private func transformBlock<T: BinaryFloatingPoint & BoxMuller>(
        _ block: UnsafeMutablePointer<T>, _ mean: T, _ deviation: T
    ) {
        for index in 0..<8 {
            let radius = (-2 * T.logarithm(1 - block[index])).squareRoot()
            let (sine, cosine) = T.sineAndCosine(2 * T.pi * block[index + 8])
            block[index] = radius * cosine * deviation + mean
            block[index + 8] = radius * sine * deviation + mean
        }
    }
}

extension Generator {
    /// Fills a fresh row-major tensor element by element.
    fileprivate func fill<Element>(_ tensor: Tensor, _: Element.Type, _ next: (inout State) -> Element) {
        draw { state in
            let values = tensor.freshPointer(to: Element.self)
            for index in 0..<tensor.count { values[index] = next(&state) }
        }
    }
}

/// The functions of Box and Muller's transform in each precision.
private protocol BoxMuller {
    static func logarithm(_ x: Self) -> Self
    static func sineAndCosine(_ x: Self) -> (Self, Self)
}

extension Float: BoxMuller {
    fileprivate static func logarithm(_ x: Float) -> Float { Foundation.logf(x) }
    fileprivate static func sineAndCosine(_ x: Float) -> (Float, Float) { (sinf(x), cosf(x)) }
}

extension Double: BoxMuller {
    fileprivate static func logarithm(_ x: Double) -> Double { Foundation.log(x) }
    fileprivate static func sineAndCosine(_ x: Double) -> (Double, Double) { (sin(x), cos(x)) }
}
