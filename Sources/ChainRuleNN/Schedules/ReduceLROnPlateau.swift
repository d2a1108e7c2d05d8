import ChainRule

/// Lowers the learning rate when a metric has stopped to improve.
///
/// ```swift
/// let scheduler = ReduceLROnPlateau(optimizer, factor: 0.5, patience: 3)
/// scheduler.step(validationLoss)      // after each epoch
/// ```
public final class ReduceLROnPlateau {
    public enum Mode: Sendable {
        /// Lower is better, or higher.
        case minimum, maximum
    }

    /// By how much a metric must beat the best so far.
    public enum Threshold: Sendable {
        /// A share of the best.
        case relative(Double)
        case absolute(Double)
    }

    public let optimizer: any Optimizer
    public let mode: Mode
    public let factor: Double
    public let patience, cooldown: Int
    public let threshold: Threshold
    public let minimumRates: [Double]
    public let smallestChange: Double

    private var best: Double
    private var badEpochs = 0
    private var remainingCooldown = 0

    /// - Parameters:
    ///   - factor: What the rate is multiplied with, below 1.
    ///   - patience: The number of epochs without improvement that are borne.
    ///   - cooldown: The number of epochs after a change in which none counts as bad.
    ///   - minimumRates: The rates are never set below: one for all groups of parameters, or one for each.
    ///   - smallestChange: A smaller change is not made.
    public init(
        _ optimizer: any Optimizer, mode: Mode = .minimum, factor: Double = 0.1, patience: Int = 10,
        threshold: Threshold = .relative(1e-4), cooldown: Int = 0, minimumRates: [Double] = [0],
        smallestChange: Double = 1e-8
    ) {
        self.optimizer = optimizer
        self.mode = mode
        self.factor = factor
        self.patience = patience
        self.cooldown = cooldown
        self.threshold = threshold
        self.minimumRates = minimumRates
        self.smallestChange = smallestChange
        best = mode == .minimum ? .infinity : -.infinity
        if minimumRates.count != 1 && minimumRates.count != optimizer.learningRates.count {
            fail("ReduceLROnPlateau", "\(minimumRates.count) least rates for \(optimizer.learningRates.count) groups")
        }
        if factor >= 1 { fail("ReduceLROnPlateau", "the factor must be below 1, it is \(factor)") }
    }

    /// Takes note of the metric of an epoch.
    public func step(_ metric: Double) {
        if isBetter(metric) {
            best = metric
            badEpochs = 0
        } else {
            badEpochs += 1
        }
        if remainingCooldown > 0 {
            remainingCooldown -= 1
            badEpochs = 0
        }
        guard badEpochs > patience else { return }
        optimizer.learningRates = optimizer.learningRates.enumerated().map { group, rate in
            let lower = max(rate * factor, minimumRates[minimumRates.count == 1 ? 0 : group])
            return rate - lower > smallestChange ? lower : rate
        }
        remainingCooldown = cooldown
        badEpochs = 0
    }

    private func isBetter(_ metric: Double) -> Bool {
        switch (mode, threshold) {
        case (.minimum, .relative(let share)): metric < best * (1 - share)
        case (.minimum, .absolute(let distance)): metric < best - distance
        case (.maximum, .relative(let share)): metric > best * (1 + share)
        case (.maximum, .absolute(let distance)): metric > best + distance
        }
    }

    /// What it has seen, and the present rates: enough to go on.
    public var state: [String: Tensor] {
        [
            "best": Tensor(best, dtype: .float64), "num_bad_epochs": Tensor(badEpochs),
            "cooldown_counter": Tensor(remainingCooldown), "lrs": Tensor(optimizer.learningRates),
        ]
    }

    public func load(state: [String: Tensor]) throws {
        guard let best = state["best"], let bad = state["num_bad_epochs"], let cooldown = state["cooldown_counter"],
            let rates = state["lrs"], rates.count == optimizer.learningRates.count
        else { throw StateError(description: "the state is not one of ReduceLROnPlateau for this optimiser") }
        (self.best, badEpochs, remainingCooldown) = (best.item(), bad.item(Int.self), cooldown.item(Int.self))
        optimizer.learningRates = rates.toArray(of: Double.self)
    }
}
