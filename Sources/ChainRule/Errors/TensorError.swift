import CKernels

/// A mistake in the use of tensors: shapes that don't fit, a wrong dtype, an index out of range, a missing gradient.
public struct TensorError: Error, CustomStringConvertible, Sendable {
    /// The operation that found the mistake: "matmul".
    public let operation: String
    /// What is wrong, as a sentence without its full stop.
    public let message: String
    /// The path of the module that was running, "layer1.0.conv1", or nil outside modules.
    public let module: String?
    /// Where the program called the library.
    public let caller: CallSite

    public var description: String {
        let place = module.map { " (in module \($0))" } ?? ""
        return "\(operation)\(place): \(message). Called at \(caller)."
    }
}

/// Reports a mistake of the program's: inside `catchingErrors` it is remembered and thrown when the scope ends, elsewhere
/// the program stops with the sentence.
///
/// - Returns: inside `catchingErrors` an empty tensor, for the caller to hand on. Only the first mistake of a scope counts, so
///   whatever follows from it does no harm.
@discardableResult
@inline(never)
public func fail(_ operation: String, _ message: String) -> Tensor {
    let scope = ErrorScope.innermost
    if scope?.error != nil { return Tensor.placeholderAfterError }
    let error = TensorError(
        operation: operation, message: message, module: OperationScope.innermost?.scopeName, caller: CallSite())
    guard let scope else { fatalError(error.description) }
    scope.error = error
    return Tensor.placeholderAfterError
}

/// Whether a mistake was found in the innermost `catchingErrors` scope: what is computed from here on is thrown away.
@inline(__always)
var isErrorPending: Bool {
    guard ck_current_thread().pointee.error_scope != nil else { return false }
    return ErrorScope.innermost?.error != nil
}

/// Runs `body`; a mistake in the use of tensors inside it is thrown as a `TensorError` instead of ending the program.
///
/// The body runs on to its end with empty tensors in place of what failed, then the first mistake is thrown. Scopes nest; other threads are not affected.
public func catchingErrors<Result>(_ body: () throws -> Result) throws -> Result {
    let scope = ErrorScope()
    let state = ck_current_thread()
    let outer = state.pointee.error_scope
    state.pointee.error_scope = Unmanaged.passUnretained(scope).toOpaque()
    defer { state.pointee.error_scope = outer }
    // An error the body itself throws may only be a consequence of the mistake: the mistake goes first.
    let outcome = Swift.Result { try body() }
    if let error = scope.error { throw error }
    return try outcome.get()
}

private final class ErrorScope {
    var error: TensorError?

    static var innermost: ErrorScope? {
        ck_current_thread().pointee.error_scope.map { Unmanaged<ErrorScope>.fromOpaque($0).takeUnretainedValue() }
    }
}
