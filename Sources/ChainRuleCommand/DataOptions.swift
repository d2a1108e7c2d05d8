import ArgumentParser
import ChainRuleData
import Foundation

/// Where data come from, for the commands that need them.
struct DataOptions: ParsableArguments {
    @Option(
        help: "mnist, digits (synthetic), a directory of IDX files, or a CSV file with the class in its last column.")
    var data: String

    @Option(
        help: "The directory that holds MNIST; else $CHAINRULE_DATA/mnist, the user's cache, and the web are tried.")
    var dataDir: String?

    @Flag(help: "Learn synthetic digits when MNIST cannot be had.")
    var fallbackToDigits = false

    /// - Parameter seed: draws the synthetic digits, and which rows of a table are kept for the test.
    func load(seed: UInt64) throws -> ClassificationData {
        switch data {
        case "digits": return SyntheticDigits.generate(seed: seed)
        case "mnist":
            do {
                return try MNIST.load(directory: dataDir) { printError("\($0) ...") }
            } catch let error as MNIST.Unavailable where fallbackToDigits {
                printError("\(error); learning synthetic digits instead.")
                return SyntheticDigits.generate(seed: seed)
            }
        default:
            var isDirectory: ObjCBool = false
            guard FileManager.default.fileExists(atPath: data, isDirectory: &isDirectory) else {
                throw DataError("--data \(data) is neither mnist nor digits, nor a directory or file that exists")
            }
            return try isDirectory.boolValue
                ? ClassificationData(imageDirectory: data) : ClassificationData(csv: data, seed: seed)
        }
    }
}
