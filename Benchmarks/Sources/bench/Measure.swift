/// The times of one workload, in milliseconds.
struct Measurement: Codable {
    let peer: String
    let workload: String
    let median_ms: Double
    let min_ms: Double
    let runs: Int
    let threads: Int
}

/// Calls `step` after two warm-up calls for about `seconds`, at least five times.
func measure(seconds: Double, _ step: () -> Void) -> (median: Double, minimum: Double, runs: Int) {
    let clock = ContinuousClock()
    step()
    step()
    var times: [Double] = []
    let start = clock.now
    while times.count < 5 || (clock.now - start < .seconds(seconds) && times.count < 2000) {
        times.append(milliseconds(clock.measure(step)))
    }
    times.sort()
    return (times[times.count / 2], times[0], times.count)
}

func milliseconds(_ duration: Duration) -> Double {
    Double(duration.components.seconds) * 1e3 + Double(duration.components.attoseconds) * 1e-15
}
