let normalizationOperations: [any Operation.Type] = [
    BatchNormalization.self, BatchNormalizationGradient.self, RectifiedBatchNormalization.self,
    RectifiedBatchNormalizationGradient.self, LayerNormalization.self, LayerNormalizationGradient.self,
]

// Both normalise: x̂ = (x − mean) r with r = 1 / √(variance + eps), then y = x̂ w + b. They differ in what is averaged over and in
// which axes the weight has. With P(v) = v − mean v − x̂ mean(v x̂), which is the gradient's way back through x̂ up to the factor r, and
// q = w ∂L/∂y:
//
//     ∂L/∂x = r P(q),   ∂L/∂w = Σ ∂L/∂y x̂,   ∂L/∂b = Σ ∂L/∂y

private let normalizationFormula = Formula(
    "x̂ w + b, x̂ = (x − mean x) / √(var x + ε)",
    gradient: "q = w ∂L/∂y: ∂L/∂x = (q − mean q − x̂ mean(q x̂)) / √(var x + ε), ∂L/∂w = Σ ∂L/∂y x̂, ∂L/∂b = Σ ∂L/∂y")

private let normalizationGradientFormula = Formula(
    "r P(q), Σ dy x̂, Σ dy with q = w dy, P(v) = v − mean v − x̂ mean(v x̂)",
    gradient:
        "g = ∂L/∂dx, h = g mean(q x̂) + q mean(g x̂): ∂L/∂q = r P(g), ∂L/∂x = −r² (P(h) + x̂ mean(g P(q)))")

/// Normalises each channel (axis 1) over the batch and all places. Inputs: x, and w and b shaped (1, C, 1...) when `isAffine`. Outputs: y,
/// and for the backward pass and the running statistics mean, r and the biased variance, each (1, C, 1...).
struct BatchNormalization: VariadicOperation {
    let eps: Double
    let isAffine: Bool
    static let name = "batch_norm"
    static var formula: Formula { normalizationFormula }
    static let dtypes: DTypes = .fullPrecision
    static let keeps: Keeps = [.input, .otherOutputs]
    func forward(_ inputs: [Tensor]) -> [Tensor] {
        CPU.batchNorm(inputs[0], isAffine ? (inputs[1], inputs[2]) : nil, eps: eps)
    }
    func gradients(_ dy: [Tensor?], _ kept: KeptList, needs: [Bool]) -> [Tensor?] {
        let saved = NormalizationState(kept, axes: .channels(kept.inputs[0].rank), isAffine: isAffine)
        let operation = BatchNormalizationGradient(eps: eps, isAffine: isAffine)
        return normalizationGradients(dy, saved, isAffine: isAffine) { apply(operation, to: $0) }
    }
    static let samples = [
        Sample(BatchNormalization(eps: 0.1, isAffine: false), [values([3, 2])]),
        Sample(
            BatchNormalization(eps: 0.1, isAffine: true),
            [values([2, 2, 3]), values([1, 2, 1]), values([1, 2, 1])]),
    ]
}

/// The gradients of `BatchNormalization`. Inputs: dy, x, mean, r, and w when `isAffine`. Outputs: dx, and dw and db when `isAffine`.
struct BatchNormalizationGradient: VariadicOperation {
    let eps: Double
    let isAffine: Bool
    static let name = "batch_norm_gradient"
    static var formula: Formula { normalizationGradientFormula }
    static let dtypes: DTypes = .fullPrecision
    static let keeps: Keeps = .input
    func forward(_ inputs: [Tensor]) -> [Tensor] { CPU.batchNormGradient(inputs, isAffine: isAffine) }
    func gradients(_ g: [Tensor?], _ kept: KeptList, needs: [Bool]) -> [Tensor?] {
        secondOrder(g, kept.inputs, axes: .channels(kept.inputs[1].rank), eps: eps)
    }
    static let samples = [
        Sample([values([2, 2, 3]), values([2, 2, 3]), values([1, 2, 1])]) { inputs in
            let (mean, root) = sampleStatistics(inputs[1], axes: .channels(3))
            let operation = BatchNormalizationGradient(eps: 0.1, isAffine: true)
            return apply(operation, to: [inputs[0], inputs[1], mean, root, inputs[2]])
        }
    ]
}

/// y = max(x̂ w + b + z, 0), as a block of a residual network has it, in the fewest passes over memory. Composed: `BatchNormalization`, the
/// addition, `Relu`. Inputs: x, w and b (1, C, 1...), and z when something is `added`. Outputs as those of `BatchNormalization`.
struct RectifiedBatchNormalization: VariadicOperation {
    let eps: Double
    let added: Bool
    static let name = "batch_norm_relu"
    static let formula = Formula(
        "max(x̂ w + b + z, 0), x̂ = (x − mean x) / √(var x + ε)",
        gradient: "∂L/∂z = ∂L/∂y where y > 0, else 0; the others as those of batch_norm from ∂L/∂z")
    static let dtypes: DTypes = .fullPrecision
    static let keeps: Keeps = [.input, .output]
    static func keptInputs(_ inputs: [Tensor]) -> [Tensor] { Array(inputs.prefix(2)) }
    func forward(_ inputs: [Tensor]) -> [Tensor] {
        CPU.batchNorm(
            inputs[0], (inputs[1], inputs[2]), added: added ? inputs[3] : nil, rectified: true, eps: eps)
    }
    func gradients(_ dy: [Tensor?], _ kept: KeptList, needs: [Bool]) -> [Tensor?] {
        let saved = NormalizationState(kept, axes: .channels(kept.inputs[0].rank), isAffine: true)
        let operation = RectifiedBatchNormalizationGradient(eps: eps, added: added)
        return normalizationGradients(dy, saved, isAffine: true) { apply(operation, to: $0 + [kept.outputs[0]]) }
    }
    static let samples = [
        // Above 0 and below, away from the kink.
        Sample([values([2, 2, 3]), values([1, 2, 1]), range(6...9, [1, 2, 1])]) {
            apply(RectifiedBatchNormalization(eps: 0.1, added: false), to: $0)
        },
        Sample([values([3, 2]), values([1, 2]), values([1, 2]), range(6...9, [3, 2])]) {
            apply(RectifiedBatchNormalization(eps: 0.1, added: true), to: $0)
        },
        Sample([values([3, 2]), values([1, 2]), values([1, 2]), range(-9 ... -6, [3, 2])]) {
            apply(RectifiedBatchNormalization(eps: 0.1, added: true), to: $0)
        },
    ]
}

/// The gradients of `RectifiedBatchNormalization`. Inputs: dy, x, mean, r, w and y. Outputs: dx, dw, db, and dz when something was `added`.
struct RectifiedBatchNormalizationGradient: VariadicOperation {
    let eps: Double
    let added: Bool
    static let name = "batch_norm_relu_gradient"
    static let formula = Formula(
        "dz = dy [y > 0]; the others as those of batch_norm_gradient from dz",
        gradient: "∂L/∂dy = ∂L/∂dz where y > 0, else 0; ∂L/∂x, ∂L/∂w as those of batch_norm_gradient; ∂L/∂y = 0")
    static let dtypes: DTypes = .fullPrecision
    static let keeps: Keeps = .input
    func forward(_ inputs: [Tensor]) -> [Tensor] {
        CPU.batchNormGradient(inputs, isAffine: true, isRectified: true, wasAdded: added)
    }
    func gradients(_ g: [Tensor?], _ kept: KeptList, needs: [Bool]) -> [Tensor?] {
        let y = kept.inputs[5]
        let passed = apply(ReluGradient(), to: kept.inputs[0], y)
        let inputs = [passed] + kept.inputs[1..<5]
        var results = secondOrder(Array(g.prefix(3)), inputs, axes: .channels(y.rank), eps: eps)
        if added, let g = g[3] { results[0] = results[0].map { $0 + g } ?? g }
        results[0] = results[0].map { apply(ReluGradient(), to: $0, y) }
        return results + [nil]
    }
    static let samples = [
        Sample([values([2, 2, 3]), values([2, 2, 3]), values([1, 2, 1])]) { inputs in
            let (mean, root) = sampleStatistics(inputs[1], axes: .channels(3))
            let y = Tensor([1, 0, 2, 0, 3, 1, 1, 1, 0, 2, 1, 0]).reshape([2, 2, 3]).to(inputs[0].dtype)
            return [true, false].flatMap { added in
                let operation = RectifiedBatchNormalizationGradient(eps: 0.1, added: added)
                return apply(operation, to: [inputs[0], inputs[1], mean, root, inputs[2], y])
            }
        }
    ]
}

/// Normalises each row, along the last axis. Inputs: x (..., columns), and w and b (columns) when `isAffine`. Outputs: y, and for the backward
/// pass mean and r (..., 1).
struct LayerNormalization: VariadicOperation, RowOperation {
    let eps: Double
    let isAffine: Bool
    static let name = "layer_norm"
    static var formula: Formula { normalizationFormula }
    static let dtypes: DTypes = .fullPrecision
    static let keeps: Keeps = [.input, .otherOutputs]
    var rowKernel: RowKernel { .layerNorm(eps: eps, isAffine: isAffine) }
    func rowAxes(rank: Int) -> AxisSet { AxisSet(last: rank) }
    func forward(_ inputs: [Tensor]) -> [Tensor] {
        CPU.layerNorm(inputs[0], isAffine ? (inputs[1], inputs[2]) : nil, eps: eps)
    }
    func gradients(_ dy: [Tensor?], _ kept: KeptList, needs: [Bool]) -> [Tensor?] {
        let saved = NormalizationState(kept, axes: AxisSet(last: kept.inputs[0].rank), isAffine: isAffine)
        let operation = LayerNormalizationGradient(eps: eps, isAffine: isAffine)
        return normalizationGradients(dy, saved, isAffine: isAffine) { apply(operation, to: $0) }
    }
    static let samples = [
        Sample(LayerNormalization(eps: 0.1, isAffine: false), [values([2, 3])]),
        Sample(LayerNormalization(eps: 0.1, isAffine: true), [values([2, 3]), values([3]), values([3])]),
        Sample(LayerNormalization(eps: 0.1, isAffine: true), [values([2, 1, 3]), values([3]), values([3])]),
    ]
}

/// The gradients of `LayerNormalization`. Inputs: dy, x, mean, r, and w when `isAffine`. Outputs: dx, and dw and db when `isAffine`.
struct LayerNormalizationGradient: VariadicOperation, RowOperation {
    let eps: Double
    let isAffine: Bool
    static let name = "layer_norm_gradient"
    static var formula: Formula { normalizationGradientFormula }
    static let dtypes: DTypes = .fullPrecision
    static let keeps: Keeps = .input
    var rowKernel: RowKernel { .layerNormGradient(isAffine: isAffine) }
    func rowAxes(rank: Int) -> AxisSet { AxisSet(last: rank) }
    func forward(_ inputs: [Tensor]) -> [Tensor] { CPU.layerNormGradient(inputs, isAffine: isAffine) }
    func gradients(_ g: [Tensor?], _ kept: KeptList, needs: [Bool]) -> [Tensor?] {
        secondOrder(g, kept.inputs, axes: AxisSet(last: kept.inputs[1].rank), eps: eps)
    }
    static let samples = [
        Sample([values([2, 3]), values([2, 3]), values([3])]) { inputs in
            let (mean, root) = sampleStatistics(inputs[1], axes: [1])
            let operation = LayerNormalizationGradient(eps: 0.1, isAffine: true)
            return apply(operation, to: [inputs[0], inputs[1], mean, root, inputs[2]])
        }
    ]
}

private func values(_ shape: Shape) -> Sample.Input { range(-2...2, shape) }

private func range(_ range: ClosedRange<Double>, _ shape: Shape) -> Sample.Input {
    Sample.Input(.uniform(range), shape: shape)
}

/// mean and r of x, as constants: the gradient cells count them as functions of x themselves.
private func sampleStatistics(_ x: Tensor, axes: AxisSet) -> (mean: Tensor, root: Tensor) {
    withoutGradient {
        let mean = x.mean(over: axes, keepDim: true)
        return (mean, ((x - mean).squared().mean(over: axes, keepDim: true) + 0.1).rsqrt())
    }
}

// MARK: - Gradients

/// What a normalisation keeps.
private struct NormalizationState {
    let x, mean, root: Tensor
    let weight: Tensor?
    let axes: AxisSet

    init(_ kept: KeptList, axes: AxisSet, isAffine: Bool) {
        (x, mean, root) = (kept.inputs[0], kept.outputs[1], kept.outputs[2])
        weight = isAffine ? kept.inputs[1] : nil
        self.axes = axes
    }

    var count: Int { axes.elementCount(of: x.shape) }
}

private func normalizationGradients(
    _ dy: [Tensor?], _ saved: NormalizationState, isAffine: Bool, _ gradient: ([Tensor]) -> [Tensor]
) -> [Tensor?] {
    var results = [Tensor?](repeating: nil, count: isAffine ? 3 : 1)
    if let dy = dy[0] {
        let inputs = [dy, saved.x, saved.mean, saved.root] + (saved.weight.map { [$0] } ?? [])
        results = gradient(inputs)
    }
    // The statistics, when something was computed from them: mean, then r, then the variance.
    var parts: [Tensor] = []
    let centered = { saved.x - saved.mean }
    if let dMean = dy[1] { parts.append((dMean / saved.count).expand(saved.x.shape)) }
    if let dRoot = dy[2] {
        // dr = −½ r³ dvariance, dvariance = 2 (x − mean) / n
        parts.append(centered() * (dRoot * saved.root * saved.root.squared() / -saved.count))
    }
    if dy.count > 3, let dVariance = dy[3] { parts.append(centered() * (dVariance * 2 / saved.count)) }
    for part in parts { results[0] = results[0].map { $0 + part } ?? part }
    return results
}

/// The gradients of (dx, dw, db) with respect to dy, x and w; derived at the top of this file. Everything is computed from x anew, so that
/// the result can be differentiated again.
private func secondOrder(_ g: [Tensor?], _ inputs: [Tensor], axes: AxisSet, eps: Double) -> [Tensor?] {
    let (dy, x) = (inputs[0], inputs[1])
    let weight = inputs.count > 4 ? inputs[4] : nil
    let mean = { (v: Tensor) in v.mean(over: axes, keepDim: true) }
    let centered = x - mean(x)
    let r = (mean(centered.squared()) + eps).rsqrt()
    let normalized = centered * r
    let project = { (v: Tensor) in v - mean(v) - normalized * mean(v * normalized) }
    var (toDy, toX, toWeight): (Tensor?, Tensor?, Tensor?)
    if let g = g[0] {
        let q = weight.map { dy * $0 } ?? dy
        let toQ = r * project(g)
        let h = g * mean(q * normalized) + q * mean(g * normalized)
        toX = -(r.squared() * (project(h) + normalized * mean(g * project(q))))
        toDy = weight.map { toQ * $0 } ?? toQ
        toWeight = weight.map { (toQ * dy).sum(toShape: $0.shape) }
    }
    if g.count > 1, let g = g[1] {
        let (part, more) = (g * normalized, r * project(g * dy))
        toDy = toDy.map { $0 + part } ?? part
        toX = toX.map { $0 + more } ?? more
    }
    if g.count > 2, let g = g[2] {
        let part = g.expand(dy.shape)
        toDy = toDy.map { $0 + part } ?? part
    }
    return [toDy, toX, nil, nil, toWeight]
}

extension AxisSet {
    /// All axes but that of the channels.
    static func channels(_ rank: Int) -> AxisSet {
        var axes = AxisSet()
        for axis in 0..<rank where axis != 1 { axes.insert(axis) }
        return axes
    }
}
