/// The maximum of each of `output` windows that cut the axes into parts, and where it was: the row-major place in its plane.
struct AdaptiveMaxPool: VariadicOperation {
    let geometry: PoolingGeometry
    static let name = "adaptive_max_pool"
    static let formula = Formula("max x over parts", gradient: "∂L/∂x = ∂L/∂y added up at the maxima")
    static let keeps: Keeps = .otherOutputs
    func forward(_ inputs: [Tensor]) -> [Tensor] { CPU.adaptiveMaxPool(geometry, inputs[0]) }
    func gradients(_ dy: [Tensor?], _ kept: KeptList, needs: [Bool]) -> [Tensor?] {
        guard let dy = dy[0] else { return [] }
        return [apply(MaxPoolScatter(geometry: geometry), to: dy, kept.outputs[1])]
    }
    static let samples = [
        Sample([Sample.Input(.distinct, shape: [1, 2, 3, 5])]) { [$0[0].adaptiveMaxPool2d([2, 3])] }
    ]
}

/// Part number `index` of `parts` that cut an axis of size `size`: from ⌊index size / parts⌋ to ⌈(index + 1) size / parts⌉.
func adaptiveWindow(_ index: Int, of parts: Int, size: Int) -> Range<Int> {
    let start = index * size / parts
    let stop = ((index + 1) * size + parts - 1) / parts
    return start..<stop
}

extension Tensor {
    /// Averages over windows that cut the last axis into `outputSize` parts: (N, C, L) or (C, L) gives (N, C, outputSize). A size of -1
    /// keeps the input's.
    public func adaptiveAvgPool1d(_ outputSize: SpatialSize) -> Tensor {
        adaptiveAverage(1, outputSize, "adaptiveAvgPool1d")
    }

    /// Averages over windows that cut the last two axes: (N, C, H, W) or (C, H, W) gives (N, C, outputSize...).
    public func adaptiveAvgPool2d(_ outputSize: SpatialSize) -> Tensor {
        adaptiveAverage(2, outputSize, "adaptiveAvgPool2d")
    }

    /// Averages over windows that cut the last three axes.
    public func adaptiveAvgPool3d(_ outputSize: SpatialSize) -> Tensor {
        adaptiveAverage(3, outputSize, "adaptiveAvgPool3d")
    }

    /// Maxima over windows that cut the last axis into `outputSize` parts: (N, C, L) or (C, L) gives (N, C, outputSize). A size of -1
    /// keeps the input's.
    public func adaptiveMaxPool1d(_ outputSize: SpatialSize) -> Tensor {
        adaptiveMaxima(1, outputSize, "adaptiveMaxPool1d").values
    }

    /// Maxima over windows that cut the last two axes.
    public func adaptiveMaxPool2d(_ outputSize: SpatialSize) -> Tensor {
        adaptiveMaxima(2, outputSize, "adaptiveMaxPool2d").values
    }

    /// Maxima over windows that cut the last three axes.
    public func adaptiveMaxPool3d(_ outputSize: SpatialSize) -> Tensor {
        adaptiveMaxima(3, outputSize, "adaptiveMaxPool3d").values
    }

    /// `adaptiveMaxPool1d` and where each maximum was, int64.
    public func adaptiveMaxPool1dWithIndices(_ outputSize: SpatialSize) -> (values: Tensor, indices: Tensor) {
        adaptiveMaxima(1, outputSize, "adaptiveMaxPool1d")
    }

    /// `adaptiveMaxPool2d` and where each maximum was: the row-major place in its plane, int64.
    public func adaptiveMaxPool2dWithIndices(_ outputSize: SpatialSize) -> (values: Tensor, indices: Tensor) {
        adaptiveMaxima(2, outputSize, "adaptiveMaxPool2d")
    }

    /// `adaptiveMaxPool3d` and where each maximum was: the row-major place in its volume, int64.
    public func adaptiveMaxPool3dWithIndices(_ outputSize: SpatialSize) -> (values: Tensor, indices: Tensor) {
        adaptiveMaxima(3, outputSize, "adaptiveMaxPool3d")
    }

    private func adaptiveMaxima(
        _ axes: Int, _ outputSize: SpatialSize, _ name: String
    ) -> (values: Tensor, indices: Tensor) {
        guard let output = adaptiveSizes(axes, outputSize, name) else {
            return (.placeholderAfterError, .placeholderAfterError)
        }
        let (input, ones) = (Array(shape.suffix(axes)), [Int](repeating: 1, count: axes))
        // The parts are no windows at equal distances: what puts gradients where the maxima were looks for them in all of a plane.
        let geometry = PoolingGeometry(
            axes: axes, input: input, kernel: zip(input, output).map(+), output: output, stride: ones, padding: output,
            dilation: ones)
        let results = apply(AdaptiveMaxPool(geometry: geometry), to: [self])
        return (results[0], results[1])
    }

    private func adaptiveAverage(_ axes: Int, _ outputSize: SpatialSize, _ name: String) -> Tensor {
        guard let output = adaptiveSizes(axes, outputSize, name) else { return .placeholderAfterError }
        let input = Array(shape.suffix(axes))
        if output.allSatisfy({ $0 == 1 }) { return mean(dim: Array(rank - axes..<rank), keepDim: true) }
        if zip(input, output).allSatisfy({ $1 > 0 && $0 % $1 == 0 }) {
            let window = zip(input, output).map { $0 / $1 }
            let geometry = PoolingGeometry(
                axes: axes, input: input, kernel: window, output: output, stride: window,
                padding: window.map { _ in 0 }, dilation: window.map { _ in 1 })
            return apply(AveragePool(geometry: geometry), to: self)
        }
        // Windows are products of intervals: average over one axis after the other, each as a product with a matrix.
        var y = wide
        for axis in 0..<axes where input[axis] != output[axis] {
            let place = rank - axes + axis
            let averages = Tensor.averagingMatrix(input[axis], output[axis], y.dtype)
            y = y.transpose(place, -1).matmul(averages).transpose(place, -1)
        }
        return y.rounded(to: dtype)
    }

    /// (size, parts): column i holds 1 / n for the n places of part i.
    private static func averagingMatrix(_ size: Int, _ parts: Int, _ dtype: DType) -> Tensor {
        var elements = [Double](repeating: 0, count: size * parts)
        for part in 0..<parts {
            let window = adaptiveWindow(part, of: parts, size: size)
            for place in window { elements[place * parts + part] = 1 / Double(window.count) }
        }
        return Tensor(elements, shape: [size, parts]).to(dtype)
    }

    /// The sizes of the output; nil after an error.
    private func adaptiveSizes(_ axes: Int, _ outputSize: SpatialSize, _ name: String) -> [Int]? {
        guard isPoolable(axes, name) else { return nil }
        let input = Array(shape.suffix(axes))
        let output = zip(outputSize.sizes(axes, in: name), input).map { $0 == -1 ? $1 : $0 }
        guard output.allSatisfy({ $0 >= 0 }), input.allSatisfy({ $0 > 0 }) else {
            fail(name, "cannot cut the axes \(input) of shape \(shape) into \(output) parts")
            return nil
        }
        return output
    }
}
