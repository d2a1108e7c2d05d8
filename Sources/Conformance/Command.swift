import ArgumentParser
import Foundation

@main
struct ConformanceCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "conformance", abstract: "Runs cases made by PyTorch and reports what differs.",
        subcommands: [OperatorsCommand.self, LayersCommand.self, TrainingCommand.self, CoverageCommand.self])
}

/// What all sub-commands take.
struct CaseOptions: ParsableArguments {
    @Argument(help: "The folder of the cases, or the one above it.")
    var directory: String

    @Option(help: "Only the cases of this name: an operation, a layer, or a file.")
    var only: String?

    @Flag(help: "Lists the names that are not supported, and nothing else.")
    var listUnsupported = false

    /// The files of cases in the directory's folder `kind`, or else in the directory itself, by name.
    func files(of kind: String) throws -> [URL] {
        let directory = URL(fileURLWithPath: directory)
        let inner = directory.appendingPathComponent(kind)
        let folder = FileManager.default.fileExists(atPath: inner.path) ? inner : directory
        return try caseFiles(in: folder)
    }

    /// Prints what was found, and ends with status 1 unless all passed.
    func finish(_ report: Report) throws {
        if listUnsupported {
            for name in report.unsupportedNames { print(name) }
        } else {
            for line in report.lines { print(line) }
        }
        print(report.summary)
        if !report.isClean { throw ExitCode.failure }
    }
}

/// The files of cases in a folder, by name.
func caseFiles(in folder: URL) throws -> [URL] {
    let files = try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
    let cases = files.filter { $0.pathExtension == "jsonl" }
    if cases.isEmpty { throw ValidationError("there are no .jsonl files in \(folder.path)") }
    return cases.sorted { $0.lastPathComponent < $1.lastPathComponent }
}

/// The name of a file without its extension.
func stem(_ file: URL) -> String { file.deletingPathExtension().lastPathComponent }
