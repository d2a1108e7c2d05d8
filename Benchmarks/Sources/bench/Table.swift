import Foundation

/// A table in Markdown whose columns are aligned, so that it can be read while it is printed row by row.
struct Table {
    private let widths: [Int]

    /// Prints the heading, a sentence about the figures, and the head. The first column takes `first` characters at least.
    init(_ title: String, _ note: String, first: Int, _ columns: [String]) {
        widths = columns.enumerated().map { max($1.count, $0 == 0 ? first : 10) }
        print("## \(title)\n\n\(note)\n")
        row(columns)
        print(
            "|"
                + widths.enumerated().map { String(repeating: "-", count: $1 + 1) + ($0 == 0 ? "-" : ":") + "|" }
                .joined())
    }

    func row(_ cells: [String]) {
        let padded = zip(cells, widths).enumerated().map { index, cell in
            let blanks = String(repeating: " ", count: max(0, cell.1 - cell.0.count))
            return index == 0 ? cell.0 + blanks : blanks + cell.0
        }
        print("| " + padded.joined(separator: " | ") + " |")
    }

    func end() { print() }
}

/// Three digits: "0.312", "31.2", "3120".
func short(_ value: Double) -> String {
    guard value.isFinite else { return "–" }
    let digits = value.magnitude < 1 ? 3 : value.magnitude < 10 ? 2 : value.magnitude < 100 ? 1 : 0
    return String(format: "%.\(digits)f", value)
}

func percent(_ part: Double, of whole: Double) -> String { String(format: "%.0f %%", 100 * part / whole) }
