import Foundation

/// Comma-separated text by RFC 4180: quotes, separators and line breaks inside quotes, CRLF or LF. Strict: a quote in the wrong
/// place is an error with line and column, nothing is repaired.
public enum CSV {
    public struct Row: Equatable, Sendable {
        /// Where the row begins in the text, counted from 1.
        public let line: Int
        public let cells: [String]
    }

    /// All rows of `text`. Blank lines are no rows.
    ///
    /// - Parameter name: what errors call the text.
    public static func rows(_ text: String, name: String, separator: Character = ",") throws -> [Row] {
        var rows: [Row] = []
        try forEachRow(Data(text.utf8), name: name, separator: separator) { rows.append($0) }
        return rows
    }

    /// Calls `body` with each row of UTF-8 text, one after the other: a large file is never held as strings.
    static func forEachRow(
        _ data: Data, name: String, separator: Character = ",", _ body: (Row) throws -> Void
    ) throws {
        guard let separator = separator.asciiValue, separator != quote, separator != lineFeed else {
            throw DataError("\(name): columns cannot be separated by '\(separator)'")
        }
        let bytes = [UInt8](data)
        if bytes.starts(with: [0xFF, 0xFE]) || bytes.starts(with: [0xFE, 0xFF]) {
            throw DataError("\(name) is UTF-16 text; save it as UTF-8")
        }
        let byteOrderMark: [UInt8] = [0xEF, 0xBB, 0xBF]
        let start = bytes.starts(with: byteOrderMark) ? 3 : 0
        var parser = Parser(name: name, separator: separator)
        for byte in bytes[start...] {
            if let row = try parser.take(byte) { try body(row) }
        }
        if let row = try parser.finish() { try body(row) }
    }

    private static let quote = UInt8(ascii: "\"")
    private static let lineFeed = UInt8(ascii: "\n")
    private static let carriageReturn = UInt8(ascii: "\r")

    /// Takes the text byte by byte; every byte that means something is ASCII, which no other character of UTF-8 contains.
    private struct Parser {
        let name: String
        let separator: UInt8
        private var cells: [String] = []
        private var cell: [UInt8] = []
        private var line = 1
        private var rowLine = 1
        private var state = State.cellStart
        /// A line may end in CR, LF or CRLF: the LF after a CR ends no second line.
        private var afterCarriageReturn = false

        private enum State { case cellStart, plain, quoted, quoteInQuoted }

        init(name: String, separator: UInt8) {
            self.name = name
            self.separator = separator
        }

        /// The row that `byte` ends, if it does.
        mutating func take(_ byte: UInt8) throws -> Row? {
            let endsPair = afterCarriageReturn && byte == CSV.lineFeed
            afterCarriageReturn = byte == CSV.carriageReturn
            if state == .quoted {
                if byte == CSV.quote {
                    state = .quoteInQuoted
                } else {
                    if byte == CSV.carriageReturn || (byte == CSV.lineFeed && !endsPair) { line += 1 }
                    cell.append(byte)
                }
                return nil
            }
            switch byte {
            case CSV.quote:
                switch state {
                case .cellStart: state = .quoted
                case .quoteInQuoted:
                    cell.append(byte)
                    state = .quoted
                default: throw fault("a quote stands inside a cell that does not begin with one")
                }
            case separator: try endCell()
            case CSV.lineFeed where endsPair: break
            case CSV.lineFeed, CSV.carriageReturn: return try endRow()
            default:
                guard state != .quoteInQuoted else { throw fault("text follows the closing quote") }
                cell.append(byte)
                state = .plain
            }
            return nil
        }

        private func fault(_ message: String) -> DataError {
            DataError("\(name), line \(line), column \(cells.count + 1): \(message)")
        }

        private mutating func endCell() throws {
            guard let text = String(validating: cell, as: UTF8.self) else { throw fault("the text is not UTF-8") }
            cells.append(text)
            cell.removeAll(keepingCapacity: true)
            state = .cellStart
        }

        private mutating func endRow() throws -> Row? {
            try endCell()
            let row = Row(line: rowLine, cells: cells)
            cells = []
            line += 1
            rowLine = line
            return row.cells == [""] ? nil : row
        }

        mutating func finish() throws -> Row? {
            guard state != .quoted else {
                throw DataError("\(name), line \(rowLine): a quote in column \(cells.count + 1) is never closed")
            }
            return cells.isEmpty && state == .cellStart ? nil : try endRow()
        }
    }
}
