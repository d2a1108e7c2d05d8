import ChainRule

/// How far a result may be from PyTorch's: |found − expected| ≤ absolute + relative · |expected|.
struct Tolerance: Sendable {
    var relative = 1e-7
    var absolute = 1e-9
}

/// What is wrong with a tensor, or nil when it is the expected one: shape, dtype, and every element within the tolerance; integers and
/// booleans equal, not-a-number where it is expected.
func difference(_ found: Tensor, from expected: Tensor, _ tolerance: Tolerance = Tolerance()) -> String? {
    if found.shape != expected.shape { return "has shape \(found.shape), expected \(expected.shape)" }
    if found.dtype != expected.dtype { return "has dtype \(found.dtype), expected \(expected.dtype)" }
    return expected.dtype.isFloatingPoint
        ? difference(found.toArray(of: Double.self), expected.toArray(of: Double.self), expected.shape) {
            $0 == $1 || ($0.isNaN && $1.isNaN)
                || $1.isFinite && abs($0 - $1) <= tolerance.absolute + tolerance.relative * abs($1)
        }
        : difference(found.toArray(of: Int.self), expected.toArray(of: Int.self), expected.shape, ==)
}

/// The sentence about the elements that are not `close`: the one that is furthest off, and how many there are.
private func difference<Number: SignedNumeric & Comparable>(
    _ found: [Number], _ expected: [Number], _ shape: Shape, _ close: (Number, Number) -> Bool
) -> String? {
    var (count, worst) = (0, 0)
    var largest: Number?
    for place in found.indices where !close(found[place], expected[place]) {
        count += 1
        let distance = found[place] > expected[place] ? found[place] - expected[place] : expected[place] - found[place]
        // Not-a-number on one side is worse than any distance, and stays the one that is shown.
        if let largest, !(distance > largest) { continue }
        (largest, worst) = (distance, place)
    }
    guard let largest else { return nil }
    let which = count == 1 ? "" : " (\(count) of \(found.count) elements differ)"
    return
        "is \(found[worst]) at \(shape.position(ofRowMajor: worst)), expected \(expected[worst]), off by \(largest)\(which)"
}

extension Shape {
    /// Where the element with this number in row-major order stands.
    fileprivate func position(ofRowMajor number: Int) -> [Int] {
        var (rest, position) = (number, [Int]())
        for size in reversed() {
            position.insert(rest % size, at: 0)
            rest /= size
        }
        return position
    }
}
