import ChainRule
import Testing

private let inf = Double.infinity
private let nan = Double.nan

/// The points where functions show their manners: infinities, both zeros, NaN.
let specialPoints = Tensor([-inf, -2, -0.0, 0, 0.5, inf, nan])

/// Expects these elements: NaN for NaN, zeros with their sign, everything else within the relative tolerance.
func expectExactElements(
    _ tensor: Tensor, _ expected: [Double], tolerance: Double = 1e-14, sourceLocation: SourceLocation = #_sourceLocation
) {
    let values = tensor.detach().toArray(of: Double.self)
    #expect(values.count == expected.count, sourceLocation: sourceLocation)
    for (index, (value, wanted)) in zip(values, expected).enumerated() {
        let agrees =
            wanted.isNaN
            ? value.isNaN
            : wanted == 0 || wanted.isInfinite
                ? value == wanted && value.sign == wanted.sign
                : abs(value - wanted) <= tolerance * abs(wanted)
        #expect(agrees, "element \(index) is \(value), not \(wanted)", sourceLocation: sourceLocation)
    }
}

/// The gradients of Σ f at `inputs` (float64).
func gradients(_ inputs: [Double]..., of function: ([Tensor]) -> Tensor) -> [[Double]] {
    let leaves = inputs.map { Tensor($0, requiresGrad: true) }
    function(leaves).sum().backward()
    return leaves.map { $0.grad?.toArray(of: Double.self) ?? [] }
}
