import Foundation
import Testing

@testable import Conformance

@Test(
    .enabled(if: !cases(of: "layers").isEmpty, "there are no cases in ../shared/conformance"),
    arguments: cases(of: "layers"))
func layersGivePyTorchsNumbers(file: URL) throws {
    let report = try LayerCases().run(file)
    #expect(report.isClean, "\(report.lines.joined(separator: "\n"))")
}
