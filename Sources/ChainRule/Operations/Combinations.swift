// Tensors put together from all pairs, or more, of what others hold.

/// The matrix with these along its diagonal and zeros elsewhere. Vectors count as rows, numbers as single elements.
public func blockDiagonal(_ tensors: [Tensor]) -> Tensor {
    guard !tensors.contains(where: { $0.rank > 2 }) else {
        return fail("blockDiagonal", "takes matrices, got shapes \(tensors.map(\.shape))")
    }
    guard let first = tensors.first else { return Tensor.zeros([1, 0]) }
    let blocks = tensors.map { $0.atLeast2D() }
    let dtype = blocks.dropFirst().reduce(first.dtype) { DType.promote($0, $1.dtype) }
    let width = blocks.reduce(0) { $0 + $1.shape[1] }
    var start = 0
    let rows = blocks.map { block in
        defer { start += block.shape[1] }
        let (height, rest) = (block.shape[0], width - start - block.shape[1])
        return cat(
            [
                Tensor.zeros([height, start], dtype: dtype), block.to(dtype),
                Tensor.zeros([height, rest], dtype: dtype),
            ],
            dim: 1)
    }
    return cat(rows)
}

/// All combinations of one element of each vector, in rows; of a single vector that vector itself.
public func cartesianProduct(_ vectors: [Tensor]) -> Tensor {
    guard let first = vectors.first, !vectors.contains(where: { $0.rank != 1 }) else {
        return fail("cartesianProduct", "takes vectors, got shapes \(vectors.map(\.shape))")
    }
    if vectors.count == 1 { return first }
    return stack(meshgrid(vectors).map { $0.reshape([-1]) }, dim: 1)
}

extension Tensor {
    /// All combinations of `r` elements of a vector in rows, in lexicographic order of their places: (n over r, r). With `replacement` an
    /// element may stand several times.
    public func combinations(_ r: Int = 2, replacement: Bool = false) -> Tensor {
        guard rank == 1, r >= 0 else {
            return fail("combinations", "takes a vector and r ≥ 0, the shape is \(shape) and r is \(r)")
        }
        if r == 0 { return Tensor.zeros([0], dtype: dtype) }
        let places = Self.placeCombinations(of: count, r, replacement)
        return indexSelect(dim: 0, Tensor(places)).reshape([places.count / r, r])
    }

    private static func placeCombinations(of count: Int, _ r: Int, _ replacement: Bool) -> [Int] {
        if r == 1 { return Array(0..<count) }
        let shorter = placeCombinations(of: count, r - 1, replacement)
        var result: [Int] = []
        for start in stride(from: 0, to: shorter.count, by: r - 1) {
            let head = shorter[start..<start + r - 1]
            for place in (shorter[start + r - 2] + (replacement ? 0 : 1))..<Swift.max(count, shorter[start + r - 2] + 1)
            {
                result.append(contentsOf: head)
                result.append(place)
            }
        }
        return result
    }

    /// The Kronecker product: each element of this tensor times the whole other one, in its place. Missing axes come in front.
    public func kron(_ other: Tensor) -> Tensor {
        let axes = Swift.max(rank, other.rank)
        guard 2 * axes <= Shape.maximumRank else {
            return fail(
                "kron", "takes at most \(Shape.maximumRank / 2) axes, the shapes are \(shape) and \(other.shape)")
        }
        let left = Shape(repeating: 1, count: axes - rank).appending(shape)
        let right = Shape(repeating: 1, count: axes - other.rank).appending(other.shape)
        // Axis by axis, this tensor's sizes before the other's.
        let (wide, narrow) = (
            left.flatMap { [$0, 1] }, right.flatMap { [1, $0] }
        )
        return (reshape(Shape(wide)) * other.reshape(Shape(narrow))).reshape(Shape(zip(left, right).map { $0 * $1 }))
    }

    /// Sums of products over the last `count` axes of this tensor and the first of the other: all axes that are left stand in the result.
    public func tensordot(_ other: Tensor, dims count: Int = 2) -> Tensor {
        guard count >= 0, count <= rank, count <= other.rank else {
            return fail("tensordot", "\(count) axes of shapes \(shape) and \(other.shape) cannot be summed over")
        }
        return tensordot(other, dims: Array(rank - count..<rank), Array(0..<count))
    }

    /// Sums of products over pairs of axes: `left` of this tensor with `right` of the other. An axis of size 1 goes with any size.
    public func tensordot(_ other: Tensor, dims left: [Int], _ right: [Int]) -> Tensor {
        guard left.count == right.count else {
            return fail("tensordot", "\(left) and \(right) name different numbers of axes")
        }
        let pairs = zip(left, right).compactMap { a, b -> (Int, Int)? in
            guard let a = axis(a, in: "tensordot"), let b = other.axis(b, in: "tensordot") else { return nil }
            return (a, b)
        }
        guard pairs.count == left.count else { return .placeholderAfterError }
        var (x, y) = (self, other)
        for (a, b) in pairs where shape[a] != other.shape[b] {
            guard shape[a] == 1 || other.shape[b] == 1 else {
                return fail("tensordot", "axis \(a) of shape \(shape) and axis \(b) of \(other.shape) differ")
            }
            if shape[a] == 1 {
                y = y.sum(dim: b, keepDim: true).to(other.dtype)
            } else {
                x = x.sum(dim: a, keepDim: true).to(dtype)
            }
        }
        let (ownAxes, otherAxes) = (pairs.map(\.0), pairs.map(\.1))
        let (own, others) = (
            (0..<rank).filter { !ownAxes.contains($0) }, (0..<other.rank).filter { !otherAxes.contains($0) }
        )
        let inner = ownAxes.reduce(1) { $0 * x.shape[$1] }
        let (rows, columns) = (own.map { shape[$0] }, others.map { other.shape[$0] })
        let matrix = x.permute(Shape(own + ownAxes)).reshape([rows.reduce(1, *), inner])
        let product = matrix.matmul(y.permute(Shape(otherAxes + others)).reshape([inner, columns.reduce(1, *)]))
        return product.reshape(Shape(rows + columns))
    }
}
