import ChainRule

/// y = (x − mean) / √(variance + eps) · weight + bias over the last axes, for each of the others by itself
/// (Ba et al. 2016, arXiv 1607.06450).
public final class LayerNorm: Module, Layer {
    @Parameter public var weight: Tensor?
    @Parameter public var bias: Tensor?
    public let normalizedShape: Shape
    public let eps: Double

    public init(
        _ normalizedShape: Shape, eps: Double = 1e-5, affine: Bool = true, bias: Bool = true, dtype: DType = .float32
    ) {
        self.normalizedShape = normalizedShape
        self.eps = eps
        _weight = Parameter(affine ? .ones(normalizedShape, dtype: dtype) : nil)
        _bias = Parameter(affine && bias ? .zeros(normalizedShape, dtype: dtype) : nil)
        super.init()
    }

    public convenience init(_ features: Int, eps: Double = 1e-5, dtype: DType = .float32) {
        self.init([features], eps: eps, dtype: dtype)
    }

    public override var summary: String { "LayerNorm(\(normalizedShape))" }

    public func callAsFunction(_ input: Tensor) -> Tensor {
        scope { input.layerNorm(normalizedShape: normalizedShape, weight: weight, bias: bias, eps: eps) }
    }
}

/// y = x / √(mean x² + eps) · weight over the last axes (Zhang and Sennrich 2019, arXiv 1910.07467). An `eps` of nil is the distance from 1 to
/// the next number of the dtype.
public final class RMSNorm: Module, Layer {
    @Parameter public var weight: Tensor?
    public let normalizedShape: Shape
    public let eps: Double?

    public init(_ normalizedShape: Shape, eps: Double? = nil, affine: Bool = true, dtype: DType = .float32) {
        self.normalizedShape = normalizedShape
        self.eps = eps
        _weight = Parameter(affine ? .ones(normalizedShape, dtype: dtype) : nil)
        super.init()
    }

    public convenience init(_ features: Int, eps: Double? = nil, affine: Bool = true, dtype: DType = .float32) {
        self.init([features], eps: eps, affine: affine, dtype: dtype)
    }

    public override var summary: String { "RMSNorm(\(normalizedShape))" }

    public func callAsFunction(_ input: Tensor) -> Tensor {
        scope { input.rmsNorm(normalizedShape: normalizedShape, weight: weight, eps: eps) }
    }
}

/// y = (x − mean) / √(variance + eps) · weight + bias over groups of channels, for each element of the batch by itself; weight and bias are
/// per channel (Wu and He 2018, arXiv 1803.08494).
public final class GroupNorm: Module, Layer {
    @Parameter public var weight: Tensor?
    @Parameter public var bias: Tensor?
    public let groups, channels: Int
    public let eps: Double

    public init(
        _ groups: Int, _ channels: Int, eps: Double = 1e-5, affine: Bool = true, bias: Bool = true,
        dtype: DType = .float32
    ) {
        self.groups = groups
        self.channels = channels
        self.eps = eps
        if groups < 1 || channels % max(groups, 1) != 0 {
            fail("GroupNorm", "\(groups) groups do not divide \(channels) channels")
        }
        _weight = Parameter(affine ? .ones([channels], dtype: dtype) : nil)
        _bias = Parameter(affine && bias ? .zeros([channels], dtype: dtype) : nil)
        super.init()
    }

    public override var summary: String { "GroupNorm(\(groups), \(channels)\(weight == nil ? ", affine: false" : ""))" }

    public func callAsFunction(_ input: Tensor) -> Tensor {
        scope { input.groupNorm(groups: groups, weight: weight, bias: bias, eps: eps) }
    }
}

/// x / (k + alpha · mean x²)^beta, the mean over `size` neighbouring channels (axis 1) (Krizhevsky et al. 2012).
public final class LocalResponseNorm: Module, Layer {
    public let size: Int
    public let alpha, beta, k: Double

    public init(_ size: Int, alpha: Double = 1e-4, beta: Double = 0.75, k: Double = 1) {
        self.size = size
        self.alpha = alpha
        self.beta = beta
        self.k = k
        super.init()
    }

    public override var summary: String { "LocalResponseNorm(\(size), alpha: \(alpha), beta: \(beta), k: \(k))" }

    public func callAsFunction(_ input: Tensor) -> Tensor {
        scope { input.localResponseNorm(size: size, alpha: alpha, beta: beta, k: k) }
    }
}
