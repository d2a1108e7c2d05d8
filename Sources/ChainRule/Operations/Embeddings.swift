/// How `embeddingBag` joins the rows of a bag.
public enum BagReduction: Sendable {
    case sum, mean, max
}

/// The rows of `weight` that `indices` name, joined bag by bag, without a tensor of them in between.
///
/// - Parameters:
///   - indices: Integers (bags, length), or (count) with `offsets`.
///   - weight: [rows, features].
///   - offsets: Where each bag begins, for indices (count).
///   - perSampleWeights: A factor for each index, of the shape of `indices`; for sums only.
///   - includesLastOffset: Whether the last offset is not a bag of its own but where the last one ends.
///   - paddingIndex: A row that counts in no bag and receives no gradient; negative ones count from the end.
///   - maxNorm, normOrder, scalesGradientByFrequency: As for `embedding`.
/// - Returns: [bags, features]; a bag without rows gives zeros. The gradient of a maximum goes to the first row that has it.
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
    guard paddingIndex.map({ $0 >= -weight.shape[0] && $0 < weight.shape[0] }) ?? true else {
        return fail(name, "the padding index \(paddingIndex ?? 0) is none of the \(weight.shape[0]) rows")
    }
    guard let starts = bagStarts(indices, offsets, includesLastOffset) else { return .placeholderAfterError }
    var (rows, places) = (weight.wide, indices.reshape([indices.count]).to(.int64))
    var ignored = paddingIndex.map { $0 < 0 ? $0 + weight.shape[0] : $0 }
    if maxNorm != nil || scalesGradientByFrequency {
        rows = embedding(
            places, weight: rows, paddingIndex: paddingIndex, maxNorm: maxNorm, normOrder: normOrder,
            scalesGradientByFrequency: scalesGradientByFrequency)
        // Each place has a row of its own now; the one behind the last stands for padding.
        let own = Tensor.arange(places.count)
        places = ignored.map { own.maskedFill(places .== $0, own.count) } ?? own
        ignored = ignored.map { _ in own.count }
    }
    if reduction == .max {
        let best = applyOne(BagMaxima(ignored: ignored), to: [rows.detach(), places, starts])
        guard rows.shape[0] > 0 else { return Tensor.zeros(best.shape, dtype: weight.dtype) }
        return rows.gather(dim: 0, best.clamp(min: 0)).maskedFill(best .< 0, 0).rounded(to: weight.dtype)
    }
    let sum = BagSum(rows: rows.shape[0], averages: reduction == .mean, ignored: ignored)
    let factors = perSampleWeights.map { [$0.wide.to(rows.dtype).reshape([indices.count])] } ?? []
    return applyOne(sum, to: [rows, places, starts] + factors).rounded(to: weight.dtype)
}

/// Where each bag begins, and where the last one ends. Nil after an error.
private func bagStarts(_ indices: Tensor, _ offsets: Tensor?, _ includesLast: Bool) -> Tensor? {
    guard let offsets else { return Tensor.arange(indices.shape[0] + 1) * indices.shape[1] }
    guard offsets.rank == 1, offsets.dtype.isInteger, !includesLast || offsets.count > 0 else {
        fail("embeddingBag", "the offsets must be a vector of integers, they are \(offsets.dtype) \(offsets.shape)")
        return nil
    }
    return includesLast ? offsets.to(.int64) : cat([offsets.to(.int64), Tensor([indices.count])])
}
