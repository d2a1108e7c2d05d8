import ChainRuleNN
import Foundation

/// Tells a person how training goes: on a terminal a bar that is redrawn in place, elsewhere one line an epoch. Writes to
/// standard error, so that standard output holds results alone.
public final class ProgressBar: TrainingObserver {
    private let isTerminal: Bool
    private let write: (String) -> Void
    private var lastDrawn = -1.0
    private var needsErase = false

    /// - Parameter isTerminal: whether the bar may be redrawn; by default whether standard error is a terminal.
    public init(isTerminal: Bool? = nil, write: ((String) -> Void)? = nil) {
        self.isTerminal = isTerminal ?? (isatty(FileHandle.standardError.fileDescriptor) == 1)
        self.write = write ?? { FileHandle.standardError.write(Data($0.utf8)) }
    }

    public func batchEnded(_ report: BatchReport) {
        guard isTerminal else { return }
        let isLast = report.samplesDone >= report.samples
        if report.seconds < lastDrawn { lastDrawn = -1 }
        guard isLast || report.seconds - lastDrawn >= 0.1 else { return }
        lastDrawn = report.seconds
        needsErase = true
        write("\r\u{1B}[K" + Self.line(report))
    }

    public func epochEnded(_ report: EpochReport, model: any Layer) {
        if needsErase { write("\r\u{1B}[K") }
        needsErase = false
    }

    /// `epoch 2/3 [=====>    ]  51 %  loss 0.0831  accuracy 0.9741  38200/s  0:04 left`
    static func line(_ report: BatchReport) -> String {
        let share = report.samples == 0 ? 1 : Double(report.samplesDone) / Double(report.samples)
        let width = 24
        let filled = min(Int(share * Double(width)), width)
        let bar = String(repeating: "=", count: filled) + (filled < width ? ">" : "")
        let rate = Double(report.samplesDone) / max(report.seconds, 1e-9)
        let left = Double(report.samples - report.samplesDone) / max(rate, 1e-9)
        return "epoch \(report.epoch)/\(report.epochs) [\(bar.padding(toLength: width, withPad: " ", startingAt: 0))] "
            + String(
                format: "%3.0f %%  loss %.4f  accuracy %.4f  %.0f/s  ", share * 100, report.loss, report.accuracy, rate)
            + "\(clock(left)) left"
    }

    private static func clock(_ seconds: Double) -> String {
        let whole = Int(seconds.rounded(.up))
        return "\(whole / 60):" + String(format: "%02d", whole % 60)
    }
}
