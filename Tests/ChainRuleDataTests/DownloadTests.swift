import Foundation
import Testing

@testable import ChainRuleData

struct DownloadTests {
    private static let content = Data((0..<100_000).map { UInt8(truncatingIfNeeded: $0 / 3) })

    private func fetch(_ answer: LoopbackServer.Answer, digest: String? = nil, patience: Double = 4) throws -> Data {
        let server = try LoopbackServer { _ in answer }
        defer { server.stop() }
        return try Download.fetch(
            server.address + "/file", digest: digest ?? SHA256.hexDigest(of: Self.content), patience: patience)
    }

    @Test func wholeFiles() throws {
        #expect(try fetch(.content(Self.content)) == Self.content)
    }

    @Test func badAnswers() {
        #expect(dataError { _ = try fetch(.status(404)) } == "the server answered 404")
        #expect(dataError { _ = try fetch(.status(500)) } == "the server answered 500")
        #expect(
            dataError { _ = try fetch(.content(Data("<html>".utf8))) } == "file arrived with the wrong checksum")
        #expect(dataError { _ = try fetch(.cut(Self.content, at: 50_000)) } != nil)
    }

    @Test func silence() {
        #expect(dataError { _ = try fetch(.silence, patience: 1) } == "no answer within 1 seconds")
    }

    @Test func nobodyThere() {
        #expect(dataError { _ = try Download.fetch("http://127.0.0.1:9/file", digest: "") } == "no connection")
        #expect(
            dataError { _ = try Download.fetch("http://name.invalid/file", digest: "") }?.isEmpty == false)
        #expect(dataError { _ = try Download.fetch("not an address", digest: "") }?.contains("no web address") == true)
    }
}
