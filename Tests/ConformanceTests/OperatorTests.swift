import Foundation
import Testing

@testable import Conformance

/// PyTorch's cases: beside the package, or where `CHAINRULE_CONFORMANCE` says.
private let conformance =
    ProcessInfo.processInfo.environment["CHAINRULE_CONFORMANCE"].map { URL(fileURLWithPath: $0) }
    ?? URL(fileURLWithPath: #filePath).appendingPathComponent("../../../../shared/conformance").standardizedFileURL

/// The files of one folder of cases; none when the folder is not there.
func cases(of kind: String) -> [URL] { (try? caseFiles(in: conformance.appendingPathComponent(kind))) ?? [] }

@Test(
    .enabled(if: !cases(of: "operators").isEmpty, "there are no cases in ../shared/conformance"),
    arguments: cases(of: "operators"))
func operatorsGivePyTorchsNumbers(file: URL) throws {
    let report = try OperatorCases().run(file)
    #expect(report.isClean, "\(report.lines.joined(separator: "\n"))")
}
