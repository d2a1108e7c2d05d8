// Derivatives and integrals of functions known at some places, by finite differences and trapezoids.

extension Tensor {
    /// The derivative along each of `dims` (all unless given) at each place, in central differences; at the ends one-sided ones that are
    /// exact for polynomials of degree `edgeOrder` (1 or 2). `spacing` is the distance of neighbours, one for all axes or one for each.
    public func gradient(spacing: [Double] = [1], dims: [Int]? = nil, edgeOrder: Int = 1) -> [Tensor] {
        let axes = dims ?? Array(0..<rank)
        guard spacing.count == 1 || spacing.count == axes.count else {
            fail("gradient", "\(spacing.count) spacings for \(axes.count) axes")
            return []
        }
        return gradient(axes, edgeOrder) { place, size in
            Tensor.full([size - 1], spacing[spacing.count == 1 ? 0 : place], dtype: dtype.asFloatingPoint.computeType)
        }
    }

    /// The derivative along each of `dims` (all unless given) for places with these coordinates, a vector for each axis.
    public func gradient(coordinates: [Tensor], dims: [Int]? = nil, edgeOrder: Int = 1) -> [Tensor] {
        let axes = dims ?? Array(0..<rank)
        let fits = zip(axes, coordinates).allSatisfy { dim, vector in
            vector.rank == 1 && axis(dim, in: "gradient").map { shape[$0] == vector.count } ?? false
        }
        guard coordinates.count == axes.count, fits else {
            fail(
                "gradient", "coordinates of shapes \(coordinates.map(\.shape)) do not fit the axes \(axes) of \(shape)")
            return []
        }
        return gradient(axes, edgeOrder) { place, _ in coordinates[place].wide.diff() }
    }

    private func gradient(_ dims: [Int], _ edgeOrder: Int, _ steps: (_ place: Int, _ size: Int) -> Tensor) -> [Tensor] {
        guard edgeOrder == 1 || edgeOrder == 2, rank > 0 else {
            fail("gradient", "needs an axis and an edge order of 1 or 2, got \(edgeOrder) and shape \(shape)")
            return []
        }
        return dims.enumerated().map { place, dim in
            guard let axis = axis(dim, in: "gradient") else { return .placeholderAfterError }
            guard shape[axis] > edgeOrder else {
                return fail("gradient", "axis \(axis) of shape \(shape) needs at least \(edgeOrder + 1) places")
            }
            let x = to(dtype.asFloatingPoint).wide.movedim(axis, -1)
            return x.slopes(steps(place, shape[axis]), edgeOrder).movedim(-1, axis).rounded(to: dtype)
        }
    }

    /// The slopes along the last axis, for the distances of neighbours: those of the parabolas through three neighbours, or, at the ends, of
    /// the line through two or of the nearest parabola.
    private func slopes(_ steps: Tensor, _ edgeOrder: Int) -> Tensor {
        let size = shape[rank - 1]
        let secants = diff() / steps
        if size == 2 { return cat([secants, secants], dim: -1) }
        let (before, after) = (steps.narrowed(0, 0, size - 2), steps.narrowed(0, 1, size - 2))
        let (left, right) = (secants.narrowed(rank - 1, 0, size - 2), secants.narrowed(rank - 1, 1, size - 2))
        let inner = (left * after + right * before) / (before + after)
        var (first, last) = (secants.narrowed(rank - 1, 0, 1), secants.narrowed(rank - 1, size - 2, 1))
        if edgeOrder == 2 {
            // A parabola's slopes at two places average to the slope between them.
            first = first * 2 - inner.narrowed(rank - 1, 0, 1)
            last = last * 2 - inner.narrowed(rank - 1, size - 3, 1)
        }
        return cat([first, inner, last], dim: -1)
    }

    /// The integral along an axis of the function with these values at places `dx` apart, straight between them.
    public func trapezoid(dx: Double = 1, dim: Int = -1) -> Tensor {
        guard let axis = existingAxis(dim, in: "trapezoid") else { return .placeholderAfterError }
        return trapezoids(axis).sum(dim: axis) * (dx / 2)
    }

    /// The integral along an axis for values at the places `x`: a vector of them, or a tensor that broadcasts to this one.
    public func trapezoid(x: Tensor, dim: Int = -1) -> Tensor {
        guard let axis = existingAxis(dim, in: "trapezoid"), let steps = distances(x, axis, in: "trapezoid") else {
            return .placeholderAfterError
        }
        return (trapezoids(axis) * steps).sum(dim: axis) / 2
    }

    /// The integrals from the first place to each of the others; see `trapezoid(dx:dim:)`.
    public func cumulativeTrapezoid(dx: Double = 1, dim: Int = -1) -> Tensor {
        guard let axis = existingAxis(dim, in: "cumulativeTrapezoid") else { return .placeholderAfterError }
        return trapezoids(axis).cumsum(dim: axis) * (dx / 2)
    }

    /// The integrals from the first place to each of the others; see `trapezoid(x:dim:)`.
    public func cumulativeTrapezoid(x: Tensor, dim: Int = -1) -> Tensor {
        guard let axis = existingAxis(dim, in: "cumulativeTrapezoid"),
            let steps = distances(x, axis, in: "cumulativeTrapezoid")
        else { return .placeholderAfterError }
        return (trapezoids(axis) * steps).cumsum(dim: axis) / 2
    }

    /// The sums of neighbours along an axis.
    private func trapezoids(_ axis: Int) -> Tensor {
        let size = Swift.max(shape[axis] - 1, 0)
        let start = Swift.min(shape[axis], 1)
        return narrowed(axis, 0, size) + narrowed(axis, start, size)
    }

    /// The distances of neighbours among the places `x` along an axis of this tensor, shaped to broadcast.
    private func distances(_ x: Tensor, _ axis: Int, in name: String) -> Tensor? {
        var places = x
        if x.rank == 1 {
            guard x.count == shape[axis] else {
                fail(name, "\(x.count) places for the \(shape[axis]) values along axis \(axis) of shape \(shape)")
                return nil
            }
            places = x.reshape(Shape([x.count]).appending(Shape(repeating: 1, count: rank - axis - 1)))
        }
        let lead = Swift.max(rank - places.rank, 0)
        let aligned = places.reshape(Shape(repeating: 1, count: lead).appending(places.shape))
        return aligned.diff(dim: aligned.rank - rank + axis)
    }
}
