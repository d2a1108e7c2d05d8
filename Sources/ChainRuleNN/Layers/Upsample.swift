import ChainRule

/// The axes behind (N, C) in other sizes: (N, C, L), (N, C, H, W) or (N, C, D, H, W).
public final class Upsample: Module, Layer {
    public let size: SpatialSize?
    public let scaleFactor: [Double]?
    public let mode: InterpolationMode
    public let alignCorners, recomputeScaleFactor: Bool

    /// - Parameters:
    ///   - size: The new sizes.
    ///   - alignCorners: Whether the centres of the first and last elements fall on each other, rather than their outer edges. For the linear
    ///     and cubic modes.
    public init(size: SpatialSize, mode: InterpolationMode = .nearest, alignCorners: Bool = false) {
        self.size = size
        scaleFactor = nil
        self.mode = mode
        self.alignCorners = alignCorners
        recomputeScaleFactor = false
        super.init()
    }

    /// - Parameters:
    ///   - scaleFactor: One for all axes, or one for each; the new sizes are rounded down.
    ///   - recomputeScaleFactor: Whether places are computed from the rounded sizes instead of the factor.
    public init(
        scaleFactor: [Double], mode: InterpolationMode = .nearest, alignCorners: Bool = false,
        recomputeScaleFactor: Bool = false
    ) {
        size = nil
        self.scaleFactor = scaleFactor
        self.mode = mode
        self.alignCorners = alignCorners
        self.recomputeScaleFactor = recomputeScaleFactor
        super.init()
    }

    /// One factor for all axes.
    public convenience init(
        scaleFactor: Double, mode: InterpolationMode = .nearest, alignCorners: Bool = false,
        recomputeScaleFactor: Bool = false
    ) {
        self.init(
            scaleFactor: [scaleFactor], mode: mode, alignCorners: alignCorners,
            recomputeScaleFactor: recomputeScaleFactor)
    }

    public override var summary: String {
        let target =
            size.map { "size: \($0)" }
            ?? "scaleFactor: \(scaleFactor.map { $0.count == 1 ? "\($0[0])" : "\($0)" } ?? "")"
        return "Upsample(\(target), mode: .\(mode)\(alignCorners ? ", alignCorners: true" : ""))"
    }

    public func callAsFunction(_ input: Tensor) -> Tensor {
        scope {
            input.interpolate(
                size: size, scaleFactor: scaleFactor, mode: mode, alignCorners: alignCorners,
                recomputeScaleFactor: recomputeScaleFactor)
        }
    }
}
