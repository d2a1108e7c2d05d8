/// How `embeddingBag` joins the rows of a bag.
public enum BagReduction: Sendable {
    case sum, mean, max
}

/// The rows of `weight` that `indices` name, joined bag by bag: without a tensor in between for a user to see.
///
/// - Parameters:
///   - indices: Integers (bags, length), or (count) with `offsets`.
///   - weight: [rows, features].
///   - offsets: Where each bag begins, for indices (count).
///   - perSampleWeights: A factor for each index, of the shape of `indices`; for sums only.
///   - includesLastOffset: Whether the last offset is not a bag of its own but where the last one ends.
///   - paddingIndex: A row that counts in no bag and receives no gradient; negative ones count from the end.
///   - maxNorm, normOrder, scalesGradientByFrequency: As for `embedding`.
/// - Returns: [bags, features]; a bag without rows gives zeros.
public func embeddingBag(
    _ indices: Tensor, weight: Tensor, offsets: Tensor? = nil, reduction: BagReduction = .mean,
    perSampleWeights: Tensor? = nil, includesLastOffset: Bool = false, paddingIndex: Int? = nil,
    maxNorm: Double? = nil, normOrder: Double = 2, scalesGradientByFrequency: Bool = false
) -> Tensor {
    let name = "embeddingBag"
    guard weight.rank == 2, indices.dtype.isInteger,
        indices.rank == 2 ? offsets == nil : indices.rank == 1 && offsets != nil
    else {
        return fail(
            name,
            "needs indices (bags, length), or (count) with offsets, and a weight (rows, features); the shapes are \(indices.shape) and \(weight.shape)"
        )
    }
    guard perSampleWeights.map({ $0.shape == indices.shape && reduction == .sum }) ?? true else {
        return fail(
            name, "the weights of samples have the shape of the indices, \(indices.shape), and go with sums only")
    }
    guard let bags = bagNumbers(indices, offsets, includesLastOffset) else { return .placeholderAfterError }
    let places = indices.reshape([indices.count]).to(.int64)
    var rows = embedding(
        places, weight: weight.wide, paddingIndex: paddingIndex, maxNorm: maxNorm, normOrder: normOrder,
        scalesGradientByFrequency: scalesGradientByFrequency)
    if let perSampleWeights { rows = rows * perSampleWeights.wide.reshape([indices.count, 1]) }
    if paddingIndex == nil, offsets == nil, reduction != .max, indices.count > 0 {
        let bags = rows.reshape([indices.shape[0], indices.shape[1], weight.shape[1]])
        return (reduction == .sum ? bags.sum(dim: 1) : bags.mean(dim: 1)).rounded(to: weight.dtype)
    }
    let counts =
        paddingIndex.map { places .!= ($0 < 0 ? $0 + weight.shape[0] : $0) } ?? Tensor.ones(places.shape, dtype: .bool)
    return joined(rows, counts, bags.numbers, bags.count, reduction).rounded(to: weight.dtype)
}

/// The bag of each index, and how many bags there are. Nil after an error.
private func bagNumbers(_ indices: Tensor, _ offsets: Tensor?, _ includesLast: Bool) -> (numbers: Tensor, count: Int)? {
    guard let offsets else {
        let (bags, length) = (indices.shape[0], indices.shape[1])
        return (Tensor.arange(bags).repeatInterleave(length), bags)
    }
    let starts = offsets.toArray(of: Int.self)
    let isRising = zip(starts, starts.dropFirst()).allSatisfy { $0 <= $1 }
    guard offsets.rank == 1, starts.first ?? 0 == 0, isRising, starts.last ?? 0 <= indices.count,
        !includesLast || !starts.isEmpty
    else {
        fail("embeddingBag", "the offsets \(starts) must begin with 0 and rise to at most the \(indices.count) indices")
        return nil
    }
    let begins = includesLast ? starts.dropLast() : starts[...]
    var numbers = [Int](repeating: 0, count: indices.count)
    for (bag, start) in begins.enumerated() {
        for place in start..<numbers.count { numbers[place] = bag }
    }
    return (Tensor(numbers), begins.count)
}

private func joined(
    _ rows: Tensor, _ counts: Tensor, _ bags: Tensor, _ bagCount: Int, _ reduction: BagReduction
) -> Tensor {
    let target: Shape = [bagCount, rows.shape[1]]
    let isPadding = counts.logicalNot().unsqueeze(dim: 1)
    let zeros = Tensor.zeros(target, dtype: rows.dtype)
    if reduction == .max {
        let hidden = rows.maskedFill(isPadding, -Double.infinity)
        let largest = Tensor.full(target, -Double.infinity, dtype: rows.dtype).scatterReduce(
            dim: 0, bags.unsqueeze(dim: 1).expand(rows.shape), hidden, reduce: .amax)
        return largest.maskedFill(largest.detach() .== -Double.infinity, 0)
    }
    let sums = zeros.indexAdd(dim: 0, bags, rows.maskedFill(isPadding, 0))
    if reduction == .sum { return sums }
    let sizes = Tensor.zeros([bagCount], dtype: rows.dtype).indexAdd(dim: 0, bags, counts.to(rows.dtype))
    return sums / sizes.clamp(min: 1).unsqueeze(dim: 1)
}
