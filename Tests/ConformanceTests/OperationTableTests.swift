import ChainRule
import ChainRuleTestSupport
import Foundation
import Testing

/// docs/OPERATIONS.md says what the registry says; what is measured may differ from machine to machine.
@Test func tableOfOperationsIsCurrent() throws {
    let file = URL(fileURLWithPath: #filePath).appendingPathComponent("../../../docs/OPERATIONS.md").standardizedFileURL
    let written = try String(contentsOf: file, encoding: .utf8)
    #expect(written.hasPrefix(OperationTable.header))
    let rows = written.dropFirst(OperationTable.header.count).split(separator: "\n").map(String.init)
    let expected = OperationRegistry.all.map { OperationTable.Row($0, measures: false).start }
    #expect(rows.count == expected.count, "docs/OPERATIONS.md is stale: run make coverage-table")
    for (row, start) in zip(rows, expected) {
        #expect(row.hasPrefix(start), "docs/OPERATIONS.md is stale: run make coverage-table")
    }
}
