import ChainRule
import Foundation

/// What training steps cost as they grow, and the memory they need.
enum Training {
    static func scaling(_ settings: Settings) {
        let processors = settings.threads
        let threads = [1, processors, 2 * processors]
        let table = Table(
            "Scaling",
            "Milliseconds of a step (the faster of eager and compiled), and in brackets how many times that of \(processors) threads it is; on paper a batch twice as large costs twice as much, and a network twice as wide as many times as the last column says.",
            first: 12,
            ["workload"] + threads.map { "\($0) thread\($0 == 1 ? "" : "s")" } + [
                "batch ×2", "batch ×4", "width ×2", "on paper",
            ])
        for (name, make) in networks {
            let base = time(make, Scale(), settings)
            let byThreads = threads.map { count -> Double in
                Machine.threadCount = count
                defer { Machine.threadCount = settings.threads }
                return count == settings.threads ? base : time(make, Scale(), settings)
            }
            var cells = byThreads + [2, 4].map { time(make, Scale(batch: $0), settings) }
            let wide = make(Scale(width: 2)).operations / make(Scale()).operations
            if wide > 1 { cells.append(time(make, Scale(width: 2), settings)) }
            table.row(
                [name] + cells.map { "\(short($0)) (\(String(format: "%.2f", $0 / base)))" }
                    + (wide > 1 ? [String(format: "%.2f", wide)] : ["–", "–"]))
        }
        for workload in workloads where !networks.contains(where: { $0.key == workload.name }) {
            let times = threads.map { count -> Double in
                Machine.threadCount = count
                defer { Machine.threadCount = settings.threads }
                return Mode.best.single.map { settings.timeOfStep(workload, $0).median }.min() ?? .nan
            }
            table.row(
                [workload.name] + times.map { "\(short($0)) (\(String(format: "%.2f", $0 / times[1])))" }
                    + ["–", "–", "–", "–"])
        }
        table.end()
    }

    private static func time(
        _ make: (Scale) -> Network, _ scale: Scale, _ settings: Settings
    ) -> Double {
        Mode.best.single.map { mode in
            manualSeed(0)
            return settings.time(training(make(scale), mode))
        }.min() ?? .nan
    }

    static func memory(_ settings: Settings) {
        let table = Table(
            "Memory of a training step",
            "Tensors only. Held: parameters, gradients and the optimiser's state after a step. Kept: what the graph holds between forward and backward; an activation is a number that a layer hands on. The peak is above the loaded model.",
            first: 12,
            [
                "workload", "parameters", "held, bytes each", "activations", "kept, bytes each", "peak eager, MB",
                "peak compiled, MB", "MB for one more sample",
            ])
        for (name, make) in networks {
            let network = make(Scale())
            let (held, kept) = eagerStep(make)
            let peaks = Mode.best.single.map { peak(make, Scale(), $0) }
            let samples = Double(network.input().shape[0])
            let parameters = Double(network.model.parameterCount)
            let slope = (peak(make, Scale(batch: 2), .eager) - peaks[0]) / samples
            table.row([
                name, String(Int(parameters)), short(held / parameters), String(Int(network.activations)),
                short(kept / network.activations), short(peaks[0] * 1e-6), short(peaks[1] * 1e-6), short(slope * 1e-6),
            ])
        }
        table.end()
    }

    /// What is held after a step, model and all, and what a forward pass keeps for the backward pass.
    private static func eagerStep(_ make: (Scale) -> Network) -> (held: Double, kept: Double) {
        let before = Memory.current
        let network = make(Scale())
        let (x, y) = (network.input(), network.target())
        let data = Memory.current
        _ = (x, y)
        let inputs = data - before
        let optimizer = network.optimizer(network.model.parameters)
        let modelBytes = network.model.namedParameters.reduce(0) { $0 + $1.tensor.count * $1.tensor.dtype.byteCount }
        for _ in 0..<2 { _ = network.step(optimizer, x, y) }
        let held = Memory.current - before - (inputs - modelBytes)
        let loss = network.loss(network.model(x), y)
        let kept = Memory.current - before - (inputs - modelBytes) - held
        loss.backward()
        return (Double(held), Double(kept))
    }

    private static func peak(_ make: (Scale) -> Network, _ scale: Scale, _ mode: Mode) -> Double {
        manualSeed(0)
        return Double(measure(seconds: 0, training(make(scale), mode)).peak)
    }
}
