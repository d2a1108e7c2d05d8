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
    var recorded = 0
    var repeated = 0
    var unused = 0
    var lines: [Line] = []

    struct Line {
        let name: String
    }

    var text: String {
        let counts = "\(lines.count) steps for \(recorded) recorded, \(repeated) computed before, \(unused) unused"
        let width = String(lines.count).count
        let list = lines.enumerated().map { index, line in
            let number = String(index + 1)
            return String(repeating: " ", count: width + 2 - number.count) + number + "  " + line.name
        }
        return ([counts] + list).joined(separator: "\n")
    }
}
