import ChainRule
import ChainRuleNN
import Testing

/// A schedule from 0.1, and the rates PyTorch gives it.
private struct Row: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let rates: [Double]
    let schedule: any Schedule

    init(_ name: String, _ rates: [Double], _ schedule: any Schedule) {
        testDescription = name
        self.rates = rates
        self.schedule = schedule
    }
}

private let rows = [
    Row(
        "a chain", [0.05, 0.039874369, 0.025164214, 0.020337837, 0.01, 0.022180195, 0.044012994, 0.060550325],
        ChainedScheduler([
            ConstantLR(factor: 0.5, totalIterations: 3), ExponentialLR(gamma: 0.9),
            CosineAnnealingLR(period: 4, minimum: 0.01),
        ])),
    Row(
        "a sequence", [0.025, 0.05, 0.075, 0.1, 0.086819805, 0.055, 0.1, 0.05, 0.025, 0.0125],
        SequentialLR(
            [
                LinearLR(startFactor: 0.25, totalIterations: 3), CosineAnnealingLR(period: 4, minimum: 0.01),
                ExponentialLR(gamma: 0.5),
            ], milestones: [3, 6])),
    Row(
        "a sequence that goes on", [0.05, 0.05, 0.045, 0.0405, 0.03645, 0.1, 0.05, 0.1, 0.05, 0.1],
        SequentialLR(
            [
                ConstantLR(factor: 0.5, totalIterations: 3), MultiplicativeLR { _ in 0.9 },
                CosineAnnealingWarmRestarts(firstPeriod: 2),
            ], milestones: [2, 5])),
    Row("a function", [0.1, 0.05, 0.033333333, 0.025, 0.02], LambdaLR { 1 / Double(1 + $0) }),
]

struct ScheduleTests {
    /// Inside `catchingErrors` the steps after the mistake still run.
    @Test func sizesBelowOneAreMistakes() {
        let wrong: [@Sendable () -> any Schedule] = [
            { StepLR(stepSize: 0) }, { CosineAnnealingLR(period: 0) }, { CosineAnnealingWarmRestarts(firstPeriod: 0) },
            { CosineAnnealingWarmRestarts(firstPeriod: 2, growth: 0) }, { CyclicLR(base: 0.1, maximum: 1, stepsUp: 0) },
            { OneCycleLR(maximum: 1, totalSteps: 0) }, { SequentialLR([], milestones: []) },
        ]
        for make in wrong {
            #expect(throws: TensorError.self) {
                try catchingErrors {
                    let scheduler = Scheduler(SGD([Tensor([1.0], requiresGrad: true)], learningRate: 0.1), make())
                    for _ in 0..<3 { scheduler.step() }
                }
            }
        }
    }

    private func rates(_ schedule: any Schedule, steps: Int) -> [Double] {
        let optimizer = SGD([], learningRate: 0.1)
        let scheduler = Scheduler(optimizer, schedule)
        return [optimizer.learningRate]
            + (1..<steps).map { _ in
                scheduler.step()
                return optimizer.learningRate
            }
    }

    @Test(arguments: rows)
    private func compositions(_ row: Row) {
        #expect(isClose(rates(row.schedule, steps: row.rates.count), row.rates))
    }

    /// A new scheduler with the state of an old one goes on as that would have.
    @Test(arguments: rows)
    private func resuming(_ row: Row) throws {
        let (first, second) = (SGD([], learningRate: 0.1), SGD([], learningRate: 0.1))
        let scheduler = Scheduler(first, row.schedule)
        for _ in 0..<3 { scheduler.step() }
        let resumed = Scheduler(second, row.schedule)
        try resumed.load(state: scheduler.state)
        #expect(second.learningRate == first.learningRate)
        scheduler.step()
        resumed.step()
        #expect(second.learningRate == first.learningRate)
    }

    @Test func cyclesMoveTheMomentumAgainstTheRate() {
        let optimizer = Adam([], learningRate: 0.1)
        let scheduler = Scheduler(optimizer, OneCycleLR(maximum: 0.3, totalSteps: 10))
        var (rates, momenta): ([Double], [Double]) = ([], [])
        for _ in 0..<10 {
            rates.append(optimizer.learningRate)
            momenta.append(optimizer.groups[0].options.betas.0)
            scheduler.step()
        }
        #expect(
            isClose(
                rates,
                [
                    0.012, 0.156, 0.3, 0.28514539, 0.243523696, 0.183378607, 0.116622593, 0.056477504, 0.01485581,
                    1.2e-06,
                ]))
        #expect(
            isClose(
                momenta,
                [
                    0.95, 0.9, 0.85, 0.854951557, 0.86882551, 0.888873953, 0.911126047, 0.93117449, 0.945048443, 0.95,
                ]))
        let cyclic = CyclicLR(base: 0.01, maximum: 0.2, stepsUp: 2, stepsDown: 4, mode: .triangular2)
        let cycled = (0..<10).map { cyclic.momentum(epoch: $0) ?? 0 }
        #expect(isClose(cycled, [0.9, 0.85, 0.8, 0.825, 0.85, 0.875, 0.9, 0.875, 0.85, 0.8625]))
    }

    @Test func momentumNeedsOneToMove() {
        #expect(throws: TensorError.self) {
            try catchingErrors { Scheduler(Adagrad([]), OneCycleLR(maximum: 0.3, totalSteps: 10)) }
        }
    }

    @Test func groupsHaveTheirOwnSchedules() {
        let optimizer = SGD([], learningRate: 0.1)
        optimizer.addGroup([]) { $0.learningRate = 1 }
        let scheduler = Scheduler(optimizer, perGroup: [ExponentialLR(gamma: 0.5), StepLR(stepSize: 2)])
        scheduler.step()
        scheduler.step()
        #expect(isClose(optimizer.learningRates, [0.025, 0.1]))
        #expect(throws: TensorError.self) { try catchingErrors { Scheduler(optimizer, perGroup: []) } }
    }

    @Test func plateau() throws {
        let optimizer = SGD([], learningRate: 0.1)
        let make = {
            ReduceLROnPlateau(
                optimizer, mode: .maximum, factor: 0.5, patience: 1, threshold: .absolute(0.1), cooldown: 1,
                minimumRates: [0.03])
        }
        var scheduler = make()
        var rates: [Double] = []
        for (index, metric) in [1, 1.05, 1.2, 1.2, 1.2, 1.2, 1.2, 1.2, 1.2, 1.2].enumerated() {
            if index == 4 {
                let state = scheduler.state
                scheduler = make()
                try scheduler.load(state: state)
            }
            scheduler.step(metric)
            rates.append(optimizer.learningRate)
        }
        #expect(isClose(rates, [0.1, 0.1, 0.1, 0.1, 0.05, 0.05, 0.05, 0.03, 0.03, 0.03]))
    }

    @Test func plateauOfGroups() {
        let optimizer = SGD([], learningRate: 0.1)
        optimizer.addGroup([]) { $0.learningRate = 1 }
        let scheduler = ReduceLROnPlateau(optimizer, patience: 0, minimumRates: [0.05, 0.2])
        for _ in 0..<3 { scheduler.step(1) }
        #expect(isClose(optimizer.learningRates, [0.05, 0.2]))
    }
}
