import CKernels

/// What runs in place of a recorded function.
final class Plan {
    private let steps: [PlannedStep]
    private let fixed: [(number: Int, tensor: Tensor)]
    private let conditions: [Recorder.Condition]
    private let results: [Int]
    private let releasedAtEnd: [Int]
    private var values: ValueTable
    let summary: PlanSummary

    /// A step, and the values that nobody uses after it.
    private struct PlannedStep {
        let step: RecordedStep
        let releases: [Int]
    }

    init(_ recording: Recording) {
        let simplified = SimplifiedRecording(recording)
        let held = Set(simplified.results)
        fixed = simplified.fixed
        let fixedNumbers = Set(fixed.map(\.number))
        var lastUse: [Int: Int] = [:]
        for (index, step) in simplified.steps.enumerated() {
            for number in step.inputs + step.outputs { lastUse[number] = index }
        }
        var releases = [[Int]](repeating: [], count: simplified.steps.count)
        for (number, index) in lastUse where !held.contains(number) && !fixedNumbers.contains(number) {
            releases[index].append(number)
        }
        steps = zip(simplified.steps, releases).map { PlannedStep(step: $0, releases: $1.sorted()) }
        results = simplified.results
        releasedAtEnd = Array(held.union(0..<recording.argumentCount).subtracting(fixedNumbers))
        conditions = recording.conditions
        values = ValueTable(count: recording.valueCount)
        for (number, tensor) in fixed { values[number] = tensor }
        summary = simplified.summary
    }

    var conditionsHold: Bool { conditions.allSatisfy(\.holds) }

    func run(_ arguments: [Tensor]) -> [Tensor] {
        withoutGradient {
            for (number, argument) in arguments.enumerated() { values[number] = argument }
            for planned in steps {
                planned.step.run(&values)
                for number in planned.releases { values.release(number) }
            }
            let outputs = results.map { values[$0].withoutNode }
            for number in releasedAtEnd { values.release(number) }
            return outputs
        }
    }
}

/// A recording without what is computed twice and what nobody uses.
struct SimplifiedRecording {
    private(set) var steps: [RecordedStep] = []
    private(set) var results: [Int]
    /// The values that are the same in every run.
    let fixed: [(number: Int, tensor: Tensor)]
    private(set) var summary = PlanSummary()

    private struct Computation: Hashable {
        let identity: AnyHashable
        let inputs: [Int]
        let part: Int
    }

    init(_ recording: Recording) {
        var same: [Int: Int] = [:]
        var seen: [Computation: RecordedStep] = [:]
        for step in recording.steps {
            let inputs = step.inputs.map { same[$0] ?? $0 }
            if step.role == .computation {
                let computation = Computation(identity: step.identity, inputs: inputs, part: step.recomputation)
                if let first = seen[computation] {
                    for (mine, theirs) in zip(step.outputs, first.outputs) { same[mine] = theirs }
                    summary.repeated += 1
                    continue
                }
                seen[computation] = step
            }
            step.inputs = inputs
            steps.append(step)
        }
        results = recording.results.map { same[$0] ?? $0 }
        var used = Set(results)
        var kept: [RecordedStep] = []
        for step in steps.reversed() {
            guard step.role == .effect || step.outputs.contains(where: used.contains) else {
                summary.unused += 1
                continue
            }
            used.formUnion(step.inputs)
            kept.append(step)
        }
        steps = kept.reversed()
        fixed = (recording.captured + recording.constants).filter { used.contains($0.number) }
        summary.recorded = recording.steps.count
        summary.lines = steps.map { PlanSummary.Line(name: $0.name) }
    }
}
