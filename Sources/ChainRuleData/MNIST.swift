import Foundation

/// The handwritten digits of LeCun, Cortes and Burges: 60,000 images of 28×28 to train on, 10,000 to test.
public enum MNIST {
    /// The four files with their SHA-256.
    static let files: [(name: String, digest: String)] = [
        ("train-images-idx3-ubyte.gz", "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609"),
        ("train-labels-idx1-ubyte.gz", "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c"),
        ("t10k-images-idx3-ubyte.gz", "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6"),
        ("t10k-labels-idx1-ubyte.gz", "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6"),
    ]

    /// Where the files are kept on the web; each is checked after it arrived.
    public static let mirrors = [
        "https://ossci-datasets.s3.amazonaws.com/mnist", "https://storage.googleapis.com/cvdf-datasets/mnist",
    ]

    /// MNIST could not be had: it is nowhere on this machine, and no mirror gave it.
    public struct Unavailable: Error, CustomStringConvertible {
        public let description: String
    }

    /// MNIST from `directory` (or `directory/mnist`), else `$CHAINRULE_DATA/mnist`, else the user's cache, else downloaded into the cache.
    ///
    /// - Parameters:
    ///   - mirrors: where to download from, in this order; none means not to.
    ///   - report: hears what is downloaded, in words.
    /// - Throws: `Unavailable` when it is nowhere, within about ten seconds when there is no network; `DataError` when files are there
    ///   but broken, or the cache cannot be written.
    public static func load(
        directory: String? = nil, mirrors: [String] = mirrors,
        environment: [String: String] = ProcessInfo.processInfo.environment, report: (String) -> Void = { _ in }
    ) throws -> ClassificationData {
        try load(directory, mirrors, environment, files, report)
    }

    /// - Parameter files: what to download, with digests.
    static func load(
        _ directory: String?, _ mirrors: [String], _ environment: [String: String],
        _ files: [(name: String, digest: String)], _ report: (String) -> Void
    ) throws -> ClassificationData {
        let places = places(directory, environment)
        for place in places where (try? ImageDirectory(place).isEmpty) == false {
            return try ClassificationData(imageDirectory: place, name: "MNIST")
        }
        // A cache that lost a file is filled again; elsewhere a missing file is the user's to hear about.
        let cache = cacheDirectory(environment)
        if (try? ImageDirectory(cache).isComplete) != true {
            try download(files, to: cache, from: mirrors, notFoundIn: places + [cache], report)
        }
        return try ClassificationData(imageDirectory: cache, name: "MNIST")
    }

    private static func places(_ directory: String?, _ environment: [String: String]) -> [String] {
        var places: [String] = []
        if let directory { places += [directory, directory + "/mnist"] }
        if let root = environment["CHAINRULE_DATA"], !root.isEmpty { places.append(root + "/mnist") }
        return places
    }

    static func cacheDirectory(_ environment: [String: String]) -> String {
        // By the XDG specification a relative path there does not count.
        if let cache = environment["XDG_CACHE_HOME"], cache.hasPrefix("/") { return cache + "/chainrule/mnist" }
        #if os(macOS)
            return NSHomeDirectory() + "/Library/Caches/chainrule/mnist"
        #else
            return NSHomeDirectory() + "/.cache/chainrule/mnist"
        #endif
    }

    /// Fetches all four files before the first is stored. A mirror that fails once is left for the next.
    private static func download(
        _ files: [(name: String, digest: String)], to directory: String, from mirrors: [String],
        notFoundIn places: [String], _ report: (String) -> Void
    ) throws {
        var contents: [(name: String, data: Data)] = []
        var reasons: [String] = []
        for mirror in mirrors {
            let missing = files.dropFirst(contents.count)
            do {
                for (name, digest) in missing {
                    report("downloading \(name) from \(mirror)")
                    contents.append((name, try Download.fetch("\(mirror)/\(name)", digest: digest)))
                }
            } catch {
                reasons.append("\(mirror): \(error)")
                continue
            }
            return try store(contents, in: directory)
        }
        let attempts = reasons.isEmpty ? "" : ", and could not be downloaded (\(reasons.joined(separator: "; ")))"
        throw Unavailable(description: "MNIST is not in \(places.joined(separator: " nor "))\(attempts)")
    }

    private static func store(_ contents: [(name: String, data: Data)], in directory: String) throws {
        do {
            try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        } catch {
            throw DataError("\(directory) cannot be made to keep MNIST in: \(error.localizedDescription)")
        }
        for (name, data) in contents { try AtomicFile.write(data, to: "\(directory)/\(name)") }
    }
}
