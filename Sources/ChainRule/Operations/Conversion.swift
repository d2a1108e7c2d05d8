let conversionOperations: [any Operation.Type] = [Cast.self]

/// The same values in another dtype.
struct Cast: UnaryOperation, FusableOperation {
    let from: DType
    let to: DType
    static let name = "to"
    static let formula = Formula("x as another dtype", gradient: "∂L/∂x = ∂L/∂y as the dtype of x")
    static let dtypes: DTypes = .all
    static let keeps: Keeps = []
    var kernel: ElementwiseKernel { .convert(from: from.number, to: to.number) }
    func forward(_ x: Tensor) -> Tensor { CPU.convert(x, to: to) }
    func gradient(_ dy: Tensor, _ kept: Kept) -> Tensor { dy.to(from) }
    static let samples = [
        // A step of 0.25 makes the rounding to float32 harmless: the operation is linear.
        Sample([Sample.Input(.uniform(-3...3), shape: [2, 3])], step: 0.25) { [$0[0].to(.float32).to(.float64)] }
    ]
}

extension Tensor {
    /// The same values as `dtype`: itself when it already is. Between floating dtypes the gradient passes.
    @inline(__always)
    public func to(_ dtype: DType) -> Tensor {
        self.dtype == dtype ? self : apply(Cast(from: self.dtype, to: dtype), to: self)
    }
}
