import CKernels

/// What runs in place of a recorded function.
final class Plan {
    private let steps: [RecordedStep]
    /// The values that nobody uses after a step: those of all steps in order, and where those of each step end.
    private let released: [Int]
    private let releaseEnds: [Int]
    private let conditions: [Recorder.Condition]
    private let results: [Int]
    private let releasedAtEnd: [Int]
    @exclusivity(unchecked) private var values: ValueTable
    /// What the latest run handed out, as far as it is small. What a caller has let go of by the next run serves there.
    @exclusivity(unchecked) private var outputs: [Tensor] = []
    private let memory = PlannedMemory()
    private let text: PlanSummary

    init(_ recording: Recording) {
        let simplified = SimplifiedRecording(recording)
        var forms = recording.forms
        let constants = Constants(simplified, forms)
        let fixed = Set(constants.fixed.map(\.number))
        let kept = fixed.union(simplified.results)
        let rectified = rectifyingConvolutions(constants.steps, kept: kept)
        let steps = choosingImageLayouts(rectified, &forms, kept: kept)
        let fusion = Fusion(sharingSlopes(steps, &forms), forms)
        let units = foldingEpilogues(fusion.ordered, forms, kept: kept)
        let lifetimes = Lifetimes(units, kept: kept)
        var planned: [RecordedStep] = []
        for (index, unit) in units.enumerated() {
            planned += fused(unit, forms, lifetimes, at: index)
        }
        let releases = Lifetimes(planned.map { [$0] }, kept: kept).releases
        self.steps = planned
        released = releases.flatMap { $0 }
        releaseEnds = releases.reduce(into: []) { $0.append(($0.last ?? 0) + $1.count) }
        results = simplified.results
        releasedAtEnd = Array(Set(results).union(0..<recording.argumentCount).subtracting(fixed))
        conditions = recording.conditions
        values = ValueTable(count: forms.count)
        for (number, tensor) in constants.fixed { values[number] = tensor }
        text = PlanSummary(
            recorded: recording.steps.count, repeated: simplified.repeated, unused: simplified.unused,
            constant: simplified.steps.count - constants.steps.count,
            lines: planned.map { PlanSummary.Line($0, forms) })
    }

    var conditionsHold: Bool { conditions.allSatisfy { $0.holds() } }

    var summary: PlanSummary {
        var summary = text
        summary.memory = memory.size
        return summary
    }

    /// Runs, and hands out the results as `group` has them.
    func run<Result: TensorGroup>(_ arguments: [Tensor], _ group: Result) -> Result {
        for index in outputs.indices { memory.release(&outputs[index]) }
        outputs.removeAll(keepingCapacity: true)
        run(arguments)
        defer { outputs.removeAll { $0.body.storage.byteCount > CachingAllocator.smallLimit } }
        var next = outputs[...]
        return group.replaced(by: &next)
    }

    private func run(_ arguments: [Tensor]) {
        withoutGradient {
            memory.run {
                for (number, argument) in arguments.enumerated() { values[number] = argument }
                var next = 0
                for index in steps.indices {
                    memory.begin(step: index)
                    steps[index].run(&values)
                    // Steps rely on shapes that a mistake's placeholder does not have.
                    if isErrorPending { return endAfterError() }
                    while next < releaseEnds[index] {
                        values.release(released[next], to: memory)
                        next += 1
                    }
                }
                for number in results {
                    outputs.append(values[number].node == nil ? values[number] : values[number].withoutNode)
                }
                for number in releasedAtEnd { values.release(number, to: memory) }
            }
        }
    }

    private func endAfterError() {
        for number in released + releasedAtEnd { values.release(number, to: memory) }
        for _ in results { outputs.append(.placeholderAfterError) }
    }
}

/// The steps of a unit as one, or as few as can be.
private func fused(_ unit: [RecordedStep], _ forms: [ValueForm], _ lifetimes: Lifetimes, at index: Int)
    -> [RecordedStep]
{
    if unit.count == 1 { return [inPlace(unit[0], forms, lifetimes, at: index) ?? unit[0]] }
    if unit[0].finishable != nil {
        let step = EpilogueStep.make(
            unit, forms: forms, needed: { lifetimes.isUsedOutside($0, of: index) },
            isLastUse: { lifetimes.ends($0, with: index) })
        if let step { return [step] }
    }
    func merged(_ part: ArraySlice<RecordedStep>) -> [RecordedStep] {
        if part.count == 1 { return Array(part) }
        let whole = part.count == unit.count
        let outside = Set((unit[..<part.startIndex] + unit[part.endIndex...]).flatMap(\.inputs))
        let step = FusedStep(
            Array(part), forms: forms,
            needed: { lifetimes.isUsedOutside($0, of: index) || outside.contains($0) },
            isLastUse: { whole && lifetimes.ends($0, with: index) })
        if let step { return [step] }
        let middle = part.startIndex + part.count / 2
        return merged(part[..<middle]) + merged(part[middle...])
    }
    return merged(unit[...])
}

/// A large elementwise operation that takes the memory of an input whose last use it is: what is written lies in the cache then.
private func inPlace(_ step: RecordedStep, _ forms: [ValueForm], _ lifetimes: Lifetimes, at index: Int) -> FusedStep? {
    guard step.kernel != nil, let output = step.outputs.first, forms[output].byteCount >= 1 << 16,
        step.inputs.contains(where: {
            lifetimes.ends($0, with: index) && forms[$0].shape == forms[output].shape
                && forms[$0].dtype == forms[output].dtype
        })
    else { return nil }
    return FusedStep([step], forms: forms, needed: { _ in true }, isLastUse: { lifetimes.ends($0, with: index) })
}

/// Which unit uses which value, and which is the last to do so.
private struct Lifetimes {
    private var users: [Int: Set<Int>] = [:]
    private var makers: [Int: Int] = [:]
    /// What is computed; the memory of arguments and of what is read belongs to others.
    private var computed: Set<Int> = []
    private let kept: Set<Int>
    private let count: Int

    init(_ units: [[RecordedStep]], kept: Set<Int>) {
        self.kept = kept
        count = units.count
        for (index, unit) in units.enumerated() {
            for step in unit {
                for number in step.inputs { users[number, default: []].insert(index) }
                for number in step.outputs { makers[number] = index }
                if step.role == .computation { computed.formUnion(step.outputs) }
            }
        }
    }

    func isUsedOutside(_ number: Int, of unit: Int) -> Bool {
        kept.contains(number) || (users[number] ?? []).contains { $0 != unit }
    }

    /// Whether a value that belongs to the run is used by nobody after this unit.
    func ends(_ number: Int, with unit: Int) -> Bool {
        computed.contains(number) && !kept.contains(number) && users[number]?.max() == unit
    }

    /// For each unit the values that nobody uses after it.
    var releases: [[Int]] {
        var releases = [[Int]](repeating: [], count: count)
        for number in Set(users.keys).union(makers.keys) where !kept.contains(number) {
            let last = Swift.max(users[number]?.max() ?? 0, makers[number] ?? 0)
            releases[last].append(number)
        }
        return releases
    }
}

/// A recording without what is computed twice and what nobody uses.
struct SimplifiedRecording {
    private(set) var steps: [RecordedStep] = []
    let results: [Int]
    /// The values that are the same in every run.
    let fixed: [(number: Int, tensor: Tensor)]
    private(set) var repeated = 0
    private(set) var unused = 0

    private struct Computation: Hashable {
        let identity: AnyHashable
        let inputs: [Int]
        let part: Int
    }

    init(_ recording: Recording) {
        var same: [Int: Int] = [:]
        var seen: [Computation: RecordedStep] = [:]
        var different: [RecordedStep] = []
        for step in recording.steps {
            let inputs = step.inputs.map { same[$0] ?? $0 }
            if step.role == .computation {
                let computation = Computation(identity: step.identity, inputs: inputs, part: step.recomputation)
                if let first = seen[computation] {
                    for (mine, theirs) in zip(step.outputs, first.outputs) { same[mine] = theirs }
                    repeated += 1
                    continue
                }
                seen[computation] = step
            }
            step.inputs = inputs
            different.append(step)
        }
        results = recording.results.map { same[$0] ?? $0 }
        var used = Set(results)
        for step in different.reversed() {
            guard step.role == .effect || step.outputs.contains(where: used.contains) else {
                unused += 1
                continue
            }
            used.formUnion(step.inputs)
            steps.append(step)
        }
        steps.reverse()
        fixed = (recording.captured + recording.constants).filter { used.contains($0.number) }
    }
}
