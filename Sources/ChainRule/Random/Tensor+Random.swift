/// Random tensors. After the same `manualSeed`, calls in the same order give PyTorch's numbers (uniform, integer and boolean ones exactly, normal
/// ones up to the last digits of sine and logarithm).
extension Tensor {
    /// Uniform from 0 up to 1.
    public static func rand(_ shape: Shape, dtype: DType = .float32, generator: Generator = .default) -> Tensor {
        uniform(shape, 0...1, dtype: dtype, generator: generator)
    }

    /// Uniform from 0 up to 1, in the shape and dtype of `other`.
    public static func rand(like other: Tensor, generator: Generator = .default) -> Tensor {
        rand(other.shape, dtype: other.dtype, generator: generator)
    }

    /// Uniform over `range`.
    public static func uniform(
        _ shape: Shape, _ range: ClosedRange<Double>, dtype: DType = .float32, generator: Generator = .default
    ) -> Tensor {
        guard let shape = randomShape(shape, dtype, "uniform") else { return .placeholderAfterError }
        return drawing("uniform", generator) {
            CPU.uniform(shape, dtype, range.lowerBound, range.upperBound, generator)
        }
    }

    /// Standard normal.
    public static func randn(_ shape: Shape, dtype: DType = .float32, generator: Generator = .default) -> Tensor {
        normal(shape, mean: 0, std: 1, dtype: dtype, generator: generator)
    }

    /// Standard normal, in the shape and dtype of `other`.
    public static func randn(like other: Tensor, generator: Generator = .default) -> Tensor {
        randn(other.shape, dtype: other.dtype, generator: generator)
    }

    /// Normal with the mean and standard deviation given.
    public static func normal(
        _ shape: Shape, mean: Double, std: Double, dtype: DType = .float32, generator: Generator = .default
    ) -> Tensor {
        guard let shape = randomShape(shape, dtype, "normal") else { return .placeholderAfterError }
        guard std >= 0 else { return fail("normal", "the standard deviation must not be negative, it is \(std)") }
        return drawing("normal", generator) { CPU.normal(shape, dtype, mean, std, generator) }
    }

    /// Normal with a mean and a standard deviation for each element; the two broadcast. Recorded: the gradient passes to both.
    public static func normal(mean: Tensor, std: Tensor, generator: Generator = .default) -> Tensor {
        guard let shape = CPU.broadcastShape(mean, std, "normal") else { return .placeholderAfterError }
        let dtype = resultType(mean, std)
        guard CPU.allTrue(std.detach() .>= 0) else {
            return fail("normal", "a standard deviation is negative or not a number")
        }
        return randn(shape, dtype: dtype, generator: generator) * std + mean
    }

    /// Exponential with density rate · e^(−rate · x).
    public static func exponential(
        _ shape: Shape, rate: Double = 1, dtype: DType = .float32, generator: Generator = .default
    ) -> Tensor {
        guard let shape = randomShape(shape, dtype, "exponential") else { return .placeholderAfterError }
        guard rate > 0 else { return fail("exponential", "the rate must be positive, it is \(rate)") }
        return drawing("exponential", generator) { CPU.exponential(shape, dtype, rate, generator) }
    }

    /// Integers from `low` up to but not including `high`.
    public static func randint(
        _ low: Int, _ high: Int, _ shape: Shape, dtype: DType = .int64, generator: Generator = .default
    ) -> Tensor {
        guard high > low else { return fail("randint", "\(high) must be above \(low)") }
        let bounds = Tensor([low, high - 1])
        guard dtype.isFloatingPoint || bounds.to(dtype).to(.int64).equal(bounds) else {
            return fail("randint", "\(dtype) cannot hold the numbers from \(low) to \(high - 1)")
        }
        if let flaw = shape.flaw { return fail("randint", "shape \(shape) \(flaw)") }
        let range = UInt64(bitPattern: Int64(high &- low))
        return drawing("randint", generator) { CPU.integers(shape, low, range, generator) }.to(dtype)
    }

    /// The numbers from 0 up to `count` in random order, int64.
    public static func randperm(_ count: Int, generator: Generator = .default) -> Tensor {
        guard count >= 0 else { return fail("randperm", "the count must not be negative, it is \(count)") }
        return drawing("randperm", generator) { Tensor(generator.draw { $0.permutation(of: count) }) }
    }

    /// 1 with probability `p`, else 0.
    public static func bernoulli(
        _ p: Double, _ shape: Shape, dtype: DType = .float32, generator: Generator = .default
    ) -> Tensor {
        guard (0...1).contains(p) else { return fail("bernoulli", "the probability must be from 0 to 1, it is \(p)") }
        guard !shape.contains(where: { $0 < 0 }) else { return fail("bernoulli", "shape \(shape) has a negative size") }
        return drawing("bernoulli", generator) { CPU.bernoulli(p, shape, generator) }.to(dtype)
    }

    /// 1 with the probability that stands in the same place of `self`, else 0. Carries no gradient.
    public func bernoulli(generator: Generator = .default) -> Tensor {
        guard dtype.isFloatingPoint else { return fail("bernoulli", "the probabilities are \(dtype), not floating") }
        let p = detach()
        guard CPU.allTrue((p .>= 0).logicalAnd(p .<= 1)) else {
            return fail("bernoulli", "a probability is not from 0 to 1")
        }
        return CPU.bernoulli(p, generator).to(dtype)
    }

    /// Draws `count` indices for each row of weights, which need not add up to 1; int64, of shape [count] or [rows, count]. Carries no gradient.
    ///
    /// Without replacement no index comes twice, and the weights decide the order too.
    public func multinomial(_ count: Int, replacement: Bool = false, generator: Generator = .default) -> Tensor {
        guard dtype.isFloatingPoint && (rank == 1 || rank == 2) else {
            return fail(
                "multinomial", "needs floating weights of shape [n] or [rows, n], not \(dtype) of shape \(shape)")
        }
        let columns = shape[rank - 1]
        guard count > 0 && columns > 0 && (replacement || count <= columns) else {
            let how = count > columns && !replacement ? " without replacement" : ": needs one at least"
            return fail("multinomial", "cannot draw \(count) of \(columns)\(how)")
        }
        let matrix = detach().to(dtype.computeType).reshape([-1, columns]).contiguous()
        guard CPU.allTrue((matrix .>= 0).logicalAnd(matrix.isfinite())) else {
            return fail("multinomial", "a weight is negative, infinite or not a number")
        }
        guard CPU.allTrue(matrix.sum(dim: 1) .> 0) else {
            return fail("multinomial", "the weights of a row add up to 0")
        }
        let result: Tensor
        if replacement && count > 1 {
            result = CPU.choices(matrix, count, generator) ?? .placeholderAfterError
        } else {
            // The largest of wᵢ / eᵢ with exponential eᵢ is i with probability wᵢ / Σ w, the next one likewise among the rest.
            let waits = Tensor.exponential(matrix.shape, dtype: matrix.dtype, generator: generator)
            result = CPU.largestColumns(matrix / waits, count)
        }
        return rank == 1 ? result.reshape([count]) : result
    }

    /// The shape when it and the dtype can be filled with floats, else nil after an error.
    private static func randomShape(_ shape: Shape, _ dtype: DType, _ name: String) -> Shape? {
        guard dtype.isFloatingPoint else {
            fail(name, "draws floating numbers, not \(dtype)")
            return nil
        }
        if let flaw = shape.flaw {
            fail(name, "shape \(shape) \(flaw)")
            return nil
        }
        return shape
    }
}

/// Draws random numbers now, and anew whenever a compiled function that this belongs to runs.
@inline(__always)
private func drawing(_ name: String, _ generator: Generator, _ draw: @escaping () -> Tensor) -> Tensor {
    guard isTraced, let recorder = Recorder.current else { return draw() }
    return recorder.run(name, .effect, owner: generator) { _ in [draw()] }[0]
}
