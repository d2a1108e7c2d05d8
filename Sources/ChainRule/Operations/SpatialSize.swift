/// A size, stride, padding or dilation of a window: one number for all spatial axes (`3`), or one for each (`[3, 5]`).
public struct SpatialSize: ExpressibleByIntegerLiteral, ExpressibleByArrayLiteral, Hashable, Sendable {
    /// One number, or one for each axis, outermost first.
    public let values: [Int]

    public init(_ size: Int) { values = [size] }
    public init(_ sizes: [Int]) { values = sizes }
    public init(integerLiteral size: Int) { values = [size] }
    public init(arrayLiteral sizes: Int...) { values = sizes }

    /// One number for each of `axes` axes. A count that doesn't fit is an error of `operation`.
    public func sizes(_ axes: Int, in operation: String = "SpatialSize") -> [Int] {
        // Products of two of them are still numbers.
        if let size = values.first(where: { $0.magnitude > 1 << 31 }) {
            fail(operation, "\(size) is more than any window takes")
            return [Int](repeating: 1, count: axes)
        }
        if values.count == axes { return values }
        if values.count == 1 { return [Int](repeating: values[0], count: axes) }
        fail(operation, "takes one number or \(axes), one for each spatial axis, not \(values)")
        return [Int](repeating: 1, count: axes)
    }
}

extension SpatialSize: CustomStringConvertible {
    public var description: String { values.count == 1 ? "\(values[0])" : "\(values)" }
}

/// Three numbers, one for each axis that the kernels know: depth, height, width.
struct Triple: Hashable, Sendable {
    var depth, height, width: Int

    /// Fewer numbers are those of the last axes; `filler` stands in front.
    init(_ values: [Int], filler: Int) {
        let all = [Int](repeating: filler, count: 3 - values.count) + values
        (depth, height, width) = (all[0], all[1], all[2])
    }

    var kernelValue: (Int64, Int64, Int64) { (Int64(depth), Int64(height), Int64(width)) }

    /// The numbers of the last `axes` axes.
    func last(_ axes: Int) -> Shape {
        switch axes {
        case 1: [width]
        case 2: [height, width]
        default: [depth, height, width]
        }
    }
}
