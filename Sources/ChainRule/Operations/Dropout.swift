import CKernels

let dropoutOperations: [any Operation.Type] = [Dropout.self]

/// y = x · m for a mask m of zeros and 1 / (1 − p), which is a constant.
struct Dropout: BinaryOperation, FusableOperation {
    static let name = "dropout"
    static let formula = Formula("x m", gradient: "∂L/∂x = ∂L/∂y m")
    static let keeps: Keeps = .right
    var kernel: ElementwiseKernel { .binary(CK_MUL) }
    func forward(_ x: Tensor, _ mask: Tensor) -> Tensor { CPU.binary(CK_MUL, x, mask, name: Self.name) }
    func gradientLeft(_ dy: Tensor, _ kept: Kept) -> Tensor { apply(self, to: dy, kept.rightInput) }
    func gradientRight(_ dy: Tensor, _ kept: Kept) -> Tensor { fail(Self.name, "a mask has no gradient") }
    static let samples = [
        Sample([Sample.Input(.uniform(-3...3), shape: [2, 3])]) { inputs in
            let mask = Tensor([0.0, 2, 2, 2, 0, 2], shape: [2, 3]).to(inputs[0].dtype)
            return [apply(Dropout(), to: inputs[0], mask)]
        }
    ]
}

extension Tensor {
    /// Sets each element to zero with probability `p` and multiplies the others with 1 / (1 − p), in training; else the tensor itself
    /// (Srivastava et al. 2014). Floating dtypes.
    public func dropout(p: Double = 0.5, training: Bool = true, generator: Generator = .default) -> Tensor {
        drop(shape, p, training, generator, "dropout")
    }

    /// `dropout` of whole channels: the same for all places of (N, C, places...).
    public func channelDropout(p: Double = 0.5, training: Bool = true, generator: Generator = .default) -> Tensor {
        var mask = shape
        for axis in 0..<rank where axis > 1 { mask[axis] = 1 }
        return drop(mask, p, training, generator, "channelDropout")
    }

    private func drop(
        _ maskShape: Shape, _ p: Double, _ training: Bool, _ generator: Generator, _ name: String
    ) -> Tensor {
        guard (0...1).contains(p) else { return fail(name, "the probability must be from 0 to 1, it is \(p)") }
        guard requireFloating(name) else { return .placeholderAfterError }
        if !training || p == 0 || count == 0 { return self }
        let kept = Tensor.bernoulli(1 - p, maskShape, dtype: dtype, generator: generator)
        // Where all are dropped nothing is scaled: 0 / 0 would be NaN.
        return apply(Dropout(), to: self, p == 1 ? kept : withoutGradient { kept / (1 - p) })
    }
}
