import ChainRule

/// What the padding layers share: how much is put at the ends of the last axes, in what way. Negative sizes take away.
public class EndPadding: Module {
    /// Two for each axis, before and after it, from the last axis on.
    public final let sizes: [Int]
    private let axes: Int
    private let mode: PaddingMode
    fileprivate let value: Double

    fileprivate init(_ axes: Int, _ padding: SpatialSize, _ mode: PaddingMode, _ value: Double = 0) {
        self.axes = axes
        self.mode = mode
        self.value = value
        // Fewer numbers than axes have ends are those of the last axes.
        sizes = padding.values.count == 1 ? padding.sizes(2 * axes) : padding.values
        super.init()
    }

    public override var summary: String { "\(type(of: self))(\(sizesText))" }

    fileprivate final var sizesText: String { Set(sizes).count == 1 ? "\(sizes[0])" : "\(sizes)" }

    public final func callAsFunction(_ input: Tensor) -> Tensor {
        scope {
            // The others look at a batch and channels, if only for the sake of PyTorch's programs.
            guard mode == .constant || input.rank == axes + 1 || input.rank == axes + 2 else {
                return fail("pad", "takes \(axes + 1) or \(axes + 2) axes, the shape is \(input.shape)")
            }
            return input.pad(sizes, mode: mode, value: value)
        }
    }
}

/// (N, C, L) → (N, C, L'), with the input mirrored at its first and last elements at the ends.
public final class ReflectionPad1d: EndPadding, Layer {
    /// - Parameter padding: One number, or left and right.
    public init(_ padding: SpatialSize) { super.init(1, padding, .reflect) }
}

/// (N, C, H, W) → (N, C, H', W'), with the input mirrored at its first and last elements at the ends.
public final class ReflectionPad2d: EndPadding, Layer {
    /// - Parameter padding: One number, or left, right, top and bottom.
    public init(_ padding: SpatialSize) { super.init(2, padding, .reflect) }
}

/// (N, C, D, H, W) → (N, C, D', H', W'), with the input mirrored at its first and last elements at the ends.
public final class ReflectionPad3d: EndPadding, Layer {
    /// - Parameter padding: One number, or left, right, top, bottom, front and back.
    public init(_ padding: SpatialSize) { super.init(3, padding, .reflect) }
}

/// (N, C, L) → (N, C, L'), with its first and last elements at the ends.
public final class ReplicationPad1d: EndPadding, Layer {
    /// - Parameter padding: One number, or left and right.
    public init(_ padding: SpatialSize) { super.init(1, padding, .replicate) }
}

/// (N, C, H, W) → (N, C, H', W'), with its first and last elements at the ends.
public final class ReplicationPad2d: EndPadding, Layer {
    /// - Parameter padding: One number, or left, right, top and bottom.
    public init(_ padding: SpatialSize) { super.init(2, padding, .replicate) }
}

/// (N, C, D, H, W) → (N, C, D', H', W'), with its first and last elements at the ends.
public final class ReplicationPad3d: EndPadding, Layer {
    /// - Parameter padding: One number, or left, right, top, bottom, front and back.
    public init(_ padding: SpatialSize) { super.init(3, padding, .replicate) }
}

/// (N, C, L) → (N, C, L'), with elements from its other end at the ends.
public final class CircularPad1d: EndPadding, Layer {
    /// - Parameter padding: One number, or left and right.
    public init(_ padding: SpatialSize) { super.init(1, padding, .circular) }
}

/// (N, C, H, W) → (N, C, H', W'), with elements from its other end at the ends.
public final class CircularPad2d: EndPadding, Layer {
    /// - Parameter padding: One number, or left, right, top and bottom.
    public init(_ padding: SpatialSize) { super.init(2, padding, .circular) }
}

/// (N, C, D, H, W) → (N, C, D', H', W'), with elements from its other end at the ends.
public final class CircularPad3d: EndPadding, Layer {
    /// - Parameter padding: One number, or left, right, top, bottom, front and back.
    public init(_ padding: SpatialSize) { super.init(3, padding, .circular) }
}

/// (N, C, L) → (N, C, L'), with zeros at the ends.
public final class ZeroPad1d: EndPadding, Layer {
    /// - Parameter padding: One number, or left and right.
    public init(_ padding: SpatialSize) { super.init(1, padding, .constant) }
}

/// (N, C, H, W) → (N, C, H', W'), with zeros at the ends.
public final class ZeroPad2d: EndPadding, Layer {
    /// - Parameter padding: One number, or left, right, top and bottom.
    public init(_ padding: SpatialSize) { super.init(2, padding, .constant) }
}

/// (N, C, D, H, W) → (N, C, D', H', W'), with zeros at the ends.
public final class ZeroPad3d: EndPadding, Layer {
    /// - Parameter padding: One number, or left, right, top, bottom, front and back.
    public init(_ padding: SpatialSize) { super.init(3, padding, .constant) }
}

/// (N, C, L) → (N, C, L'), with a number at the ends.
public final class ConstantPad1d: EndPadding, Layer {
    /// - Parameter padding: One number, or left and right.
    public init(_ padding: SpatialSize, _ value: Double) { super.init(1, padding, .constant, value) }
    public override var summary: String { "ConstantPad1d(\(sizesText), \(value))" }
}

/// (N, C, H, W) → (N, C, H', W'), with a number at the ends.
public final class ConstantPad2d: EndPadding, Layer {
    /// - Parameter padding: One number, or left, right, top and bottom.
    public init(_ padding: SpatialSize, _ value: Double) { super.init(2, padding, .constant, value) }
    public override var summary: String { "ConstantPad2d(\(sizesText), \(value))" }
}

/// (N, C, D, H, W) → (N, C, D', H', W'), with a number at the ends.
public final class ConstantPad3d: EndPadding, Layer {
    /// - Parameter padding: One number, or left, right, top, bottom, front and back.
    public init(_ padding: SpatialSize, _ value: Double) { super.init(3, padding, .constant, value) }
    public override var summary: String { "ConstantPad3d(\(sizesText), \(value))" }
}
