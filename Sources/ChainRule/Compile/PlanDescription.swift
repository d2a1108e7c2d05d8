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
    let recorded, repeated, unused, constant: Int
    let lines: [Line]
    /// Nil before the first run.
    var memory: PlannedMemory.Size?

    /// A step: "linear → float32 [64, 256]"; for operations that run together "fused (add, relu) → ..." or "linear finished by (gelu) → ...".
    struct Line {
        let text: String

        init(_ step: RecordedStep, _ forms: [ValueForm]) {
            let name = step.parts.isEmpty ? step.name : step.name + " (" + step.parts.joined(separator: ", ") + ")"
            let results = step.outputs.map { "\(forms[$0].dtype) \(forms[$0].shape)" }
            text = results.isEmpty ? name : name + " → " + results.joined(separator: ", ")
        }
    }

    var text: String {
        let once = constant > 0 ? ", \(constant) computed once and for all" : ""
        let counts =
            "\(lines.count) steps for \(recorded) recorded, \(repeated) computed before, \(unused) unused" + once
        let memory = memory.map { [$0.text] } ?? []
        return ([counts] + memory + list).joined(separator: "\n")
    }

    /// A line for each step, and one for several that read the same: "   1  forget gradient, 62 times".
    private var list: [String] {
        let width = String(lines.count).count
        var list: [String] = []
        var index = 0
        while index < lines.count {
            let end = lines[index...].firstIndex { $0.text != lines[index].text } ?? lines.count
            let number = String(index + 1)
            let times = end - index > 1 ? ", \(end - index) times" : ""
            list.append(
                String(repeating: " ", count: width + 2 - number.count) + number + "  " + lines[index].text + times)
            index = end
        }
        return list
    }
}

extension PlannedMemory.Size {
    /// Tensors of up to a kilobyte are not counted.
    fileprivate var text: String {
        "peak memory \(ByteCount(planned + kept)): one block of \(ByteCount(planned)), and \(ByteCount(kept)) that stay (results, gradients)"
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
