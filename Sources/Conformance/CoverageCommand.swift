import ArgumentParser
import ChainRuleTestSupport
import Foundation

struct CoverageCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "coverage",
        abstract: "Writes the table of all operations, with the errors of their gradients measured now.")

    @Argument(help: "The file to write.")
    var file: String

    func run() throws {
        try OperationTable.markdown().write(toFile: file, atomically: true, encoding: .utf8)
    }
}
