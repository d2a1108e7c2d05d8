#if canImport(Runtime)
    import Runtime
#endif

/// The place in the program that called the library, read off the stack when a mistake is found: operators can take no
/// `#line` argument, and nothing is paid while all is well.
public struct CallSite: Sendable, CustomStringConvertible {
    /// The addresses on the stack. Looking up what they mean reads the program's debug information, which takes
    /// most of a second in a large program: it waits until somebody asks.
    private let stack = CapturedStack()

    /// The file as the compiler saw it, or nil where the program has no debug information.
    public var file: String? { stack.place?.file }
    public var line: Int? { stack.place?.line }
    /// The function that made the call.
    public var function: String? { stack.place?.function }

    public var description: String {
        guard let place = stack.place else { return "an unknown line" }
        return "\(place.file.split(separator: "/").suffix(2).joined(separator: "/")):\(place.line) in \(place.function)"
    }
}

private final class CapturedStack: Sendable {
    typealias Place = (file: String, line: Int, function: String)

    #if canImport(Runtime)
        private let backtrace = try? Backtrace.capture(limit: 256)
        private let lookedUp = Lock<Place??>(nil)

        /// The innermost frame that is not the library's.
        var place: Place? {
            lookedUp.withLock { known in
                if let known { return known }
                let found = find()
                known = .some(found)
                return found
            }
        }

        private func find() -> Place? {
            guard let frames = backtrace?.symbolicated()?.frames else { return nil }
            for frame in frames {
                guard let symbol = frame.symbol, let location = symbol.sourceLocation, location.line > 0,
                    !Self.isLibrary(location.path), !Self.isGenerated(location.path)
                else { continue }
                return (location.path, location.line, symbol.name)
            }
            return nil
        }

        /// What the paths of the library's own files begin with: its targets lie side by side, and their names begin alike.
        private static let library = #filePath.split(separator: "/").dropLast(2)

        private static func isLibrary(_ path: String) -> Bool {
            if path.hasPrefix("/" + library.joined(separator: "/")) { return true }
            if path.hasPrefix("/") { return false }
            // The paths of inlined functions are relative to a folder above the library: ".../Sources/ChainRule" or less of it.
            return (0..<library.count - 1).contains { path.hasPrefix(library.dropFirst($0).joined(separator: "/")) }
        }

        /// Inlined pieces of the standard library have no file of the program's.
        private static func isGenerated(_ path: String) -> Bool {
            path.contains("<compiler-generated>") || path.contains("/swift/stdlib/")
        }
    #else
        var place: Place? { nil }
    #endif
}
