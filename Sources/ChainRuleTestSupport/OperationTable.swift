import ChainRule

/// The operations of the registry as a table in Markdown: formulas, dtypes, and how far the gradients were from central differences.
public enum OperationTable {
    /// One row.
    public struct Row: Sendable {
        public let name: String
        /// Everything that follows from the sources: the cells but the last.
        public let description: [String]
        /// The largest error of the gradient sweep, first and second order; nil where there is no gradient.
        public let largestError: Double?

        /// - Parameter measures: whether to run the gradient sweep.
        public init(_ operation: any Operation.Type, measures: Bool) {
            name = operation.name
            description = [
                "`\(operation.name)`", operation.formula.value, operation.formula.gradient, "\(operation.dtypes)",
                operation.isDifferentiable ? "1, 2" : "–",
            ]
            largestError = measures && operation.isDifferentiable ? OperationSweep.check(operation).largestError : nil
        }

        /// The cells as they stand in the table, without the last.
        public var start: String {
            "| " + description.map { $0.replacing("|", with: "\\|") }.joined(separator: " | ") + " |"
        }

        var markdown: String { "\(start) \(largestError.map(Row.rounded) ?? "–") |" }

        /// One digit, rounded up.
        private static func rounded(_ error: Double) -> String {
            if error == 0 { return "0" }
            var (mantissa, exponent) = (error, 0)
            while mantissa < 1 { (mantissa, exponent) = (mantissa * 10, exponent - 1) }
            return "\(Int(mantissa.rounded(.up)))e\(exponent)"
        }
    }

    public static let header = """
        # Operations

        Every operation that is recorded, from the registry. Everything else is composed of them. Second-order gradients come from differentiating the
        gradient, which is written in the same operations.

        The orders are those that the tests hold to central differences in float64; the error is the largest found there,
        |gradient − difference| / max(1, |difference|), over all samples and layouts (most of it is the error of the difference itself).
        `make coverage-table` writes this file.

        | operation | y | gradient | dtypes | orders | error |
        |---|---|---|---|---|---|
        """

    /// The whole file. Runs the gradient sweep: about a minute.
    public static func markdown() -> String {
        header + "\n" + OperationRegistry.all.map { Row($0, measures: true).markdown + "\n" }.joined()
    }
}
