import ChainRule

/// Several schedules at once: each goes on from the rate the one before it gives.
public struct ChainedScheduler: Schedule {
    public let schedules: [any Schedule]

    public init(_ schedules: [any Schedule]) {
        self.schedules = schedules
        if schedules.isEmpty { fail("ChainedScheduler", "needs at least one schedule") }
    }

    public func learningRate(after current: Double, epoch: Int, base: Double) -> Double {
        schedules.reduce(current) { $1.learningRate(after: $0, epoch: epoch, base: base) }
    }

    public func momentum(epoch: Int) -> Double? { schedules.reversed().firstNonNil { $0.momentum(epoch: epoch) } }
}

/// One schedule after the other. Each begins anew, from the base rate, at its milestone.
public struct SequentialLR: Schedule {
    public let schedules: [any Schedule]
    public let milestones: [Int]

    /// - Parameter milestones: The epochs at which the second, third, ... schedule begins; one fewer than schedules.
    public init(_ schedules: [any Schedule], milestones: [Int]) {
        self.schedules = schedules
        self.milestones = milestones
        if milestones.count != schedules.count - 1 {
            fail("SequentialLR", "\(schedules.count) schedules need one milestone fewer, not \(milestones.count)")
        }
    }

    public func learningRate(after current: Double, epoch: Int, base: Double) -> Double {
        guard let (schedule, since) = running(epoch) else { return current }
        if since == 0 && epoch > 0 { return schedule.restart(after: current, base: base) }
        return schedule.learningRate(after: current, epoch: since, base: base)
    }

    public func momentum(epoch: Int) -> Double? {
        guard let (schedule, since) = running(epoch) else { return nil }
        return schedule.momentum(epoch: since)
    }

    /// The schedule that runs in an epoch, and for how many it has. Nil when there are too few.
    private func running(_ epoch: Int) -> (any Schedule, Int)? {
        let index = milestones.count { $0 <= epoch }
        guard index < schedules.count else { return nil }
        return (schedules[index], index == 0 ? epoch : epoch - milestones[index - 1])
    }
}

extension Sequence {
    fileprivate func firstNonNil<Result>(_ transform: (Element) -> Result?) -> Result? {
        for element in self {
            if let result = transform(element) { return result }
        }
        return nil
    }
}
