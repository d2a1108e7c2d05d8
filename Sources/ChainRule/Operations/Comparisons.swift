import CKernels

let comparisonOperations: [any Operation.Type] = [Compare.self, CompareScalar.self]

/// One of the six comparisons.
enum Comparison: String, Hashable, Sendable {
    case equal = "=="
    case notEqual = "!="
    case less = "<"
    case lessOrEqual = "<="
    case greater = ">"
    case greaterOrEqual = ">="

    var kernel: ck_comparison {
        switch self {
        case .equal: CK_EQ
        case .notEqual: CK_NE
        case .less: CK_LT
        case .lessOrEqual: CK_LE
        case .greater: CK_GT
        case .greaterOrEqual: CK_GE
        }
    }

    /// The comparison that holds for (b, a) where this one holds for (a, b).
    var mirrored: Comparison {
        switch self {
        case .equal, .notEqual: self
        case .less: .greater
        case .lessOrEqual: .greaterOrEqual
        case .greater: .less
        case .greaterOrEqual: .lessOrEqual
        }
    }
}

/// y = a ∘ b as booleans
struct Compare: BinaryOperation, ElementwiseOperation, FusableOperation, NotDifferentiable {
    let comparison: Comparison
    static let name = "compare"
    static let dtypes: DTypes = .all
    static let reason = "its values are booleans"
    var kernel: ElementwiseKernel { .compare(comparison.kernel) }
    func forward(_ a: Tensor, _ b: Tensor) -> Tensor {
        CPU.compare(comparison.kernel, a, b, name: comparison.rawValue)
    }
}

/// y = x ∘ c as booleans
struct CompareScalar: UnaryOperation, ElementwiseOperation, FusableOperation, NotDifferentiable {
    let comparison: Comparison
    let value: Scalar
    static let name = "compare"
    static let dtypes: DTypes = .all
    static let reason = "its values are booleans"
    var kernel: ElementwiseKernel { .compareWithNumber(comparison.kernel, value) }
    func forward(_ x: Tensor) -> Tensor { CPU.compare(comparison, x, value, name: comparison.rawValue) }
}

// The comparisons are spelled with a dot, as for SIMD vectors: they answer a tensor of booleans, not one boolean.
extension Tensor {
    public static func .== (a: Tensor, b: Tensor) -> Tensor { binaryPromoted(Compare(comparison: .equal), a, b) }
    public static func .!= (a: Tensor, b: Tensor) -> Tensor { binaryPromoted(Compare(comparison: .notEqual), a, b) }
    public static func .< (a: Tensor, b: Tensor) -> Tensor { binaryPromoted(Compare(comparison: .less), a, b) }
    public static func .<= (a: Tensor, b: Tensor) -> Tensor { binaryPromoted(Compare(comparison: .lessOrEqual), a, b) }
    public static func .> (a: Tensor, b: Tensor) -> Tensor { binaryPromoted(Compare(comparison: .greater), a, b) }
    public static func .>= (a: Tensor, b: Tensor) -> Tensor {
        binaryPromoted(Compare(comparison: .greaterOrEqual), a, b)
    }

    public static func .== (x: Tensor, c: some ScalarOperand) -> Tensor { x.compared(.equal, c.scalar) }
    public static func .!= (x: Tensor, c: some ScalarOperand) -> Tensor { x.compared(.notEqual, c.scalar) }
    public static func .< (x: Tensor, c: some ScalarOperand) -> Tensor { x.compared(.less, c.scalar) }
    public static func .<= (x: Tensor, c: some ScalarOperand) -> Tensor { x.compared(.lessOrEqual, c.scalar) }
    public static func .> (x: Tensor, c: some ScalarOperand) -> Tensor { x.compared(.greater, c.scalar) }
    public static func .>= (x: Tensor, c: some ScalarOperand) -> Tensor { x.compared(.greaterOrEqual, c.scalar) }

    private func compared(_ comparison: Comparison, _ value: Scalar) -> Tensor {
        apply(CompareScalar(comparison: comparison, value: value), to: to(value.promoted(with: dtype)))
    }
}

// MARK: - Kinds of numbers

extension Tensor {
    /// Where the elements are not a number.
    public func isnan() -> Tensor { self .!= self }
    /// Where the elements are +∞ or −∞.
    public func isinf() -> Tensor { dtype.isFloatingPoint ? abs() .== Double.infinity : .zeros(shape, dtype: .bool) }
    /// Where the elements are +∞.
    public func isposinf() -> Tensor { dtype.isFloatingPoint ? self .== Double.infinity : .zeros(shape, dtype: .bool) }
    /// Where the elements are −∞.
    public func isneginf() -> Tensor {
        dtype.isFloatingPoint ? self .== -Double.infinity : .zeros(shape, dtype: .bool)
    }
    /// Where the elements are neither infinite nor NaN.
    public func isfinite() -> Tensor { dtype.isFloatingPoint ? abs() .< Double.infinity : .ones(shape, dtype: .bool) }

    /// Where |a − b| ≤ atol + rtol · |b|; equal infinities are close, NaNs only with `equalNaN`.
    public func isClose(_ other: Tensor, rtol: Double = 1e-5, atol: Double = 1e-8, equalNaN: Bool = false) -> Tensor {
        guard rtol >= 0 && atol >= 0 else {
            return fail("isClose", "the tolerances must not be negative, they are rtol \(rtol) and atol \(atol)")
        }
        let common = Tensor.resultType(self, other)
        let (a, b) = (detach().to(common), other.detach().to(common))
        var close = a .== b
        if common.isFloatingPoint && equalNaN { close = close.logicalOr(a.isnan().logicalAnd(b.isnan())) }
        if rtol == 0 && atol == 0 { return close }
        // Integers are compared as float64, which holds their differences; booleans have none.
        let wide = common.isFloatingPoint ? common : .float64
        let difference = (a.to(wide) - b.to(wide)).abs()
        let allowed = b.to(wide).abs() * rtol + atol
        return close.logicalOr(difference.isfinite().logicalAnd(difference .<= allowed))
    }

    /// Whether all elements are close; see `isClose`.
    public func allClose(_ other: Tensor, rtol: Double = 1e-5, atol: Double = 1e-8, equalNaN: Bool = false) -> Bool {
        CPU.allTrue(isClose(other, rtol: rtol, atol: atol, equalNaN: equalNaN))
    }

    /// Whether both have the same shape and the same elements. A NaN equals nothing.
    public func equal(_ other: Tensor) -> Bool { shape == other.shape && CPU.allTrue(self .== other) }
}
