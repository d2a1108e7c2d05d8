/// What a function did in one call.
struct Recording {
    let steps: [RecordedStep]
    let captured: [(number: Int, tensor: Tensor)]
    let constants: [(number: Int, tensor: Tensor)]
    let conditions: [Recorder.Condition]
    let results: [Int]
    let argumentCount: Int
    let forms: [ValueForm]

    /// Nil when the function cannot be recorded; the recorder knows why.
    init?(_ recorder: Recorder, _ tensors: [Tensor]) {
        if let step = recorder.steps.first(where: { $0.role == .unpredictable }) {
            recorder.refuse("the shape of the result of '\(step.name)' depends on values")
        }
        guard recorder.refusal == nil else { return nil }
        results = tensors.map { recorder.number(of: $0) }
        recorder.finish(results: tensors)
        guard recorder.refusal == nil else { return nil }
        steps = recorder.steps
        captured = recorder.captured
        constants = recorder.constants
        conditions = recorder.conditions
        argumentCount = recorder.argumentCount
        forms = recorder.forms
    }

    /// How this call differs from the one before, as what follows "because"; nil when it does the same.
    func difference(from other: Recording) -> String? {
        for (step, otherStep) in zip(steps, other.steps) where !step.doesTheSame(as: otherStep) {
            return step.name == otherStep.name
                ? "'\(step.name)' is not the same from call to call: \(step.identity) after \(otherStep.identity); a number that changes must come in as a tensor"
                : "it does not do the same in every call: '\(step.name)' came where '\(otherStep.name)' had been"
        }
        guard steps.count == other.steps.count, forms.count == other.forms.count, results == other.results else {
            return "it does not do the same in every call"
        }
        guard captured.map(\.number) == other.captured.map(\.number),
            constants.map(\.number) == other.constants.map(\.number)
        else { return "it does not use the same tensors in every call" }
        for (mine, theirs) in zip(captured, other.captured)
        where mine.tensor.body.storage !== theirs.tensor.body.storage {
            return
                "it uses a tensor of shape \(mine.tensor.shape) that is another one in every call and neither an argument nor a parameter or buffer"
        }
        for (mine, theirs) in zip(constants, other.constants) where !mine.tensor.hasSameBytes(as: theirs.tensor) {
            return
                "it makes a tensor of shape \(mine.tensor.shape) from numbers that change from call to call; pass it as an argument"
        }
        return nil
    }
}

extension RecordedStep {
    fileprivate func doesTheSame(as other: RecordedStep) -> Bool {
        name == other.name && identity == other.identity && inputs == other.inputs && outputs == other.outputs
    }
}

extension Tensor {
    fileprivate func hasSameBytes(as other: Tensor) -> Bool {
        guard shape == other.shape, dtype == other.dtype else { return false }
        return withUnsafeBytes { mine in other.withUnsafeBytes { mine.elementsEqual($0) } }
    }
}
