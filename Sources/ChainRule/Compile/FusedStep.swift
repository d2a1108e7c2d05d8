/// Operations that run together, tile by tile.
final class FusedStep: RecordedStep {
    private let program: FusedProgram
    /// The inputs that nobody needs after this step: their memory may be taken.
    private let lastUses: [Bool]
    /// Kept from run to run, so that a run asks for no memory: the results of up to a kilobyte, which serve again where nobody took them.
    private var results: [Tensor]
    private let keepsResult: [Bool]

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
        results = layout.outputs.map { _ in .placeholderAfterError }
        keepsResult = layout.outputs.map { forms[$0].byteCount <= CachingAllocator.smallLimit }
        super.init(
            members.count == 1 ? members[0].name : "fused", AnyHashable(members.map(\.identity)), .computation,
            inputs: layout.inputs, outputs: layout.outputs)
        if members.count > 1 { parts = members.map(\.name) }
    }

    override func run(_ values: inout ValueTable) {
        for (index, number) in inputs.enumerated() {
            arguments.append(values[number])
            if lastUses[index] { values.release(number) }
        }
        program.run(&arguments, &results)
        arguments.removeAll(keepingCapacity: true)
        for (index, number) in outputs.enumerated() {
            values[number] = results[index]
            if !keepsResult[index] { results[index] = .placeholderAfterError }
        }
    }
}
