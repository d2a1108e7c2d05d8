import CKernels

let crossEntropyOperations: [any Operation.Type] = [
    NegativeLogLikelihood.self, NegativeLogLikelihoodGradient.self, CrossEntropy.self, CrossEntropyGradient.self,
    CheckedClasses.self, ClassWeights.self,
]

/// What becomes of the losses of the rows.
public enum Reduction: Sendable, Hashable {
    /// One loss for each row.
    case none
    /// Their average; with class weights the weighted average.
    case mean
    case sum
}

/// L = −w[t] x[t] for each row, reduced. Inputs: x (N, C, places...), classes t (N, places...) and class weights w (C) when there are
/// some. The mean divides by Σ w[t].
struct NegativeLogLikelihood: VariadicOperation {
    let rows: ClassRows
    static let name = "nll_loss"
    static let formula = Formula("−x[t]", gradient: "∂L/∂x = −∂L/∂y at t, else 0")
    static let keeps: Keeps = .input
    func forward(_ inputs: [Tensor]) -> [Tensor] {
        Tensor.list(CPU.pickClasses(rows, inputs[0], ClassTargets(inputs, 1)))
    }
    func gradients(_ dy: [Tensor?], _ kept: KeptList, needs: [Bool]) -> [Tensor?] {
        guard let dy = dy[0] else { return [] }
        let constants = Array(kept.inputs.dropFirst())
        refuseWeightGradient(needs, at: 2, Self.name)
        return [needs[0] ? applyOne(NegativeLogLikelihoodGradient(rows: rows), to: [dy] + constants) : nil, nil, nil]
    }
    static let samples = [
        Sample([logits([3, 4]), classes([3])]) { [$0[0].nllLoss($0[1])] },
        Sample([logits([2, 4, 2]), classes([2, 2])]) { [$0[0].nllLoss($0[1], ignoreIndex: 1, reduction: .none)] },
        Sample([logits([3, 4]), classes([3])]) {
            [$0[0].nllLoss($0[1], weight: sampleWeights($0[0].dtype), reduction: .mean)]
        },
        Sample([logits([4]), classes([])]) { [$0[0].nllLoss($0[1], reduction: .sum)] },
    ]
}

/// dx = −w[t] dy at t, 0 elsewhere: linear in dy, and the transpose of `NegativeLogLikelihood`.
struct NegativeLogLikelihoodGradient: VariadicOperation {
    let rows: ClassRows
    static let name = "nll_loss_gradient"
    static let formula = Formula("−dy at t, else 0", gradient: "∂L/∂dy = −∂L/∂dx at t")
    static let keeps: Keeps = .input
    func forward(_ inputs: [Tensor]) -> [Tensor] {
        Tensor.list(CPU.spreadClasses(rows, inputs[0], ClassTargets(inputs, 1)))
    }
    func gradients(_ g: [Tensor?], _ kept: KeptList, needs: [Bool]) -> [Tensor?] {
        guard let g = g[0] else { return [] }
        refuseWeightGradient(needs, at: 2, Self.name)
        let constants = Array(kept.inputs.dropFirst())
        return [needs[0] ? applyOne(NegativeLogLikelihood(rows: rows), to: [g] + constants) : nil, nil, nil]
    }
    static let samples = [
        Sample([logits([3]), classes([3])]) { inputs in
            let rows = ClassRows(shape: [3, 4], ignoreIndex: -100, reduction: .none)
            return [applyOne(NegativeLogLikelihoodGradient(rows: rows), to: inputs)]
        }
    ]
}

/// L = −w[t] log softmax(x)[t] for each row, reduced. Composed: `logSoftmax(dim: 1)`, then `nllLoss`. Outputs: the loss, and log softmax
/// for the backward pass. Inputs as for `NegativeLogLikelihood`.
struct CrossEntropy: VariadicOperation {
    let rows: ClassRows
    static let name = "cross_entropy"
    static let formula = Formula("−log s[t], s = softmax x", gradient: "∂L/∂x = ∂L/∂y (s − [t])")
    static let keeps: Keeps = [.input, .otherOutputs]
    func forward(_ inputs: [Tensor]) -> [Tensor] {
        let logarithms = CPU.softmax(inputs[0], axis: 1, logarithm: true)
        return Tensor.list(CPU.pickClasses(rows, logarithms, ClassTargets(inputs, 1)), logarithms)
    }
    func gradients(_ dy: [Tensor?], _ kept: KeptList, needs: [Bool]) -> [Tensor?] {
        refuseWeightGradient(needs, at: 2, Self.name)
        guard needs[0] else { return [] }
        let logarithms = kept.outputs[1]
        var dx: Tensor?
        if let dy = dy[0] {
            let inputs = [dy, logarithms] + kept.inputs.dropFirst()
            dx = applyOne(CrossEntropyGradient(rows: rows), to: inputs)
        }
        // Gradients of gradients arrive at the second output.
        if let dy = dy[1] {
            let more = apply(SoftmaxGradient(axis: 1, logarithm: true), to: dy, logarithms)
            dx = dx.map { $0 + more } ?? more
        }
        return [dx, nil, nil]
    }
    static let samples = [
        Sample([logits([3, 4]), classes([3])]) { [$0[0].crossEntropy($0[1])] },
        Sample([logits([2, 4, 2]), classes([2, 2])]) { [$0[0].crossEntropy($0[1], ignoreIndex: 1, reduction: .none)] },
        Sample([logits([3, 4]), classes([3])]) {
            [$0[0].crossEntropy($0[1], weight: sampleWeights($0[0].dtype), reduction: .sum)]
        },
        Sample([logits([3, 4]), classes([3])]) { [$0[0].crossEntropy($0[1], labelSmoothing: 0.1)] },
        Sample([logits([3, 4]), Sample.Input(.uniform(0.1...0.9), shape: [3, 4])]) { [$0[0].crossEntropy($0[1])] },
    ]
}

/// dx = k dy (eᶻ − [t]) with z = log softmax(x) and k the weight of a row in the loss. Inputs: dy, z, t, and w when there is one.
struct CrossEntropyGradient: VariadicOperation {
    let rows: ClassRows
    static let name = "cross_entropy_gradient"
    static let formula = Formula(
        "dy (eᶻ − [t])", gradient: "g = ∂L/∂dx: ∂L/∂dy = Σ g (eᶻ − [t]), ∂L/∂z = g dy eᶻ")
    static let keeps: Keeps = .input
    func forward(_ inputs: [Tensor]) -> [Tensor] {
        let targets = ClassTargets(inputs, 2)
        let dx = CPU.rounded(inputs[1]) { logarithms in
            let dx = CPU.contiguous(CPU.unary(CK_EXP, logarithms))
            CPU.subtractClasses(rows, from: dx, CPU.convert(inputs[0], to: dx.dtype), targets)
            return dx
        }
        return Tensor.list(dx)
    }
    func gradients(_ g: [Tensor?], _ kept: KeptList, needs: [Bool]) -> [Tensor?] {
        guard let g = g[0] else { return [] }
        let constants = Array(kept.inputs.dropFirst(2))
        refuseWeightGradient(needs, at: 3, Self.name)
        let (dy, logarithms) = (kept.inputs[0], kept.inputs[1])
        let weights = ClassWeights(rows: rows, dtype: logarithms.dtype)
        let factors = withoutGradient { applyOne(weights, to: Array(kept.inputs.dropFirst(2))) }
        let scaled = g * logarithms.exp() * factors
        var gradients: [Tensor?] = [nil, nil, nil, nil]
        if needs[0] {
            let sums = scaled.sum(dim: 1)
            let picked = applyOne(NegativeLogLikelihood(rows: rows), to: [g] + constants)
            gradients[0] = (rows.reduction == .none ? sums : sums.sum()) + picked
        }
        if needs[1] { gradients[1] = scaled * (rows.reduction == .none ? dy.reshape(factors.shape) : dy) }
        return gradients
    }
    static let samples = [
        Sample([logits([]), Sample.Input(.uniform(-3 ... -0.1), shape: [3, 4]), classes([3])]) { inputs in
            let rows = ClassRows(shape: [3, 4], ignoreIndex: 2, reduction: .sum)
            return [applyOne(CrossEntropyGradient(rows: rows), to: inputs)]
        }
    ]
}

private func logits(_ shape: Shape) -> Sample.Input { Sample.Input(.uniform(-3...3), shape: shape) }
private func classes(_ shape: Shape) -> Sample.Input { Sample.Input(.integers(0..<4), shape: shape) }
private func sampleWeights(_ dtype: DType) -> Tensor { Tensor([0.5, 1, 2, 0.25]).to(dtype) }

private func refuseWeightGradient(_ needs: [Bool], at index: Int, _ name: String) {
    if needs.count > index && needs[index] {
        fail(name, "the class weights are constants, they have no gradient; detach() them")
    }
}

/// The shape (N, C, places...) of scores, and how losses are counted.
struct ClassRows: Hashable, Sendable {
    let shape: Shape
    /// A class that counts for nothing.
    let ignoreIndex: Int
    let reduction: Reduction

    var classes: Int { shape[1] }
    /// Scores of one class and one element of the batch.
    var places: Int { shape.dropFirst(2).reduce(1, *) }
    /// One loss for each of these.
    var lossShape: Shape { Shape([shape[0]] + shape.dropFirst(2)) }
}

/// Classes as int64, one for each loss; reports the first that is none.
struct CheckedClasses: UnaryOperation, NotDifferentiable {
    let rows: ClassRows
    /// The loss, for the error's sentence.
    let operation: String
    static let name = "classes"
    static let reason = "classes are integers"
    func forward(_ target: Tensor) -> Tensor {
        let classes = CPU.contiguous(CPU.convert(target, to: .int64)).contiguousView(rows.lossShape)
        return CPU.areClasses(rows, classes, operation) ? classes : .placeholderAfterError
    }
}

/// The weight of each row's class, 0 where it is ignored. Inputs: the classes, and the weights when there are some.
struct ClassWeights: VariadicOperation, NotDifferentiable {
    let rows: ClassRows
    let dtype: DType
    static let name = "class_weights"
    static let reason = "which weight a row has is decided by an integer"
    func forward(_ inputs: [Tensor]) -> [Tensor] {
        let classes = CPU.contiguous(CPU.convert(inputs[0], to: .int64))
        return [CPU.rowFactors(rows, ClassTargets([classes] + inputs.dropFirst(), 0), dtype: dtype)]
    }
}

// MARK: - Public

extension Tensor {
    /// The negative log-likelihood −x[t] of classes, for log-probabilities x.
    ///
    /// - Parameters:
    ///   - target: Classes t, integers: (N) for x of shape (N, C), (N, places...) for (N, C, places...), a number for (C).
    ///   - weight: A factor (C) for each class.
    ///   - ignoreIndex: A class whose rows don't count.
    ///   - reduction: With `.mean`, the sum is divided by the sum of the weights of the rows that count.
    public func nllLoss(
        _ target: Tensor, weight: Tensor? = nil, ignoreIndex: Int = -100, reduction: Reduction = .mean
    ) -> Tensor {
        classLoss(target, weight, ignoreIndex, reduction, "nllLoss") { NegativeLogLikelihood(rows: $0) }
    }

    /// −log softmax(x)[t] along the axis of the classes, for scores x of any size: `logSoftmax` and `nllLoss` in one.
    ///
    /// - Parameters:
    ///   - target: Classes as for `nllLoss`, or a probability for each class: floating, of the shape of x.
    ///   - weight: A factor (C) for each class.
    ///   - ignoreIndex: A class whose rows don't count.
    ///   - labelSmoothing: The part of the target that is spread over all classes, from 0 to 1.
    public func crossEntropy(
        _ target: Tensor, weight: Tensor? = nil, ignoreIndex: Int = -100, reduction: Reduction = .mean,
        labelSmoothing: Double = 0
    ) -> Tensor {
        let name = "crossEntropy"
        guard (0...1).contains(labelSmoothing) else {
            return fail(name, "the label smoothing must be from 0 to 1, not \(labelSmoothing)")
        }
        guard hasClasses(name) else { return .placeholderAfterError }
        if target.dtype.isFloatingPoint {
            return probabilityLoss(target, weight, reduction, labelSmoothing, name)
        }
        let loss = classLoss(target, weight, ignoreIndex, reduction, name) { CrossEntropy(rows: $0) }
        if labelSmoothing == 0 || loss.dtype != dtype { return loss }
        let smooth = smoothLoss(target, weight, ignoreIndex, reduction)
        return loss * (1 - labelSmoothing) + smooth * (labelSmoothing / Double(shape[classAxis]))
    }

    private var classAxis: Int { rank == 1 ? 0 : 1 }

    private func classLoss<O: VariadicOperation>(
        _ target: Tensor, _ weight: Tensor?, _ ignoreIndex: Int, _ reduction: Reduction, _ name: String,
        _ operation: (ClassRows) -> O
    ) -> Tensor {
        guard requireFloating(name), hasClasses(name), fits(target, name), fits(weight: weight, name) else {
            return .placeholderAfterError
        }
        let scores = rank == 1 ? reshape([1, count]) : self
        let rows = ClassRows(shape: scores.shape, ignoreIndex: ignoreIndex, reduction: reduction)
        let targets = apply(CheckedClasses(rows: rows, operation: name), to: target.detach())
        if isErrorPending { return .placeholderAfterError }
        let loss = apply(operation(rows), to: [scores, targets] + (weight.map { [$0] } ?? []))[0]
        return rank == 1 && reduction == .none ? loss.reshape([]) : loss
    }

    private func hasClasses(_ name: String) -> Bool {
        if rank == 0 { fail(name, "the scores need an axis of classes, they are one number") }
        return rank > 0
    }

    private func fits(_ target: Tensor, _ name: String) -> Bool {
        guard target.dtype.isInteger else {
            fail(name, "the target must hold classes as integers, it is \(target.dtype)")
            return false
        }
        let expected = rank == 1 ? Shape() : Shape([shape[0]] + shape.dropFirst(2))
        guard target.shape == expected || (rank == 1 && target.count == 1 && target.rank == 1) else {
            fail(
                name,
                "scores of shape \(shape) need a target of shape \(expected), got \(target.shape)")
            return false
        }
        return true
    }

    private func fits(weight: Tensor?, _ name: String) -> Bool {
        guard let weight else { return true }
        guard weight.shape == [shape[classAxis]], weight.dtype == dtype else {
            fail(
                name,
                "the class weights must be \(dtype) of shape [\(shape[classAxis])], they are \(weight.dtype) of shape \(weight.shape)"
            )
            return false
        }
        return true
    }

    /// −Σ over the classes of w log softmax(x), for the rows that count; the part of label smoothing.
    private func smoothLoss(_ target: Tensor, _ weight: Tensor?, _ ignoreIndex: Int, _ reduction: Reduction) -> Tensor {
        let logarithms = logSoftmax(dim: classAxis)
        let losses = -(weight.map { logarithms * classFactors($0) } ?? logarithms).sum(dim: classAxis)
        let rows = target.reshape(losses.shape)
        let ignored = rows .== ignoreIndex
        let counted = losses.maskedFill(ignored, 0)
        switch reduction {
        case .none: return counted
        case .sum: return counted.sum()
        case .mean:
            let scores = ClassRows(
                shape: rank == 1 ? [1, count] : shape, ignoreIndex: ignoreIndex, reduction: .none)
            let inputs = [rows] + (weight.map { [$0] } ?? [])
            let weights = withoutGradient { applyOne(ClassWeights(rows: scores, dtype: dtype), to: inputs) }
            return counted.sum() / weights.sum()
        }
    }

    private func probabilityLoss(
        _ target: Tensor, _ weight: Tensor?, _ reduction: Reduction, _ smoothing: Double, _ name: String
    ) -> Tensor {
        guard requireFloating(name), target.shape == shape, fits(weight: weight, name) else {
            return fail(name, "probabilities of shape \(target.shape) do not fit scores of shape \(shape)")
        }
        let classes = shape[classAxis]
        let smoothed = smoothing == 0 ? target : target * (1 - smoothing) + smoothing / Double(classes)
        var terms = logSoftmax(dim: classAxis) * smoothed.to(dtype)
        if let weight { terms = terms * classFactors(weight) }
        switch reduction {
        case .none: return -terms.sum(dim: classAxis)
        case .sum: return -terms.sum()
        case .mean: return -terms.sum() / (count / Swift.max(classes, 1))
        }
    }

    /// Class weights shaped to multiply scores.
    private func classFactors(_ weight: Tensor) -> Tensor {
        rank == 1 ? weight : weight.reshape(Shape([weight.count] + [Int](repeating: 1, count: rank - 2)))
    }
}
