/// How `interpolate` finds what lies between the elements.
public enum InterpolationMode: Sendable, Hashable {
    /// The element at or before the place.
    case nearest
    /// The element nearest to the centre of the place.
    case nearestExact
    /// Between the two neighbours along each axis: linear, bilinear or trilinear, by the number of axes.
    case linear
    /// Through the four neighbours along each of two axes, with the kernel of Keys (1981) for a = −0.75.
    case bicubic
    /// The average over the part of the input that each place covers.
    case area
}

extension Tensor {
    /// The axes behind (N, C) in other sizes: (N, C, L), (N, C, H, W) or (N, C, D, H, W). Floating dtypes, and uint8, which is rounded to.
    ///
    /// - Parameters:
    ///   - size: The new sizes.
    ///   - scaleFactor: Or one factor for all axes, or one for each; the new sizes are rounded down.
    ///   - alignCorners: Whether the centres of the first and last elements fall on each other, rather than their outer edges. For the linear
    ///     and cubic modes.
    ///   - recomputeScaleFactor: Whether places are computed from the rounded sizes instead of the factor.
    ///   - antialias: Whether what is made smaller is averaged over all elements that meet in a place. For the linear and cubic modes over
    ///     two axes.
    public func interpolate(
        size: SpatialSize? = nil, scaleFactor: [Double]? = nil, mode: InterpolationMode = .nearest,
        alignCorners: Bool = false, recomputeScaleFactor: Bool = false, antialias: Bool = false
    ) -> Tensor {
        let (name, axes) = ("interpolate", rank - 2)
        guard (1...3).contains(axes), mode != .bicubic || axes == 2, !antialias || axes == 2 else {
            return fail(name, "mode .\(mode) does not take an input of shape \(shape)")
        }
        guard dtype == .uint8 || requireFloating(name) else { return .placeholderAfterError }
        guard (size == nil) != (scaleFactor == nil), scaleFactor.map({ $0.count == 1 || $0.count == axes }) ?? true
        else {
            return fail(name, "takes a size, or a factor for all or each of the \(axes) axes")
        }
        if antialias || alignCorners, mode != .linear && mode != .bicubic {
            return fail(name, "mode .\(mode) knows neither aligned corners nor antialiasing")
        }
        let factors = scaleFactor.map { $0.count == axes ? $0 : [Double](repeating: $0[0], count: axes) }
        let scaled = zip(factors ?? [], shape.dropFirst(2)).map { ($0 * Double($1)).rounded(.down) }
        guard scaled.allSatisfy({ $0.magnitude < 0x1p31 }) else {
            return fail(name, "cannot scale shape \(shape) by \(scaleFactor ?? [])")
        }
        let sizes = size?.sizes(axes, in: name) ?? scaled.map { Int($0) }
        guard sizes.allSatisfy({ $0 > 0 }), !shape.dropFirst(2).contains(0) else {
            return fail(name, "cannot bring shape \(shape) to the sizes \(sizes)")
        }
        if mode == .area { return averagedParts(SpatialSize(sizes)) }
        let isImage = dtype == .uint8
        // uint8 is rounded after each axis, the last one first, as in PyTorch.
        let resampled = (isImage ? (0..<axes).reversed() : Array(0..<axes)).reduce(isImage ? to(.float32) : wide) {
            x, axis in
            let places = AxisPlaces(
                from: shape[axis + 2], to: sizes[axis], factor: recomputeScaleFactor ? nil : factors?[axis],
                alignCorners: alignCorners)
            let y = x.resampled(axis + 2, antialias ? places.antialiased(mode) : places.taps(mode))
            return isImage ? (y + 0.5).floor().clamp(min: 0, max: 255) : y
        }
        return resampled.to(dtype)
    }

    private func averagedParts(_ sizes: SpatialSize) -> Tensor {
        switch rank {
        case 3: adaptiveAvgPool1d(sizes)
        case 4: adaptiveAvgPool2d(sizes)
        default: adaptiveAvgPool3d(sizes)
        }
    }

    /// Σ over the taps of weight · (the elements it names along an axis).
    private func resampled(_ axis: Int, _ taps: [Tap]) -> Tensor {
        var behind = Shape(repeating: 1, count: rank - axis)
        behind[0] = taps.first?.places.count ?? 0
        let terms = taps.map { tap in
            let picked = indexSelect(dim: axis, Tensor(tap.places))
            return tap.weights.map { picked * Tensor($0, shape: behind).to(dtype) } ?? picked
        }
        return terms.dropFirst().reduce(terms[0], +)
    }
}

/// One of the elements that meet in each place of a resampled axis: its number, and its weight, 1 for none.
private struct Tap {
    let places: [Int]
    var weights: [Double]?
}

/// Where the places of a resampled axis lie on the axis it came from.
private struct AxisPlaces {
    let input, output: Int
    let alignCorners: Bool
    /// How far places are apart.
    let scale: Double

    init(from input: Int, to output: Int, factor: Double?, alignCorners: Bool) {
        (self.input, self.output, self.alignCorners) = (input, output, alignCorners)
        if alignCorners {
            scale = output > 1 ? Double(input - 1) / Double(output - 1) : 0
        } else {
            scale = factor.map { 1 / $0 } ?? Double(input) / Double(output)
        }
    }

    /// The place of number `index`, between the numbers of elements.
    private func place(_ index: Int) -> Double {
        alignCorners ? scale * Double(index) : scale * (Double(index) + 0.5) - 0.5
    }

    func taps(_ mode: InterpolationMode) -> [Tap] {
        switch mode {
        case .nearest where output == input: [Tap(places: Array(0..<input))]
        case .nearest where output == 2 * input: [Tap(places: (0..<output).map { $0 / 2 })]
        // In single precision, as PyTorch has it: on the edge between two elements the rounding decides.
        case .nearest: [Tap(places: (0..<output).map { element(Float($0) * Float(scale)) })]
        case .nearestExact:
            [Tap(places: (0..<output).map { element(Float((Double($0) + 0.5) * Double(Float(scale)))) })]
        case .bicubic: cubicTaps
        case .linear, .area: linearTaps
        }
    }

    private func element(_ place: Float) -> Int { Swift.min(Int(place.rounded(.down)), input - 1) }

    private var linearTaps: [Tap] {
        if output == input { return [Tap(places: Array(0..<input))] }
        let places = (0..<output).map { Swift.max(place($0), 0) }
        let first = places.map { Swift.min(Int($0), input - 1) }
        let rest = zip(places, first).map { Swift.min(Swift.max($0 - Double($1), 0), 1) }
        return [
            Tap(places: first, weights: rest.map { 1 - $0 }),
            Tap(places: first.map { Swift.min($0 + 1, input - 1) }, weights: rest),
        ]
    }

    private var cubicTaps: [Tap] {
        let places = (0..<output).map(place)
        let first = places.map { Swift.min(Int($0.rounded(.down)), input - 1) }
        let rest = zip(places, first).map { Swift.min(Swift.max($0 - Double($1), 0), 1) }
        return (-1...2).map { step in
            Tap(
                places: first.map { Swift.min(Swift.max($0 + step, 0), input - 1) },
                weights: rest.map { cubicKernel(Double(step) - $0, -0.75) })
        }
    }

    /// All elements within the kernel's reach, which grows with the scale, their weights summing to 1.
    func antialiased(_ mode: InterpolationMode) -> [Tap] {
        let stretch = Swift.max(scale, 1)
        let reach = (mode == .linear ? 1.0 : 2.0) * stretch
        let windows = (0..<output).map { index -> (first: Int, weights: [Double]) in
            let center = scale * (Double(index) + 0.5)
            let first = Swift.max(Int(center - reach + 0.5), 0)
            let count = Swift.min(Int(center + reach + 0.5), input) - first
            let weights = (0..<Swift.max(count, 0)).map { step -> Double in
                let distance = (Double(step + first) - center + 0.5) / stretch
                return mode == .linear ? Swift.max(1 - distance.magnitude, 0) : cubicKernel(distance, -0.5)
            }
            let sum = weights.reduce(0, +)
            return (first, sum == 0 ? weights : weights.map { $0 / sum })
        }
        let longest = windows.map(\.weights.count).max() ?? 0
        return (0..<longest).map { step in
            Tap(
                places: windows.map { Swift.min($0.first + step, input - 1) },
                weights: windows.map { step < $0.weights.count ? $0.weights[step] : 0 })
        }
    }
}

/// The cubic convolution kernel of Keys (1981), 0 from distance 2 on.
func cubicKernel(_ distance: Double, _ a: Double) -> Double {
    let x = distance.magnitude
    if x <= 1 { return ((a + 2) * x - (a + 3)) * x * x + 1 }
    return x < 2 ? ((x - 5) * x + 8) * x * a - 4 * a : 0
}
