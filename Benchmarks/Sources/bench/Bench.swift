import ArgumentParser
import ChainRule
import Foundation

@main
struct Bench: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench", abstract: "Times ChainRule on the benchmark workloads of deep learning.")

    @Option(help: "Only these workloads, separated by commas; 'micro' are the small measurements.")
    var only: String = ""

    @Option(help: "How many threads share the work.")
    var threads: Int = Machine.threadCount

    @Option(help: "The instruction set to use instead of the widest: baseline, avx2 or avx512.")
    var instructionSet: Machine.InstructionSet?

    @Option(help: "How long to measure each workload.")
    var seconds: Double = 3

    @Option(
        help: "Run the workloads as written (eager), through compile (compiled), or both and keep the faster (best).")
    var mode: Mode = .best

    @Option(help: "Also write the rows to this file, as JSON.")
    var json: String?

    @Option(
        help:
            "Train the networks with the seeds of this file and compare their losses with those in it, instead of timing."
    )
    var losses: String?

    func validate() throws {
        guard threads >= 1 else { throw ValidationError("--threads must be 1 or more.") }
        let known = workloads.map(\.name) + ["micro"]
        for name in names where !known.contains(name) {
            throw ValidationError("There is no workload '\(name)'; there are \(known.joined(separator: ", ")).")
        }
    }

    private var names: [String] { only.split(separator: ",").map(String.init) }

    func run() throws {
        Machine.threadCount = threads
        if let instructionSet { Machine.instructionSet = instructionSet }
        if let losses {
            if try !Losses(file: losses).run(mode) { throw ExitCode.failure }
            return
        }
        var rows: [Measurement] = []
        for (name, prepare) in workloads where names.isEmpty || names.contains(name) {
            let times = mode.single.map { mode in
                manualSeed(0)
                return (mode: mode, time: measure(seconds: seconds, prepare(mode)))
            }
            guard let (mode, time) = times.min(by: { $0.time.median < $1.time.median }) else { continue }
            rows.append(
                Measurement(
                    peer: "chainrule", workload: name, median_ms: time.median, min_ms: time.minimum, runs: time.runs,
                    threads: threads, mode: mode.rawValue, peak_bytes: time.peak))
            let columns =
                "chainrule".padding(toLength: 14, withPad: " ", startingAt: 0) + " "
                + name.padding(toLength: 12, withPad: " ", startingAt: 0)
            print(
                String(
                    format: "%@ median %10.3f ms   min %10.3f ms   (%d runs)   %@, peak %.0f MB", columns,
                    time.median, time.minimum, time.runs, mode.rawValue, Double(time.peak) * 1e-6))
        }
        if names.contains("micro") { Micro.run(seconds: min(seconds, 1), threads: threads) }
        if let json { try JSONEncoder().encode(rows).write(to: URL(fileURLWithPath: json), options: .atomic) }
    }
}

extension Machine.InstructionSet: @retroactive ExpressibleByArgument {}
