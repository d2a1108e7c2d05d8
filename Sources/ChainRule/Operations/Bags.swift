let bagOperations: [any Operation.Type] = [BagSum.self, BagSpread.self, BagMaxima.self]

/// y[b] = Σ w[k] x[i[k]] over the places k of bag b, or their mean. Inputs: x (rows, features), i (places), where bags begin and the last one
/// ends (bags + 1), and w (places) if there are weights.
struct BagSum: VariadicOperation {
    let rows: Int
    let averages: Bool
    /// An index that counts for nothing.
    let ignored: Int?
    static let name = "bag_sum"
    static let formula = Formula(
        "Σ w x[i] over a bag", gradient: "∂L/∂x = w ∂L/∂y of the bag added up at i, ∂L/∂w = ∂L/∂y of the bag · x[i]")
    static let dtypes: DTypes = .fullPrecision
    static let keeps: Keeps = .input
    static func keptInputs(_ inputs: [Tensor]) -> [Tensor] { inputs.count > 3 ? inputs : Array(inputs.dropFirst()) }
    func forward(_ inputs: [Tensor]) -> [Tensor] {
        guard let bags = Bags(inputs[1], inputs[2], inputs.dropFirst(3).first, rows, averages, ignored) else {
            return [.placeholderAfterError]
        }
        return [CPU.bagSums(inputs[0], bags)]
    }
    func gradients(_ dy: [Tensor?], _ kept: KeptList, needs: [Bool]) -> [Tensor?] {
        guard let dy = dy[0] else { return [] }
        let bags = Array(kept.inputs.suffix(needs.count - 1))
        let spread = BagSpread(rows: rows, averages: averages, ignored: ignored)
        var gradients = [needs[0] ? applyOne(spread, to: [dy] + bags) : nil, nil, nil]
        if needs.count > 3 {
            gradients.append(needs[3] ? products(kept.inputs[0], dy, bags[0], bags[1], ignored) : nil)
        }
        return gradients
    }
    static let samples = [
        Sample([Sample.Input(.uniform(-2...2), shape: [3, 2]), Sample.Input(.integers(0..<3), shape: [2, 4])]) {
            [embeddingBag($0[1], weight: $0[0], paddingIndex: 1)]
        },
        Sample([
            Sample.Input(.uniform(-2...2), shape: [3, 2]), Sample.Input(.integers(0..<3), shape: [5]),
            Sample.Input(.uniform(-2...2), shape: [5]),
        ]) {
            [
                embeddingBag(
                    $0[1], weight: $0[0], offsets: [0, 2, 2], reduction: .sum, perSampleWeights: $0[2], paddingIndex: 2)
            ]
        },
    ]
}

/// dx = zeros, with w[k] dy[b] added at i[k] for the places k of bag b: the transpose of `BagSum`. Inputs: dy (bags, features), and as there.
struct BagSpread: VariadicOperation {
    let rows: Int
    let averages: Bool
    let ignored: Int?
    static let name = "bag_spread"
    static let formula = Formula(
        "0 with w dy of the bag added at i",
        gradient: "∂L/∂dy = Σ w ∂L/∂dx[i] over the bag, ∂L/∂w = dy of the bag · ∂L/∂dx[i]")
    static let dtypes: DTypes = .fullPrecision
    static let keeps: Keeps = .input
    static func keptInputs(_ inputs: [Tensor]) -> [Tensor] { BagSum.keptInputs(inputs) }
    func forward(_ inputs: [Tensor]) -> [Tensor] {
        guard let bags = Bags(inputs[1], inputs[2], inputs.dropFirst(3).first, rows, averages, ignored) else {
            return [.placeholderAfterError]
        }
        return [CPU.spreadBags(inputs[0], bags)]
    }
    func gradients(_ dx: [Tensor?], _ kept: KeptList, needs: [Bool]) -> [Tensor?] {
        guard let dx = dx[0] else { return [] }
        let bags = Array(kept.inputs.suffix(needs.count - 1))
        let sum = BagSum(rows: rows, averages: averages, ignored: ignored)
        var gradients = [needs[0] ? applyOne(sum, to: [dx] + bags) : nil, nil, nil]
        if needs.count > 3 {
            gradients.append(needs[3] ? products(dx, kept.inputs[0], bags[0], bags[1], ignored) : nil)
        }
        return gradients
    }
    static let samples = [
        Sample([Sample.Input(.uniform(-2...2), shape: [2, 3]), Sample.Input(.integers(0..<4), shape: [5])]) {
            [applyOne(BagSpread(rows: 4, averages: true, ignored: 1), to: [$0[0], $0[1], [0, 3, 5]])]
        },
        Sample([
            Sample.Input(.uniform(-2...2), shape: [2, 3]), Sample.Input(.integers(0..<4), shape: [5]),
            Sample.Input(.uniform(-2...2), shape: [5]),
        ]) {
            [applyOne(BagSpread(rows: 4, averages: false, ignored: nil), to: [$0[0], $0[1], [0, 3, 4], $0[2]])]
        },
    ]
}

/// x[i[k]] · y[b] for each place k of a bag b.
private func products(_ x: Tensor, _ y: Tensor, _ index: Tensor, _ starts: Tensor, _ ignored: Int?) -> Tensor {
    if index.count == 0 || y.shape[0] == 0 { return Tensor.zeros(index.shape, dtype: x.dtype) }
    let bag = starts.searchsorted(Tensor.arange(index.count), right: true) - 1
    let isNowhere = bag .== y.shape[0]
    // What is nowhere is looked up at some place, and forgotten.
    let rows = x.indexSelect(dim: 0, index.clamp(max: x.shape[0] - 1))
    let all = (rows * y.indexSelect(dim: 0, bag.clamp(max: y.shape[0] - 1))).sum(dim: 1)
    return all.maskedFill(ignored.map { isNowhere.logicalOr(index .== $0) } ?? isNowhere, 0)
}

/// For each bag and feature the row among those of the bag where x is largest, the first on a tie; −1 for a bag without rows.
struct BagMaxima: VariadicOperation, NotDifferentiable {
    let ignored: Int?
    static let name = "bag_maxima"
    static let reason = "the row of the maximum is constant between its jumps"
    static let dtypes: DTypes = .fullPrecision
    static let keeps: Keeps = []
    func forward(_ inputs: [Tensor]) -> [Tensor] {
        guard let bags = Bags(inputs[1], inputs[2], nil, inputs[0].shape[0], false, ignored) else {
            return [.placeholderAfterError]
        }
        return [CPU.bagMaxima(inputs[0], bags)]
    }
}
