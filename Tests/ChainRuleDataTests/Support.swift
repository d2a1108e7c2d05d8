import ChainRule
import ChainRuleData
import Foundation
import Testing

/// A directory for one test, removed afterwards.
func withTemporaryDirectory<Result>(_ body: (String) throws -> Result) throws -> Result {
    let path = NSTemporaryDirectory() + "chainrule-test-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: path) }
    return try body(path)
}

/// The sentence `body` throws, or nil when it throws nothing of the kind.
func dataError(_ body: () throws -> Void) -> String? {
    do {
        try body()
        return nil
    } catch let error as DataError {
        return error.description
    } catch {
        return nil
    }
}

func write(_ data: some Sequence<UInt8>, to path: String) throws {
    try Data(data).write(to: URL(fileURLWithPath: path))
}

func write(_ text: String, to path: String) throws { try write(text.utf8, to: path) }

/// What lies in a directory, or nothing when it is none.
func fileNames(in directory: String) -> [String] {
    (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
}

let dataDirectory = ProcessInfo.processInfo.environment["CHAINRULE_DATA"]

/// Four IDX files of a tiny data set: 6 and 3 images of 4×4 whose pixels are their number, classes 0, 1, 2, 0, ...
func writeTinyImages(to directory: String, gzipped: Bool = false) throws {
    for (part, count) in [("train", 6), ("t10k", 3)] {
        let pixels = (0..<count).flatMap { [UInt8](repeating: UInt8($0), count: 16) }
        let suffix = gzipped ? ".gz" : ""
        try IDX.write(
            Tensor(pixels, shape: [count, 4, 4]), to: "\(directory)/\(part)-images-idx3-ubyte\(suffix)",
            gzipped: gzipped)
        try IDX.write(
            Tensor((0..<count).map { UInt8($0 % 3) }), to: "\(directory)/\(part)-labels-idx1-ubyte\(suffix)",
            gzipped: gzipped)
    }
}
