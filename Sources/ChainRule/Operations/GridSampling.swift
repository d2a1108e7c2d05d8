/// How `gridSample` finds what lies between the elements.
public enum GridSampleMode: Sendable {
    case nearest, bilinear, bicubic
}

/// What `gridSample` reads beyond the ends.
public enum GridSamplePadding: Sendable {
    /// Zeros.
    case zeros
    /// The nearest element.
    case border
    /// The elements mirrored at the ends.
    case reflection
}

extension Tensor {
    /// Reads (N, C, H, W) at the places (x, y) of a grid (N, H′, W′, 2), or (N, C, D, H, W) at (x, y, z) of (N, D′, H′, W′, 3): −1 is one
    /// end of an axis and 1 the other (Jaderberg et al. 2015, arXiv 1506.02025). Differentiable in both.
    ///
    /// - Parameter alignCorners: Whether −1 and 1 are the centres of the outermost elements, rather than their outer edges.
    public func gridSample(
        _ grid: Tensor, mode: GridSampleMode = .bilinear, padding: GridSamplePadding = .zeros,
        alignCorners: Bool = false
    ) -> Tensor {
        let axes = rank - 2
        guard axes == 2 || axes == 3, grid.rank == rank, grid.shape[0] == shape[0], grid.shape[rank - 1] == axes else {
            return fail(
                "gridSample",
                "a grid of shape \(grid.shape) does not fit (N, C, places...) of shape \(shape); its last axis holds the coordinates"
            )
        }
        guard requireFloating("gridSample"), grid.dtype == dtype, !shape.dropFirst(2).contains(0) else {
            return fail(
                "gridSample", "needs one floating dtype and no empty axis, got \(dtype) \(shape) and \(grid.dtype)")
        }
        // The coordinates of a grid stand in the order x, y, z, the axes of the input in the order z, y, x.
        let sampled = (0..<axes).map { axis in
            SampledAxis(
                size: shape[axis + 2], coordinates: grid.wide.select(dim: -1, index: axes - 1 - axis), padding,
                alignCorners)
        }
        let taps = sampled.map { $0.taps(mode) }
        return wide.gathered(taps, Shape(grid.shape.dropLast())).rounded(to: dtype)
    }

    /// Σ over all combinations of the axes' taps, of the product of their weights times the element they name.
    private func gathered(_ taps: [[GridTap]], _ places: Shape) -> Tensor {
        let (batch, channels) = (shape[0], shape[1])
        let count = places.dropFirst().reduce(1, *)
        let plane = reshape([batch, channels, shape.dropFirst(2).reduce(1, *)])
        var combinations = [GridTap]()
        for (axis, taps) in taps.enumerated() {
            let size = shape[axis + 2]
            if axis == 0 {
                combinations = taps
                continue
            }
            combinations = combinations.flatMap { outer in
                taps.map { GridTap(index: outer.index * size + $0.index, weight: outer.weight * $0.weight) }
            }
        }
        let indices = stack(combinations.map { $0.index.reshape([batch, count]) }, dim: 1)
        let weights = stack(combinations.map { $0.weight.reshape([batch, count]) }, dim: 1)
        return applyOne(WeightedGather(), to: [plane, weights, indices]).reshape(
            Shape([batch, channels]).appending(Shape(places.dropFirst())))
    }
}

/// One of the elements along an axis that meet in each place: its number, int64, and its weight.
private struct GridTap {
    let index: Tensor
    let weight: Tensor
}

/// One axis of a grid sample.
private struct SampledAxis {
    let size: Int
    /// Where each place lies, in numbers of elements.
    let places: Tensor
    let padding: GridSamplePadding
    let alignCorners: Bool

    init(size: Int, coordinates: Tensor, _ padding: GridSamplePadding, _ alignCorners: Bool) {
        (self.size, self.padding, self.alignCorners) = (size, padding, alignCorners)
        places = alignCorners ? (coordinates + 1) * (Double(size - 1) / 2) : ((coordinates + 1) * Double(size) - 1) / 2
    }

    func taps(_ mode: GridSampleMode) -> [GridTap] {
        switch mode {
        case .nearest: return [tap(bounded(places).detach().round(), nil)]
        case .bilinear:
            let places = bounded(places)
            let first = places.detach().floor()
            let rest = places - first
            return [tap(first, 1 - rest), tap(first + 1, rest)]
        case .bicubic:
            // Here each of the four elements is brought inside by itself, not the place.
            let first = places.detach().floor()
            let rest = places - first
            return (-1...2).map { tap(bounded(first + $0), Self.cubicWeight(rest, at: $0)) }
        }
    }

    /// The element of a number, with a weight of 0 where there is none; a weight of 1 unless given.
    private func tap(_ number: Tensor, _ weight: Tensor?) -> GridTap {
        let isInside = (number .>= 0).logicalAnd(number .<= (size - 1))
        let index = number.maskedFill(isInside.logicalNot(), 0).to(.int64)
        return GridTap(
            index: index, weight: weight?.maskedFill(isInside.logicalNot(), 0) ?? isInside.to(number.dtype))
    }

    /// Places beyond the ends brought inside, as the padding asks; what is moved to an end passes no gradient.
    private func bounded(_ places: Tensor) -> Tensor {
        switch padding {
        case .zeros: return places
        case .border: return places.clamp(min: 0, max: size - 1)
        case .reflection:
            let (low, span) = alignCorners ? (0, Double(size - 1)) : (-0.5, Double(size))
            if span == 0 { return places.zeroed }
            let distance = (places - low).abs()
            // How often the place was mirrored, and how far it is from the last mirror.
            let turns = (distance.detach() / span).floor()
            let rest = distance - turns * span
            let mirrored = Tensor.where(turns.remainder(2) .== 0, rest + low, (span + low) - rest)
            return mirrored.clamp(min: 0, max: size - 1)
        }
    }

    /// Keys's kernel for a = −0.75, at the distance between a place `rest` beyond an element and the element `step` further on.
    private static func cubicWeight(_ rest: Tensor, at step: Int) -> Tensor {
        let a = -0.75
        let x = step <= 0 ? rest - step : Double(step) - rest
        if step == 0 || step == 1 { return ((a + 2) * x - (a + 3)) * x * x + 1 }
        return ((x - 5) * x + 8) * x * a - 4 * a
    }
}

extension Tensor {
    /// Zeros in place of the numbers, with a gradient of 0.
    fileprivate var zeroed: Tensor { self * 0 }
}
