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
    /// The most memory that the values of a run took at once, beside arguments and what is outside; nil before the first run.
    var peakBytes: Int?

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
        let memory = peakBytes.map { ["peak memory \(ByteCount($0)) beside arguments and parameters"] } ?? []
        let width = String(lines.count).count
        let list = lines.enumerated().map { index, line in
            let number = String(index + 1)
            return String(repeating: " ", count: width + 2 - number.count) + number + "  " + line.text
        }
        return ([counts] + memory + list).joined(separator: "\n")
    }
}

/// Bytes as people write them: "1.5 MB".
private struct ByteCount: CustomStringConvertible {
    let bytes: Int
    init(_ bytes: Int) { self.bytes = bytes }

    var description: String {
        var (value, unit) = (Double(bytes), "bytes")
        for larger in ["kB", "MB", "GB"] where value >= 1000 { (value, unit) = (value / 1000, larger) }
        return unit == "bytes" ? "\(bytes) bytes" : "\((value * 10).rounded() / 10) \(unit)"
    }
}
