import CKernels

/// How the kernels compute an elementwise operation on floats.
enum ElementwiseKernel {
    case unary(ck_unary)
    /// f(a, b) of two inputs.
    case binary(ck_binary)
    /// f(x, c), or f(c, x).
    case withNumber(ck_binary, Scalar, numberFirst: Bool = false)
    /// Booleans from two inputs of one floating dtype.
    case compare(ck_comparison)
    /// a + scale · b · c
    case multiplyAdd(Double)
    /// The second input where the first, a boolean, holds; else the third.
    case select
}

/// An elementwise operation that one kernel computes: a compiled function computes several of them in one pass.
protocol FusableOperation: Operation {
    /// Used where the inputs are float32 or float64.
    var kernel: ElementwiseKernel { get }
}
