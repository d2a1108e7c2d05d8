/// The weight W (n, k) of a linear layer in fewer bits, for inference: it is read once for each input, so that a smaller one is read
/// sooner. Products are still made and added up in float32.
public struct QuantizedWeight: Sendable {
    public enum Format: String, CaseIterable, Sendable, CustomStringConvertible {
        /// The upper half of each float: rounded by at most 1 in 256 of itself.
        case bfloat16
        /// Integers from −127 to 127 times a number for each row of W: rounded by at most 1 in 254 of the row's largest.
        case int8

        public var description: String { rawValue }
    }

    public let format: Format
    /// (n, k), bfloat16 or int8.
    public let values: Tensor
    /// (n), what the integers of each row are multiplied with; nil for bfloat16.
    public let scale: Tensor?

    /// Rounds `weight`, a finite float32 matrix.
    public init(_ weight: Tensor, _ format: Format) {
        self.format = format
        let weight = weight.detach()
        guard weight.rank == 2, weight.dtype == .float32, weight.isfinite().all().item(Bool.self) else {
            values = fail(
                "QuantizedWeight",
                "needs a finite float32 matrix, the weight is \(weight.dtype) of shape \(weight.shape)")
            scale = nil
            return
        }
        guard format == .int8, weight.count > 0 else {
            values = weight.to(format == .int8 ? .int8 : .bfloat16)
            scale = format == .int8 ? .ones([weight.shape[0]]) : nil
            return
        }
        let largest = weight.abs().amax(dim: 1)
        // Rows of zeros stay zeros with any scale.
        let scale = largest.maskedFill(largest .== 0, 127) / 127
        values = (weight / scale.unsqueeze(dim: 1)).round().clamp(min: -127, max: 127).to(.int8)
        self.scale = scale
    }

    /// What rounding gave earlier.
    ///
    /// - Parameters:
    ///   - values: (n, k), bfloat16 or int8.
    ///   - scale: (n), float32, for int8; nil for bfloat16.
    public init(values: Tensor, scale: Tensor?) {
        format = values.dtype == .int8 ? .int8 : .bfloat16
        self.scale = scale
        let fits = scale.map { $0.dtype == .float32 && $0.shape == [values.shape.first ?? 0] } ?? true
        guard values.rank == 2, values.dtype == (scale == nil ? .bfloat16 : .int8), fits else {
            let scaleText = scale.map { "a scale that is \($0.dtype) of shape \($0.shape)" } ?? "no scale"
            self.values = fail(
                "QuantizedWeight",
                "needs a bfloat16 matrix, or one of int8 with a float32 scale for each row; got \(values.dtype) of shape \(values.shape) and \(scaleText)"
            )
            return
        }
        self.values = values
    }

    /// The float32 matrix that this stands for.
    public var dequantized: Tensor {
        let floats = values.to(.float32)
        return scale.map { floats * $0.unsqueeze(dim: 1) } ?? floats
    }
}

/// y = x Wᵀ + b on the last axis with W in fewer bits. Inputs: x (..., k), W (n, k) as bfloat16 or int8, the scale (n) for int8, and b (n)
/// when there is one. Composed: `linear` with the dequantized weight.
struct QuantizedLinear: VariadicOperation, NotDifferentiable {
    static let name = "quantized_linear"
    static let reason = "weights in fewer bits are for inference, inside withoutGradient"
    func forward(_ inputs: [Tensor]) -> [Tensor] { [CPU.quantizedLinear(inputs)] }
}

extension Tensor {
    /// y = x Wᵀ + b on the last axis with W in fewer bits: (..., k) gives (..., n), float32. It has no gradient.
    public func linear(weight: QuantizedWeight, bias: Tensor? = nil) -> Tensor {
        let size = weight.values.shape
        guard rank > 0, shape[rank - 1] == size[1], dtype == .float32, bias?.shape ?? [size[0]] == [size[0]] else {
            let biasShape = bias.map { " and the bias of shape \($0.shape)" } ?? ""
            return fail(
                "linear",
                "the \(dtype) input of shape \(shape)\(biasShape) do not fit the \(weight.format) weight of shape \(size): a float32 input's last axis must be \(size[1])"
            )
        }
        return applyOne(QuantizedLinear(), to: [self, weight.values] + [weight.scale, bias].compactMap { $0 })
    }
}
