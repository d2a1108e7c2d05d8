// Attention in blocks of scores that never leave the cache (Dao 2023, arXiv 2307.08691): the scores are made again for the gradient
// instead of being kept. Composed: `Tensor.composedAttention`.

let attentionOperations: [any Operation.Type] = [Attention.self, AttentionGradient.self]

/// Inputs: q (..., L, E), k (..., S, E) and v (..., S, D) with the same axes in front, and when `hasMask` what broadcasts to (..., L, S):
/// booleans, or constants that are added. Outputs: y (..., L, D), and for the backward pass of each row the largest score and one over
/// the sum of exponentials (..., L, 2).
struct Attention: VariadicOperation {
    let scale: Double
    let isCausal: Bool
    let hasMask: Bool
    static let name = "attention"
    static let formula = Formula(
        "p = softmax(scale · q kᵀ + mask), y = p v",
        gradient:
            "∂L/∂v = pᵀ ∂L/∂y, ds = p (∂L/∂y vᵀ − Σ ∂L/∂y y): ∂L/∂q = scale · ds k, ∂L/∂k = scale · dsᵀ q")
    static let dtypes: DTypes = .fullPrecision
    static let keeps: Keeps = [.input, .output]

    func forward(_ inputs: [Tensor]) -> [Tensor] {
        let result = CPU.attention(AttentionInputs(inputs, hasMask: hasMask), scale: scale, isCausal: isCausal)
        return Tensor.list(result.y, result.statistics)
    }

    func gradients(_ dy: [Tensor?], _ kept: KeptList, needs: [Bool]) -> [Tensor?] {
        guard let dy = dy[0] else { return [] }
        let operation = AttentionGradient(scale: scale, isCausal: isCausal, hasMask: hasMask)
        return apply(operation, to: [dy] + kept.outputs + kept.inputs) + (hasMask ? [nil] : [])
    }

    static let samples =
        [false, true].map { isCausal in
            Sample(attentionShapes.map { Sample.Input(.uniform(-2...2), shape: $0) }) { inputs in
                [apply(Attention(scale: 0.7, isCausal: isCausal, hasMask: false), to: inputs)[0]]
            }
        } + [
            Sample(attentionShapes.map { Sample.Input(.uniform(-2...2), shape: $0) }) { inputs in
                [apply(Attention(scale: 0.7, isCausal: false, hasMask: true), to: inputs + [sampleMask])[0]]
            }
        ]
}

/// q, k, v.
private let attentionShapes: [Shape] = [[2, 3, 2], [2, 4, 2], [2, 4, 3]]
/// The second query sees nothing.
private let sampleMask = Tensor(
    [true, false, true, true, false, false, false, false, true, true, true, false], shape: [3, 4])

/// The gradients of q, k and v. Inputs: dy, then the outputs of `Attention`, which count as functions of the rest, then its inputs.
struct AttentionGradient: VariadicOperation {
    let scale: Double
    let isCausal: Bool
    let hasMask: Bool
    static let name = "attention_gradient"
    static let formula = Formula(
        "ds = p (dy vᵀ − Σ dy y): scale · ds k, scale · dsᵀ q, pᵀ dy",
        gradient: "that of the same gradients, composed of products and a softmax")
    static let dtypes: DTypes = .fullPrecision
    static let keeps: Keeps = .input

    func forward(_ inputs: [Tensor]) -> [Tensor] {
        CPU.attentionGradient(
            inputs[0], y: inputs[1], statistics: inputs[2], AttentionInputs(inputs, from: 3, hasMask: hasMask),
            scale: scale, isCausal: isCausal)
    }

    /// Differentiates the gradient of the composition.
    func gradients(_ g: [Tensor?], _ kept: KeptList, needs: [Bool]) -> [Tensor?] {
        // The mask is a constant.
        let inputs = Array(kept.inputs[..<6])
        return secondGradients(of: inputs, functions: 1..<3, needs: needs) { variables in
            let y = variables[3].composedAttention(
                variables[4], variables[5], hasMask ? kept.inputs[6] : nil, scale: scale, isCausal: isCausal)
            let first = gradient(of: (y * variables[0]).sum(), wrt: Array(variables[3...]), createGraph: true)
            return weighted(first, g)
        } + (hasMask ? [nil] : [])
    }

    static let samples = [false, true].map { hasMask in
        Sample(([[2, 3, 3]] + attentionShapes).map { Sample.Input(.uniform(-2...2), shape: $0) }) { inputs in
            let mask = hasMask ? [sampleMask] : []
            let operation = Attention(scale: 0.7, isCausal: !hasMask, hasMask: hasMask)
            let saved = withoutGradient { apply(operation, to: inputs[1...] + mask) }
            let gradient = AttentionGradient(scale: 0.7, isCausal: !hasMask, hasMask: hasMask)
            return apply(gradient, to: inputs[..<1] + saved + inputs[1...] + mask)
        }
    }
}

extension Tensor {
    /// softmax(scale q kᵀ + mask) v by the cell, for keys and values whose axes in front broadcast with those of the queries.
    func attentionInBlocks(_ key: Tensor, _ value: Tensor, _ mask: Tensor?, scale: Double, isCausal: Bool) -> Tensor {
        let batch = [key, value].reduce(batchAxes) { axes, other in
            axes.flatMap { Shape.broadcast($0, other.batchAxes ?? []) }
        }
        guard let batch else {
            return fail(
                "scaledDotProductAttention",
                "the axes in front of queries, keys and values do not broadcast: \(shape), \(key.shape), \(value.shape)"
            )
        }
        let operation = Attention(scale: scale, isCausal: isCausal, hasMask: mask != nil)
        let inputs = [self, key, value].map { $0.expand(batch.appending($0.shape[($0.rank - 2)...])) }
        return apply(operation, to: inputs + (mask.map { [$0] } ?? []))[0]
    }

    private var batchAxes: Shape? { Shape(shape.dropLast(2)) }
}
