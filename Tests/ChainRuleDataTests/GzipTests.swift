import ChainRuleData
import Foundation
import Testing

struct GzipTests {
    /// Larger than the pieces it is unpacked in.
    private let content = Data((0..<1_000_000).map { UInt8(truncatingIfNeeded: $0 &* $0 / 7) })
    private let words = Data("a few words, a few words".utf8)

    @Test func roundTrip() throws {
        let packed = try Gzip.compress(content)
        #expect(Gzip.isCompressed(packed))
        #expect(packed.count < content.count)
        #expect(try Gzip.decompress(packed, name: "x") == content)
        #expect(try Gzip.decompress(Gzip.compress(Data()), name: "empty").isEmpty)
        #expect(try Gzip.compress(content) == packed)
    }

    /// `printf 'hello\n' | gzip -n`, as the gzip program writes it.
    @Test func aFileOfAnotherProgram() throws {
        let file: [UInt8] = [
            0x1f, 0x8b, 0x08, 0, 0, 0, 0, 0, 0, 0x03, 0xcb, 0x48, 0xcd, 0xc9, 0xc9, 0xe7, 0x02, 0x00, 0x20, 0x30, 0x3a,
            0x36, 0x06, 0, 0, 0,
        ]
        #expect(try Gzip.decompress(Data(file), name: "x") == Data("hello\n".utf8))
    }

    @Test func severalMembersAreJoined() throws {
        let packed = try Gzip.compress(content) + Gzip.compress(Data()) + Gzip.compress(Data([1, 2, 3]))
        #expect(try Gzip.decompress(packed, name: "x") == content + Data([1, 2, 3]))
    }

    @Test func slicesOfDataAreTakenFromTheirOwnStart() throws {
        let padded = try Data([9, 9, 9]) + Gzip.compress(words)
        #expect(try Gzip.decompress(padded[3...], name: "x") == words)
    }

    @Test func everyTruncationIsAnError() throws {
        let packed = try Gzip.compress(words)
        for length in 0..<packed.count {
            let error = dataError { _ = try Gzip.decompress(packed.prefix(length), name: "short.gz") }
            #expect(error?.contains("short.gz is truncated") == true, "length \(length)")
        }
        let second = try packed + Gzip.compress(words)
        for length in (packed.count + 1)..<second.count {
            #expect(dataError { _ = try Gzip.decompress(second.prefix(length), name: "x") } != nil, "length \(length)")
        }
    }

    /// A changed byte is found by the header, the structure or the checksum, or it carries no meaning (date, system, flags).
    @Test func everyChangedByteIsFoundOrHarmless() throws {
        let packed = try Gzip.compress(words)
        for position in packed.indices {
            for mask: UInt8 in [0x01, 0x80, 0xFF] {
                var changed = packed
                changed[position] ^= mask
                let result = Result { try Gzip.decompress(changed, name: "bad.gz") }
                if case .success(let unpacked) = result {
                    #expect(unpacked == words && (3...9).contains(position), "byte \(position)")
                }
            }
        }
    }

    @Test func trailingBytes() throws {
        let packed = try Gzip.compress(words)
        let error = dataError { _ = try Gzip.decompress(packed + [0, 0, 7], name: "x.gz") }
        #expect(error == "x.gz has 3 bytes after the end of its compressed data, at byte \(packed.count)")
    }

    @Test func tooMuchContentIsRefused() throws {
        let packed = try Gzip.compress(Data(count: 10_000_000))
        #expect(packed.count < 20_000)
        #expect(
            dataError { _ = try Gzip.decompress(packed, name: "bomb.gz", limit: 1 << 20) }?
                .contains("unpacks to more than 1048576 bytes") == true)
    }
}
