import ChainRule

/// Compares gradients with central differences, and hand-written gradients with the engine's.
public enum GradientCheck {
    /// How far a gradient may be from the central difference: |difference| ≤ absolute + relative · |expected|.
    public struct Tolerance: Sendable {
        public var absolute: Double
        public var relative: Double
        /// How far an element is moved to either side.
        public var step: Double

        public init(absolute: Double = 1e-5, relative: Double = 1e-3, step: Double = 1e-6) {
            self.absolute = absolute
            self.relative = relative
            self.step = step
        }

        func accepts(_ value: Double, _ expected: Double) -> Bool {
            if value.isNaN || expected.isNaN { return value.isNaN && expected.isNaN }
            let allowed = absolute + relative * expected.magnitude
            return value == expected || expected.isFinite && (value - expected).magnitude <= allowed
        }
    }

    /// Checks the gradient of f at `inputs` against central differences in float64.
    ///
    /// Floating inputs are taken as float64 and differentiated, others are handed on as they are. The result is weighted with random
    /// numbers (always the same) and summed, so that one backward pass covers every element; with `order` 2 the gradient
    /// itself is then checked in the same way, with respect to the inputs and to those weights.
    ///
    /// - Complexity: 2n calls of f for n elements of all inputs, and for `order` 2 as many gradients of f again.
    public static func check(
        _ inputs: [Tensor], order: Int = 1, tolerance: Tolerance = Tolerance(), _ f: @escaping ([Tensor]) -> [Tensor]
    ) -> GradientReport {
        let inputs = inputs.map { $0.dtype.isFloatingPoint ? $0.detach().to(.float64) : $0.detach() }
        let first = FiniteDifferences(tolerance: tolerance, order: 1, f).report(at: inputs)
        guard order >= 2, first.passed else { return first }
        // The gradient as a function of the inputs and of the gradients that arrive at the outputs.
        let weights = drawWeights(like: f(inputs))
        let gradientFunction: ([Tensor]) -> [Tensor] = { arguments in
            let (x, dy) = (Array(arguments[..<inputs.count]), Array(arguments[inputs.count...]))
            return weightedGradients(of: f(x), wrt: x, weights: dy, createGraph: true)
        }
        let second = FiniteDifferences(tolerance: tolerance, order: 2, gradientFunction).report(at: inputs + weights)
        return GradientReport(
            mismatches: second.mismatches, checkedElements: first.checkedElements + second.checkedElements,
            largestError: max(first.largestError, second.largestError))
    }

    /// The same for a function with one result.
    public static func check(
        _ inputs: [Tensor], order: Int = 1, tolerance: Tolerance = Tolerance(), _ f: @escaping ([Tensor]) -> Tensor
    ) -> GradientReport {
        check(inputs, order: order, tolerance: tolerance) { [f($0)] }
    }

    /// A gradient to arrive at each floating output, without zeros.
    static func drawWeights(like outputs: [Tensor]) -> [Tensor] {
        var random = SplitMix64(seed: 0x5EED)
        return outputs.filter(\.dtype.isFloatingPoint).map { output in
            let values = (0..<output.count).map { _ in
                Double.random(in: 0.5...1.5, using: &random) * (Bool.random(using: &random) ? 1 : -1)
            }
            return Tensor(values, shape: output.shape)
        }
    }

    /// The gradients of Σ weights · outputs, zeros where nothing leads to an input. Inputs that require no gradient are left out.
    static func weightedGradients(
        of outputs: [Tensor], wrt inputs: [Tensor], weights: [Tensor], createGraph: Bool
    ) -> [Tensor] {
        let variables = inputs.filter(\.requiresGrad)
        var total: Tensor?
        for (output, weight) in zip(outputs.filter(\.dtype.isFloatingPoint), weights) where output.requiresGrad {
            let part = (output.to(.float64) * weight).sum()
            total = total.map { $0 + part } ?? part
        }
        guard let total else { return variables.map { Tensor.zeros(like: $0) } }
        return gradient(of: total, wrt: variables, createGraph: createGraph, allowUnused: true)
    }
}

/// One function compared with its central differences.
private struct FiniteDifferences {
    let tolerance: GradientCheck.Tolerance
    let order: Int
    let function: ([Tensor]) -> [Tensor]

    init(tolerance: GradientCheck.Tolerance, order: Int, _ function: @escaping ([Tensor]) -> [Tensor]) {
        self.tolerance = tolerance
        self.order = order
        self.function = function
    }

    func report(at inputs: [Tensor]) -> GradientReport {
        let variables = inputs.map { $0.dtype.isFloatingPoint ? $0.requiringGrad() : $0 }
        let outputs = function(variables)
        let weights = GradientCheck.drawWeights(like: outputs)
        let gradients = GradientCheck.weightedGradients(
            of: outputs, wrt: variables, weights: weights, createGraph: false)
        var report = GradientReport(mismatches: [], checkedElements: 0)
        var position = 0
        for (index, input) in inputs.enumerated() where input.dtype.isFloatingPoint {
            let gradient = gradients[position]
            position += 1
            guard gradient.shape == input.shape else {
                report.mismatches.append(.shape(order: order, input: index, gradient.shape, expected: input.shape))
                continue
            }
            compare(gradient.toArray(of: Double.self), index, inputs, weights, &report)
        }
        return report
    }

    private func compare(
        _ gradient: [Double], _ index: Int, _ inputs: [Tensor], _ weights: [Tensor], _ report: inout GradientReport
    ) {
        let shape = inputs[index].shape
        let center = inputs[index].toArray(of: Double.self)
        let weightValues = weights.map { $0.toArray(of: Double.self) }
        for element in center.indices {
            func outputs(movedBy step: Double) -> [[Double]] {
                var moved = center
                moved[element] += step
                var arguments = inputs
                arguments[index] = Tensor(moved, shape: shape)
                return values(at: arguments)
            }
            let (above, below) = (outputs(movedBy: tolerance.step), outputs(movedBy: -tolerance.step))
            var difference = 0.0
            for (output, weight) in weightValues.enumerated() {
                for (place, factor) in weight.enumerated() {
                    difference += factor * (above[output][place] - below[output][place])
                }
            }
            let expected = difference / (2 * tolerance.step)
            report.checkedElements += 1
            let error = (gradient[element] - expected).magnitude / max(1, expected.magnitude)
            if error > report.largestError { report.largestError = error }
            if !tolerance.accepts(gradient[element], expected) {
                report.mismatches.append(
                    .element(
                        order: order, input: index, at: shape.index(ofRowMajor: element), gradient[element],
                        expected: expected))
            }
        }
    }

    /// The floating results as numbers. Of second order, the function takes gradients itself and needs variables.
    private func values(at arguments: [Tensor]) -> [[Double]] {
        let results =
            order == 1
            ? withoutGradient { function(arguments) }
            : function(arguments.map { $0.dtype.isFloatingPoint ? $0.requiringGrad() : $0 })
        return results.filter(\.dtype.isFloatingPoint).map { $0.toArray(of: Double.self) }
    }
}

extension Shape {
    /// The index along each axis of the element at a row-major position.
    func index(ofRowMajor position: Int) -> [Int] {
        var rest = position
        var index = [Int](repeating: 0, count: count)
        for axis in stride(from: count - 1, through: 0, by: -1) {
            index[axis] = rest % self[axis]
            rest /= self[axis]
        }
        return index
    }
}

/// Random bits that are the same everywhere, and independent of the library's own generator (Steele, Lea, Flood 2014).
struct SplitMix64: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
