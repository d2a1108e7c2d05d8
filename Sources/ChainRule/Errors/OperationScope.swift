import CKernels

/// Something that runs operations and has a name (a module), so that an error can say where in a model it arose.
open class OperationScope {
    public init() {}

    /// What an error calls this scope: a path such as "layer1.0.conv1".
    open var scopeName: String { String(describing: type(of: self)) }

    /// Runs `body` inside this scope.
    @inline(__always)
    public final func scope<Result>(_ body: () throws -> Result) rethrows -> Result {
        let state = ck_current_thread()
        let outer = state.pointee.context
        state.pointee.context = Unmanaged.passUnretained(self).toOpaque()
        defer { state.pointee.context = outer }
        return try body()
    }

    /// The innermost scope this thread is in.
    static var innermost: OperationScope? {
        ck_current_thread().pointee.context.map { Unmanaged<OperationScope>.fromOpaque($0).takeUnretainedValue() }
    }
}
