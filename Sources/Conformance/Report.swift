import ChainRule

/// How one case ended.
enum Outcome: Sendable {
    case passed
    case failed(String)
    case unsupported(String)

    /// What comes of a function that says what is wrong, or nil.
    init(_ problem: () throws -> String?) {
        do {
            let found = try catchingErrors(problem)
            self = found.map { .failed($0) } ?? .passed
        } catch let error as Unsupported {
            self = .unsupported("\(error)")
        } catch let error as TensorError {
            self = .failed("\(error.operation): \(error.message)")
        } catch {
            self = .failed("\(error)")
        }
    }
}

/// What a run found: the line of each case that did not pass, and the count.
struct Report: Sendable {
    private(set) var passed = 0
    private(set) var failed = 0
    private(set) var unsupported = 0
    /// One line for each case that did not pass.
    private(set) var lines: [String] = []
    /// The names without an operation, in the order met.
    private(set) var unsupportedNames: [String] = []

    var isClean: Bool { failed + unsupported == 0 }
    var summary: String { "\(passed) passed, \(failed) failed, \(unsupported) unsupported" }

    /// - Parameter name: the operation or layer; `label` says which of its cases.
    mutating func add(_ outcome: Outcome, name: String, label: String) {
        switch outcome {
        case .passed: passed += 1
        case .failed(let what):
            failed += 1
            lines.append("FAILED \(name) (\(label)): \(what)")
        case .unsupported(let what):
            unsupported += 1
            lines.append("UNSUPPORTED \(name) (\(label)): \(what)")
            if !unsupportedNames.contains(name) { unsupportedNames.append(name) }
        }
    }

    mutating func add(_ other: Report) {
        passed += other.passed
        failed += other.failed
        unsupported += other.unsupported
        lines += other.lines
        for name in other.unsupportedNames where !unsupportedNames.contains(name) { unsupportedNames.append(name) }
    }
}
