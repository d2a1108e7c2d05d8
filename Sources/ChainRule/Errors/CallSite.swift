#if canImport(Runtime)
    import Runtime
#endif

/// The place in the program that called the library, read off the stack when a mistake is found: operators can take no
/// `#line` argument, and nothing is paid while all is well.
public struct CallSite: Sendable, CustomStringConvertible {
    /// The file as the compiler saw it, or nil where the program has no debug information.
    public let file: String?
    public let line: Int?
    /// The function that made the call.
    public let function: String?

    public var description: String {
        let name = function.map { " in \($0)" } ?? ""
        guard let file, let line else { return "an unknown line" + name }
        let fileName = file.split(separator: "/").suffix(2).joined(separator: "/")
        return "\(fileName):\(line)\(name)"
    }

    static let unknown = CallSite(file: nil, line: nil, function: nil)

    /// The innermost frame of the stack that is not the library's.
    static func current() -> CallSite {
        #if canImport(Runtime)
            guard let frames = try? Backtrace.capture(limit: 256).symbolicated()?.frames else { return .unknown }
            for frame in frames {
                guard let symbol = frame.symbol, let location = symbol.sourceLocation, location.line > 0 else {
                    continue
                }
                if isLibrary(path: location.path) { continue }
                return CallSite(file: location.path, line: location.line, function: symbol.name)
            }
        #endif
        return .unknown
    }

    /// The folder that holds the library's targets; frames from there are the library's own.
    private static let sourcesFolder = #filePath.components(upTo: "/ChainRule/Errors/")

    private static func isLibrary(path: String) -> Bool {
        if path.hasPrefix(sourcesFolder + "/ChainRule") { return true }
        // Inlined pieces of the standard library have no file of the program's.
        return path.hasPrefix("/<compiler-generated>") || path.contains("<compiler-generated>")
            || path.contains("/swift/stdlib/")
    }
}

extension String {
    fileprivate func components(upTo separator: String) -> String {
        guard let range = firstRange(of: separator) else { return self }
        return String(self[..<range.lowerBound])
    }
}
