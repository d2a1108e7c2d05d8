import ChainRule
import ChainRuleTestSupport
import Foundation
import Testing

/// Every operation of the registry against central differences; a failure names the cell.
struct GradientSweepTests {
    private static let names = OperationRegistry.all.map { String(describing: $0) }

    @Test(arguments: names) func gradient(_ name: String) throws {
        let operation = try #require(OperationRegistry.all.first { String(describing: $0) == name })
        let failures = OperationSweep.failures(of: operation)
        #expect(failures.isEmpty, "\(name) \(failures.map(\.description).joined(separator: "\n"))")
    }

    @Test(arguments: names) func worksInItsDtypes(_ name: String) throws {
        let operation = try #require(OperationRegistry.all.first { String(describing: $0) == name })
        let failures = OperationSweep.dtypeFailures(of: operation)
        #expect(failures.isEmpty, "\(name) \(failures.joined(separator: "\n"))")
    }

    @Test func namesAreDistinct() { #expect(Set(Self.names).count == Self.names.count) }

    @Test(arguments: names) func isDescribed(_ name: String) throws {
        let operation = try #require(OperationRegistry.all.first { String(describing: $0) == name })
        let (name, formula, samples) = (operation.name, operation.formula, operation.samples)
        #expect(!name.isEmpty)
        #expect(!formula.value.isEmpty)
        #expect(!formula.gradient.isEmpty)
        let isDifferentiable = operation.isDifferentiable
        #expect(isDifferentiable != (operation is any NotDifferentiable.Type))
        #expect(!isDifferentiable || !samples.isEmpty, "an operation with a gradient needs samples to check it on")
    }

    /// A cell that is in no family list would be checked by nobody.
    @Test func everyCellOfTheSourcesIsRegistered() throws {
        let sources = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("../../../Sources/ChainRule").standardizedFileURL
        let files = try #require(FileManager.default.enumerator(at: sources, includingPropertiesForKeys: nil))
        let declaration = /struct\s+(\w+)(<[^>]*>)?\s*:\s*([^{]*)\{/
        var found: Set<String> = []
        for case let file as URL in files where file.pathExtension == "swift" {
            for match in try String(contentsOf: file, encoding: .utf8).matches(of: declaration)
            where match.3.contains(/(Unary|Binary|Variadic)Operation/) {
                found.insert(String(match.1))
            }
        }
        #expect(found.contains("Add") && found.contains("Sum"), "the scan of the sources found no cells")
        let missing = found.subtracting(Self.names.map { $0.prefix { $0 != "<" } }.map(String.init)).sorted()
        #expect(missing.isEmpty, "cells in no family list of OperationRegistry: \(missing)")
    }
}
