import Foundation

/// A data file that cannot be read, or says something impossible. The description is one sentence: what is wrong, where, what to do.
public struct DataError: Error, CustomStringConvertible, Equatable {
    public let description: String
    public init(_ description: String) { self.description = description }
}

/// Reading whole files, with errors a person can act on.
public enum InputFile {
    public static func read(_ path: String) throws -> Data {
        var isDirectory: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) else {
            throw DataError("\(path) does not exist")
        }
        guard !isDirectory.boolValue else { throw DataError("\(path) is a directory, a file is needed") }
        do {
            return try Data(contentsOf: URL(fileURLWithPath: path))
        } catch {
            throw DataError("\(path) cannot be read: \(error.localizedDescription)")
        }
    }

    /// The content of a file that may be gzipped; its first bytes tell, not its name.
    public static func readDecompressed(_ path: String) throws -> Data {
        let file = try read(path)
        return Gzip.isCompressed(file) ? try Gzip.decompress(file, name: path) : file
    }
}

/// Writing whole files: a reader sees the old content or the new, never half of it.
public enum AtomicFile {
    public static func write(_ data: Data, to path: String) throws {
        // A name of its own for each write, so that two programs or threads never share a half-written file.
        let temporary = "\(path).partial-\(UUID().uuidString)"
        do {
            try data.write(to: URL(fileURLWithPath: temporary))
            guard rename(temporary, path) == 0 else { throw DataError(String(cString: strerror(errno))) }
        } catch {
            try? FileManager.default.removeItem(atPath: temporary)
            throw DataError("\(path) cannot be written: \(reason(error))")
        }
    }

    private static func reason(_ error: any Error) -> String {
        if let error = error as? DataError { return error.description }
        let code = (error as NSError).code
        if (error as NSError).domain == NSCocoaErrorDomain && code == CocoaError.fileWriteOutOfSpace.rawValue {
            return "the disk is full"
        }
        return error.localizedDescription
    }
}
