import Dispatch
import Foundation
import Synchronization

/// Notices Ctrl-C instead of dying of it; a second one ends the program at once.
final class Interrupt: Sendable {
    private let pending = Mutex(false)
    // Dispatch sources may be used from any thread; their protocol does not say so.
    nonisolated(unsafe) private let source: any DispatchSourceSignal

    init() {
        signal(SIGINT, SIG_IGN)  // or the default action would come first
        source = DispatchSource.makeSignalSource(signal: SIGINT, queue: .global())
        source.setEventHandler { [weak self] in
            let isSecond = self?.pending.withLock { wasPending in
                defer { wasPending = true }
                return wasPending
            }
            if isSecond ?? true { _exit(130) }
        }
        source.resume()
    }

    deinit {
        source.cancel()
        signal(SIGINT, SIG_DFL)
    }

    var isPending: Bool { pending.withLock { $0 } }
}
