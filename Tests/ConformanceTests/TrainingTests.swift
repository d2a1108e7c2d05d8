import Foundation
import Testing

@testable import Conformance

@Test(
    .enabled(if: !cases(of: "training").isEmpty, "there are no cases in ../shared/conformance"),
    arguments: cases(of: "training"))
func trainingGivesPyTorchsNumbers(file: URL) throws {
    let report = try TrainingCases().run(file)
    let surprises = report.lines.filter { !$0.contains(TrainingCases.roundingDecides) }
    #expect(surprises.isEmpty, "\(surprises.joined(separator: "\n"))")
    #expect(report.passed > 0)
}
