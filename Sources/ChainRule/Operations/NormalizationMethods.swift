extension Tensor {
    /// Normalises each channel of (N, C) or (N, C, places...): y = (x − mean) / √(variance + eps) · weight + bias
    /// (Ioffe and Szegedy 2015, arXiv 1502.03167).
    ///
    /// - Parameters:
    ///   - runningMean: (C); used instead of the batch's own mean unless `training`.
    ///   - runningVariance: (C); used instead of the batch's own variance unless `training`.
    ///   - weight: (C), or nil for 1.
    ///   - bias: (C), or nil for 0.
    ///   - training: Whether the statistics are those of the batch.
    ///   - other: What is added to y, of its shape; or nil.
    ///   - activation: A function computed on that sum, or nil. In training `.relu` takes no pass over memory of its own, nor does an addition
    ///     before it.
    /// - Returns: the result, and in training the batch's mean and its unbiased variance (C), with which the caller updates the running
    ///   ones.
    public func batchNorm(
        runningMean: Tensor?, runningVariance: Tensor?, weight: Tensor? = nil, bias: Tensor? = nil,
        training: Bool = false, eps: Double = 1e-5, adding other: Tensor? = nil, activation: Activation? = nil
    ) -> (output: Tensor, batchMean: Tensor?, batchVariance: Tensor?) {
        let parts = [runningMean, runningVariance, weight, bias]
        if count == 0 && dtype.isFloatingPoint { return (self, nil, nil) }
        guard isNormalizable(by: parts, "batchNorm") else { return (.placeholderAfterError, nil, nil) }
        if let other, other.shape != shape || other.dtype != dtype {
            let message = "what is added has to be \(dtype) of shape \(shape), it is \(other.dtype) of \(other.shape)"
            return (fail("batchNorm", message), nil, nil)
        }
        if dtype.isHalf {
            let wide = parts.map { $0?.to(.float32) }
            let result = to(.float32).batchNorm(
                runningMean: wide[0], runningVariance: wide[1], weight: wide[2], bias: wide[3], training: training,
                eps: eps, adding: other?.to(.float32), activation: activation)
            return (result.output.to(dtype), result.batchMean, result.batchVariance)
        }
        if training { return normalizedByBatch(weight, bias, eps, other, activation) }
        guard let runningMean, let runningVariance else {
            let message = "needs the running mean and variance when it is not training"
            return (fail("batchNorm", message), nil, nil)
        }
        let root = (runningVariance + eps).rsqrt()
        let scale = weight.map { root * $0 } ?? root
        let shift = bias.map { $0 - runningMean * scale } ?? -(runningMean * scale)
        let y = applyOne(AddProduct(scale: 1), to: [perChannel(shift), self, perChannel(scale)])
        return (y.with(other, activation), nil, nil)
    }

    private func with(_ added: Tensor?, _ activation: Activation?) -> Tensor {
        let sum = added.map { self + $0 } ?? self
        return activation.map { $0(sum) } ?? sum
    }

    private func normalizedByBatch(
        _ weight: Tensor?, _ bias: Tensor?, _ eps: Double, _ other: Tensor?, _ activation: Activation?
    ) -> (output: Tensor, batchMean: Tensor?, batchVariance: Tensor?) {
        let channels = shape[1]
        let values = channels == 0 ? 0 : count / channels
        guard values > 1 else {
            let message = "needs more than one value for each channel in training, the shape is \(shape)"
            return (fail("batchNorm", message), nil, nil)
        }
        var inputs = [self]
        if weight != nil || bias != nil || activation == .relu {
            inputs.append(perChannel(weight ?? .ones([channels], dtype: dtype)))
            inputs.append(perChannel(bias ?? .zeros([channels], dtype: dtype)))
        }
        var results: [Tensor]
        if activation == .relu {
            let operation = RectifiedBatchNormalization(eps: eps, added: other != nil)
            results = apply(operation, to: inputs + [other].compactMap { $0 })
        } else {
            results = apply(BatchNormalization(eps: eps, isAffine: inputs.count > 1), to: inputs)
            results[0] = results[0].with(other, activation)
        }
        let unbiased = results[3] * (Double(values) / Double(values - 1))
        return (results[0], results[1].reshape([channels]), unbiased.reshape([channels]))
    }

    /// (C) shaped to stand beside this tensor: (1, C, 1...).
    private func perChannel(_ x: Tensor) -> Tensor {
        var target = Shape(repeating: 1, count: rank)
        target[1] = x.count
        return x.reshape(target)
    }

    private func isNormalizable(by parts: [Tensor?], _ name: String) -> Bool {
        guard rank >= 2 else {
            fail(name, "needs a batch and channels, the shape is \(shape)")
            return false
        }
        guard requireFloating(name) else { return false }
        for case let part? in parts where part.shape != [shape[1]] {
            fail(
                name, "statistics, weight and bias must have shape [\(shape[1])] for input \(shape), got \(part.shape)")
            return false
        }
        return true
    }

    /// Normalises over the last axes, for each of the others by itself: y = (x − mean) / √(variance + eps) · weight + bias
    /// (Ba et al. 2016, arXiv 1607.06450).
    ///
    /// - Parameters:
    ///   - normalizedShape: The sizes of the last axes.
    ///   - weight: Of that shape, or nil for 1.
    ///   - bias: Of that shape, or nil for 0.
    public func layerNorm(
        normalizedShape: Shape, weight: Tensor? = nil, bias: Tensor? = nil, eps: Double = 1e-5
    ) -> Tensor {
        guard endsIn(normalizedShape, [weight, bias], "layerNorm") else { return .placeholderAfterError }
        let columns = normalizedShape.elementCount
        let leading = shape.dropLast(normalizedShape.count)
        let rows = normalizedShape.count == 1 ? wide : wide.reshape(Shape(leading + [columns]))
        var inputs = [rows]
        if weight != nil || bias != nil {
            inputs.append((weight?.wide ?? .ones([columns], dtype: rows.dtype)).reshape([columns]))
            inputs.append((bias?.wide ?? .zeros([columns], dtype: rows.dtype)).reshape([columns]))
        }
        let operation = LayerNormalization(eps: eps, isAffine: inputs.count > 1)
        return apply(operation, to: inputs)[0].reshape(shape).rounded(to: dtype)
    }

    /// x / √(mean x² + eps) · weight over the last axes (Zhang and Sennrich 2019, arXiv 1910.07467). `eps` is the dtype's rounding unit
    /// unless given.
    public func rmsNorm(normalizedShape: Shape, weight: Tensor? = nil, eps: Double? = nil) -> Tensor {
        guard endsIn(normalizedShape, [weight], "rmsNorm") else { return .placeholderAfterError }
        let unit = eps ?? (dtype == .float64 ? Double.ulpOfOne : Double(Float.ulpOfOne))
        let dims = Array((rank - normalizedShape.count)..<rank)
        let y = wide * (wide.squared().mean(dim: dims, keepDim: true) + unit).rsqrt()
        return (weight.map { y * $0.wide } ?? y).rounded(to: dtype)
    }

    private func endsIn(_ normalizedShape: Shape, _ parts: [Tensor?], _ name: String) -> Bool {
        guard !normalizedShape.isEmpty, shape.count >= normalizedShape.count,
            Shape(shape.suffix(normalizedShape.count)) == normalizedShape
        else {
            fail(name, "the input of shape \(shape) must end in the normalised shape \(normalizedShape)")
            return false
        }
        for case let part? in parts where part.shape != normalizedShape {
            fail(name, "weight and bias must have the normalised shape \(normalizedShape), got \(part.shape)")
            return false
        }
        return requireFloating(name)
    }

    /// Normalises the channels of (N, C, places...) in groups, for each element of the batch by itself (Wu and He 2018, arXiv
    /// 1803.08494).
    ///
    /// - Parameters:
    ///   - groups: How many; divides C.
    ///   - weight: (C), or nil for 1.
    ///   - bias: (C), or nil for 0.
    public func groupNorm(groups: Int, weight: Tensor? = nil, bias: Tensor? = nil, eps: Double = 1e-5) -> Tensor {
        guard isNormalizable(by: [weight, bias], "groupNorm") else { return .placeholderAfterError }
        guard groups > 0, shape[1] % groups == 0 else {
            return fail("groupNorm", "\(groups) groups do not divide the \(shape[1]) channels of shape \(shape)")
        }
        let rows = shape[0] * groups
        let columns = shape.dropFirst(2).reduce(shape[1] / groups, *)
        let y = wide.reshape([rows, columns]).layerNorm(normalizedShape: [columns], eps: eps).reshape(shape)
        return y.scaledPerChannel(weight?.wide, bias?.wide).rounded(to: dtype)
    }

    /// Normalises each channel of each element of the batch: (N, C, places...) (Ulyanov et al. 2016, arXiv 1607.08022).
    ///
    /// - Parameters:
    ///   - runningMean: (C); used unless `useInputStatistics`.
    ///   - runningVariance: (C); used unless `useInputStatistics`.
    public func instanceNorm(
        runningMean: Tensor? = nil, runningVariance: Tensor? = nil, weight: Tensor? = nil, bias: Tensor? = nil,
        useInputStatistics: Bool = true, eps: Double = 1e-5
    ) -> Tensor {
        if !useInputStatistics {
            return batchNorm(
                runningMean: runningMean, runningVariance: runningVariance, weight: weight, bias: bias, eps: eps
            ).output
        }
        guard isNormalizable(by: [weight, bias], "instanceNorm") else { return .placeholderAfterError }
        guard shape.dropFirst(2).reduce(1, *) > 1 else {
            return fail("instanceNorm", "needs more than one place for each channel, the shape is \(shape)")
        }
        return groupNorm(groups: shape[1], weight: weight, bias: bias, eps: eps)
    }

    private func scaledPerChannel(_ weight: Tensor?, _ bias: Tensor?) -> Tensor {
        if let weight, let bias {
            return applyOne(AddProduct(scale: 1), to: [perChannel(bias.to(dtype)), self, perChannel(weight.to(dtype))])
        }
        let scaled = weight.map { self * perChannel($0) } ?? self
        return bias.map { scaled + perChannel($0) } ?? scaled
    }
}
