import ChainRule
import Testing

/// Whether two lists of numbers agree to a relative (and the same absolute) tolerance.
func isClose(_ a: [Double], _ b: [Double], tolerance: Double = 1e-7) -> Bool {
    a.count == b.count && zip(a, b).allSatisfy { abs($0 - $1) <= tolerance * (1 + abs($1)) }
}

extension Tensor {
    var doubles: [Double] { toArray(of: Double.self) }
}

/// A float64 matrix (2, 3) that many tests share.
let scores = Tensor([0.5, -1.2, 0.3, 2.0, 0.1, -0.7], shape: [2, 3])
let regressionTarget = Tensor([0.2, -1.0, 1.0, 0.0, 0.1, -2.7], shape: [2, 3])
