import ChainRule

/// rate · gamma, every `stepSize` epochs.
public struct StepLR: Schedule {
    public let stepSize: Int
    public let gamma: Double

    public init(stepSize: Int, gamma: Double = 0.1) {
        self.stepSize = max(stepSize, 1)
        self.gamma = gamma
        if stepSize < 1 { fail("StepLR", "the step size must be at least 1, it is \(stepSize)") }
    }

    public func learningRate(after current: Double, epoch: Int, base: Double) -> Double {
        epoch > 0 && epoch % stepSize == 0 ? current * gamma : current
    }
}

/// rate · gamma at each milestone; a milestone given twice counts twice.
public struct MultiStepLR: Schedule {
    public let milestones: [Int]
    public let gamma: Double

    public init(milestones: [Int], gamma: Double = 0.1) {
        self.milestones = milestones
        self.gamma = gamma
    }

    public func learningRate(after current: Double, epoch: Int, base: Double) -> Double {
        milestones.reduce(current) { $1 == epoch ? $0 * gamma : $0 }
    }
}

/// base · factor during the first `totalIterations` epochs.
public struct ConstantLR: Schedule {
    public let factor: Double
    public let totalIterations: Int

    public init(factor: Double = 1.0 / 3, totalIterations: Int = 5) {
        self.factor = factor
        self.totalIterations = totalIterations
        if !(0...1).contains(factor) { fail("ConstantLR", "the factor must be from 0 to 1, it is \(factor)") }
    }

    public func learningRate(after current: Double, epoch: Int, base: Double) -> Double {
        if epoch == 0 { return current * factor }
        return epoch == totalIterations ? current / factor : current
    }

    public func restart(after current: Double, base: Double) -> Double { totalIterations > 0 ? base * factor : base }
}

/// base · factor, the factor going from `startFactor` to `endFactor` on a straight line during the first `totalIterations` epochs.
public struct LinearLR: Schedule {
    public let startFactor, endFactor: Double
    public let totalIterations: Int

    public init(startFactor: Double = 1.0 / 3, endFactor: Double = 1, totalIterations: Int = 5) {
        self.startFactor = startFactor
        self.endFactor = endFactor
        self.totalIterations = totalIterations
        if !(startFactor > 0 && startFactor <= 1 && endFactor >= 0 && endFactor <= 1) {
            fail("LinearLR", "the factors must be above 0 and up to 1, they are \(startFactor) and \(endFactor)")
        }
    }

    public func learningRate(after current: Double, epoch: Int, base: Double) -> Double {
        if epoch == 0 { return current * startFactor }
        if epoch > totalIterations { return current }
        let rise = endFactor - startFactor
        return current * (1 + rise / (Double(totalIterations) * startFactor + Double(epoch - 1) * rise))
    }
}

/// rate · gamma, every epoch.
public struct ExponentialLR: Schedule {
    public let gamma: Double

    public init(gamma: Double) { self.gamma = gamma }

    public func learningRate(after current: Double, epoch: Int, base: Double) -> Double {
        epoch == 0 ? current : current * gamma
    }
}

/// base · (1 − epoch / totalIterations)^power, then zero.
public struct PolynomialLR: Schedule {
    public let totalIterations: Int
    public let power: Double

    public init(totalIterations: Int = 5, power: Double = 1) {
        self.totalIterations = totalIterations
        self.power = power
    }

    public func learningRate(after current: Double, epoch: Int, base: Double) -> Double {
        if epoch == 0 || epoch > totalIterations { return current }
        let total = Double(totalIterations)
        let share = (1 - Double(epoch) / total) / (1 - Double(epoch - 1) / total)
        return current * ChainRuleNN.power(share, power)
    }
}

/// base · factor(epoch).
public struct LambdaLR: Schedule {
    public let factor: @Sendable (Int) -> Double

    public init(_ factor: @escaping @Sendable (Int) -> Double) { self.factor = factor }

    public func learningRate(after current: Double, epoch: Int, base: Double) -> Double { base * factor(epoch) }
}

/// rate · factor(epoch), from epoch 1 on.
public struct MultiplicativeLR: Schedule {
    public let factor: @Sendable (Int) -> Double

    public init(_ factor: @escaping @Sendable (Int) -> Double) { self.factor = factor }

    public func learningRate(after current: Double, epoch: Int, base: Double) -> Double {
        epoch == 0 ? current : current * factor(epoch)
    }

    public func restart(after current: Double, base: Double) -> Double { current * factor(0) }
}
