import ArgumentParser
import ChainRule
import ChainRuleData
import ChainRuleNN
import ChainRuleTraining
import Foundation

struct Train: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Trains a classifier and tests it after each epoch.",
        discussion: """
            The five steps: data, model, loss, training, test. Progress goes to standard error, results to standard output; the last line is
            the result of the test. Ctrl-C ends training after the current batch; what --out holds is the model of the last whole epoch.
            """)

    enum OptimizerKind: String, CaseIterable, ExpressibleByArgument, Codable { case sgd, adam, adamw }

    @OptionGroup var source: DataOptions

    @Option(help: "The architecture.")
    var model: Architecture = .mlp

    @Option(help: "What is minimised.")
    var loss: Objective = .nll

    @Option(help: "How the parameters are changed.")
    var optimizer: OptimizerKind = .sgd

    @Option(help: "How many times the data are gone through.")
    var epochs = 5

    @Option(help: "How many samples make a step.")
    var batchSize = 64

    @Option(help: "The size of a step. (default: 0.02 for sgd, 0.001 for adam and adamw)")
    var learningRate: Double?

    @Option(help: "How the learning rate goes over the run: linear falls to 0 at its end.")
    var decay: LearningRateDecay = .linear

    @Option(help: "The momentum of sgd.")
    var momentum = 0.9

    @Option(help: "How strongly parameters are drawn to zero. (default: 0, for adamw 0.01)")
    var weightDecay: Double?

    @Option(help: "Draws the first weights and the order of the samples; equal seeds give equal runs.")
    var seed: UInt64 = 0

    @Option(help: "How many threads share the work. The result does not depend on it.")
    var threads: Int?

    @Option(help: "A directory to make for the model, the log and the configuration.")
    var out: String?

    func validate() throws {
        try require(epochs >= 1, "--epochs must be 1 or more.")
        try require(batchSize >= 1, "--batch-size must be 1 or more.")
        try require(learningRate.map { $0 > 0 && $0.isFinite } ?? true, "--learning-rate must be above 0.")
        try require(momentum >= 0 && momentum < 1, "--momentum must be from 0 up to 1.")
        try require(weightDecay.map { $0 >= 0 && $0.isFinite } ?? true, "--weight-decay must not be negative.")
        try require(threads.map { $0 >= 1 } ?? true, "--threads must be 1 or more.")
    }

    private func require(_ holds: Bool, _ message: String) throws {
        if !holds { throw ValidationError(message) }
    }

    func run() throws {
        if let threads { Machine.threadCount = threads }
        if let out, FileManager.default.fileExists(atPath: out) { throw RunDirectory.alreadyExists(out) }
        let clock = ContinuousClock()

        // 1. Data
        let raw = try source.load(seed: seed)
        let normalization = Normalization(of: raw.train)
        let data = raw.normalized(by: normalization)
        let train = DataLoader(data.train, batchSize: batchSize, shuffleSeed: seed)
        let test = DataLoader(data.test, batchSize: 256)

        // 2. Model
        manualSeed(seed)
        let network = try model.makeModel(inputShape: data.inputShape, classes: data.classNames.count)
        print(
            "data   \(data.name): \(data.train.count) to train on, \(data.test.count) to test, \(data.classNames.count) classes"
        )
        print("model  \(network)")

        // 3. Loss, and what makes it smaller
        let rate = learningRate ?? (optimizer == .sgd ? 0.02 : 0.001)
        let parameterDecay = weightDecay ?? (optimizer == .adamw ? 0.01 : 0)
        let steps = makeOptimizer(network.parameters, rate, parameterDecay)
        print(
            "loss   \(loss.rawValue), \(optimizer.rawValue) with learning rate \(rate)\(decay == .linear ? " falling to 0" : ""), \(Machine.threadCount) threads, \(Machine.instructionSet)"
        )

        // 4. Training, with a test after each epoch
        let directory = try out.map { try makeDirectory($0, data, normalization, rate, parameterDecay) }
        var observers: [any TrainingObserver] = [ProgressBar(), EpochLines(epochs: epochs)]
        if let directory { observers.append(directory) }
        let trainer = Trainer(
            model: network, objective: loss, optimizer: steps, decay: decay, classNames: data.classNames,
            observers: observers)
        let start = clock.now
        let interrupt = Interrupt()
        let reports = try trainer.fit(train: train, test: test, epochs: epochs) { interrupt.isPending }
        if interrupt.isPending {
            directory?.discardIfEmpty()
            let saved = reports.isEmpty ? "no epoch was finished" : "the model of epoch \(reports.count) is kept"
            printError("interrupted; \(saved).")
            throw ExitCode(130)
        }

        // 5. Test
        let result = Evaluation.run(network, loss, on: test, classNames: data.classNames)
        printResult(result, seconds: (clock.now - start).seconds)
    }

    private func makeOptimizer(_ parameters: [Tensor], _ rate: Double, _ decay: Double) -> any Optimizer {
        switch optimizer {
        case .sgd: SGD(parameters, learningRate: rate, momentum: momentum, weightDecay: decay)
        case .adam: Adam(parameters, learningRate: rate, weightDecay: decay)
        case .adamw: AdamW(parameters, learningRate: rate, weightDecay: decay)
        }
    }

    private struct Configuration: Encodable {
        let data: String
        let model: Architecture
        let loss: Objective
        let optimizer: OptimizerKind
        let epochs, batchSize: Int
        let learningRate: Double
        let decay: LearningRateDecay
        let momentum, weightDecay: Double
        let seed: UInt64
        let threads: Int
    }

    private func makeDirectory(
        _ path: String, _ data: ClassificationData, _ normalization: Normalization, _ rate: Double,
        _ parameterDecay: Double
    ) throws -> RunDirectory {
        let description = ModelFile.Description(
            architecture: model, objective: loss, inputShape: data.inputShape, classNames: data.classNames,
            normalization: normalization, trainedOn: data.name)
        return try RunDirectory(
            path: path, description: description,
            configuration: Configuration(
                data: source.data, model: model, loss: loss, optimizer: optimizer, epochs: epochs, batchSize: batchSize,
                learningRate: rate, decay: decay, momentum: momentum, weightDecay: parameterDecay, seed: seed,
                threads: Machine.threadCount))
    }
}

extension Architecture: ExpressibleByArgument {}
extension Objective: ExpressibleByArgument {}
extension LearningRateDecay: ExpressibleByArgument {}

/// One line an epoch on standard output.
private final class EpochLines: TrainingObserver {
    private let epochs: Int

    init(epochs: Int) { self.epochs = epochs }

    func epochEnded(_ report: EpochReport, model: any Layer) {
        print(
            "epoch \(report.epoch)/\(epochs)  loss \(fixed(report.trainLoss, 4))  train accuracy \(fixed(report.trainAccuracy, 4))"
                + "  test accuracy \(fixed(report.testAccuracy, 4))  \(fixed(report.seconds, 1)) s  \(fixed(report.samplesPerSecond, 0))/s"
        )
        fflush(nil)
    }
}

/// The confusion matrix, and the line that scripts read.
func printResult(_ result: Evaluation, seconds: Double) {
    print("")
    print(result.confusion)
    print("")
    print(
        "test accuracy \(fixed(result.confusion.accuracy, 4))  loss \(fixed(result.loss, 4))  seconds \(fixed(seconds, 1))"
    )
}
