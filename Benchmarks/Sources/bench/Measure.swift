import ChainRule

/// The times of one workload, in milliseconds.
struct Measurement: Codable {
    let peer: String
    let workload: String
    let median_ms: Double
    let min_ms: Double
    let runs: Int
    let threads: Int
    let mode: String
    let peak_bytes: Int
}

/// Calls `step` after some warm-up calls for about `seconds`, at least five times. `peak` is the memory of tensors above what was held
/// before: what a step needs besides the model, whose optimiser has its state by then.
func measure(seconds: Double, _ step: () -> Void) -> (median: Double, minimum: Double, runs: Int, peak: Int) {
    let clock = ContinuousClock()
    let held = Memory.current
    Memory.resetPeak()
    // Two recordings and the first run of a plan come before what is measured.
    for _ in 0..<4 { step() }
    var times: [Double] = []
    let start = clock.now
    while times.count < 5 || (clock.now - start < .seconds(seconds) && times.count < 2000) {
        times.append(milliseconds(clock.measure(step)))
    }
    times.sort()
    return (times[times.count / 2], times[0], times.count, Memory.peak - held)
}

func milliseconds(_ duration: Duration) -> Double {
    Double(duration.components.seconds) * 1e3 + Double(duration.components.attoseconds) * 1e-15
}
