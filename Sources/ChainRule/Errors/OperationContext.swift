import CKernels

/// Names what the thread is inside of (a module's path), so that an error can say where in a model it arose.
public final class OperationContext {
    private let name: String
    private let outer: OperationContext?

    private init(name: String, outer: OperationContext?) {
        self.name = name
        self.outer = outer
    }

    private static var innermost: OperationContext? {
        ck_current_thread().pointee.context.map { Unmanaged<OperationContext>.fromOpaque($0).takeUnretainedValue() }
    }

    /// The names from the outermost to the innermost, joined by dots; nil outside.
    static var path: String? {
        var names: [String] = []
        var context = innermost
        while let current = context {
            names.append(current.name)
            context = current.outer
        }
        return names.isEmpty ? nil : names.reversed().joined(separator: ".")
    }

    /// Runs `body` inside the context `name`.
    public static func with<Result>(_ name: String, _ body: () throws -> Result) rethrows -> Result {
        let context = OperationContext(name: name, outer: innermost)
        let state = ck_current_thread()
        let saved = state.pointee.context
        state.pointee.context = Unmanaged.passUnretained(context).toOpaque()
        defer { state.pointee.context = saved }
        return try withExtendedLifetime(context, body)
    }
}
