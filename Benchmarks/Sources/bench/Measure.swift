import ChainRule
import Foundation

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
    let resident_bytes: Int?
}

/// The times of a step in milliseconds and the memory it takes in bytes.
struct Timing {
    let median, minimum: Double
    let runs: Int
    /// The most that tensors held above what they held before: what a step needs besides the model.
    let peak: Int
    /// How far the memory of the process rose during the first steps; nil where the system does not tell.
    let resident: Int?
}

/// Calls `step` after some warm-up calls for about `seconds`, at least five times.
func measure(seconds: Double, _ step: () -> Void) -> Timing {
    let clock = ContinuousClock()
    let (held, loaded) = (Memory.current, residentMemory("VmRSS"))
    Memory.resetPeak()
    // Two recordings and the first run of a plan come before what is measured.
    for _ in 0..<5 { step() }
    let most = residentMemory("VmHWM")
    var times: [Double] = []
    let start = clock.now
    while times.count < 5 || (clock.now - start < .seconds(seconds) && times.count < 2000) {
        times.append(milliseconds(clock.measure(step)))
    }
    times.sort()
    return Timing(
        median: times[times.count / 2], minimum: times[0], runs: times.count, peak: Memory.peak - held,
        resident: most.flatMap { most in loaded.map { most - $0 } })
}

/// VmRSS or VmHWM (the most there was) of this process in bytes, where the system has /proc.
private func residentMemory(_ field: String) -> Int? {
    guard let status = try? String(contentsOfFile: "/proc/self/status", encoding: .utf8) else { return nil }
    let line = status.split(separator: "\n").first { $0.hasPrefix(field + ":") }
    return line.flatMap { $0.split(whereSeparator: { !$0.isNumber }).first }.flatMap { Int($0) }.map { $0 * 1024 }
}

func milliseconds(_ duration: Duration) -> Double {
    Double(duration.components.seconds) * 1e3 + Double(duration.components.attoseconds) * 1e-15
}
