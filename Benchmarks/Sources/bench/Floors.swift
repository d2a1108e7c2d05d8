import Foundation
import ChainRule

/// How near the workloads come to what the machine allows.
enum Floors {
    static func run(_ settings: Settings) {
        let table = Table(
            "Floors",
            "Milliseconds. The floor is the operations over the peak or the bytes over the speed of memory, whichever binds, measured before and after each workload; a network counts three times its forward products. The goal is a ratio to the floor, for `scalar` milliseconds. The last column is what a line of memory took from one thread to another and back.",
            first: 12, ["workload", "bound by", "floor", "eager", "compiled", "ratio", "goal", "line, ns"])
        // A shared machine does not give the same all the time: the better floor counts, and the longer way.
        var limits = settings.limits
        for workload in workloads {
            let times = Mode.best.single.map { settings.timeOfStep(workload, $0).median }
            let best = times.min() ?? .nan
            let before = limits
            limits = MachineLimits(threads: settings.threads)
            let floor = [before, limits].compactMap { workload.floor.milliseconds($0) }.min()
            let roundTrip = [before, limits].compactMap(\.roundTrip).max()
            table.row([
                workload.name, workload.floor.label, floor.map(short) ?? "–", short(times[0]), short(times[1]),
                floor.map { String(format: "%.2f", best / $0) } ?? "–", String(format: "%.2f", workload.floor.goal),
                roundTrip.map(short) ?? "–",
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
