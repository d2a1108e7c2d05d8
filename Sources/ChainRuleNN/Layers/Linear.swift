import ChainRule

/// y = x Wᵀ + b on the last axis: (..., inFeatures) → (..., outFeatures).
///
/// W (outFeatures, inFeatures) and b are drawn from U(−1/√inFeatures, 1/√inFeatures).
public final class Linear: Module, ActivatedLayer {
    @Parameter public var weight: Tensor
    @Parameter public var bias: Tensor?
    public let inFeatures, outFeatures: Int
    @Buffer private var quantizedValues: Tensor? = nil
    @Buffer private var quantizedScale: Tensor? = nil

    public init(_ inFeatures: Int, _ outFeatures: Int, bias: Bool = true, dtype: DType = .float32) {
        self.inFeatures = inFeatures
        self.outFeatures = outFeatures
        let initial = Initialization.weightAndBias(
            [outFeatures, inFeatures], bias: bias ? outFeatures : nil, dtype: dtype)
        _weight = Parameter(initial.weight)
        _bias = Parameter(initial.bias)
        super.init()
    }

    public override var summary: String {
        let format = quantizedWeight.map { ", \($0.format)" } ?? ""
        return "Linear(\(inFeatures), \(outFeatures)\(bias == nil ? ", bias: false" : "")\(format))"
    }

    public func callAsFunction(_ input: Tensor) -> Tensor { compute(input, nil) }

    /// activation(y), in one pass: `fc(x, activation: .relu)`.
    public func callAsFunction(_ input: Tensor, activation: Activation) -> Tensor { compute(input, activation) }

    private func compute(_ input: Tensor, _ activation: Activation?) -> Tensor {
        scope {
            guard let quantizedWeight else { return input.linear(weight: weight, bias: bias, activation: activation) }
            let y = input.linear(weight: quantizedWeight, bias: bias)
            return activation.map { $0(y) } ?? y
        }
    }

    // MARK: Weights in fewer bits

    /// What stands in the place of `weight` after `quantize`.
    public var quantizedWeight: QuantizedWeight? {
        quantizedValues.map { QuantizedWeight(values: $0, scale: quantizedScale) }
    }

    func quantizeWeight(_ format: QuantizedWeight.Format) {
        guard quantizedWeight == nil else { return }
        let quantized = QuantizedWeight(weight, format)
        (quantizedValues, quantizedScale) = (quantized.values, quantized.scale)
        _weight.remove()
    }

    override var stateNames: [String: String] {
        ["quantizedValues": "quantized_weight", "quantizedScale": "quantized_scale"]
    }
}

/// y[o] = x₁ᵀ W[o] x₂ + b[o] on the last axes: (..., m) and (..., n) → (..., outFeatures). W (outFeatures, m, n) and b are drawn from
/// U(−1/√m, 1/√m).
public final class Bilinear: Module, PairLayer {
    @Parameter public var weight: Tensor
    @Parameter public var bias: Tensor?
    public let inFeatures1, inFeatures2, outFeatures: Int

    public init(
        _ inFeatures1: Int, _ inFeatures2: Int, _ outFeatures: Int, bias: Bool = true, dtype: DType = .float32
    ) {
        self.inFeatures1 = inFeatures1
        self.inFeatures2 = inFeatures2
        self.outFeatures = outFeatures
        let bound = 1 / Double(max(inFeatures1, 1)).squareRoot()
        _weight = Parameter(.uniform([outFeatures, inFeatures1, inFeatures2], -bound...bound, dtype: dtype))
        _bias = Parameter(bias ? .uniform([outFeatures], -bound...bound, dtype: dtype) : nil)
        super.init()
    }

    public override var summary: String {
        "Bilinear(\(inFeatures1), \(inFeatures2), \(outFeatures)\(bias == nil ? ", bias: false" : ""))"
    }

    public func callAsFunction(_ input1: Tensor, _ input2: Tensor) -> Tensor {
        scope { input1.bilinear(input2, weight: weight, bias: bias) }
    }
}

/// The input as it is: a place holder.
public final class Identity: Module, Layer {
    public override var summary: String { "Identity()" }
    public func callAsFunction(_ input: Tensor) -> Tensor { input }
}
