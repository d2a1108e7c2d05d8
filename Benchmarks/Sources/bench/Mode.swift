import ArgumentParser
import ChainRule

/// How a workload is run.
enum Mode: String, CaseIterable, ExpressibleByArgument {
    /// As it is written.
    case eager
    /// Through `compile`.
    case compiled
    /// Both, and the faster one counts.
    case best

    var single: [Mode] { self == .best ? [.eager, .compiled] : [self] }

    /// `body`, or the plan made of it.
    func prepared(_ body: @escaping () -> Void) -> () -> Void {
        guard self == .compiled else { return body }
        let function = compile(body)
        return { _ = function() }
    }

    func prepared(_ body: @escaping (Tensor, Tensor) -> Tensor) -> (Tensor, Tensor) -> Tensor {
        guard self == .compiled else { return body }
        let function = compile(body)
        return { function($0, $1) }
    }
}
