import ChainRule

/// The limited-memory method of Broyden, Fletcher, Goldfarb and Shanno (Liu and Nocedal 1989), as PyTorch and Torch 7 run it: from the last
/// `historySize` changes of the parameters (s) and of the gradient (y) it estimates H⁻¹ g by two loops over the history, and moves against it,
/// by the learning rate or as far as a line search says.
///
/// It computes the loss many times in one step, so it needs the function:
///
/// ```swift
/// optimizer.step {
///     optimizer.zeroGrad()
///     let value = loss(model(x), y)
///     value.backward()
///     return value
/// }
/// ```
public final class LBFGS: Optimizer {
    /// How far to go in a direction.
    public enum LineSearch: Sendable {
        /// To a point that fulfils the strong Wolfe conditions.
        case strongWolfe
    }

    public struct Options: OptimizerOptions {
        public var learningRate: Double
        public var maximumIterations, maximumEvaluations: Int
        public var gradientTolerance, changeTolerance: Double
        public var historySize: Int
        public var lineSearch: LineSearch?
        public var maximize: Bool

        public func check(_ optimizer: String) { checkNotNegative(optimizer, ["learningRate": learningRate]) }
    }

    public var groups: [ParameterGroup<Options>]
    /// What is remembered between iterations and steps; nil before the first.
    var memory: CurvatureMemory?

    /// - Parameters:
    ///   - maximumIterations: Directions tried in one step.
    ///   - maximumEvaluations: Losses computed in one step; 5/4 of the iterations unless given.
    ///   - gradientTolerance: A step ends when no element of the gradient is larger.
    ///   - changeTolerance: A step ends when neither the loss nor an element of the parameters changes by more.
    public init(
        _ parameters: [Tensor], learningRate: Double = 1, maximumIterations: Int = 20, maximumEvaluations: Int? = nil,
        gradientTolerance: Double = 1e-7, changeTolerance: Double = 1e-9, historySize: Int = 100,
        lineSearch: LineSearch? = nil, maximize: Bool = false
    ) {
        let options = Options(
            learningRate: learningRate, maximumIterations: maximumIterations,
            maximumEvaluations: maximumEvaluations ?? maximumIterations * 5 / 4, gradientTolerance: gradientTolerance,
            changeTolerance: changeTolerance, historySize: historySize, lineSearch: lineSearch, maximize: maximize)
        groups = [ParameterGroup(parameters: parameters, options: options)]
        options.check("LBFGS")
        checkLeaves("LBFGS", parameters)
    }

    public func step() {
        fail("LBFGS", "the method needs the loss many times: call step { ... } with a function that computes it")
    }

    @discardableResult
    public func step(_ loss: () -> Tensor) -> Tensor {
        guard groups.count == 1, let options = groups.first?.options else {
            return fail("LBFGS", "all parameters share one set of settings, there are \(groups.count) groups")
        }
        return withoutActuallyEscaping(loss) { loss in withoutGradient { minimize(loss, options) } }
    }

    private func minimize(_ loss: @escaping () -> Tensor, _ options: Options) -> Tensor {
        let first = withGradient(loss)
        var point = Point(value: options.maximize ? -first.item() : first.item(), gradient: flatGradient(options))
        guard point.largestSlope > options.gradientTolerance else { return first }
        var evaluations = 1

        for iteration in stride(from: 1, through: options.maximumIterations, by: 1) {
            var length = options.learningRate
            var memory: CurvatureMemory
            if let last = self.memory {
                memory = last
                memory.learn(from: point.gradient, limit: options.historySize)
            } else {
                memory = CurvatureMemory(direction: -point.gradient)
                length *= min(1, 1 / point.gradient.abs().sum().item())
            }
            memory.gradient = point.gradient
            memory.length = length
            self.memory = memory
            let direction = memory.direction
            let slope = point.gradient.dot(direction).item()
            if slope > -options.changeTolerance { break }

            let before = point.value
            if options.lineSearch == .strongWolfe {
                let start = parameters.map { $0.detach() }
                let search = LineSearchAlong(direction, slope: slope, start: point, options.changeTolerance) { length in
                    self.move(by: direction * length, from: start)
                    return self.evaluate(loss, options)
                }
                let found = search.run(from: length, most: options.maximumEvaluations - evaluations)
                (point, length) = (found.point, found.length)
                self.memory?.length = length
                move(by: direction * length, from: start)
                evaluations += found.evaluations
            } else {
                move(by: direction * length, from: parameters.map { $0.detach() })
                if iteration == options.maximumIterations { break }
                point = evaluate(loss, options)
                evaluations += 1
            }
            if iteration == options.maximumIterations || evaluations >= options.maximumEvaluations { break }
            if point.largestSlope <= options.gradientTolerance { break }
            if (direction * length).abs().max().item() <= options.changeTolerance { break }
            if (point.value - before).magnitude < options.changeTolerance { break }
        }
        return first
    }

    // MARK: All parameters as one vector

    private func evaluate(_ loss: () -> Tensor, _ options: Options) -> Point {
        let value = withGradient(loss).item()
        return Point(value: options.maximize ? -value : value, gradient: flatGradient(options))
    }

    private func flatGradient(_ options: Options) -> Tensor {
        let parts = parameters.map { ($0.grad ?? .zeros(like: $0)).detach().reshape(-1) }
        return options.maximize ? -cat(parts, dim: 0) : cat(parts, dim: 0)
    }

    private func move(by change: Tensor, from start: [Tensor]) {
        var offset = 0
        for (parameter, value) in zip(parameters, start) {
            parameter.data = value + change[offset..<(offset + value.count)].reshape(value.shape)
            offset += value.count
        }
    }

    // MARK: State

    public var state: [String: Tensor] { learningRateState.merging(memory?.tensors ?? [:]) { first, _ in first } }

    public func load(state: [String: Tensor]) throws {
        let count = parameters.reduce(0) { $0 + $1.count }
        for name in ["d", "prev_flat_grad", "old_stps", "old_dirs"] {
            guard let tensor = state[name], tensor.shape.last != count else { continue }
            throw StateError(
                description: "the optimiser state '\(name)' of shape \(tensor.shape) does not fit \(count) numbers")
        }
        memory = CurvatureMemory(tensors: state)
        loadLearningRates(from: state)
    }
}

/// A value of the loss, and its gradient as one vector.
struct Point {
    var value: Double
    var gradient: Tensor

    var largestSlope: Double { gradient.abs().max().item() }
}

/// The last direction and step, and the curvature seen on the way.
struct CurvatureMemory: ParameterMemory {
    /// Changes of the parameters (s) and of the gradient (y), oldest first, and 1 / sᵀy.
    private var history: [(change: Tensor, bend: Tensor, weight: Double)] = []
    /// sᵀy / yᵀy: the size of the inverse Hessian.
    private var scale = 1.0
    private(set) var direction: Tensor
    var length = 0.0
    /// The gradient where `direction` starts.
    var gradient: Tensor

    init(direction: Tensor) {
        self.direction = direction
        gradient = -direction
    }

    /// Adds the last step to the history and finds the next direction.
    mutating func learn(from gradient: Tensor, limit: Int) {
        let bend = gradient - self.gradient
        let change = direction * length
        let curvature = bend.dot(change).item()
        if curvature > 1e-10 {
            if history.count == limit { history.removeFirst() }
            history.append((change, bend, 1 / curvature))
            scale = curvature / bend.dot(bend).item()
        }
        var shares = [Double](repeating: 0, count: history.count)
        var q = -gradient
        for (index, past) in history.enumerated().reversed() {
            shares[index] = past.change.dot(q).item() * past.weight
            q -= past.bend * shares[index]
        }
        q *= scale
        for (index, past) in history.enumerated() {
            q += past.change * (shares[index] - past.bend.dot(q).item() * past.weight)
        }
        direction = q
    }

    var tensors: [String: Tensor] {
        var tensors = [
            "d": direction, "t": Tensor(length, dtype: .float64), "H_diag": Tensor(scale, dtype: .float64),
            "prev_flat_grad": gradient,
            "ro": Tensor(history.map(\.weight)).reshape(-1, 1),
        ]
        if !history.isEmpty {
            tensors["old_stps"] = stack(history.map(\.change))
            tensors["old_dirs"] = stack(history.map(\.bend))
        }
        return tensors
    }

    init?(tensors: [String: Tensor]) {
        guard let direction = tensors["d"], let gradient = tensors["prev_flat_grad"], let length = tensors["t"],
            let scale = tensors["H_diag"], let weights = tensors["ro"]
        else { return nil }
        (self.direction, self.gradient) = (direction, gradient)
        (self.length, self.scale) = (length.item(), scale.item())
        guard let changes = tensors["old_stps"], let bends = tensors["old_dirs"] else { return }
        history = weights.toArray(of: Double.self).enumerated().map {
            (changes[$0.offset], bends[$0.offset], $0.element)
        }
    }
}
