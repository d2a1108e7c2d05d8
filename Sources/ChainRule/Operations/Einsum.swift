/// Sums of products of elements with equal labels (Einstein's convention, as PyTorch's `einsum`).
///
/// `einsum("bij,bjk->bik", a, b)` multiplies batches of matrices; `"ii->i"` is a diagonal, `"ij->ji"` a transpose, `"i,j->ij"` an outer
/// product, `"...ij->...ji"` a transpose of the last axes whatever comes before. Labels are letters. A label that the output leaves out is
/// summed over; without `->` the output has the labels that occur once, in alphabetic order. Sizes of 1 broadcast.
///
/// Operands are joined from left to right, each pair by one matrix product. All have the same dtype.
public func einsum(_ equation: String, _ operands: Tensor...) -> Tensor { einsum(equation, operands) }

/// `einsum` of an array of operands.
public func einsum(_ equation: String, _ operands: [Tensor]) -> Tensor {
    guard let plan = EinsumPlan(equation, operands) else { return .placeholderAfterError }
    var terms = zip(operands, plan.inputs).map { EinsumTerm($0, labels: $1).withoutRepeats() }
    var joined = terms.removeFirst()
    while !terms.isEmpty {
        let next = terms.removeFirst()
        let needed = Set(plan.output + terms.flatMap(\.labels))
        joined = joined.summed(toAnyOf: needed.union(next.labels))
        joined = joined.times(next.summed(toAnyOf: needed.union(joined.labels)), keeping: needed)
    }
    return joined.summed(toAnyOf: Set(plan.output)).arranged(plan.output)
}

/// An equation taken apart: the labels of the axes of each operand and of the output. The axes of an ellipsis are labelled "0", "1", ...,
/// counted from the last.
private struct EinsumPlan {
    var inputs: [[Character]] = []
    var output: [Character] = []

    init?(_ equation: String, _ operands: [Tensor]) {
        let sides = equation.filter { $0 != " " }.split(separator: "->", omittingEmptySubsequences: false)
        let terms = sides[0].split(separator: ",", omittingEmptySubsequences: false)
        guard sides.count <= 2 else {
            fail("einsum", "'\(equation)' has more than one arrow")
            return nil
        }
        guard terms.count == operands.count, !operands.isEmpty else {
            fail("einsum", "'\(equation)' describes \(terms.count) operands, but \(operands.count) were given")
            return nil
        }
        var longestEllipsis = 0
        for (term, operand) in zip(terms, operands) {
            guard let labels = Self.labels(term, rank: operand.rank, equation) else { return nil }
            longestEllipsis = Swift.max(longestEllipsis, labels.filter(\.isNumber).count)
            inputs.append(labels)
        }
        let ellipsis = Self.ellipsis(longestEllipsis)
        if sides.count == 2 {
            guard let labels = Self.outputLabels(sides[1], ellipsis, equation) else { return nil }
            output = labels
        } else {
            let all = inputs.flatMap { $0 }.filter { !$0.isNumber }
            output = ellipsis + Set(all).filter { label in all.filter { $0 == label }.count == 1 }.sorted()
        }
        guard haveOneSize(operands, equation) else { return nil }
    }

    /// "9" ... "0": the axes of an ellipsis of `count` axes.
    private static func ellipsis(_ count: Int) -> [Character] {
        (0..<count).reversed().map { Character("\($0)") }
    }

    private static func labels(_ term: Substring, rank: Int, _ equation: String) -> [Character]? {
        let parts = term.split(separator: "...", omittingEmptySubsequences: false)
        let named = parts.joined()
        let covered = rank - named.count
        guard parts.count <= 2, named.allSatisfy({ $0.isASCII && $0.isLetter }) else {
            fail("einsum", "'\(term)' in '\(equation)' is not made of letters and at most one ellipsis '...'")
            return nil
        }
        guard parts.count == 2 ? covered >= 0 : covered == 0 else {
            fail("einsum", "'\(term)' in '\(equation)' does not fit an operand of \(rank) axes")
            return nil
        }
        return parts.count == 2 ? Array(parts[0]) + ellipsis(covered) + Array(parts[1]) : Array(term)
    }

    private static func outputLabels(
        _ side: Substring, _ ellipsis: [Character], _ equation: String
    ) -> [Character]? {
        let parts = side.split(separator: "...", omittingEmptySubsequences: false)
        let named = Array(parts.joined())
        guard parts.count <= 2, named.allSatisfy({ $0.isASCII && $0.isLetter }), Set(named).count == named.count else {
            fail("einsum", "the output '\(side)' in '\(equation)' must name each letter once, and at most one ellipsis")
            return nil
        }
        return parts.count == 2 ? Array(parts[0]) + ellipsis + Array(parts[1]) : named
    }

    /// Whether each label means one size (or 1) and each label of the output is known.
    private func haveOneSize(_ operands: [Tensor], _ equation: String) -> Bool {
        var sizes: [Character: Int] = [:]
        for (labels, operand) in zip(inputs, operands) {
            for (axis, label) in labels.enumerated() {
                let (size, known) = (operand.shape[axis], sizes[label] ?? 1)
                guard size == known || size == 1 || known == 1 else {
                    fail("einsum", "label '\(label)' in '\(equation)' means sizes \(known) and \(size)")
                    return false
                }
                sizes[label] = known == 1 ? size : known
            }
        }
        for label in output where sizes[label] == nil && !label.isNumber {
            fail("einsum", "the output label '\(label)' in '\(equation)' is in no operand")
            return false
        }
        return true
    }
}

/// A tensor whose axes have labels.
private struct EinsumTerm {
    let tensor: Tensor
    let labels: [Character]

    init(_ tensor: Tensor, labels: [Character]) {
        self.tensor = tensor
        self.labels = labels
    }

    private func size(_ label: Character) -> Int { labels.firstIndex(of: label).map { tensor.shape[$0] } ?? 1 }

    /// The axes in the order of `wanted`, with axes of size 1 for labels that this term lacks.
    func arranged(_ wanted: [Character]) -> Tensor {
        let present = wanted.filter(labels.contains)
        let order = present.compactMap(labels.firstIndex(of:))
        let permuted = order == Array(0..<tensor.rank) ? tensor : tensor.permute(Shape(order))
        return permuted.reshape(Shape(wanted.map(size)))
    }

    /// Each label once: the diagonals of axes with equal labels.
    func withoutRepeats() -> EinsumTerm {
        for (axis, label) in labels.enumerated() {
            guard let first = labels.firstIndex(of: label), first < axis else { continue }
            var rest = labels
            rest.remove(at: axis)
            rest.remove(at: first)
            let side = Swift.min(tensor.shape[first], tensor.shape[axis])
            let size = side == 0 ? 0 : Swift.max(tensor.shape[first], tensor.shape[axis])
            // As the last axis, (n, n) flattened, of which every (n + 1)-th element lies on the diagonal.
            let square = tensor.movedim([first, axis], [-2, -1]).expandingLast(to: size)
            let flat = square.reshape(Shape(square.shape.dropLast(2) + [size * size]))
            let diagonal = side == 0 ? flat : flat.slice(dim: -1, by: size + 1)
            return EinsumTerm(diagonal, labels: rest + [label]).withoutRepeats()
        }
        return self
    }

    /// Summed over the axes whose label is none of these.
    func summed(toAnyOf needed: Set<Character>) -> EinsumTerm {
        let dims = labels.indices.filter { !needed.contains(labels[$0]) }
        if dims.isEmpty { return self }
        return EinsumTerm(tensor.sum(dim: dims), labels: labels.filter(needed.contains))
    }

    /// The product with another term, summed over the labels that both have and `needed` lacks.
    func times(_ other: EinsumTerm, keeping needed: Set<Character>) -> EinsumTerm {
        let shared = labels.filter(other.labels.contains)
        let (batch, contracted) = (shared.filter(needed.contains), shared.filter { !needed.contains($0) })
        let (own, others) = (labels.filter { !shared.contains($0) }, other.labels.filter { !shared.contains($0) })
        let result = batch + own + others
        if contracted.isEmpty { return EinsumTerm(arranged(result) * other.arranged(result), labels: result) }
        // Not the larger of the two: an axis of size 0 stays empty.
        let widths = { (list: [Character]) in list.map { self.size($0) == 1 ? other.size($0) : self.size($0) } }
        let groups = (widths(batch), widths(own), widths(others), widths(contracted))
        let count = { (sizes: [Int]) in sizes.reduce(1, *) }
        // A size of 1 that meets a larger one is expanded: each of its partners is multiplied with it and summed.
        let left = arranged(batch + own + contracted).expand(Shape(groups.0 + groups.1 + groups.3))
        let right = other.arranged(batch + contracted + others).expand(Shape(groups.0 + groups.3 + groups.2))
        let product = left.reshape([count(groups.0), count(groups.1), count(groups.3)]).matmul(
            right.reshape([count(groups.0), count(groups.3), count(groups.2)]))
        return EinsumTerm(product.reshape(Shape(groups.0 + groups.1 + groups.2)), labels: result)
    }
}

extension Tensor {
    /// The last two axes expanded to one size.
    fileprivate func expandingLast(to size: Int) -> Tensor {
        var target = shape
        (target[rank - 2], target[rank - 1]) = (size, size)
        return expand(target)
    }
}
