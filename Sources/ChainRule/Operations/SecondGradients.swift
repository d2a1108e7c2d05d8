// For operations that are one kernel forward and backward: their second gradients are those of a composition.

/// The gradients of what `composed` makes of `inputs`, those in `functions` left out, which are functions of the others.
func secondGradients(
    of inputs: [Tensor], functions: Range<Int>, needs: [Bool], _ composed: ([Tensor]) -> Tensor?
) -> [Tensor?] {
    let wanted = inputs.indices.filter { !functions.contains($0) && inputs[$0].dtype.isFloatingPoint }
    let isRecorded = isRecording
    var gradients = [Tensor?](repeating: nil, count: inputs.count)
    withGradient {
        var variables = inputs
        for index in wanted {
            let input = inputs[index]
            variables[index] = apply(Alias(), to: input.requiresGrad ? input : input.requiringGrad())
        }
        guard let total = composed(variables) else { return }
        let results = gradient(
            of: total, wrt: wanted.map { variables[$0] }, createGraph: isRecorded, allowUnused: true)
        for (index, result) in zip(wanted, results) where needs[index] { gradients[index] = result }
    }
    return gradients
}

/// Σ value · weight over those that have a weight.
func weighted(_ values: [Tensor], _ weights: [Tensor?]) -> Tensor? {
    let parts = zip(values, weights).compactMap { value, weight in weight.map { (value * $0).sum() } }
    return parts.dropFirst().reduce(parts.first) { sum, part in sum.map { $0 + part } }
}
