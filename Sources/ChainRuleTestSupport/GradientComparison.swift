import ChainRule

extension GradientCheck {
    /// Compares gradients written by hand with the engine's. Neither `loss` nor the `grad` of any parameter changes: `loss.backward()`
    /// can follow.
    ///
    /// ```swift
    /// let check = GradientCheck.compare(loss, with: [(w1, myW1Grad), (b1, myB1Grad)])
    /// print(check)
    /// ```
    ///
    /// - Parameters:
    ///   - parameters: each parameter with its gradient; nil stands for a gradient that was not computed.
    ///   - relativeTolerance: how far an element may be off, as a part of the largest element of the engine's gradient: a gradient of 1e-9 is
    ///     not equal to zero. 1e-4 when left out, and 1e-8 for float64.
    public static func compare(
        _ loss: Tensor, with parameters: [(parameter: Tensor, gradient: Tensor?)], relativeTolerance: Double? = nil
    ) -> GradientComparison {
        let expected = gradient(of: loss, wrt: parameters.map(\.parameter), retainGraph: true, allowUnused: true)
        let rows = zip(parameters, expected).map { pair, expected in
            let tolerance = relativeTolerance ?? (expected.dtype == .float64 ? 1e-8 : 1e-4)
            return GradientComparison.Row(pair.gradient, expected: expected.detach(), tolerance: tolerance)
        }
        return GradientComparison(rows: rows)
    }
}

/// What `GradientCheck.compare` found, one row for each parameter.
public struct GradientComparison: Sendable, CustomStringConvertible {
    public struct Row: Sendable, CustomStringConvertible {
        /// The parameter's shape.
        public let shape: Shape
        public let verdict: Verdict

        public enum Verdict: Sendable {
            /// The largest difference of an element.
            case equal(largestDifference: Double)
            case missing
            case wrongShape(Shape)
            /// The element that differs most, how many differ, and what the difference looks like as a whole.
            case differs(at: [Int], yours: Double, engine: Double, count: Int, hint: String?)
        }

        public var isEqual: Bool { if case .equal = verdict { true } else { false } }

        public var description: String {
            switch verdict {
            case .equal(let difference): "equal (largest difference \(difference))"
            case .missing: "missing: there is no gradient to compare"
            case .wrongShape(let found): "wrong shape: the gradient has \(found), the parameter \(shape)"
            case .differs(let index, let yours, let engine, let count, let hint):
                "differs in \(count) of \(shape.elementCount) elements, most at \(index): yours is \(yours), the engine's \(engine)"
                    + (hint.map { "; \($0)" } ?? "")
            }
        }

        init(_ gradient: Tensor?, expected: Tensor, tolerance: Double) {
            shape = expected.shape
            verdict = gradient.map { Self.verdict($0.detach(), expected, tolerance) } ?? .missing
        }

        private static func verdict(_ gradient: Tensor, _ expected: Tensor, _ tolerance: Double) -> Verdict {
            guard gradient.shape == expected.shape else { return .wrongShape(gradient.shape) }
            let (yours, engine) = (gradient.toArray(of: Double.self), expected.toArray(of: Double.self))
            let limit = tolerance * (engine.filter(\.isFinite).map(\.magnitude).max() ?? 0)
            var (largest, place, count) = (0.0, 0, 0)
            for (index, (mine, truth)) in zip(yours, engine).enumerated() {
                let difference = mine == truth || (mine.isNaN && truth.isNaN) ? 0 : (mine - truth).magnitude
                // A NaN on one side only is the largest difference there is.
                let size = difference.isNaN ? Double.infinity : difference
                if size > limit { count += 1 }
                if size > largest { (largest, place) = (size, index) }
            }
            if count == 0 { return .equal(largestDifference: largest) }
            return .differs(
                at: expected.shape.index(ofRowMajor: place), yours: yours[place], engine: engine[place], count: count,
                hint: hint(yours, engine, limit, expected.shape))
        }

        /// The usual mistakes: a factor that is the same everywhere, a transpose.
        private static func hint(_ yours: [Double], _ engine: [Double], _ limit: Double, _ shape: Shape) -> String? {
            if yours.allSatisfy({ $0 == 0 }) { return "yours is zero everywhere" }
            if engine.allSatisfy({ $0 == 0 }) { return "the loss does not depend on this parameter" }
            func agrees(_ candidate: (Int) -> Double) -> Bool {
                engine.indices.allSatisfy { (candidate($0) - engine[$0]).magnitude <= limit }
            }
            let dot = zip(yours, engine).reduce(0) { $0 + $1.0 * $1.1 }
            let factor = dot / engine.reduce(0) { $0 + $1 * $1 }
            if factor != 0 && agrees({ yours[$0] / factor }) {
                return factor == -1 ? "yours has the opposite sign" : "yours is \(factor) times the engine's everywhere"
            }
            if shape.count == 2 && shape[0] == shape[1] && agrees({ yours[$0 % shape[0] * shape[0] + $0 / shape[0]] }) {
                return "yours is the transpose of the engine's"
            }
            return nil
        }
    }

    /// In the order of the parameters given.
    public let rows: [Row]

    public var passed: Bool { rows.allSatisfy(\.isEqual) }

    public var description: String {
        rows.enumerated().map { "parameter \($0) of shape \($1.shape): \($1)" }.joined(separator: "\n")
    }
}
