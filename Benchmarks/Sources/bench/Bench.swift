import ArgumentParser
import ChainRule
import Foundation

@main
struct Bench: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench", abstract: "Times ChainRule on the benchmark workloads of deep learning.")

    @Option(help: "Only these workloads, separated by commas.")
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

    @Option(
        help: ArgumentHelp(
            "Print these tables instead, separated by commas: \(tables.map(\.key).joined(separator: ", ")), or all of them.",
            valueName: "name,...|all"))
    var table: String = ""

    @Option(help: "Also write the rows to this file, as JSON.")
    var json: String?

    @Option(
        help:
            "Train the networks with the seeds of this file and compare their losses with those in it, instead of timing."
    )
    var losses: String?

    func validate() throws {
        guard threads >= 1 else { throw ValidationError("--threads must be 1 or more.") }
        try check(names(in: only), "workload", workloads.map(\.name))
        try check(names(in: table), "table", tables.map(\.key) + ["all"])
    }

    private func check(_ names: [String], _ kind: String, _ known: [String]) throws {
        for name in names where !known.contains(name) {
            throw ValidationError("There is no \(kind) '\(name)'; there are \(known.joined(separator: ", ")).")
        }
    }

    private func names(in list: String) -> [String] { list.split(separator: ",").map(String.init) }

    func run() throws {
        Machine.threadCount = threads
        if let instructionSet { Machine.instructionSet = instructionSet }
        if let losses {
            if try !Losses(file: losses).run(mode) { throw ExitCode.failure }
            return
        }
        if !table.isEmpty {
            printTables()
            return
        }
        let names = names(in: only)
        let rows = workloads.filter { names.isEmpty || names.contains($0.name) }.compactMap(measured)
        if let json { try JSONEncoder().encode(rows).write(to: URL(fileURLWithPath: json), options: .atomic) }
    }

    /// The workload in the mode that was asked for, or the faster one, printed.
    private func measured(_ workload: Workload) -> Measurement? {
        let times = mode.single.map { mode in
            manualSeed(0)
            return (mode: mode, time: measure(seconds: seconds, workload.prepare(mode)))
        }
        guard let (mode, time) = times.min(by: { $0.time.median < $1.time.median }) else { return nil }
        let columns =
            "chainrule".padding(toLength: 14, withPad: " ", startingAt: 0) + " "
            + workload.name.padding(toLength: 12, withPad: " ", startingAt: 0)
        print(
            String(
                format: "%@ median %10.3f ms   min %10.3f ms   (%d runs)   %@, peak %.0f MB", columns,
                time.median, time.minimum, time.runs, mode.rawValue, Double(time.peak) * 1e-6))
        return Measurement(
            peer: "chainrule", workload: workload.name, median_ms: time.median, min_ms: time.minimum, runs: time.runs,
            threads: threads, mode: mode.rawValue, peak_bytes: time.peak, resident_bytes: time.resident)
    }

    private func printTables() {
        let chosen = names(in: table)
        if chosen.contains("all") {
            print(
                "# Measurements\n\n`make bench-tables` writes this file: ChainRule alone, on an idle machine. ",
                terminator: "")
            print("\(threads) thread\(threads == 1 ? "" : "s"), \(Machine.instructionSet).\n")
        }
        let settings = Settings(threads: threads, seconds: seconds)
        for (name, run) in tables where chosen.contains(name) || chosen.contains("all") { run(settings) }
    }
}

extension Machine.InstructionSet: @retroactive ExpressibleByArgument {}
