import ArgumentParser
import ChainRule
import ChainRuleNN
import Foundation

struct LayersCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "layers", abstract: "Runs the cases of layers and losses: outputs, buffers and gradients.")

    @OptionGroup var options: CaseOptions

    func run() throws {
        let cases = LayerCases()
        var report = Report()
        for file in try options.files(of: "layers") where options.only == nil || options.only == stem(file) {
            report.add(try cases.run(file))
        }
        try options.finish(report)
    }
}

/// Runs the cases of layers and losses.
struct LayerCases: Sendable {
    private let table = LayerTable()

    /// Runs the cases of one file.
    func run(_ file: URL) throws -> Report {
        var report = Report()
        for (index, json) in try JSON.lines(of: file).enumerated() {
            guard let name = json["module"]?.string else { throw MalformedCase("\(stem(file)): a case without module") }
            report.add(outcome(name, json), name: name, label: "\(stem(file)) case \(index + 1)")
        }
        return report
    }

    private func outcome(_ name: String, _ json: JSON) -> Outcome {
        guard let entry = table[name] else { return .unsupported("no layer") }
        return Outcome { try Self.problem(entry, json) }
    }

    /// What is wrong with the outputs, the buffers or the gradients, or nil.
    private static func problem(_ entry: LayerTable.Entry, _ json: JSON) throws -> String? {
        var reader = CaseReader()
        let (positional, named) = try reader.arguments(json["init"] ?? .object([]))
        let subject = try entry.make(CaseArguments(entry.parameters, positional: positional, named: named))
        let (inputs, namedInputs) = try reader.arguments(json)
        let arguments = try CaseArguments(entry.inputs, positional: inputs, named: namedInputs)
        if let module = subject.module {
            try module.load(stateDictionary: tensors(json["state"]))
            module.train(json["training"]?.isTrue ?? true)
        }

        let found = try subject.call(arguments)
        let expected = try (json["outputs"]?.elements ?? []).map(CaseReader.tensor)
        guard found.count == expected.count else { return "gives \(found.count) outputs, expected \(expected.count)" }
        for (index, (found, expected)) in zip(found, expected).enumerated() {
            if let problem = difference(found, from: expected) { return "output \(index + 1) \(problem)" }
        }
        if let module = subject.module, let problem = try bufferProblem(module, json) { return problem }
        return try gradientProblem(found, subject.module, reader.leaves, json)
    }

    private static func bufferProblem(_ module: Module, _ json: JSON) throws -> String? {
        let buffers = Dictionary(uniqueKeysWithValues: module.namedBuffers.map { ($0.path, $0.tensor) })
        for (name, expected) in try tensors(json["buffers_after"]) {
            guard let buffer = buffers[name] else { return "lacks the buffer '\(name)'" }
            if let problem = difference(buffer, from: expected) { return "buffer '\(name)' \(problem)" }
        }
        return nil
    }

    private static func gradientProblem(
        _ outputs: [Tensor], _ module: Module?, _ leaves: [Tensor], _ json: JSON
    ) throws -> String? {
        guard let cotangents = json["cotangents"]?.elements, let expected = json["grads"]?.elements else { return nil }
        guard leaves.count == expected.count else {
            throw MalformedCase("\(leaves.count) tensors want a gradient, there are \(expected.count)")
        }
        let parameters = module?.namedParameters ?? []
        let terms = try zip(outputs, cotangents).compactMap { output, cotangent in
            cotangent.isNull ? nil : try (output * CaseReader.tensor(cotangent)).sum()
        }
        guard let first = terms.first else { return nil }
        let wanted = leaves + parameters.map(\.tensor)
        let found = gradient(of: terms.dropFirst().reduce(first, +), wrt: wanted, allowUnused: true)

        let expectedOfParameters = json["param_grads"]
        let names = leaves.indices.map { "gradient \($0 + 1)" } + parameters.map { "gradient of '\($0.path)'" }
        let all = expected + parameters.map { expectedOfParameters?[$0.path] ?? .null }
        for (index, json) in all.enumerated() {
            let expected = json.isNull ? Tensor.zeros(like: wanted[index]) : try CaseReader.tensor(json)
            guard let problem = difference(found[index], from: expected) else { continue }
            // PyTorch may have passed one tensor twice, which a case writes as two: each then has the gradients of both.
            let twins = index < leaves.count ? leaves.indices.filter { isEqual(leaves[$0], leaves[index]) } : []
            let sum = twins.map { found[$0] }.reduce(Tensor.zeros(like: expected), +)
            if twins.count < 2 || difference(sum, from: expected) != nil { return "\(names[index]) \(problem)" }
        }
        return nil
    }

    private static func isEqual(_ a: Tensor, _ b: Tensor) -> Bool {
        a.shape == b.shape && a.toArray(of: Double.self) == b.toArray(of: Double.self)
    }

    private static func tensors(_ json: JSON?) throws -> [String: Tensor] {
        Dictionary(uniqueKeysWithValues: try (json?.members ?? []).map { ($0.key, try CaseReader.tensor($0.value)) })
    }
}
