let poolingOperations: [any Operation.Type] = [
    MaxPool.self, AdaptiveMaxPool.self, MaxPoolScatter.self, MaxPoolGather.self, AveragePool.self,
    AveragePoolGradient.self,
]

/// The maximum of each window, and where it was: the place in its input plane, row-major.
struct MaxPool: VariadicOperation {
    let geometry: PoolingGeometry
    static let name = "max_pool"
    static let formula = Formula("max x over windows", gradient: "∂L/∂x = ∂L/∂y added up at the maxima")
    static let keeps: Keeps = .otherOutputs
    func forward(_ inputs: [Tensor]) -> [Tensor] { CPU.maxPool(geometry, inputs[0]) }
    func gradients(_ dy: [Tensor?], _ kept: KeptList, needs: [Bool]) -> [Tensor?] {
        guard let dy = dy[0] else { return [] }
        return [apply(MaxPoolScatter(geometry: geometry), to: dy, kept.outputs[1])]
    }
    static let samples = [
        Sample([Sample.Input(.distinct, shape: [2, 5])]) { [$0[0].maxPool1d(kernelSize: 2)] },
        Sample([Sample.Input(.distinct, shape: [1, 2, 4, 5])]) {
            [$0[0].maxPool2d(kernelSize: [2, 3], stride: [1, 2], padding: [0, 1], ceilMode: true)]
        },
    ]
}

/// dx = 0 with dy added at the places of the maxima.
struct MaxPoolScatter: BinaryOperation {
    let geometry: PoolingGeometry
    static let name = "max_pool_scatter"
    static let formula = Formula("0 with dy added at the maxima", gradient: "∂L/∂dy = ∂L/∂dx at the maxima")
    static let keeps: Keeps = .right
    func forward(_ dy: Tensor, _ indices: Tensor) -> Tensor { CPU.maxPoolScatter(geometry, dy, indices) }
    func gradientLeft(_ g: Tensor, _ kept: Kept) -> Tensor {
        apply(MaxPoolGather(geometry: geometry), to: g, kept.rightInput)
    }
    func gradientRight(_ g: Tensor, _ kept: Kept) -> Tensor { fail(Self.name, "an index has no gradient") }
    static let samples = [
        Sample([Sample.Input(.uniform(-2...2), shape: [2, 2]), Sample.Input(.integers(0..<4), shape: [2, 2])]) {
            [apply(MaxPoolScatter(geometry: .sample), to: $0[0], $0[1])]
        }
    ]
}

/// y = x at the places of the maxima.
struct MaxPoolGather: BinaryOperation {
    let geometry: PoolingGeometry
    static let name = "max_pool_gather"
    static let formula = Formula("x at the maxima", gradient: "∂L/∂x = ∂L/∂y added up at the maxima")
    static let keeps: Keeps = .right
    func forward(_ x: Tensor, _ indices: Tensor) -> Tensor { CPU.maxPoolGather(geometry, x, indices) }
    func gradientLeft(_ g: Tensor, _ kept: Kept) -> Tensor {
        apply(MaxPoolScatter(geometry: geometry), to: g, kept.rightInput)
    }
    func gradientRight(_ g: Tensor, _ kept: Kept) -> Tensor { fail(Self.name, "an index has no gradient") }
    static let samples = [
        Sample([Sample.Input(.uniform(-2...2), shape: [2, 4]), Sample.Input(.integers(0..<4), shape: [2, 2])]) {
            [apply(MaxPoolGather(geometry: .sample), to: $0[0], $0[1])]
        }
    ]
}

/// The average of each window.
struct AveragePool: UnaryOperation {
    let geometry: PoolingGeometry
    static let name = "avg_pool"
    static let formula = Formula("Σ x / n over windows", gradient: "∂L/∂x = Σ ∂L/∂y / n over the windows that hold x")
    static let keeps: Keeps = []
    func forward(_ x: Tensor) -> Tensor { CPU.averagePool(geometry, x) }
    func gradient(_ dy: Tensor, _ kept: Kept) -> Tensor { apply(AveragePoolGradient(geometry: geometry), to: dy) }
    static let samples = [
        Sample([Sample.Input(.uniform(-2...2), shape: [2, 5])]) { [$0[0].avgPool1d(kernelSize: 2)] },
        Sample([Sample.Input(.uniform(-2...2), shape: [1, 2, 4, 5])]) {
            [
                $0[0].avgPool2d(
                    kernelSize: [2, 3], stride: [1, 2], padding: [0, 1], ceilMode: true, countIncludePad: false)
            ]
        },
    ]
}

/// The gradient of the input of `AveragePool` from that of its output.
struct AveragePoolGradient: UnaryOperation {
    let geometry: PoolingGeometry
    static let name = "avg_pool_gradient"
    static let formula = Formula("Σ dy / n over the windows that hold a place", gradient: "∂L/∂dy = Σ ∂L/∂dx / n")
    static let keeps: Keeps = []
    func forward(_ dy: Tensor) -> Tensor { CPU.averagePoolGradient(geometry, dy) }
    func gradient(_ g: Tensor, _ kept: Kept) -> Tensor { apply(AveragePool(geometry: geometry), to: g) }
    static let samples = [Sample(AveragePoolGradient(geometry: .sample), -2...2, shape: [2, 2])]
}

/// All sizes of a pooling but the planes.
struct PoolingGeometry: Hashable, Sendable {
    let axes: Int
    let input, kernel, output, stride, padding, dilation: Triple
    var countsPadding = true
    /// What averages divide by instead of the window's size; 0 for that.
    var divisor = 0
    /// Images are (batch, places..., channels), as a plan may have them. Not for `MaxPoolGather`.
    var channelsLast = false

    init(
        axes: Int, input: [Int], kernel: [Int], output: [Int], stride: [Int], padding: [Int], dilation: [Int]
    ) {
        self.axes = axes
        self.input = Triple(input, filler: 1)
        self.kernel = Triple(kernel, filler: 1)
        self.output = Triple(output, filler: 1)
        self.stride = Triple(stride, filler: 1)
        self.padding = Triple(padding, filler: 0)
        self.dilation = Triple(dilation, filler: 1)
    }

    fileprivate static let sample = PoolingGeometry(
        axes: 1, input: [4], kernel: [2], output: [2], stride: [2], padding: [0], dilation: [1])

    /// The shape of the result for an input, or of the input for a result.
    func outputShape(for shape: Shape) -> Shape { self.shape(like: shape, output) }
    func inputShape(for shape: Shape) -> Shape { self.shape(like: shape, input) }

    private func shape(like shape: Shape, _ sizes: Triple) -> Shape {
        channelsLast
            ? Shape(shape.prefix(1)).appending(sizes.last(axes)).appending(shape[axes + 1])
            : Shape(shape.dropLast(axes)).appending(sizes.last(axes))
    }
}

extension Tensor {
    /// The maximum of each window: (N, C, L) or (C, L) gives (N, C, L′),
    /// L′ = ⌊(L + 2 padding − dilation (kernelSize − 1) − 1) / stride⌋ + 1, or rounded up with `ceilMode` (a window then still begins
    /// inside the input or its left padding). The stride is the window's size unless given. Padding never is the maximum. Any dtype but
    /// bool; integers are compared as float64.
    public func maxPool1d(
        kernelSize: SpatialSize, stride: SpatialSize? = nil, padding: SpatialSize = 0, dilation: SpatialSize = 1,
        ceilMode: Bool = false
    ) -> Tensor {
        maxPooled(1, kernelSize, stride, padding, dilation, ceilMode, "maxPool1d").values
    }

    /// The maximum of each window: (N, C, H, W) or (C, H, W).
    public func maxPool2d(
        kernelSize: SpatialSize, stride: SpatialSize? = nil, padding: SpatialSize = 0, dilation: SpatialSize = 1,
        ceilMode: Bool = false
    ) -> Tensor {
        maxPooled(2, kernelSize, stride, padding, dilation, ceilMode, "maxPool2d").values
    }

    /// The maximum of each window: (N, C, D, H, W) or (C, D, H, W).
    public func maxPool3d(
        kernelSize: SpatialSize, stride: SpatialSize? = nil, padding: SpatialSize = 0, dilation: SpatialSize = 1,
        ceilMode: Bool = false
    ) -> Tensor {
        maxPooled(3, kernelSize, stride, padding, dilation, ceilMode, "maxPool3d").values
    }

    /// `maxPool1d` and where each maximum was: the place along the axis, int64.
    public func maxPool1dWithIndices(
        kernelSize: SpatialSize, stride: SpatialSize? = nil, padding: SpatialSize = 0, dilation: SpatialSize = 1,
        ceilMode: Bool = false
    ) -> (values: Tensor, indices: Tensor) {
        maxPooled(1, kernelSize, stride, padding, dilation, ceilMode, "maxPool1d")
    }

    /// `maxPool2d` and where each maximum was: the row-major place in its plane, int64.
    public func maxPool2dWithIndices(
        kernelSize: SpatialSize, stride: SpatialSize? = nil, padding: SpatialSize = 0, dilation: SpatialSize = 1,
        ceilMode: Bool = false
    ) -> (values: Tensor, indices: Tensor) {
        maxPooled(2, kernelSize, stride, padding, dilation, ceilMode, "maxPool2d")
    }

    /// `maxPool3d` and where each maximum was: the row-major place in its volume, int64.
    public func maxPool3dWithIndices(
        kernelSize: SpatialSize, stride: SpatialSize? = nil, padding: SpatialSize = 0, dilation: SpatialSize = 1,
        ceilMode: Bool = false
    ) -> (values: Tensor, indices: Tensor) {
        maxPooled(3, kernelSize, stride, padding, dilation, ceilMode, "maxPool3d")
    }

    /// The average of each window: (N, C, L) or (C, L) gives (N, C, L′), sizes as for `maxPool1d`.
    ///
    /// Any dtype but bool; the averages of integers are cut to integers.
    ///
    /// - Parameter countIncludePad: Whether padding counts among what is averaged, as zeros. What hangs over the padding in
    ///   `ceilMode` never does.
    public func avgPool1d(
        kernelSize: SpatialSize, stride: SpatialSize? = nil, padding: SpatialSize = 0, ceilMode: Bool = false,
        countIncludePad: Bool = true
    ) -> Tensor {
        averagePooled(1, kernelSize, stride, padding, ceilMode, countIncludePad, nil, "avgPool1d")
    }

    /// The average of each window: (N, C, H, W) or (C, H, W).
    ///
    /// - Parameter divisorOverride: What to divide the sums by instead of the size of the window.
    public func avgPool2d(
        kernelSize: SpatialSize, stride: SpatialSize? = nil, padding: SpatialSize = 0, ceilMode: Bool = false,
        countIncludePad: Bool = true, divisorOverride: Int? = nil
    ) -> Tensor {
        averagePooled(2, kernelSize, stride, padding, ceilMode, countIncludePad, divisorOverride, "avgPool2d")
    }

    /// The average of each window: (N, C, D, H, W) or (C, D, H, W).
    public func avgPool3d(
        kernelSize: SpatialSize, stride: SpatialSize? = nil, padding: SpatialSize = 0, ceilMode: Bool = false,
        countIncludePad: Bool = true, divisorOverride: Int? = nil
    ) -> Tensor {
        averagePooled(3, kernelSize, stride, padding, ceilMode, countIncludePad, divisorOverride, "avgPool3d")
    }

    // MARK: The one way all of them go

    private func maxPooled(
        _ axes: Int, _ kernel: SpatialSize, _ stride: SpatialSize?, _ padding: SpatialSize, _ dilation: SpatialSize,
        _ ceilMode: Bool, _ name: String
    ) -> (values: Tensor, indices: Tensor) {
        guard let geometry = poolingGeometry(axes, kernel, stride, padding, dilation, ceilMode, name) else {
            return (.placeholderAfterError, .placeholderAfterError)
        }
        let results = apply(MaxPool(geometry: geometry), to: [integersAsFloats])
        return (results[0].to(dtype), results[1])
    }

    private func averagePooled(
        _ axes: Int, _ kernel: SpatialSize, _ stride: SpatialSize?, _ padding: SpatialSize, _ ceilMode: Bool,
        _ countIncludePad: Bool, _ divisor: Int?, _ name: String
    ) -> Tensor {
        guard var geometry = poolingGeometry(axes, kernel, stride, padding, 1, ceilMode, name) else {
            return .placeholderAfterError
        }
        if divisor == 0 { return fail(name, "the divisor must not be 0") }
        geometry.countsPadding = countIncludePad
        geometry.divisor = divisor ?? 0
        return apply(AveragePool(geometry: geometry), to: integersAsFloats).to(dtype)
    }

    private func poolingGeometry(
        _ axes: Int, _ kernel: SpatialSize, _ stride: SpatialSize?, _ padding: SpatialSize, _ dilation: SpatialSize,
        _ ceilMode: Bool, _ name: String
    ) -> PoolingGeometry? {
        guard isPoolable(axes, name, integers: true) else { return nil }
        let window = kernel.sizes(axes, in: name)
        let steps = (stride ?? kernel).sizes(axes, in: name)
        let (margins, gaps) = (padding.sizes(axes, in: name), dilation.sizes(axes, in: name))
        guard window.allSatisfy({ $0 > 0 }), steps.allSatisfy({ $0 > 0 }), gaps.allSatisfy({ $0 > 0 }) else {
            fail(name, "the window \(window), the stride \(steps) and the dilation \(gaps) must be positive")
            return nil
        }
        guard zip(margins, window).allSatisfy({ $0 >= 0 && 2 * $0 <= $1 }) else {
            fail(name, "the padding \(margins) must be at most half of the window \(window)")
            return nil
        }
        let input = Array(shape.suffix(axes))
        var output: [Int] = []
        for axis in 0..<axes {
            let span = gaps[axis] * (window[axis] - 1) + 1
            let room = input[axis] + 2 * margins[axis] - span + (ceilMode ? steps[axis] - 1 : 0)
            guard room >= 0 else {
                fail(
                    name,
                    "the window spans \(span), more than the padded input along axis \(axis - axes) of shape \(shape)")
                return nil
            }
            var count = room / steps[axis] + 1
            // The last window must begin inside the input or the padding in front of it.
            if ceilMode && (count - 1) * steps[axis] >= input[axis] + margins[axis] { count -= 1 }
            output.append(count)
        }
        return PoolingGeometry(
            axes: axes, input: input, kernel: window, output: output, stride: steps, padding: margins, dilation: gaps)
    }

    /// Whether the shape and dtype can be pooled over the last `axes` axes; reports what can't.
    func isPoolable(_ axes: Int, _ name: String, integers: Bool = false) -> Bool {
        guard rank == axes + 1 || rank == axes + 2 else {
            fail(
                name,
                "takes \(axes + 1) or \(axes + 2) axes (a batch, channels, \(axes) spatial), the shape is \(shape)")
            return false
        }
        return (integers && dtype.isInteger) || requireFloating(name)
    }
}
