import ArgumentParser
import ChainRule
import Foundation

@main
struct Root: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "chainrule", abstract: "Trains networks and shows how.",
        subcommands: [Train.self, Evaluate.self, Predict.self, Info.self, Seeds.self])

    static func main() {
        if !Machine.isOptimized {
            printError("built without optimisation: the kernels are some fifty times slower; build with -c release.")
        }
        do {
            var command = try parseAsRoot()
            try command.run()
        } catch let error where isParserError(error) {
            exit(withError: error)
        } catch {
            printError("error: \(oneLine(error))")
            Foundation.exit(1)
        }
    }

    /// What the argument parser itself throws: wrong usage, and requests for help.
    private static func isParserError(_ error: any Error) -> Bool {
        error is ValidationError || error is CleanExit || error is ExitCode
            || String(reflecting: type(of: error)).hasPrefix("ArgumentParser.")
    }

    private static func oneLine(_ error: any Error) -> String {
        let text = "\(error)"
        return text.split(separator: "\n").joined(separator: " ")
    }
}

/// A line on standard error.
func printError(_ line: String) { FileHandle.standardError.write(Data("chainrule: \(line)\n".utf8)) }

/// A number as fixed-point text.
func fixed(_ value: Double, _ digits: Int) -> String { String(format: "%.\(digits)f", value) }
