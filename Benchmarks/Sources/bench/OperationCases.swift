import ChainRule

/// An operation and how to call it on inputs of any size, as the tables below measure it.
struct OperationCase {
    let name: String
    let keeps: Keeps
    let inputs: [Tensor]
    let call: ([Tensor]) -> Tensor

    /// Every elementwise operation of the registry on vectors of `count` elements, float32 where it is floating, with the values of its first
    /// sample.
    static func elementwise(count: Int) -> [OperationCase] {
        OperationRegistry.all.compactMap { operation in
            guard operation is any ElementwiseOperation.Type, let sample = operation.samples.first else { return nil }
            let inputs = sample.inputs.map { values(in: $0.domain, count: count) }
            let keeps =
                (operation as? any UnaryOperation.Type)?.keeps ?? (operation as? any BinaryOperation.Type)?.keeps
            return OperationCase(name: label(operation, inputs), keeps: keeps ?? .inputs, inputs: inputs) {
                sample.call($0)[0]
            }
        }
    }

    /// `Multiply` and `MultiplyScalar` are both "mul".
    private static func label(_ operation: any Operation.Type, _ inputs: [Tensor]) -> String {
        let kind = String(describing: operation)
        return kind.contains("Scalar") ? "\(operation.name), a number" : operation.name
    }

    private static func values(in domain: Sample.Domain, count: Int) -> Tensor {
        switch domain {
        case .uniform(let range): .uniform([count], range)
        case .integers(let range): .randint(range.lowerBound, range.upperBound, [count])
        case .booleans: .randint(0, 2, [count]).to(.bool)
        case .distinct: .randn([count])
        }
    }

    /// Bytes that a call must move at least.
    func forwardBytes(_ output: Tensor) -> Double { (inputs + [output]).reduce(0) { $0 + $1.byteCount } }

    /// Bytes that the gradients of all inputs must move at least: ∂L/∂y, what was kept, and the results.
    func backwardBytes(_ output: Tensor) -> Double {
        let leaves = inputs.filter(\.dtype.isFloatingPoint)
        var kept = leaves + [output]
        if keeps.contains(.left) { kept.append(inputs[0]) }
        if keeps.contains(.right), inputs.count > 1 { kept.append(inputs[1]) }
        if keeps.contains(.output) { kept.append(output) }
        return kept.reduce(0) { $0 + $1.byteCount }
    }
}

extension Tensor {
    fileprivate var byteCount: Double { Double(count * dtype.byteCount) }
}
