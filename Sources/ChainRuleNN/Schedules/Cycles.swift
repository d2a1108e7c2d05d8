import ChainRule

/// Half a cosine from the base rate down to `minimum` in `period` epochs, and up again in the next
/// (Loshchilov and Hutter 2016, arXiv 1608.03983, without restarts):
///
///     minimum + (base − minimum) (1 + cos(π epoch / period)) / 2
public struct CosineAnnealingLR: Schedule {
    public let period: Int
    public let minimum: Double

    public init(period: Int, minimum: Double = 0) {
        self.period = max(period, 1)
        self.minimum = minimum
        if period < 1 { fail("CosineAnnealingLR", "the period must be at least 1, it is \(period)") }
    }

    public func learningRate(after current: Double, epoch: Int, base: Double) -> Double {
        if epoch == 0 { return current }
        let step = Double.pi / Double(period)
        // At the bottom the rate does not tell where it came from.
        if (epoch - 1 - period) % (2 * period) == 0 {
            return current + (base - minimum) * (1 - cosine(step)) / 2
        }
        let share = (1 + cosine(step * Double(epoch))) / (1 + cosine(step * Double(epoch - 1)))
        return share * (current - minimum) + minimum
    }
}

/// Half a cosine from the base rate down to `minimum`, again and again, each time `growth` times as long as before
/// (Loshchilov and Hutter 2016, arXiv 1608.03983).
public struct CosineAnnealingWarmRestarts: Schedule {
    public let firstPeriod, growth: Int
    public let minimum: Double

    public init(firstPeriod: Int, growth: Int = 1, minimum: Double = 0) {
        self.firstPeriod = max(firstPeriod, 1)
        self.growth = max(growth, 1)
        self.minimum = minimum
        if firstPeriod < 1 || growth < 1 {
            fail("CosineAnnealingWarmRestarts", "period \(firstPeriod) and growth \(growth) must be at least 1")
        }
    }

    public func learningRate(after current: Double, epoch: Int, base: Double) -> Double {
        var (start, period) = growth == 1 ? (epoch - epoch % firstPeriod, firstPeriod) : (0, firstPeriod)
        while epoch - start >= period {
            start += period
            period *= growth
        }
        return minimum + (base - minimum) * (1 + cosine(.pi * Double(epoch - start) / Double(period))) / 2
    }
}

/// A rate that rises from `base` to `maximum` in `stepsUp` steps and falls back in `stepsDown`, again and again, the height of the rise
/// given by the mode (Smith 2015, arXiv 1506.01186). The momentum goes the other way, if it is cycled.
public struct CyclicLR: Schedule {
    /// The height of a rise, as a share of maximum − base.
    public enum Mode: Sendable {
        /// Always 1.
        case triangular
        /// Half as high in each cycle: 2^(1 − cycle).
        case triangular2
        /// gammaⁿ at step n.
        case exponential(gamma: Double)
        /// A function of the number of the cycle, from 1.
        case byCycle(@Sendable (Int) -> Double)
        /// A function of the number of the step, from 0.
        case byStep(@Sendable (Int) -> Double)
    }

    public let base, maximum: Double
    public let stepsUp, stepsDown: Int
    public let mode: Mode
    /// Nil when the momentum stays as it is.
    public let momentumRange: ClosedRange<Double>?

    public init(
        base: Double, maximum: Double, stepsUp: Int = 2000, stepsDown: Int? = nil, mode: Mode = .triangular,
        momentumRange: ClosedRange<Double>? = 0.8...0.9
    ) {
        self.base = base
        self.maximum = maximum
        self.stepsUp = max(stepsUp, 1)
        self.stepsDown = max(stepsDown ?? stepsUp, 0)
        self.mode = mode
        self.momentumRange = momentumRange
        if stepsUp < 1 || stepsDown ?? 0 < 0 {
            fail(
                "CyclicLR",
                "needs at least one step up and none or more down, got \(stepsUp) and \(stepsDown ?? stepsUp)")
        }
    }

    public func learningRate(after current: Double, epoch: Int, base _: Double) -> Double {
        base + (maximum - base) * height(epoch)
    }

    public func momentum(epoch: Int) -> Double? {
        momentumRange.map { $0.upperBound - ($0.upperBound - $0.lowerBound) * height(epoch) }
    }

    /// How far up the rate is at a step.
    private func height(_ step: Int) -> Double {
        let period = stepsUp + stepsDown
        let place = Double(step % period)
        let rise = step % period <= stepsUp ? place / Double(stepsUp) : (Double(period) - place) / Double(stepsDown)
        switch mode {
        case .triangular: return rise
        case .triangular2: return rise * power(2, -Double(step / period))
        case .exponential(let gamma): return rise * power(gamma, Double(step))
        case .byCycle(let scale): return rise * scale(1 + step / period)
        case .byStep(let scale): return rise * scale(step)
        }
    }
}

/// One rise from `maximum / startDivisor` to `maximum` during the share `rise` of the steps, then one fall to the start divided by `endDivisor`,
/// in three phases with a way back to the start between (Smith and Topin 2017, arXiv 1708.07120). The momentum goes the other way.
/// One step for each batch.
public struct OneCycleLR: Schedule {
    public enum Shape: Sendable {
        case cosine, linear
    }

    public let maximum: Double
    public let totalSteps: Int
    public let shape: Shape
    public let momentumRange: ClosedRange<Double>?
    private let start, end: Double
    /// Where each phase ends, and how far up the rate is there: 1 at the maximum, 0 at the start, −1 at the end.
    private let phases: [(end: Double, level: Int)]

    public init(
        maximum: Double, totalSteps: Int, rise: Double = 0.3, shape: Shape = .cosine,
        momentumRange: ClosedRange<Double>? = 0.85...0.95, startDivisor: Double = 25, endDivisor: Double = 1e4,
        threePhases: Bool = false
    ) {
        self.maximum = maximum
        self.totalSteps = totalSteps
        self.shape = shape
        self.momentumRange = momentumRange
        start = maximum / startDivisor
        end = start / endDivisor
        let risen = rise * Double(totalSteps)
        let last = (end: Double(totalSteps - 1), level: -1)
        phases = threePhases ? [(risen - 1, 1), (2 * risen - 2, 0), last] : [(risen - 1, 1), last]
        if totalSteps < 1 || !(0...1).contains(rise) {
            fail("OneCycleLR", "needs at least one step and a rise from 0 to 1, got \(totalSteps) and \(rise)")
        }
    }

    public func learningRate(after current: Double, epoch: Int, base: Double) -> Double {
        if epoch > totalSteps { fail("OneCycleLR", "step \(epoch) is beyond the \(totalSteps) steps there are") }
        return between(epoch) { $0 > 0 ? maximum : $0 == 0 ? start : end }
    }

    public func momentum(epoch: Int) -> Double? {
        momentumRange.map { range in between(epoch) { $0 > 0 ? range.lowerBound : range.upperBound } }
    }

    /// The value at a step, given those at the ends of its phase.
    private func between(_ step: Int, _ value: (Int) -> Double) -> Double {
        var (from, level) = (0.0, 0)
        for phase in phases {
            if Double(step) <= phase.end || phase.level < 0 {
                let share = (Double(step) - from) / (phase.end - from)
                let (first, last) = (value(level), value(phase.level))
                switch shape {
                case .cosine: return last + (first - last) / 2 * (cosine(.pi * share) + 1)
                case .linear: return first + (last - first) * share
                }
            }
            (from, level) = (phase.end, phase.level)
        }
        return value(level)
    }
}
