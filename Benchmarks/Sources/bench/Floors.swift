import Foundation
import ChainRule

/// How near the workloads come to what the machine allows.
enum Floors {
    static func run(_ settings: Settings) {
        let table = Table(
            "Floors",
            "Milliseconds. The floor is the operations over the peak or the bytes over the speed of memory measured above, whichever binds; a network counts three times its forward products. The goal is a ratio to the floor, for `scalar` milliseconds.",
            first: 12, ["workload", "bound by", "floor", "eager", "compiled", "ratio", "goal"])
        for workload in workloads {
            let times = Mode.best.single.map { settings.timeOfStep(workload, $0).median }
            let best = times.min() ?? .nan
            let floor = workload.floor.milliseconds(settings.limits)
            table.row([
                workload.name, workload.floor.label, floor.map(short) ?? "–", short(times[0]), short(times[1]),
                floor.map { String(format: "%.2f", best / $0) } ?? "–", String(format: "%.2f", workload.floor.goal),
            ])
        }
        table.end()
    }
}

extension Floor {
    fileprivate func milliseconds(_ limits: MachineLimits) -> Double? {
        switch bound {
        case .operations(let count): count / limits.peak * 1e-6
        case .reading(let bytes): bytes / limits.read * 1e-6
        case .updating(let bytes): bytes / limits.copy * 1e-6
        case .overhead: nil
        }
    }

    fileprivate var label: String {
        switch bound {
        case .operations(let count): short(count * 1e-9) + " Gflop"
        case .reading(let bytes): short(bytes * 1e-6) + " MB read"
        case .updating(let bytes): short(bytes * 1e-6) + " MB moved"
        case .overhead: "calls"
        }
    }
}
