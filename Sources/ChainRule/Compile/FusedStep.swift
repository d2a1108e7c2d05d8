/// Operations that run together, tile by tile.
final class FusedStep: RecordedStep {
    private let program: FusedProgram
    /// The inputs whose memory results may take: they must be nobody else's by then. Small results have memory of their own.
    private let takes: [Bool]
    /// The results. Those of up to a kilobyte are kept from run to run, and serve again where nobody took them.
    @exclusivity(unchecked) private var results: [Tensor?]
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
        takes = layout.inputs.map { layout.takes($0) && forms[$0].byteCount > CachingAllocator.smallLimit }
        results = layout.outputs.map { _ in nil }
        keepsResult = layout.outputs.map { forms[$0].byteCount <= CachingAllocator.smallLimit }
        super.init(
            members.count == 1 ? members[0].name : "fused", AnyHashable(members.map(\.identity)), .computation,
            inputs: layout.inputs, outputs: layout.outputs)
        if members.count > 1 { parts = members.map(\.name) }
    }

    override func run(_ values: inout ValueTable) {
        for (index, number) in inputs.enumerated() {
            arguments.append(takes[index] ? values.take(number) : values[number])
        }
        program.run(&arguments, &results)
        arguments.removeAll(keepingCapacity: true)
        for (index, number) in outputs.enumerated() {
            values.set(number, to: keepsResult[index] ? results[index] : results[index].take())
        }
    }
}
