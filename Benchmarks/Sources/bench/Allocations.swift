import ChainRule

/// How often the workloads ask for memory on the heap: tensors, nodes of the graph, arrays and closures.
enum Allocations {
    static func run(_ settings: Settings) {
        let table = Table(
            "Allocations",
            "Requests to the heap for one step, and the most memory tensors held above the loaded model.",
            first: 12, ["workload", "eager", "compiled", "MB eager", "MB compiled"])
        for workload in workloads {
            let counts = Mode.best.single.map { mode -> (count: Double, peak: Double) in
                manualSeed(0)
                let step = workload.prepare(mode)
                let count = allocations(step)
                return (count, Double(settings.timeOfStep(workload, mode).peak))
            }
            table.row(
                [workload.name] + counts.map { String(format: "%.0f", $0.count) } + counts.map { short($0.peak * 1e-6) }
            )
        }
        table.end()
    }
}
