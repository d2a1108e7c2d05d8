import Foundation
import Testing

@testable import ChainRuleData

struct CSVTests {
    private func cells(_ text: String, _ separator: Character = ",") throws -> [[String]] {
        try CSV.rows(text, name: "x", separator: separator).map(\.cells)
    }

    @Test func quotesCommasAndLineBreaks() throws {
        #expect(
            try cells("a,\"b, c\",\"d \"\"e\"\"\"\r\n1,\"two\nlines\",3\n\n") == [
                ["a", "b, c", "d \"e\""], ["1", "two\nlines", "3"],
            ])
        #expect(try cells("1,,3") == [["1", "", "3"]])
        #expect(try cells("1,\"\"") == [["1", ""]])
        #expect(try cells(",") == [["", ""]])
        #expect(try cells("") == [])
        #expect(try cells("äß,\"€\"\n") == [["äß", "€"]])
        #expect(try cells("1;2,5", ";") == [["1", "2,5"]])
    }

    @Test(arguments: ["\n", "\r\n", "\r"])
    func lineEnds(_ end: String) throws {
        let text = ["1,2", "3,\"4\(end)5\"", "", "6,7", "", ""].joined(separator: end)
        let rows = try CSV.rows(text, name: "x")
        #expect(rows.map(\.cells) == [["1", "2"], ["3", "4\(end)5"], ["6", "7"]])
        // The quoted cell takes two lines, and a blank one follows.
        #expect(rows.map(\.line) == [1, 2, 5])
    }

    @Test func byteOrderMarks() throws {
        #expect(try cells("\u{FEFF}1,2") == [["1", "2"]])
        try withTemporaryDirectory { directory in
            let path = directory + "/table.csv"
            try write([0xFF, 0xFE, 0x31, 0], to: path)
            #expect(dataError { _ = try ClassificationData(csv: path) }?.contains("UTF-16") == true)
        }
    }

    @Test func brokenQuotes() {
        #expect(dataError { _ = try cells("a,b\nc,\"d\ne") } == "x, line 2: a quote in column 2 is never closed")
        #expect(dataError { _ = try cells("a,\"b\"c") } == "x, line 1, column 2: text follows the closing quote")
        #expect(
            dataError { _ = try cells("a\n5\",b") }?.hasPrefix("x, line 2, column 1: a quote stands inside") == true)
    }

    @Test func separatorsThatCannotBe() {
        for separator: Character in ["\"", "\n", "é"] {
            #expect(dataError { _ = try cells("1,2", separator) }?.contains("cannot be separated") == true)
        }
    }

    /// Whatever the bytes, they are a table, or refused with a sentence.
    @Test func anyBytes() throws {
        let pieces: [[UInt8]] = [[34], [44], [10], [13], [65], [0xC3], [0xFF], [0], Array("1.5".utf8)]
        for number in 0..<59_049 {
            let text = [1, 9, 81, 729, 6561].flatMap { pieces[number / $0 % 9] }
            do {
                var table = TableReader(path: "x", labelColumn: .last)
                try CSV.forEachRow(Data(text), name: "x") { try table.take($0) }
                try table.finish()
                #expect(table.features.count == table.labels.count * (table.width - 1))
            } catch {
                #expect((error as? DataError)?.description.hasPrefix("x") == true, "\(text)")
            }
        }
    }
}
