import ChainRule

/// What the tables are measured with.
struct Settings {
    let threads: Int
    let seconds: Double
    let limits: MachineLimits

    init(threads: Int, seconds: Double) {
        self.threads = threads
        self.seconds = seconds
        limits = MachineLimits(threads: threads)
    }

    /// The median of `body` in milliseconds.
    func time(_ body: () -> Void) -> Double { measure(seconds: seconds, body).median }

    func timeOfStep(_ workload: Workload, _ mode: Mode) -> Timing {
        manualSeed(0)
        return measure(seconds: seconds, workload.prepare(mode))
    }
}

/// The tables that `--table` prints.
let tables: KeyValuePairs<String, @Sendable (Settings) -> Void> = [
    "machine": { $0.limits.printed() }, "floors": Floors.run, "products": Products.run,
    "elementwise": Operations.elementwise, "rows": Operations.rows, "small": Operations.small,
    "allocations": Allocations.run, "scaling": Training.scaling, "memory": Training.memory,
    "quantization": Quantization.run,
]
