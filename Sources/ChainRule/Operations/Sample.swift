/// Random inputs for one check of an operation against finite differences, and how to call it on them.
public struct Sample: Sendable {
    /// Where the elements of an input are drawn from.
    public enum Domain: Sendable {
        case uniform(ClosedRange<Double>)
        /// Integers of the range, as int64: indices, classes.
        case integers(Range<Int>)
        case booleans
        /// Distinct values in random order, so that no two are equal or near (for max, sort, ...).
        case distinct
    }

    public struct Input: Sendable {
        public let domain: Domain
        public let shape: Shape

        public init(_ domain: Domain, shape: Shape) {
            self.domain = domain
            self.shape = shape
        }
    }

    public let inputs: [Input]
    /// How far central differences move an element: more than the rounding of what the operation computes in.
    public let step: Double
    /// Applies the operation to drawn inputs, recorded as in a program.
    public let call: @Sendable ([Tensor]) -> [Tensor]

    public init(_ inputs: [Input], step: Double = 1e-6, call: @escaping @Sendable ([Tensor]) -> [Tensor]) {
        self.inputs = inputs
        self.step = step
        self.call = call
    }

    public init(_ operation: some UnaryOperation, _ domain: ClosedRange<Double>, shape: Shape = [2, 3]) {
        self.init([Input(.uniform(domain), shape: shape)]) { [apply(operation, to: $0[0])] }
    }

    public init(
        _ operation: some BinaryOperation, _ left: ClosedRange<Double>, _ right: ClosedRange<Double>,
        shapes: (Shape, Shape) = ([2, 3], [2, 3])
    ) {
        self.init([Input(.uniform(left), shape: shapes.0), Input(.uniform(right), shape: shapes.1)]) {
            [apply(operation, to: $0[0], $0[1])]
        }
    }

    public init(_ operation: some VariadicOperation, _ inputs: [Input]) {
        self.init(inputs) { apply(operation, to: $0) }
    }
}
