import CKernels
import Synchronization

/// A value that one thread at a time may use: a `Mutex` that the thread sanitizer understands too.
struct Lock<State: Sendable>: ~Copyable, Sendable {
    private let mutex: Mutex<State>

    init(_ state: State) { mutex = Mutex(state) }

    func withLock<Result: Sendable>(_ body: (inout State) throws -> Result) rethrows -> Result {
        try mutex.withLock { state in
            withUnsafePointer(to: self) { ck_lock_taken($0) }
            defer { withUnsafePointer(to: self) { ck_lock_given_back($0) } }
            return try body(&state)
        }
    }
}
