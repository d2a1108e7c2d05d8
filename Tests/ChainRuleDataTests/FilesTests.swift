import ChainRuleData
import Foundation
import Testing

struct FilesTests {
    @Test func writesReplaceTheWholeFile() throws {
        try withTemporaryDirectory { directory in
            let path = directory + "/file"
            try AtomicFile.write(Data([1, 2, 3]), to: path)
            try AtomicFile.write(Data([4]), to: path)
            #expect(try InputFile.read(path) == Data([4]))
            #expect(fileNames(in: directory) == ["file"])
        }
    }

    @Test func failedWritesLeaveNothing() throws {
        try withTemporaryDirectory { directory in
            let occupied = directory + "/occupied"
            try FileManager.default.createDirectory(atPath: occupied + "/inside", withIntermediateDirectories: true)
            #expect(dataError { try AtomicFile.write(Data([1]), to: occupied) }?.contains("cannot be written") == true)
            #expect(
                dataError { try AtomicFile.write(Data([1]), to: directory + "/absent/file") }?
                    .contains("absent/file cannot be written") == true)
            #expect(fileNames(in: directory) == ["occupied"])
        }
    }

    @Test func unreadablePaths() throws {
        try withTemporaryDirectory { directory in
            #expect(dataError { _ = try InputFile.read(directory) }?.contains("is a directory") == true)
            #expect(dataError { _ = try InputFile.read(directory + "/no") }?.contains("/no does not exist") == true)
        }
    }

    @Test func compressionIsReadOffTheContent() throws {
        try withTemporaryDirectory { directory in
            let content = Data("plain words".utf8)
            try write(Gzip.compress(content), to: directory + "/packed.txt")
            try write(content, to: directory + "/plain.gz")
            #expect(try InputFile.readDecompressed(directory + "/packed.txt") == content)
            #expect(try InputFile.readDecompressed(directory + "/plain.gz") == content)
        }
    }
}
