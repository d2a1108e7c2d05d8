extension Tensor {
    /// How often each of 0, 1, 2, ... occurs among the elements of a vector of integers: int64, at least `minLength` of
    /// them. With `weights` the weights of the occurrences added up, in their dtype (integers: float64); differentiable in them.
    public func bincount(weights: Tensor? = nil, minLength: Int = 0) -> Tensor {
        guard rank == 1, dtype.isInteger else {
            return fail("bincount", "expects a vector of integers, this is \(dtype) of shape \(shape)")
        }
        guard weights == nil || weights?.shape == shape else {
            return fail("bincount", "the weights have shape \(weights?.shape ?? []), the elements \(shape)")
        }
        let elements = toArray(of: Int.self)
        var (smallest, largest) = (0, -1)
        for element in elements { (smallest, largest) = (Swift.min(smallest, element), Swift.max(largest, element)) }
        guard smallest >= 0, minLength >= 0 else {
            return fail("bincount", "elements and minLength must not be negative")
        }
        let size = Swift.max(minLength, largest + 1)
        guard let weights else {
            var counts = [Int](repeating: 0, count: size)
            for element in elements { counts[element] += 1 }
            return Tensor(counts)
        }
        return apply(
            IndexAdd(axis: 0, shape: [size]), to: weights.dtype == .float32 ? weights : weights.to(.float64), self)
    }

    /// A new last axis with 1 at the place that each element names and 0 elsewhere; int64. Without `numClasses` it is as long as the
    /// largest element asks for.
    public func oneHot(numClasses: Int? = nil) -> Tensor {
        guard dtype.isInteger else { return fail("oneHot", "the classes must be integers, they are \(dtype)") }
        guard numClasses != nil || count > 0 else {
            return fail("oneHot", "needs numClasses, since there is no element to tell it")
        }
        // A plan does not look at numbers: there a class that is too large is met by `scatter`.
        let elements = numClasses != nil && isTraced ? [] : toArray(of: Int.self)
        let size = numClasses ?? (elements.max() ?? 0).addingReportingOverflow(1).partialValue
        if let wrong = elements.first(where: { $0 < 0 || $0 >= size }) {
            return fail("oneHot", "element \(wrong) is none of the \(size) classes")
        }
        let classes = to(.int64).unsqueeze(dim: -1)
        let target = shape.appending([Swift.max(size, 0)])
        return Tensor.zeros(target, dtype: .int64).scatter(dim: -1, classes, 1)
    }
}
