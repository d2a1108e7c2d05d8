import ChainRule
import ChainRuleNN

/// What PyTorch's optimisers and schedules are called here.
struct TrainingTable: Sendable {
    struct Optimizer: Sendable {
        /// PyTorch's parameters in its order.
        let parameters: String
        let call: @Sendable ([Tensor], CaseArguments) throws -> any ChainRuleNN.Optimizer
    }

    struct Schedule: Sendable {
        let parameters: String
        /// Attaches the schedule to an optimiser and gives what goes on by one step; that takes the metric, where there is one.
        let call: @Sendable (any ChainRuleNN.Optimizer, CaseArguments) throws -> (Double) -> Void
    }

    private(set) var optimizers: [String: Optimizer] = [:]
    private(set) var schedules: [String: Schedule] = [:]

    init() {
        defineOptimizers()
        defineAdams()
        defineSchedules()
        defineCycles()
    }

    private mutating func optimizer(
        _ name: String, _ parameters: String,
        _ call: @escaping @Sendable ([Tensor], CaseArguments) throws -> any ChainRuleNN.Optimizer
    ) {
        // How PyTorch runs its loops makes no difference to the numbers.
        let ways = " maximize foreach capturable differentiable fused"
        optimizers[name] = Optimizer(parameters: parameters + ways, call: call)
    }

    private mutating func schedule(
        _ name: String, _ parameters: String,
        _ make: @escaping @Sendable (CaseArguments) throws -> any ChainRuleNN.Schedule
    ) {
        schedules[name] = Schedule(parameters: parameters) { optimizer, arguments in
            let scheduler = Scheduler(optimizer, try make(arguments))
            return { _ in scheduler.step() }
        }
    }

    private mutating func defineOptimizers() {
        optimizer("SGD", "lr momentum dampening weight_decay nesterov") {
            SGD(
                $0, learningRate: try $1.lr.double(or: 1e-3), momentum: try $1.momentum.double(or: 0),
                dampening: try $1.dampening.double(or: 0), weightDecay: try $1.weight_decay.double(or: 0),
                nesterov: try $1.nesterov.bool(or: false), maximize: try $1.maximize.bool(or: false))
        }
        optimizer("RMSprop", "lr alpha eps weight_decay momentum centered") {
            RMSprop(
                $0, learningRate: try $1.lr.double(or: 1e-2), alpha: try $1.alpha.double(or: 0.99),
                eps: try $1.eps.double(or: 1e-8), weightDecay: try $1.weight_decay.double(or: 0),
                momentum: try $1.momentum.double(or: 0), centered: try $1.centered.bool(or: false),
                maximize: try $1.maximize.bool(or: false))
        }
        optimizer("Adagrad", "lr lr_decay weight_decay initial_accumulator_value eps") {
            Adagrad(
                $0, learningRate: try $1.lr.double(or: 1e-2), learningRateDecay: try $1.lr_decay.double(or: 0),
                weightDecay: try $1.weight_decay.double(or: 0),
                initialAccumulatorValue: try $1.initial_accumulator_value.double(or: 0),
                eps: try $1.eps.double(or: 1e-10), maximize: try $1.maximize.bool(or: false))
        }
        optimizer("Adadelta", "lr rho eps weight_decay") {
            Adadelta(
                $0, learningRate: try $1.lr.double(or: 1), rho: try $1.rho.double(or: 0.9),
                eps: try $1.eps.double(or: 1e-6), weightDecay: try $1.weight_decay.double(or: 0),
                maximize: try $1.maximize.bool(or: false))
        }
        optimizer("ASGD", "lr lambd alpha t0 weight_decay") {
            ASGD(
                $0, learningRate: try $1.lr.double(or: 1e-2), lambda: try $1.lambd.double(or: 1e-4),
                alpha: try $1.alpha.double(or: 0.75), t0: try $1.t0.double(or: 1e6),
                weightDecay: try $1.weight_decay.double(or: 0), maximize: try $1.maximize.bool(or: false))
        }
        optimizer("Rprop", "lr etas step_sizes") {
            Rprop(
                $0, learningRate: try $1.lr.double(or: 1e-2), etas: try $1.etas.pair(or: (0.5, 1.2)),
                stepSizes: try $1.step_sizes.pair(or: (1e-6, 50)), maximize: try $1.maximize.bool(or: false))
        }
        optimizer("LBFGS", "lr max_iter max_eval tolerance_grad tolerance_change history_size line_search_fn") {
            LBFGS(
                $0, learningRate: try $1.lr.double(or: 1), maximumIterations: try $1.max_iter.int(or: 20),
                maximumEvaluations: try $1.max_eval.optionalInt,
                gradientTolerance: try $1.tolerance_grad.double(or: 1e-7),
                changeTolerance: try $1.tolerance_change.double(or: 1e-9),
                historySize: try $1.history_size.int(or: 100),
                lineSearch: $1.line_search_fn.isGiven ? .strongWolfe : nil, maximize: try $1.maximize.bool(or: false))
        }
    }

    private mutating func defineAdams() {
        optimizer("Adam", "lr betas eps weight_decay amsgrad decoupled_weight_decay") {
            Adam(
                $0, learningRate: try $1.lr.double(or: 1e-3), betas: try $1.betas.pair(or: (0.9, 0.999)),
                eps: try $1.eps.double(or: 1e-8), weightDecay: try $1.weight_decay.double(or: 0),
                amsgrad: try $1.amsgrad.bool(or: false),
                decoupledWeightDecay: try $1.decoupled_weight_decay.bool(or: false),
                maximize: try $1.maximize.bool(or: false))
        }
        optimizer("AdamW", "lr betas eps weight_decay amsgrad") {
            AdamW(
                $0, learningRate: try $1.lr.double(or: 1e-3), betas: try $1.betas.pair(or: (0.9, 0.999)),
                eps: try $1.eps.double(or: 1e-8), weightDecay: try $1.weight_decay.double(or: 1e-2),
                amsgrad: try $1.amsgrad.bool(or: false), maximize: try $1.maximize.bool(or: false))
        }
        optimizer("Adamax", "lr betas eps weight_decay") {
            Adamax(
                $0, learningRate: try $1.lr.double(or: 2e-3), betas: try $1.betas.pair(or: (0.9, 0.999)),
                eps: try $1.eps.double(or: 1e-8), weightDecay: try $1.weight_decay.double(or: 0),
                maximize: try $1.maximize.bool(or: false))
        }
        optimizer("NAdam", "lr betas eps weight_decay momentum_decay decoupled_weight_decay") {
            NAdam(
                $0, learningRate: try $1.lr.double(or: 2e-3), betas: try $1.betas.pair(or: (0.9, 0.999)),
                eps: try $1.eps.double(or: 1e-8), weightDecay: try $1.weight_decay.double(or: 0),
                momentumDecay: try $1.momentum_decay.double(or: 4e-3),
                decoupledWeightDecay: try $1.decoupled_weight_decay.bool(or: false),
                maximize: try $1.maximize.bool(or: false))
        }
        optimizer("RAdam", "lr betas eps weight_decay decoupled_weight_decay") {
            RAdam(
                $0, learningRate: try $1.lr.double(or: 1e-3), betas: try $1.betas.pair(or: (0.9, 0.999)),
                eps: try $1.eps.double(or: 1e-8), weightDecay: try $1.weight_decay.double(or: 0),
                decoupledWeightDecay: try $1.decoupled_weight_decay.bool(or: false),
                maximize: try $1.maximize.bool(or: false))
        }
        optimizer("Adafactor", "lr beta2_decay eps d weight_decay") {
            let eps = $1.eps.values
            return Adafactor(
                $0, learningRate: try $1.lr.double(or: 1e-2), beta2Decay: try $1.beta2_decay.double(or: -0.8),
                eps: eps.count == 2 ? (try eps[0].optionalDouble, try eps[1].double) : (nil, 1e-3),
                d: try $1.d.double(or: 1), weightDecay: try $1.weight_decay.double(or: 0),
                maximize: try $1.maximize.bool(or: false))
        }
    }

    private mutating func defineSchedules() {
        schedule("StepLR", "step_size gamma") {
            StepLR(stepSize: try $0.step_size.int, gamma: try $0.gamma.double(or: 0.1))
        }
        schedule("MultiStepLR", "milestones gamma") {
            MultiStepLR(milestones: try $0.milestones.ints, gamma: try $0.gamma.double(or: 0.1))
        }
        schedule("ConstantLR", "factor total_iters") {
            ConstantLR(factor: try $0.factor.double(or: 1.0 / 3), totalIterations: try $0.total_iters.int(or: 5))
        }
        schedule("LinearLR", "start_factor end_factor total_iters") {
            LinearLR(
                startFactor: try $0.start_factor.double(or: 1.0 / 3), endFactor: try $0.end_factor.double(or: 1),
                totalIterations: try $0.total_iters.int(or: 5))
        }
        schedule("ExponentialLR", "gamma") { ExponentialLR(gamma: try $0.gamma.double) }
        schedule("PolynomialLR", "total_iters power") {
            PolynomialLR(totalIterations: try $0.total_iters.int(or: 5), power: try $0.power.double(or: 1))
        }
        schedules["ReduceLROnPlateau"] = Schedule(
            parameters: "mode factor patience threshold threshold_mode cooldown min_lr eps"
        ) {
            let threshold = try $1.threshold.double(or: 1e-4)
            let scheduler = ReduceLROnPlateau(
                $0, mode: try $1.mode.string(or: "min") == "min" ? .minimum : .maximum,
                factor: try $1.factor.double(or: 0.1), patience: try $1.patience.int(or: 10),
                threshold: try $1.threshold_mode.string(or: "rel") == "rel"
                    ? .relative(threshold) : .absolute(threshold),
                cooldown: try $1.cooldown.int(or: 0), minimumRates: try $1.min_lr.optionalDoubles ?? [0],
                smallestChange: try $1.eps.double(or: 1e-8))
            return { scheduler.step($0) }
        }
    }

    private mutating func defineCycles() {
        schedule("CosineAnnealingLR", "T_max eta_min") {
            CosineAnnealingLR(period: try $0.T_max.int, minimum: try $0.eta_min.double(or: 0))
        }
        schedule("CosineAnnealingWarmRestarts", "T_0 T_mult eta_min") {
            CosineAnnealingWarmRestarts(
                firstPeriod: try $0.T_0.int, growth: try $0.T_mult.int(or: 1), minimum: try $0.eta_min.double(or: 0))
        }
        schedule(
            "CyclicLR",
            "base_lr max_lr step_size_up step_size_down mode gamma cycle_momentum base_momentum max_momentum"
        ) {
            CyclicLR(
                base: try $0.base_lr.double, maximum: try $0.max_lr.double, stepsUp: try $0.step_size_up.int(or: 2000),
                stepsDown: try $0.step_size_down.optionalInt, mode: try $0.cyclicMode,
                momentumRange: try $0.momentumRange(0.8, 0.9))
        }
        schedule(
            "OneCycleLR",
            """
            max_lr total_steps epochs steps_per_epoch pct_start anneal_strategy cycle_momentum base_momentum max_momentum \
            div_factor final_div_factor three_phase
            """
        ) {
            OneCycleLR(
                maximum: try $0.max_lr.double,
                totalSteps: try $0.total_steps.optionalInt ?? $0.epochs.int * $0.steps_per_epoch.int,
                rise: try $0.pct_start.double(or: 0.3),
                shape: try $0.anneal_strategy.string(or: "cos") == "cos" ? .cosine : .linear,
                momentumRange: try $0.momentumRange(0.85, 0.95), startDivisor: try $0.div_factor.double(or: 25),
                endDivisor: try $0.final_div_factor.double(or: 1e4), threePhases: try $0.three_phase.bool(or: false))
        }
    }
}

extension CaseArgument {
    func pair(or standard: (Double, Double)) throws -> (Double, Double) {
        guard let numbers = try optionalDoubles else { return standard }
        guard numbers.count == 2 else { throw Unsupported("'\(name)' is not a pair") }
        return (numbers[0], numbers[1])
    }
}

extension CaseArguments {
    fileprivate func momentumRange(_ low: Double, _ high: Double) throws -> ClosedRange<Double>? {
        guard try self.cycle_momentum.bool(or: true) else { return nil }
        return try self.base_momentum.double(or: low)...self.max_momentum.double(or: high)
    }

    fileprivate var cyclicMode: CyclicLR.Mode {
        get throws {
            switch try self.mode.string(or: "triangular") {
            case "triangular": .triangular
            case "triangular2": .triangular2
            case "exp_range": .exponential(gamma: try self.gamma.double(or: 1))
            case let other: throw Unsupported("the mode \(other)")
            }
        }
    }
}
