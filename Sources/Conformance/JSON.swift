import Foundation

/// A JSON value that keeps what the cases need and Foundation's reader drops: the order of an object's keys, and whether a number was
/// written as an integer.
indirect enum JSON: Sendable {
    case null
    case bool(Bool)
    case integer(Int)
    case floating(Double)
    case string(String)
    case array([JSON])
    case object([Member])

    struct Member: Sendable {
        let key: String
        let value: JSON
    }

    /// The values of a file that holds one after the other.
    static func lines(of file: URL) throws -> [JSON] {
        // The closing zero is where strtod stops at the latest.
        let bytes = try Array(Data(contentsOf: file)) + [0]
        return try bytes.withUnsafeBufferPointer { buffer in
            var reader = JSONReader(bytes: buffer, file: file.lastPathComponent)
            var values: [JSON] = []
            while !reader.isAtEnd { values.append(try reader.value()) }
            return values
        }
    }

    /// The value under a key of an object.
    subscript(key: String) -> JSON? { members?.first { $0.key == key }?.value }

    var members: [Member]? { if case .object(let members) = self { members } else { nil } }
    var elements: [JSON]? { if case .array(let elements) = self { elements } else { nil } }
    var string: String? { if case .string(let text) = self { text } else { nil } }
    var isTrue: Bool { if case .bool(true) = self { true } else { false } }
    var isNull: Bool { if case .null = self { true } else { false } }

    /// A number, also where JSON has no number for it: "nan", "inf", "-inf".
    var double: Double? {
        switch self {
        case .integer(let value): Double(value)
        case .floating(let value): value
        case .bool(let value): value ? 1 : 0
        case .string("nan"): .nan
        case .string("inf"): .infinity
        case .string("-inf"): -.infinity
        default: nil
        }
    }

    var integer: Int? {
        switch self {
        case .integer(let value): value
        case .bool(let value): value ? 1 : 0
        default: nil
        }
    }
}

/// A file that is not what it should be.
struct MalformedCase: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

/// Reads JSON from bytes that end in a zero; numbers are read in place, which keeps a debug build fast.
private struct JSONReader {
    private let bytes: UnsafeBufferPointer<UInt8>
    private let file: String
    private var place = 0

    init(bytes: UnsafeBufferPointer<UInt8>, file: String) {
        self.bytes = bytes
        self.file = file
        skipSpace()
    }

    var isAtEnd: Bool { place >= bytes.count - 1 }

    /// The value that begins here, and the space after it.
    mutating func value() throws -> JSON {
        let result: JSON
        switch bytes[place] {
        case UInt8(ascii: "{"): result = try object()
        case UInt8(ascii: "["): result = try array()
        case UInt8(ascii: "\""): result = .string(try text())
        case UInt8(ascii: "t"): result = try word("true", .bool(true))
        case UInt8(ascii: "f"): result = try word("false", .bool(false))
        case UInt8(ascii: "n"): result = try word("null", .null)
        default: result = try number()
        }
        skipSpace()
        return result
    }

    private mutating func object() throws -> JSON {
        var members: [JSON.Member] = []
        step()
        while try !closes(with: UInt8(ascii: "}"), isFirst: members.isEmpty) {
            let key = try text()
            skipSpace()
            guard bytes[place] == UInt8(ascii: ":") else { throw unexpected() }
            step()
            members.append(JSON.Member(key: key, value: try value()))
        }
        return .object(members)
    }

    private mutating func array() throws -> JSON {
        var elements: [JSON] = []
        step()
        while try !closes(with: UInt8(ascii: "]"), isFirst: elements.isEmpty) { elements.append(try value()) }
        return .array(elements)
    }

    /// Whether the list ends here; otherwise moves past the comma to its next element.
    private mutating func closes(with end: UInt8, isFirst: Bool) throws -> Bool {
        if bytes[place] == end {
            place += 1
            return true
        }
        if isFirst { return false }
        guard bytes[place] == UInt8(ascii: ",") else { throw unexpected() }
        step()
        return false
    }

    private mutating func text() throws -> String {
        guard bytes[place] == UInt8(ascii: "\"") else { throw unexpected() }
        let start = place
        place += 1
        var isPlain = true
        while bytes[place] != UInt8(ascii: "\"") {
            guard !isAtEnd else { throw unexpected() }
            if bytes[place] == UInt8(ascii: "\\") {
                isPlain = false
                place += 1
            }
            place += 1
        }
        place += 1
        if isPlain { return String(decoding: bytes[start + 1..<place - 1], as: UTF8.self) }
        return try JSONDecoder().decode(String.self, from: Data(bytes[start..<place]))
    }

    private mutating func number() throws -> JSON {
        guard let base = bytes.baseAddress else { throw unexpected() }
        let start = UnsafeRawPointer(base + place).assumingMemoryBound(to: CChar.self)
        var end: UnsafeMutablePointer<CChar>?
        let double = strtod(start, &end)
        guard let end, UnsafePointer(end) > start else { throw unexpected() }
        let length = UnsafePointer(end) - start
        defer { place += length }
        if let integer = integer(length: length) { return .integer(integer) }
        return .floating(double)
    }

    /// The number as an integer, when it is written as one.
    private func integer(length: Int) -> Int? {
        let isNegative = bytes[place] == UInt8(ascii: "-")
        var result = 0
        for index in place + (isNegative ? 1 : 0)..<place + length {
            let byte = bytes[index]
            guard byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9") else { return nil }
            let (shifted, overflows) = result.multipliedReportingOverflow(by: 10)
            // Counted downwards, so that the smallest integer fits too.
            let (next, overflowsToo) = shifted.subtractingReportingOverflow(Int(byte - UInt8(ascii: "0")))
            if overflows || overflowsToo { return nil }
            result = next
        }
        return isNegative ? result : result == .min ? nil : -result
    }

    private mutating func word(_ word: StaticString, _ value: JSON) throws -> JSON {
        guard bytes.count - place > word.utf8CodeUnitCount else { throw unexpected() }
        place += word.utf8CodeUnitCount
        return value
    }

    /// Over one character and the space behind it.
    private mutating func step() {
        place += 1
        skipSpace()
    }

    private mutating func skipSpace() {
        while place < bytes.count - 1, bytes[place] <= UInt8(ascii: " ") { place += 1 }
    }

    private func unexpected() -> MalformedCase {
        let line = bytes[..<place].count { $0 == UInt8(ascii: "\n") } + 1
        return MalformedCase("\(file) line \(line): not JSON at byte \(place)")
    }
}
