/// What depends on neither arguments nor state, a causal mask for instance: computed when the plan is made, and kept.
struct Constants {
    /// The steps that are left.
    private(set) var steps: [RecordedStep] = []
    /// The values that are the same in every run.
    private(set) var fixed: [(number: Int, tensor: Tensor)] = []

    /// What is larger than its inputs and than this is computed in every run: kept, it would take memory all the time.
    private static let mostBytes = 1 << 20

    init(_ recording: SimplifiedRecording, _ forms: [ValueForm]) {
        var values = ValueTable(count: forms.count)
        var known: Set<Int> = []
        for (number, tensor) in recording.fixed {
            values[number] = tensor
            known.insert(number)
        }
        func byteCount(_ numbers: [Int]) -> Int { numbers.reduce(0) { $0 + forms[$1].byteCount } }
        for step in recording.steps {
            if step.role == .computation, step.inputs.allSatisfy(known.contains),
                byteCount(step.outputs) <= max(Self.mostBytes, byteCount(step.inputs))
            {
                withoutGradient { step.run(&values) }
                known.formUnion(step.outputs)
            } else {
                steps.append(step)
            }
        }
        let used = Set(steps.flatMap(\.inputs) + recording.results)
        fixed = known.intersection(used).sorted().map { ($0, values[$0]) }
    }
}
