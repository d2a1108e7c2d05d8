import ChainRule

/// (x − mean) / deviation, with one mean for each channel of images (N, channels, height, width), or one for each feature of rows (N,
/// features).
public struct Normalization: Codable, Sendable, Equatable {
    public let mean, deviation: [Double]

    public init(mean: [Double], deviation: [Double]) {
        self.mean = mean
        self.deviation = deviation
    }

    /// Mean and deviation (of the population) of the training inputs, computed in double. What never changes keeps its size: a deviation
    /// of 1 stands for 0.
    public init(of data: LabeledData) {
        let inputs = data.inputs
        let groups = inputs.rank > 1 ? inputs.shape[1] : 1
        // The elements of a group lie in runs: the pixels of a channel, or the single number of a feature.
        let run = inputs.shape.dropFirst(2).reduce(1, *)
        let count = Double(max(inputs.count / max(groups, 1), 1))
        let mean = Self.sums(inputs, groups: groups, run: run) { x, _ in x }.map { $0 / count }
        let variance = Self.sums(inputs, groups: groups, run: run) { x, group in
            (x - mean[group]) * (x - mean[group])
        }
        self.mean = mean
        // Below the resolution of float32 at this mean, what is left is rounding.
        deviation = zip(variance, mean).map { sum, mean in
            let deviation = (sum / count).squareRoot()
            return deviation > 1e-7 * abs(mean) ? deviation : 1
        }
    }

    /// The sum of `term` over each group; a block of rows at a time, so that no second copy of the data is made.
    private static func sums(
        _ inputs: Tensor, groups: Int, run: Int, _ term: (_ x: Double, _ group: Int) -> Double
    ) -> [Double] {
        var sums = [Double](repeating: 0, count: groups)
        let rows = inputs.rank > 0 ? inputs.shape[0] : 0
        for start in stride(from: 0, to: rows, by: 1024) {
            let block = inputs[start..<min(start + 1024, rows)].toArray(of: Float.self)
            var index = 0
            while index < block.count {
                for group in 0..<groups {
                    for _ in 0..<run {
                        sums[group] += term(Double(block[index]), group)
                        index += 1
                    }
                }
            }
        }
        return sums
    }

    public func apply(to inputs: Tensor) -> Tensor {
        let axes = mean.count > 1 ? [mean.count] + [Int](repeating: 1, count: max(inputs.rank - 2, 0)) : [1]
        let shape = Shape(axes)
        return (inputs - Tensor(mean, shape: shape).to(inputs.dtype))
            / Tensor(deviation, shape: shape).to(inputs.dtype)
    }
}
