import Foundation
import Testing

/// What a run of the command line left behind.
struct Outcome {
    let status: Int32
    let output: String
    let errors: String

    var lastLine: String { output.split(separator: "\n").last.map(String.init) ?? "" }
}

/// The command line that was built beside these tests.
let executable = URL(fileURLWithPath: CommandLine.arguments[0]).resolvingSymlinksInPath().deletingLastPathComponent()
    .appendingPathComponent("chainrule")

/// Runs the command line as a user would.
func chainrule(_ arguments: String...) throws -> Outcome { try chainrule(arguments) }

func chainrule(_ arguments: [String]) throws -> Outcome {
    let process = Process()
    process.executableURL = executable
    process.arguments = arguments
    let files = try makeOutputFiles()
    process.standardOutput = files.output
    process.standardError = files.errors
    process.standardInput = FileHandle.nullDevice
    try process.run()
    process.waitUntilExit()
    // A debug build says first that it is one.
    let errors = try files.read(files.errors).split(separator: "\n", omittingEmptySubsequences: false)
        .filter { !$0.contains("built without optimisation") }
    return Outcome(
        status: process.terminationStatus, output: try files.read(files.output),
        errors: errors.joined(separator: "\n"))
}

/// Two unnamed files: unlike pipes they never fill up.
private struct OutputFiles {
    let output, errors: FileHandle

    func read(_ handle: FileHandle) throws -> String {
        try handle.seek(toOffset: 0)
        return String(decoding: try handle.readToEnd() ?? Data(), as: UTF8.self)
    }
}

private func makeOutputFiles() throws -> OutputFiles {
    func make() throws -> FileHandle {
        let path = NSTemporaryDirectory() + "chainrule-\(UUID().uuidString)"
        try Data().write(to: URL(fileURLWithPath: path))
        let handle = try #require(FileHandle(forUpdatingAtPath: path))
        try FileManager.default.removeItem(atPath: path)
        return handle
    }
    return OutputFiles(output: try make(), errors: try make())
}

/// A path for one test, removed afterwards; nothing is there yet.
func withTemporaryPath<Result>(_ body: (String) throws -> Result) throws -> Result {
    let path = NSTemporaryDirectory() + "chainrule-test-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: path) }
    return try body(path)
}
