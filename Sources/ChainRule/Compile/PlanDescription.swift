/// A compiled function's plan in words: `print(step.plan)`.
public struct PlanDescription: CustomStringConvertible {
    enum State {
        case notCalled
        case recording(String)
        case planned(String, PlanSummary)
        case asWritten(String, String)
    }

    let state: State

    public var description: String {
        switch state {
        case .notCalled: "no plan yet: the function was not called"
        case .recording(let signature): "no plan yet for (\(signature)): it is made once two calls were recorded"
        case .asWritten(let signature, let reason): "no plan for (\(signature)): \(reason)"
        case .planned(let signature, let summary): "plan for (\(signature))\n\(summary.text)"
        }
    }
}

/// What there is to say about a plan.
struct PlanSummary {
    let recorded, repeated, unused: Int
    let lines: [Line]

    /// A step: "linear  float32 [64, 256]", or for operations that run together "fused (add, relu)  float32 [64, 256]".
    struct Line {
        let text: String

        init(_ step: RecordedStep, _ forms: [ValueForm]) {
            let name = step.parts.isEmpty ? step.name : "fused (" + step.parts.joined(separator: ", ") + ")"
            let results = step.outputs.map { "\(forms[$0].dtype) \(forms[$0].shape)" }
            text = results.isEmpty ? name : name + " → " + results.joined(separator: ", ")
        }
    }

    var text: String {
        let counts = "\(lines.count) steps for \(recorded) recorded, \(repeated) computed before, \(unused) unused"
        let width = String(lines.count).count
        let list = lines.enumerated().map { index, line in
            let number = String(index + 1)
            return String(repeating: " ", count: width + 2 - number.count) + number + "  " + line.text
        }
        return ([counts] + list).joined(separator: "\n")
    }
}
