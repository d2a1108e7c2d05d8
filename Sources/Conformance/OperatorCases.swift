import ArgumentParser
import ChainRule
import Foundation

struct OperatorsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "operators", abstract: "Runs the cases of operations: outputs and gradients.")

    @OptionGroup var options: CaseOptions

    func run() throws {
        let cases = OperatorCases()
        var report = Report()
        for file in try options.files(of: "operators") {
            report.add(try cases.run(file, only: options.only))
        }
        try options.finish(report)
    }
}

/// Runs the cases of operations.
struct OperatorCases: Sendable {
    private let table = OperatorTable()

    /// Runs the cases of one file.
    ///
    /// - Parameter only: the name of an operation or of a file; nil runs all.
    func run(_ file: URL, only: String? = nil) throws -> Report {
        var report = Report()
        // Another file's name can be skipped unread, unless it is an operation's.
        let isNamed = only == nil || only == stem(file)
        if let only, !isNamed, !stem(file).hasPrefix(only.replacing(".", with: "_")) { return report }
        for (index, json) in try JSON.lines(of: file).enumerated() {
            guard let name = json["op"]?.string else { throw MalformedCase("\(stem(file)): a case without op") }
            guard isNamed || only == name else { continue }
            report.add(outcome(name, json), name: name, label: "\(stem(file)) case \(index + 1)")
        }
        return report
    }

    private func outcome(_ name: String, _ json: JSON) -> Outcome {
        guard let operation = table[name] else { return .unsupported("no operation") }
        return Outcome { try Self.problem(operation, json) }
    }

    /// What is wrong with the outputs or the gradients, or nil.
    private static func problem(_ operation: OperatorTable.Entry, _ json: JSON) throws -> String? {
        var reader = CaseReader()
        let (positional, named) = try reader.arguments(json)
        let arguments = try CaseArguments(operation.parameters, positional: positional, named: named)
        let found = try operation.call(arguments)
        let expected = try (json["outputs"]?.elements ?? []).map(CaseReader.tensor)
        guard found.count == expected.count else { return "gives \(found.count) outputs, expected \(expected.count)" }
        let verdict = try operation.check(arguments, found.map { $0.detach() }, expected)
        switch verdict {
        case .wrong(let problem): return problem
        case .equallyValid: return nil
        case .equal: break
        }
        guard let cotangents = json["cotangents"]?.elements, let gradients = json["grads"]?.elements else { return nil }
        return try gradientProblem(found, try cotangents.map(optionalTensor), reader.leaves, gradients)
    }

    private static func gradientProblem(
        _ outputs: [Tensor], _ cotangents: [Tensor?], _ leaves: [Tensor], _ expected: [JSON]
    ) throws -> String? {
        guard leaves.count == expected.count else {
            throw MalformedCase("\(leaves.count) tensors want a gradient, there are \(expected.count)")
        }
        let terms = zip(outputs, cotangents).compactMap { output, cotangent in cotangent.map { (output * $0).sum() } }
        guard let first = terms.first else { return nil }
        let loss = terms.dropFirst().reduce(first, +)
        let found = gradient(of: loss, wrt: leaves, allowUnused: true)
        for (index, (found, json)) in zip(found, expected).enumerated() {
            let expected = try optionalTensor(json) ?? Tensor.zeros(like: leaves[index])
            if let problem = difference(found, from: expected) { return "gradient \(index + 1) \(problem)" }
        }
        return nil
    }

    private static func optionalTensor(_ json: JSON) throws -> Tensor? {
        json.isNull ? nil : try CaseReader.tensor(json)
    }
}
