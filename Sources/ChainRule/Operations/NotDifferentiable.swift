// What a cell without a gradient need not write: `apply` refuses to record it, so none of this ever runs.

extension UnaryOperation where Self: NotDifferentiable {
    public static var keeps: Keeps { [] }
    public func gradient(_ dy: Tensor, _ kept: Kept) -> Tensor { Self.noGradient() }
}

extension BinaryOperation where Self: NotDifferentiable {
    public static var keeps: Keeps { [] }
    public func gradientLeft(_ dy: Tensor, _ kept: Kept) -> Tensor { Self.noGradient() }
    public func gradientRight(_ dy: Tensor, _ kept: Kept) -> Tensor { Self.noGradient() }
}

extension VariadicOperation where Self: NotDifferentiable {
    public static var keeps: Keeps { [] }
    public func gradients(_ dy: [Tensor?], _ kept: KeptList, needs: [Bool]) -> [Tensor?] {
        needs.map { _ in Self.noGradient() }
    }
}

extension NotDifferentiable {
    fileprivate static func noGradient() -> Tensor { fail("backward", "'\(name)' has no gradient, because \(reason)") }
}

extension Tensor {
    /// The gradient of a function that is constant almost everywhere: zeros of this tensor's shape, without their memory.
    func zeroGradient() -> Tensor { Tensor.zeros([], dtype: dtype).expand(shape) }
}
