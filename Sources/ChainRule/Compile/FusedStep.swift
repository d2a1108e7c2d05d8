/// Operations that run together, tile by tile.
final class FusedStep: RecordedStep {
    private let program: FusedProgram
    /// The inputs that nobody needs after this step: their memory may be taken.
    private let lastUses: [Bool]

    /// - Parameters:
    ///   - members: the operations in order.
    ///   - needed: whether a value is used by others.
    ///   - isLastUse: whether a value is used by nobody afterwards, and its memory belongs to this run.
    /// - Returns: nil when they need more registers or operands than there are.
    init?(
        _ members: [RecordedStep], forms: [ValueForm], needed: @escaping (Int) -> Bool,
        isLastUse: @escaping (Int) -> Bool
    ) {
        guard let layout = FusedLayout(members, forms, needed: needed, isLastUse: isLastUse) else { return nil }
        program = layout.program
        lastUses = layout.inputs.map(isLastUse)
        super.init(
            "fused", AnyHashable(members.map(\.identity)), .computation, inputs: layout.inputs, outputs: layout.outputs)
        parts = members.map(\.name)
    }

    override func run(_ values: inout ValueTable) {
        var tensors: [Tensor] = []
        tensors.reserveCapacity(inputs.count)
        for (index, number) in inputs.enumerated() {
            tensors.append(values[number])
            if lastUses[index] { values.release(number) }
        }
        let results = program.run(&tensors)
        for (number, result) in zip(outputs, results) { values[number] = result }
    }
}
