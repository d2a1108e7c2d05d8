import ChainRule

/// What `GradientCheck.check` found.
public struct GradientReport: Sendable, CustomStringConvertible {
    public enum Mismatch: Sendable, CustomStringConvertible {
        /// One element of the gradient of an input. Of order 2, the inputs of f are followed by the gradients that arrive at its outputs.
        case element(order: Int, input: Int, at: [Int], Double, expected: Double)
        /// A gradient that has not the shape of its input.
        case shape(order: Int, input: Int, Shape, expected: Shape)

        public var description: String {
            switch self {
            case .element(let order, let input, let index, let value, let expected):
                "\(Self.title(order)) of input \(input) at \(index) is \(value), central differences give \(expected)"
            case .shape(let order, let input, let shape, let expected):
                "\(Self.title(order)) of input \(input) has shape \(shape), the input has shape \(expected)"
            }
        }

        private static func title(_ order: Int) -> String { order == 1 ? "the gradient" : "the second-order gradient" }
    }

    public internal(set) var mismatches: [Mismatch]
    /// How many elements were compared.
    public internal(set) var checkedElements: Int
    /// The largest |gradient − central difference| / max(1, |central difference|).
    public internal(set) var largestError = 0.0

    public var passed: Bool { mismatches.isEmpty }

    public var description: String {
        if passed { return "the gradient equals central differences in \(checkedElements) elements" }
        let shown = mismatches.prefix(5).map { "\n  \($0)" }.joined()
        let rest = mismatches.count > 5 ? "\n  and \(mismatches.count - 5) more" : ""
        return "the gradient is wrong in \(mismatches.count) of \(checkedElements) elements:" + shown + rest
    }
}
