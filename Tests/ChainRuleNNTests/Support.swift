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

/// sin(0.37 i) for the elements i = 0, 1, ...
func wave(_ shape: Shape) -> Tensor {
    (Tensor.arange(shape.reduce(1, *)).to(.float32) * 0.37).sin().reshape(shape)
}

/// Compares the first elements, and the sum of all absolute values.
func expect(
    _ tensor: Tensor, _ head: [Double], sum: Double, tolerance: Double = 4e-5,
    _ location: SourceLocation = #_sourceLocation
) {
    let values = tensor.detach().to(.float64).flatten().toArray(of: Double.self)
    #expect(values.count >= head.count, sourceLocation: location)
    for (value, expected) in zip(values, head) {
        #expect(abs(value - expected) < tolerance / 10, sourceLocation: location)
    }
    #expect(abs(values.reduce(0) { $0 + abs($1) } - sum) < tolerance, sourceLocation: location)
}
