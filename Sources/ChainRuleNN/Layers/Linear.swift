import ChainRule

/// y = x Wᵀ + b on the last axis: (..., inFeatures) → (..., outFeatures).
///
/// W (outFeatures, inFeatures) and b are drawn from U(−1/√inFeatures, 1/√inFeatures).
public final class Linear: Module, Layer {
    @Parameter public var weight: Tensor
    @Parameter public var bias: Tensor?
    public let inFeatures, outFeatures: Int

    public init(_ inFeatures: Int, _ outFeatures: Int, bias: Bool = true, dtype: DType = .float32) {
        self.inFeatures = inFeatures
        self.outFeatures = outFeatures
        let initial = Initialization.weightAndBias([outFeatures, inFeatures], bias: bias, dtype: dtype)
        _weight = Parameter(initial.weight)
        _bias = Parameter(initial.bias)
        super.init()
    }

    public override var summary: String { "Linear(\(inFeatures), \(outFeatures)\(bias == nil ? ", bias: false" : ""))" }

    public func callAsFunction(_ input: Tensor) -> Tensor { scope { input.linear(weight: weight, bias: bias) } }
}
