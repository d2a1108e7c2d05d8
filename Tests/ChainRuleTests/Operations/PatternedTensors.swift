import ChainRule
import Testing

/// Elements that follow from their place, so that another program can make the same: ((37 i + 11 + 5 seed) mod 23 − 11) / 8.
func patterned(_ shape: Shape, seed: Int = 0, dtype: DType = .float64) -> Tensor {
    Tensor((0..<shape.elementCount).map { Double(($0 * 37 + 11 + seed * 5) % 23 - 11) / 8 }, shape: shape).to(dtype)
}

/// Whether the elements are `expected`, row-major, up to `tolerance`, absolute and relative.
func expectClose(
    _ tensor: Tensor?, _ expected: [Double], tolerance: Double = 1e-9, sourceLocation: SourceLocation = #_sourceLocation
) {
    let values = tensor?.toArray(of: Double.self) ?? []
    let agrees = zip(values, expected).allSatisfy { value, wanted in
        value == wanted || (value.isNaN && wanted.isNaN)
            || wanted.isFinite && abs(value - wanted) <= tolerance * (1 + abs(wanted))
    }
    #expect(values.count == expected.count && agrees, "\(values) is not \(expected)", sourceLocation: sourceLocation)
}
