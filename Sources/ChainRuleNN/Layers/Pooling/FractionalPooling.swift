import ChainRule

/// What the fractional poolings share: a window, and how many of them there are, or the factor that the sizes are multiplied with. Where the
/// windows lie is drawn anew in each call, in training or not.
public class FractionalMaxPooling: Module {
    public final let kernelSize: SpatialSize
    public final let outputSize: SpatialSize?
    public final let outputRatio: [Double]
    public final let generator: Generator

    /// - Parameters:
    ///   - outputSize: The number of windows along each axis.
    ///   - outputRatio: Or what the sizes are multiplied with, between 0 and 1: one factor, or one for each axis.
    public init(
        _ kernelSize: SpatialSize, outputSize: SpatialSize? = nil, outputRatio: [Double] = [],
        generator: Generator = .default
    ) {
        self.kernelSize = kernelSize
        self.outputSize = outputSize
        self.outputRatio = outputRatio
        self.generator = generator
        if (outputSize == nil) == outputRatio.isEmpty || !outputRatio.allSatisfy({ 0 < $0 && $0 < 1 }) {
            fail("FractionalMaxPooling", "takes an output size, or ratios between 0 and 1, got \(outputRatio)")
        }
        super.init()
    }

    public final override var summary: String {
        let output = outputSize.map { "outputSize: \($0)" } ?? "outputRatio: \(outputRatio)"
        return "\(type(of: self))(\(kernelSize), \(output))"
    }

    final func outputSize(for input: Tensor, axes: Int) -> SpatialSize {
        if let outputSize { return outputSize }
        return SpatialSize(
            zip(input.shape.suffix(axes), 0...).map {
                Int(Double($0) * outputRatio[min($1, outputRatio.count - 1)])
            })
    }
}

/// The maximum of each window, drawn at random to shrink by any factor: (N, C, H, W) → (N, C, H', W').
public final class FractionalMaxPool2d: FractionalMaxPooling, Layer {
    public func callAsFunction(_ input: Tensor) -> Tensor { withIndices(input).values }

    /// The maxima, and the place of each in its plane, row-major.
    public func withIndices(_ input: Tensor, samples: Tensor? = nil) -> (values: Tensor, indices: Tensor) {
        scope {
            input.fractionalMaxPool2d(
                kernelSize: kernelSize, outputSize: outputSize(for: input, axes: 2), samples: samples,
                generator: generator)
        }
    }
}

/// The maximum of each window, drawn at random to shrink by any factor: (N, C, D, H, W) → (N, C, D', H', W').
public final class FractionalMaxPool3d: FractionalMaxPooling, Layer {
    public func callAsFunction(_ input: Tensor) -> Tensor { withIndices(input).values }

    /// The maxima, and the place of each in its volume, row-major.
    public func withIndices(_ input: Tensor, samples: Tensor? = nil) -> (values: Tensor, indices: Tensor) {
        scope {
            input.fractionalMaxPool3d(
                kernelSize: kernelSize, outputSize: outputSize(for: input, axes: 3), samples: samples,
                generator: generator)
        }
    }
}
