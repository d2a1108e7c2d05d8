import ChainRule
import Foundation
import Synchronization
import Testing

@testable import ChainRuleData

struct MNISTTests {
    /// Tiny files in MNIST's naming, and their digests.
    private func tinyFiles() throws -> [(name: String, data: Data)] {
        try withTemporaryDirectory { directory in
            try writeTinyImages(to: directory, gzipped: true)
            return try MNIST.files.map { ($0.name, try InputFile.read("\(directory)/\($0.name)")) }
        }
    }

    private func load(
        _ directory: String? = nil, cache: String, root: String? = nil, mirrors: [String] = [],
        files: [(name: String, data: Data)] = [], report: (String) -> Void = { _ in }
    ) throws -> ClassificationData {
        var environment = ["XDG_CACHE_HOME": cache]
        environment["CHAINRULE_DATA"] = root
        let digests = files.map { (name: $0.name, digest: SHA256.hexDigest(of: $0.data)) }
        return try MNIST.load(directory, mirrors, environment, digests, report)
    }

    private func server(_ files: [(name: String, data: Data)]) throws -> LoopbackServer {
        let contents = Dictionary(uniqueKeysWithValues: files.map { ("/mnist/" + $0.name, $0.data) })
        return try LoopbackServer { contents[$0].map { .content($0) } ?? .status(404) }
    }

    @Test func placesInOrder() throws {
        try withTemporaryDirectory { directory in
            let places = ["given", "parent/mnist", "root/mnist", "cache/chainrule/mnist"].map { "\(directory)/\($0)" }
            for (index, place) in places.enumerated() {
                try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: true)
                try writeTinyImages(to: place, gzipped: index % 2 == 0)
                try IDX.write(
                    Tensor([UInt8](repeating: UInt8(index), count: 48), shape: [3, 4, 4]),
                    to: place + "/t10k-images-idx3-ubyte\(index % 2 == 0 ? ".gz" : "")", gzipped: index % 2 == 0)
            }
            func found(_ given: String?, _ root: String?) throws -> Float {
                let data = try load(given, cache: directory + "/cache", root: root)
                #expect(data.name == "MNIST")
                return (data.test.inputs.toArray(of: Float.self).first ?? -1) * 255
            }
            let root = directory + "/root"
            #expect(try found(directory + "/given", root) == 0)
            #expect(try found(directory + "/parent", root) == 1)
            #expect(try found(directory + "/nothing there", root) == 2)
            #expect(try found(nil, root) == 2)
            #expect(try found(nil, directory + "/elsewhere") == 3)
            #expect(try found(nil, nil) == 3)
        }
    }

    @Test func brokenFilesAreNotPassedOver() throws {
        try withTemporaryDirectory { directory in
            try writeTinyImages(to: directory)
            try FileManager.default.removeItem(atPath: directory + "/t10k-labels-idx1-ubyte")
            #expect(
                dataError { _ = try load(directory, cache: directory + "/cache") }?.contains("has no test labels")
                    == true)
        }
    }

    @Test func withoutNetworkItIsUnavailable() throws {
        try withTemporaryDirectory { path in
            let error = #expect(throws: MNIST.Unavailable.self) {
                try MNIST.load(
                    directory: path + "/given", mirrors: ["http://127.0.0.1:9", "http://127.0.0.1:9/other"],
                    environment: ["XDG_CACHE_HOME": path])
            }
            let cache = path + "/chainrule/mnist"
            #expect(
                error?.description
                    == "MNIST is not in \(path)/given nor \(path)/given/mnist nor \(cache), and could not be downloaded "
                    + "(http://127.0.0.1:9: no connection; http://127.0.0.1:9/other: no connection)")
            #expect(throws: MNIST.Unavailable.self) { try load(cache: path) }
            #expect(fileNames(in: path).isEmpty)
        }
    }

    @Test func downloadsOnceIntoTheCache() throws {
        let files = try tinyFiles()
        let server = try server(files)
        defer { server.stop() }
        try withTemporaryDirectory { cache in
            var reports: [String] = []
            let mirrors = ["http://127.0.0.1:9", server.address + "/mnist"]
            let data = try load(cache: cache, mirrors: mirrors, files: files) { reports.append($0) }
            #expect(data.train.count == 6 && data.test.count == 3)
            #expect(server.requests == files.map { "/mnist/" + $0.name })
            #expect(reports.count == 5)
            #expect(reports.last == "downloading t10k-labels-idx1-ubyte.gz from \(server.address)/mnist")
            #expect(
                fileNames(in: cache + "/chainrule/mnist").sorted()
                    == files.map(\.name).sorted())
            #expect(try load(cache: cache, mirrors: mirrors, files: files).train.count == 6)
            #expect(server.requests.count == 4)
            // A cache that lost a file is filled again.
            try FileManager.default.removeItem(atPath: cache + "/chainrule/mnist/t10k-labels-idx1-ubyte.gz")
            #expect(try load(cache: cache, mirrors: mirrors, files: files).train.count == 6)
            #expect(server.requests.count == 8)
        }
    }

    @Test func filesOfAnotherContentAreRefused() throws {
        var files = try tinyFiles()
        let server = try server(files)
        defer { server.stop() }
        files[2].data.append(0)
        try withTemporaryDirectory { cache in
            let error = #expect(throws: MNIST.Unavailable.self) {
                try load(cache: cache, mirrors: [server.address + "/mnist"], files: files)
            }
            #expect(error?.description.contains("t10k-images-idx3-ubyte.gz arrived with the wrong checksum") == true)
            #expect(fileNames(in: cache).isEmpty)
        }
    }

    @Test func whatOneMirrorLacksTheNextGives() throws {
        let files = try tinyFiles()
        let (half, rest) = (try server(Array(files.prefix(2))), try server(Array(files.suffix(2))))
        defer {
            half.stop()
            rest.stop()
        }
        try withTemporaryDirectory { cache in
            let mirrors = [half.address + "/mnist", rest.address + "/mnist"]
            let data = try load(cache: cache, mirrors: mirrors, files: files)
            #expect(data.test.count == 3)
            #expect(rest.requests.count == 2)
        }
    }

    @Test func cachesThatCannotBeWritten() throws {
        let files = try tinyFiles()
        let server = try server(files)
        defer { server.stop() }
        try withTemporaryDirectory { directory in
            try write("in the way", to: directory + "/chainrule")
            let error = dataError { _ = try load(cache: directory, mirrors: [server.address + "/mnist"], files: files) }
            #expect(error?.contains("cannot be made to keep MNIST in") == true)
        }
    }

    @Test func cacheDirectories() {
        #expect(MNIST.cacheDirectory(["XDG_CACHE_HOME": "/somewhere"]) == "/somewhere/chainrule/mnist")
        for environment in [[:], ["XDG_CACHE_HOME": ""], ["XDG_CACHE_HOME": "relative"]] {
            #expect(MNIST.cacheDirectory(environment).hasPrefix(NSHomeDirectory()))
        }
    }

    @Test(.enabled(if: dataDirectory != nil, "CHAINRULE_DATA is not set"))
    func theRealOne() throws {
        let data = try MNIST.load(mirrors: [])
        #expect(data.train.count == 60_000 && data.test.count == 10_000)
        #expect(data.inputShape == [1, 28, 28])
        #expect(data.classNames.count == 10)
        let normalization = Normalization(of: data.train)
        #expect(abs((normalization.mean.first ?? 0) - 0.1307) < 1e-4)
        #expect(abs((normalization.deviation.first ?? 0) - 0.3081) < 1e-4)
        #expect(data.test.targets[0..<5].toArray(of: Int64.self) == [7, 2, 1, 0, 4])
        for (name, digest) in MNIST.files {
            let file = try InputFile.read("\(dataDirectory ?? "")/mnist/\(name)")
            #expect(SHA256.hexDigest(of: file) == digest)
        }
    }
}
