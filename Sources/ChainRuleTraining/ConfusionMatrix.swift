import ChainRule

/// How often each class was taken for each other: a row for each true class, a column for each predicted one.
public struct ConfusionMatrix: Sendable {
    public let classNames: [String]
    /// counts[truth][prediction]
    public private(set) var counts: [[Int]]

    public init(classNames: [String]) {
        self.classNames = classNames
        counts = Array(repeating: Array(repeating: 0, count: classNames.count), count: classNames.count)
    }

    /// Counts a batch: scores (N, classes) and classes (N).
    public mutating func add(scores: Tensor, targets: Tensor) {
        let classes = classNames.count, truths = targets.toArray(of: Int.self)
        guard scores.shape == [truths.count, classes], truths.allSatisfy({ 0..<classes ~= $0 }) else {
            fail(
                "ConfusionMatrix",
                "scores of shape \(scores.shape) and \(truths.count) targets from \(truths.min() ?? 0) to \(truths.max() ?? 0) do not fit \(classes) classes"
            )
            return
        }
        if truths.isEmpty { return }
        for (prediction, truth) in zip(scores.argmax(dim: -1).toArray(of: Int.self), truths) {
            counts[truth][prediction] += 1
        }
    }

    public var total: Int { counts.reduce(0) { $0 + $1.reduce(0, +) } }
    public var correct: Int { counts.indices.reduce(0) { $0 + counts[$1][$1] } }
    /// The share of all that was right; 0 when nothing was counted.
    public var accuracy: Double { total == 0 ? 0 : Double(correct) / Double(total) }

    /// The share of class `index` that was recognised, or nil when it never occurred.
    public func accuracy(ofClass index: Int) -> Double? {
        let occurrences = counts[index].reduce(0, +)
        return occurrences == 0 ? nil : Double(counts[index][index]) / Double(occurrences)
    }
}

extension ConfusionMatrix: CustomStringConvertible {
    /// A table with the accuracy of each class behind its row. Over 20 classes only the accuracies.
    public var description: String {
        let label = max(classNames.map(\.count).max() ?? 0, 5)
        let accuracies = classNames.indices.map { index in
            accuracy(ofClass: index).map { percent($0) } ?? "   none"
        }
        guard classNames.count <= 20 else {
            let lines = classNames.indices.map { padded(classNames[$0], label) + "  " + accuracies[$0] }
            return lines.joined(separator: "\n")
        }
        let width = max(counts.joined().map { String($0).count }.max() ?? 1, 4)
        let names = classNames.map { padded(String($0.prefix(width)), width) }
        let header = padded("truth", label) + " " + names.joined(separator: " ") + "   right"
        let rows = counts.indices.map { truth in
            let cells = counts[truth].map { padded(String($0), width) }
            return padded(classNames[truth], label) + " " + cells.joined(separator: " ") + "  " + accuracies[truth]
        }
        return ([header] + rows).joined(separator: "\n")
    }

    private func padded(_ text: String, _ width: Int) -> String {
        String(repeating: " ", count: max(width - text.count, 0)) + text
    }

    private func percent(_ share: Double) -> String {
        let tenths = (share * 1000).rounded() / 10
        return padded("\(tenths) %", 7)
    }
}
