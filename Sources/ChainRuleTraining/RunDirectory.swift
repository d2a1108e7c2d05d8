import ChainRuleData
import ChainRuleNN
import Foundation

/// The directory a training run leaves behind: `model.safetensors`, `log.csv`, `log.jsonl`, `config.json`. Every file is whole at
/// any time, and a run that fails before its first epoch ended leaves no directory.
public final class RunDirectory: TrainingObserver {
    public let path: String
    private let description: ModelFile.Description
    private var reports: [EpochReport] = []

    public var modelPath: String { path + "/model.safetensors" }

    /// Makes the directory, which must not exist, and writes the configuration.
    public init(path: String, description: ModelFile.Description, configuration: some Encodable) throws {
        self.path = path
        self.description = description
        guard !FileManager.default.fileExists(atPath: path) else { throw Self.alreadyExists(path) }
        do {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        } catch {
            throw ModelError("the output directory \(path) cannot be made: \(error.localizedDescription)")
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        do {
            try AtomicFile.write(try encoder.encode(configuration) + Data("\n".utf8), to: path + "/config.json")
        } catch {
            discardIfEmpty()
            throw error
        }
    }

    /// What is wrong with an output directory that is there already.
    public static func alreadyExists(_ path: String) -> ModelError {
        ModelError("the output directory \(path) exists; name another one or remove it")
    }

    public func epochEnded(_ report: EpochReport, model: any Layer) throws {
        do {
            try ModelFile(description: description, model: model).write(to: modelPath)
            reports.append(report)
            try AtomicFile.write(Data(csv.utf8), to: path + "/log.csv")
            try AtomicFile.write(try jsonLines(), to: path + "/log.jsonl")
        } catch {
            discardIfEmpty()
            throw error
        }
    }

    /// Removes the directory when no epoch has been saved in it.
    public func discardIfEmpty() {
        if !FileManager.default.fileExists(atPath: modelPath) { try? FileManager.default.removeItem(atPath: path) }
    }

    private var csv: String {
        let header = "epoch,train_loss,train_accuracy,test_loss,test_accuracy,seconds,samples_per_second\n"
        return header
            + reports.map {
                "\($0.epoch),\($0.trainLoss),\($0.trainAccuracy),\($0.testLoss),\($0.testAccuracy),\($0.seconds),\($0.samplesPerSecond)\n"
            }.joined()
    }

    private func jsonLines() throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        // JSON has no such numbers, and a run that diverges still has a log; the names are those of log.csv.
        encoder.nonConformingFloatEncodingStrategy = .convertToString(
            positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
        return try reports.reduce(into: Data()) { $0 += try encoder.encode($1) + Data("\n".utf8) }
    }
}
