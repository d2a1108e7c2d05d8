import ChainRule
import ChainRuleData
import ChainRuleNN

/// What one epoch came to.
public struct EpochReport: Sendable, Codable {
    /// Counted from 1.
    public let epoch: Int
    /// The mean over the epoch's samples, each at the time it was trained on.
    public let trainLoss, trainAccuracy: Double
    public let testLoss, testAccuracy: Double
    /// Training alone, without the test.
    public let seconds: Double
    public let samplesPerSecond: Double
}

/// How far an epoch is.
public struct BatchReport: Sendable {
    public let epoch, epochs: Int
    public let samplesDone, samples: Int
    /// Means over the epoch so far.
    public let loss, accuracy: Double
    public let seconds: Double
}

/// Watches a training run: progress bars, logs, checkpoints.
public protocol TrainingObserver: AnyObject {
    func batchEnded(_ report: BatchReport)
    func epochEnded(_ report: EpochReport, model: any Layer) throws
}

extension TrainingObserver {
    public func batchEnded(_ report: BatchReport) {}
    public func epochEnded(_ report: EpochReport, model: any Layer) throws {}
}

/// How the learning rate goes over a run.
public enum LearningRateDecay: String, Sendable, Codable, CaseIterable {
    case none
    /// Falls in a straight line from the optimiser's rate at the first step to nearly 0 at the last, so that the last steps settle
    /// where larger ones would go on jumping about.
    case linear

    /// What the rate is multiplied by at step `step` of `steps`, counted from 0.
    func factor(step: Int, of steps: Int) -> Double {
        switch self {
        case .none: 1
        case .linear: 1 - Double(step) / Double(max(steps, 1))
        }
    }
}

/// Trains a classifier and tests it after each epoch.
public final class Trainer {
    public let model: any Layer
    public let objective: Objective
    public let optimizer: any Optimizer
    public let decay: LearningRateDecay
    public let classNames: [String]
    private let observers: [any TrainingObserver]

    public init(
        model: any Layer, objective: Objective, optimizer: any Optimizer, decay: LearningRateDecay = .none,
        classNames: [String], observers: [any TrainingObserver] = []
    ) {
        self.model = model
        self.objective = objective
        self.optimizer = optimizer
        self.decay = decay
        self.classNames = classNames
        self.observers = observers
    }

    /// Runs `epochs` epochs, or until `shouldStop` answers true between two batches; the epoch it interrupts is not reported.
    @discardableResult
    public func fit(
        train: DataLoader, test: DataLoader, epochs: Int, shouldStop: () -> Bool = { false }
    ) throws -> [EpochReport] {
        var reports: [EpochReport] = []
        let learningRate = optimizer.learningRate
        defer { optimizer.learningRate = learningRate }
        var step = 0
        let steps = max(epochs, 1) * train.batchCount
        let adjustRate = { [optimizer, decay] in
            optimizer.learningRate = learningRate * decay.factor(step: step, of: steps)
            step += 1
        }
        for epoch in 1...max(epochs, 1) {
            guard let training = trainEpoch(epoch, of: epochs, on: train, adjustRate, shouldStop) else { break }
            let tested = Evaluation.run(model, objective, on: test, classNames: classNames)
            let report = EpochReport(
                epoch: epoch, trainLoss: training.loss, trainAccuracy: training.accuracy, testLoss: tested.loss,
                testAccuracy: tested.confusion.accuracy, seconds: training.seconds,
                samplesPerSecond: Double(training.samples) / max(training.seconds, 1e-9))
            for observer in observers { try observer.epochEnded(report, model: model) }
            reports.append(report)
        }
        return reports
    }

    /// One pass over the data; nil when it was stopped.
    private func trainEpoch(
        _ epoch: Int, of epochs: Int, on loader: DataLoader, _ adjustRate: () -> Void, _ shouldStop: () -> Bool
    ) -> RunningMeans? {
        model.train()
        let clock = ContinuousClock()
        let start = clock.now
        var means = RunningMeans()
        for (input, target) in loader.epoch(epoch - 1) {
            if shouldStop() { return nil }
            optimizer.zeroGrad()
            let scores = model(input)
            let loss = objective.loss(scores, target)
            loss.backward()
            adjustRate()
            optimizer.step()
            means.add(scores: scores.detach(), target: target, loss: loss.item())
            means.seconds = (clock.now - start).seconds
            let report = BatchReport(
                epoch: epoch, epochs: epochs, samplesDone: means.samples, samples: loader.sampleCount,
                loss: means.loss, accuracy: means.accuracy, seconds: means.seconds)
            for observer in observers { observer.batchEnded(report) }
        }
        return means
    }
}

/// A classifier on a test set.
public struct Evaluation: Sendable {
    /// The mean over all samples.
    public let loss: Double
    public let confusion: ConfusionMatrix

    /// Runs the model in evaluation mode, unrecorded.
    public static func run(_ model: any Layer, _ objective: Objective, on loader: DataLoader, classNames: [String])
        -> Evaluation
    {
        let wasTraining = model.isTraining
        model.eval()
        defer { model.train(wasTraining) }
        var means = RunningMeans()
        var confusion = ConfusionMatrix(classNames: classNames)
        for (input, target) in loader.epoch(0) {
            let scores = withoutGradient { model(input) }
            means.add(scores: scores, target: target, loss: withoutGradient { objective.loss(scores, target) }.item())
            confusion.add(scores: scores, targets: target)
        }
        return Evaluation(loss: means.loss, confusion: confusion)
    }
}

/// Means over the samples seen so far.
private struct RunningMeans {
    private var lossSum = 0.0
    private var correct = 0
    private(set) var samples = 0
    var seconds = 0.0

    var loss: Double {
        let mean = samples == 0 ? 0 : lossSum / Double(samples)
        // The sign of a NaN says nothing, and would be printed.
        return mean.isNaN ? .nan : mean
    }
    var accuracy: Double { samples == 0 ? 0 : Double(correct) / Double(samples) }

    mutating func add(scores: Tensor, target: Tensor, loss: Double) {
        let count = target.count
        samples += count
        lossSum += loss * Double(count)
        correct += Int((scores.argmax(dim: -1) .== target).sum().item())
    }
}

extension Duration {
    /// The whole duration in seconds.
    public var seconds: Double {
        Double(components.seconds) + Double(components.attoseconds) * 1e-18
    }
}
