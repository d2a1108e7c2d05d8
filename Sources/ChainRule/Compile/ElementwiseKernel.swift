import CKernels

/// How the kernels compute an elementwise operation on floats.
enum ElementwiseKernel {
    case unary(ck_unary)
    /// Two outputs: f(x), and f′(x) of the same x.
    case withSlope(ck_unary)
    /// f(a, b) of two inputs.
    case binary(ck_binary)
    /// f(x, c), or f(c, x).
    case withNumber(ck_binary, Scalar, numberFirst: Bool = false)
    /// Booleans from two inputs of one floating dtype.
    case compare(ck_comparison)
    /// The same of an input and a number.
    case compareWithNumber(ck_comparison, Scalar)
    /// a + scale · b · c
    case multiplyAdd(Double)
    /// The second input where the first, a boolean, holds; else the third.
    case select
    /// A number where the second input, a boolean, holds; else the first.
    case fill(Scalar)
    /// x brought between two bounds.
    case clamp(Double, Double)
    /// ∂L/∂y where x, the second input, lies between two bounds, else 0.
    case clampGradient(Double, Double)
    /// Numbers of one type as those of another; one of them is float32 or float64.
    case convert(from: ck_number, to: ck_number)
}

/// An elementwise operation that one kernel computes: a compiled function computes several of them in one pass.
protocol FusableOperation: Operation {
    /// Used where the inputs are float32 or float64, or what they are converted to is.
    var kernel: ElementwiseKernel { get }
}

/// How the kernels compute an operation on rows: along the last axis, each row by itself.
enum RowKernel {
    case softmax(logarithm: Bool)
    /// From ∂L/∂y and y.
    case softmaxGradient(logarithm: Bool)
    /// y, mean and r of x and, when it is affine, weight and bias.
    case layerNorm(eps: Double, isAffine: Bool)
    /// ∂L/∂x and, when it is affine, the gradients of weight and bias; from ∂L/∂y, x, mean, r and the weight.
    case layerNormGradient(isAffine: Bool)
    /// One number for each row.
    case reduction(ck_reduction)
}

/// An operation that works on rows, along some axes: a compiled function computes it together with its neighbours, a few rows at a time.
protocol RowOperation: Operation {
    var rowKernel: RowKernel { get }
    /// What makes a row, when the input has this rank: `rowKernel` is used where that is the last axis.
    func rowAxes(rank: Int) -> AxisSet
}

/// A product whose pieces elementwise operations can finish while they are in a cache near by.
protocol FinishableOperation: Operation {
    /// As `forward` of float32 or float64, into given memory.
    func compute(_ inputs: [Tensor], into target: ProductTarget)
}
