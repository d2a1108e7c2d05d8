import ChainRule
import Foundation

extension ClassificationData {
    /// Which column of a table holds the class.
    public enum LabelColumn: Sendable, Equatable {
        case first, last
        /// Counted from 0.
        case index(Int)
        /// By its name in the header.
        case named(String)
    }

    /// A CSV file of numbers with the class in one column; plain or gzipped.
    ///
    /// The other columns are the inputs, float32 (N, features). Classes are integers or words; their names are sorted, integers as numbers.
    /// A header is recognised by its text over columns of numbers. scikit-learn's first line `150,4,setosa,versicolor,virginica` (rows, features,
    /// names of the classes 0, 1, 2) is understood too.
    ///
    /// - Parameters:
    ///   - testShare: which share of the rows, drawn by `seed`, is kept for the test.
    /// - Throws: `DataError` with line and column, both counted from 1.
    public init(
        csv path: String, labelColumn: LabelColumn = .last, separator: Character = ",", testShare: Double = 0.2,
        seed: UInt64 = 0
    ) throws {
        guard testShare > 0 && testShare < 1 else {
            throw DataError("the share of rows kept for the test must lie between 0 and 1, not at \(testShare)")
        }
        var table = TableReader(path: path, labelColumn: labelColumn)
        try CSV.forEachRow(InputFile.readDecompressed(path), name: path, separator: separator) { try table.take($0) }
        try table.finish()
        let (targets, classNames) = try ClassColumn(table).encoded()

        var order = SplitMix64(seed: seed).permutation(of: targets.count)
        let testCount = min(max(Int((Double(targets.count) * testShare).rounded()), 1), targets.count - 1)
        let rows = LabeledData(
            inputs: Tensor(table.features, shape: [targets.count, table.width - 1]), targets: Tensor(targets))
        let test = rows.batch(at: Array(order[..<testCount]))
        order.removeFirst(testCount)
        let train = rows.batch(at: order)
        self.init(
            train: LabeledData(inputs: train.input, targets: train.target),
            test: LabeledData(inputs: test.input, targets: test.target), classNames: classNames,
            name: URL(fileURLWithPath: path).lastPathComponent)
    }
}

/// Collects the rows of a table as numbers and labels.
struct TableReader {
    let path: String
    let labelColumn: ClassificationData.LabelColumn
    private(set) var features: [Float] = []
    private(set) var labels: [String] = []
    private(set) var labelLines: [Int] = []
    private(set) var width = 0
    private(set) var labelIndex = 0
    private(set) var counted: CountedHeader?
    /// The first row, until the second one shows whether it is a header.
    private var first: CSV.Row?

    /// A first line "rows, features, class name, class name, ...".
    struct CountedHeader {
        let rows, features: Int
        let classNames: [String]

        /// Nil unless two counts are followed by names, or by numbers that cannot be a row like the next.
        init?(_ row: CSV.Row, next: CSV.Row) {
            let cells = row.cells.map { $0.trimmed }
            guard cells.count >= 3, let rows = Int(cells[0]), let features = Int(cells[1]),
                features + 1 == next.cells.count
            else { return nil }
            classNames = Array(cells[2...])
            if cells.count == next.cells.count {
                // Behind names of classes the rows have numbers of them.
                guard classNames.allSatisfy({ Number.parse($0) == nil && !$0.isEmpty }),
                    let label = next.cells.last, Int(label.trimmed) != nil
                else { return nil }
            }
            (self.rows, self.features) = (rows, features)
        }
    }

    init(path: String, labelColumn: ClassificationData.LabelColumn) {
        self.path = path
        self.labelColumn = labelColumn
    }

    mutating func take(_ row: CSV.Row) throws {
        if width > 0 { return try append(row) }
        guard let first else {
            self.first = row
            return
        }
        counted = CountedHeader(first, next: row)
        width = counted == nil ? first.cells.count : row.cells.count
        guard width >= 2 else {
            throw DataError(
                "\(path), line \(first.line): a row needs at least one number and a class in columns separated by commas"
            )
        }
        labelIndex = try findLabel(in: counted == nil ? first : row)
        if counted == nil && !isHeader(first, next: row) { try append(first) }
        try append(row)
    }

    func finish() throws {
        if let counted, counted.rows != labels.count {
            throw DataError("\(path) is incomplete: line 1 promises \(counted.rows) rows, there are \(labels.count)")
        }
        guard labels.count >= 2 else {
            let isEmpty = first == nil
            throw DataError(isEmpty ? "\(path) is empty" : "\(path) has fewer than two rows of data")
        }
    }

    private func findLabel(in row: CSV.Row) throws -> Int {
        switch labelColumn {
        case .first: return 0
        case .last: return width - 1
        case .index(let index):
            guard row.cells.indices.contains(index) else {
                throw DataError("\(path) has no column \(index) for the class: its columns are 0 to \(width - 1)")
            }
            return index
        case .named(let name):
            let names = row.cells.map { $0.trimmed }
            guard let index = names.firstIndex(of: name) else {
                throw DataError("\(path), line \(row.line): no column is named '\(name)'")
            }
            return index
        }
    }

    /// A header has text over a column of numbers.
    private func isHeader(_ row: CSV.Row, next: CSV.Row) -> Bool {
        if case .named = labelColumn { return true }
        return zip(row.cells, next.cells).enumerated().contains { column, cells in
            let isText = Number.parse(cells.0.trimmed) == nil && !Number.isMissing(cells.0.trimmed)
            // Over the class column only integers tell: between words, a header looks like one more class.
            let isNumber = column == labelIndex ? Int(cells.1.trimmed) != nil : Number.parse(cells.1.trimmed) != nil
            return isText && isNumber
        }
    }

    private mutating func append(_ row: CSV.Row) throws {
        guard row.cells.count == width else {
            throw DataError(
                "\(path), line \(row.line): this row has \(row.cells.count) columns, the rows before have \(width)")
        }
        for (column, cell) in row.cells.enumerated() {
            let text = cell.trimmed
            if column == labelIndex {
                guard !Number.isMissing(text) else { throw fault(row, column, missing("class", text)) }
                labels.append(text)
                labelLines.append(row.line)
            } else {
                guard let value = Number.parse(text) else {
                    let isMissing = Number.isMissing(text)
                    throw fault(row, column, isMissing ? missing("number", text) : "'\(text)' is not a number")
                }
                guard value.isFinite else { throw fault(row, column, "\(text) is too large for float32") }
                features.append(value)
            }
        }
    }

    private func missing(_ what: String, _ text: String) -> String {
        "the \(what) is missing" + (text.isEmpty ? "" : " ('\(text)')")
    }

    private func fault(_ row: CSV.Row, _ column: Int, _ message: String) -> DataError {
        DataError("\(path), line \(row.line), column \(column + 1): \(message)")
    }
}

/// The labels of a table as numbers of classes.
private struct ClassColumn {
    let table: TableReader

    init(_ table: TableReader) { self.table = table }

    /// The class of each row, and the names of the classes.
    func encoded() throws -> (targets: [Int64], classNames: [String]) {
        let integers = try integerLabels()
        if let counted = table.counted, let integers { return try encoded(integers, names: counted.classNames) }
        let labels = integers.map { $0.map(String.init) } ?? table.labels
        let names = integers.map { Set($0).sorted().map(String.init) } ?? Set(labels).sorted()
        guard names.count >= 2 else {
            throw DataError("\(table.path): all rows have the class '\(names.first ?? "")'; two are needed")
        }
        guard names.count <= max(labels.count / 2, 2) else {
            throw DataError(
                "\(table.path): column \(table.labelIndex + 1) has \(names.count) different values in \(labels.count) rows; it does not hold classes"
            )
        }
        let numbers = Dictionary(uniqueKeysWithValues: names.enumerated().map { ($0.element, Int64($0.offset)) })
        return (labels.compactMap { numbers[$0] }, names)
    }

    /// The labels as integers when all of them are (`2`, or `2.0` as some programs write it); nil when one is a word.
    private func integerLabels() throws -> [Int]? {
        let numbers = table.labels.map { Double($0) }
        guard numbers.allSatisfy({ $0 != nil }) else { return nil }
        return try numbers.enumerated().map { row, number in
            guard let integer = Int(exactly: number ?? .nan) else {
                throw DataError(
                    "\(table.path), line \(table.labelLines[row]), column \(table.labelIndex + 1): \(table.labels[row]) is no class; classes are integers or words"
                )
            }
            return integer
        }
    }

    /// Classes numbered and named by the first line.
    private func encoded(_ integers: [Int], names: [String]) throws -> (targets: [Int64], classNames: [String]) {
        for (row, integer) in integers.enumerated() where !names.indices.contains(integer) {
            throw DataError(
                "\(table.path), line \(table.labelLines[row]), column \(table.labelIndex + 1): class \(integer) is out of range: line 1 names \(names.count) classes"
            )
        }
        return (integers.map(Int64.init), names)
    }
}

/// Numbers as data files write them: decimal, whatever the language of the machine.
private enum Number {
    /// Infinite when it is too large; nil when it is no number, and for the hexadecimal and named forms that Swift would take.
    static func parse(_ text: String) -> Float? {
        let isDecimal = text.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "."),
                UInt8(ascii: "e"), UInt8(ascii: "E"):
                true
            default: false
            }
        }
        return isDecimal ? Float(text) : nil
    }

    /// The ways to say that a value is not known.
    static func isMissing(_ text: String) -> Bool {
        text.isEmpty || (text.utf8.count <= 4 && missing.contains(text.lowercased()))
    }

    private static let missing: Set<String> = ["na", "n/a", "nan", "null", "none", "?"]
}

extension String {
    /// Without spaces and tabs around it.
    fileprivate var trimmed: String {
        func isBlank(_ byte: UInt8) -> Bool { byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") }
        guard let first = utf8.first, let last = utf8.last, isBlank(first) || isBlank(last) else { return self }
        return trimmingCharacters(in: CharacterSet(charactersIn: " \t"))
    }
}
