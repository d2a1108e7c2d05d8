import ChainRule

/// Where parameters begin. The draws are PyTorch's: after the same `manualSeed` a layer has PyTorch's weights.
public enum Initialization {
    /// How many inputs and outputs one weight connects: (fanIn, fanOut) of a weight (out, in, kernel...).
    public static func fans(_ shape: Shape) -> (fanIn: Int, fanOut: Int) {
        let receptiveField = shape.dropFirst(2).reduce(1, *)
        return (shape[1] * receptiveField, shape[0] * receptiveField)
    }

    /// U(−b, b) with b = gain · √(3 / fanIn), gain = √(2 / (1 + a²)) (He et al. 2015, arXiv 1502.01852).
    /// PyTorch's linear and convolution layers use a = √5, which makes b = 1/√fanIn.
    public static func kaimingUniform(_ shape: Shape, a: Double = 0, dtype: DType = .float32) -> Tensor {
        let gain = (2 / (1 + a * a)).squareRoot()
        let deviation = gain / Double(fans(shape).fanIn).squareRoot()
        let bound = 3.0.squareRoot() * deviation
        return .uniform(shape, -bound...bound, dtype: dtype)
    }

    /// U(−b, b) with b = gain · √(6 / (fanIn + fanOut)) (Glorot and Bengio 2010).
    public static func xavierUniform(_ shape: Shape, gain: Double = 1, dtype: DType = .float32) -> Tensor {
        let (fanIn, fanOut) = fans(shape)
        let deviation = gain * (2 / Double(fanIn + fanOut)).squareRoot()
        let bound = 3.0.squareRoot() * deviation
        return .uniform(shape, -bound...bound, dtype: dtype)
    }

    /// The weight and bias of a linear or convolution layer as PyTorch draws them: Kaiming uniform with a = √5, bias U(±1/√fanIn).
    /// `bias` is its length, nil for none.
    static func weightAndBias(_ shape: Shape, bias: Int?, dtype: DType) -> (weight: Tensor, bias: Tensor?) {
        if let flaw = shape.flaw {
            let error = fail("Initialization", "a weight of shape \(shape) \(flaw)")
            return (error, bias.map { _ in error })
        }
        let weight = kaimingUniform(shape, a: 5.0.squareRoot(), dtype: dtype)
        guard let bias else { return (weight, nil) }
        let fanIn = fans(shape).fanIn
        let bound = fanIn > 0 ? 1 / Double(fanIn).squareRoot() : 0
        return (weight, .uniform([bias], -bound...bound, dtype: dtype))
    }
}
