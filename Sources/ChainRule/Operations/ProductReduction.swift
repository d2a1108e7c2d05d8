import CKernels

let productReductionOperations: [any Operation.Type] = [Product.self]

/// y = Π x over an axis, which keeps size 1.
struct Product: UnaryOperation {
    let axis: Int
    static let name = "prod"
    static let formula = Formula("Π x", gradient: "∂L/∂x[i] = ∂L/∂y · Π x[j] over j ≠ i")
    static let dtypes: DTypes = .all
    static let keeps: Keeps = .input
    func forward(_ x: Tensor) -> Tensor {
        x.dtype.isFloatingPoint
            ? CPU.reduce(CK_PROD, x, over: [axis])
            : CPU.reduceIntegers(CK_INTEGER_PRODUCT, CPU.convert(x, to: .int64), over: [axis])
    }
    func gradient(_ dy: Tensor, _ kept: Kept) -> Tensor {
        let last = productsOfOthers(kept.input.transpose(axis, -1))
        return dy * last.transpose(axis, -1)
    }
    static let samples = [
        Sample([Sample.Input(.uniform(0.5...2), shape: [2, 5, 2])]) { [$0[0].prod(dim: 1)] },
        Sample([Sample.Input(.uniform(-2...2), shape: [2, 2])]) { [$0[0].prod()] },
        // Two zeros, where y / x would be NaN.
        Sample([Sample.Input(.uniform(1...2), shape: [5])]) { [($0[0] * Tensor([1.0, 0, 1, 1, 0])).prod()] },
    ]
}

/// Π x[j] over j ≠ i for each place i of the last axis. Built from products alone, never y / x, so that zeros do no harm, in any order
/// of differentiation: pair the elements, take the products of the other pairs, multiply each by its partner.
func productsOfOthers(_ x: Tensor) -> Tensor {
    let size = x.shape[x.rank - 1]
    if size <= 1 { return Tensor.ones([], dtype: x.dtype).expand(x.shape) }
    let half = size / 2
    let left = x.narrow(dim: -1, start: 0, length: half)
    let right = x.narrow(dim: -1, start: half, length: half)
    if size % 2 == 0 {
        let others = productsOfOthers(left * right)
        return cat([others * right, others * left], dim: -1)
    }
    let single = x.narrow(dim: -1, start: size - 1, length: 1)
    let others = productsOfOthers(cat([left * right, single], dim: -1))
    let ofPairs = others.narrow(dim: -1, start: 0, length: half)
    return cat([ofPairs * right, ofPairs * left, others.narrow(dim: -1, start: half, length: 1)], dim: -1)
}

extension Tensor {
    /// The product of all elements. Integers and booleans give int64.
    public func prod() -> Tensor { reshape([count]).prod(dim: 0) }

    /// The product over one axis.
    public func prod(dim: Int, keepDim: Bool = false) -> Tensor {
        guard let axis = axis(dim, in: "prod") else { return .placeholderAfterError }
        // A number is a product of one factor.
        let vector = rank == 0 ? reshape([1]) : self
        let y = apply(Product(axis: axis), to: vector)
        return rank == 0 ? y.reshape([]) : y.dropping([axis], unless: keepDim)
    }
}
