import ChainRule

/// How a learning rate goes on, epoch after epoch. A schedule is a plain value; `Scheduler` applies it to an optimiser.
///
/// As in PyTorch most schedules compute the next rate from the last one, so that several can be chained, and one can be changed by hand
/// on the way.
public protocol Schedule: Sendable {
    /// The learning rate of an epoch from that of the one before.
    ///
    /// - Parameters:
    ///   - current: The rate of the epoch before; in epoch 0, the optimiser's.
    ///   - epoch: The number of the epoch, from 0.
    ///   - base: The rate the optimiser was made with.
    func learningRate(after current: Double, epoch: Int, base: Double) -> Double
    /// The rate of epoch 0 when another schedule has run before (`SequentialLR`).
    func restart(after current: Double, base: Double) -> Double
    /// The momentum of an epoch, where the schedule moves it too.
    func momentum(epoch: Int) -> Double?
}

extension Schedule {
    public func restart(after current: Double, base: Double) -> Double {
        learningRate(after: base, epoch: 0, base: base)
    }

    public func momentum(epoch: Int) -> Double? { nil }
}

/// Moves the learning rates of an optimiser along a schedule.
///
/// ```swift
/// let scheduler = Scheduler(optimizer, CosineAnnealingLR(period: 100))
/// for epoch in 0..<100 {
///     trainOneEpoch()
///     scheduler.step()
/// }
/// ```
public final class Scheduler {
    public let optimizer: any Optimizer
    /// One for each group of the optimiser.
    public let schedules: [any Schedule]
    /// The epoch whose rates the optimiser has now, from 0.
    public private(set) var epoch = 0
    private var baseRates: [Double]

    /// Gives the optimiser the rates of epoch 0.
    public convenience init(_ optimizer: any Optimizer, _ schedule: any Schedule) {
        self.init(optimizer, perGroup: optimizer.learningRates.map { _ in schedule })
    }

    /// A schedule of its own for each group.
    public init(_ optimizer: any Optimizer, perGroup schedules: [any Schedule]) {
        self.optimizer = optimizer
        self.schedules = schedules
        baseRates = optimizer.learningRates
        if schedules.count != baseRates.count {
            fail("Scheduler", "\(schedules.count) schedules do not fit an optimiser of \(baseRates.count) groups")
        }
        apply()
    }

    /// Goes on to the next epoch.
    public func step() {
        epoch += 1
        apply()
    }

    private func apply() {
        let current = optimizer.learningRates
        guard current.count == schedules.count else {
            fail("Scheduler", "the optimiser has \(current.count) groups now, the scheduler \(schedules.count)")
            return
        }
        optimizer.learningRates = schedules.indices.map { index in
            schedules[index].learningRate(after: current[index], epoch: epoch, base: baseRates[index])
        }
        setMomenta()
    }

    private func setMomenta() {
        for (index, schedule) in schedules.enumerated() {
            if let momentum = schedule.momentum(epoch: epoch) { optimizer.setMomentum(momentum, ofGroup: index) }
        }
    }

    /// The epoch, the rates the schedule began from and the present ones: enough to go on.
    public var state: [String: Tensor] {
        ["epoch": Tensor(epoch), "base_lrs": Tensor(baseRates), "lrs": Tensor(optimizer.learningRates)]
    }

    /// Goes back to a saved epoch, and gives the optimiser its rates.
    public func load(state: [String: Tensor]) throws {
        guard let epoch = state["epoch"], let base = state["base_lrs"], let current = state["lrs"],
            base.count == schedules.count, current.count == schedules.count
        else { throw StateError(description: "the state is not one of a scheduler of \(schedules.count) groups") }
        self.epoch = epoch.item(Int.self)
        baseRates = base.toArray(of: Double.self)
        optimizer.learningRates = current.toArray(of: Double.self)
        setMomenta()
    }
}

extension Optimizer {
    fileprivate func setMomentum(_ momentum: Double, ofGroup index: Int) {
        if groups[index].options.cycledMomentum == nil {
            fail("Scheduler", "\(type(of: self)) has no momentum that a schedule could move")
        }
        groups[index].options.cycledMomentum = momentum
    }
}
