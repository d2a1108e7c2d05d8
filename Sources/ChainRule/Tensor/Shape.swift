/// The sizes of a tensor's axes, outermost first. Held inline, so that making, copying and comparing shapes allocates
/// nothing; the price is a limit of 8 axes.
public struct Shape: Sendable {
    /// The most axes a tensor can have.
    public static let maximumRank = 8

    private var sizes: (Int, Int, Int, Int, Int, Int, Int, Int) = (0, 0, 0, 0, 0, 0, 0, 0)
    /// The number of axes.
    public private(set) var count = 0

    /// The shape of a single number.
    public init() {}

    /// The shape of a matrix: as the literal, which may put an array on the heap when its sizes have yet to be found.
    init(_ rows: Int, _ columns: Int) {
        (sizes.0, sizes.1) = (rows, columns)
        count = 2
    }

    /// A shape of `count` axes, each of size `size`.
    public init(repeating size: Int, count: Int) {
        for _ in 0..<count { append(size) }
    }

    public init(_ sizes: some Sequence<Int>) {
        for size in sizes { append(size) }
    }

    /// The number of elements: the product of the sizes, 1 for a single number.
    @inline(__always)
    public var elementCount: Int {
        if count == 0 { return 1 }
        var product = sizes.0
        for axis in 1..<count {
            let (next, overflow) = product.multipliedReportingOverflow(by: self[axis])
            if overflow { return contains(0) ? 0 : reportSize() }
            product = next
        }
        return product
    }

    /// The bytes that so many elements take.
    @inline(__always)
    func byteCount(of dtype: DType) -> Int {
        let (bytes, overflow) = elementCount.multipliedReportingOverflow(by: dtype.byteCount)
        return overflow ? reportSize() : bytes
    }

    /// Stops the program also inside `catchingErrors`: a tensor without memory for what its shape says must not be.
    @inline(never)
    private func reportSize() -> Int { fatalError("ChainRule: a tensor of shape \(self) is larger than any memory.") }

    /// Why no tensor has this shape, or nil: "has a negative size".
    package var flaw: String? {
        if contains(where: { $0 < 0 }) { return "has a negative size" }
        // Each element of the largest dtype takes 8 bytes.
        let bytes = reduce((value: 8, fits: true)) {
            let (value, overflow) = $0.value.multipliedReportingOverflow(by: $1)
            return (value, $0.fits && !overflow)
        }
        return bytes.fits || contains(0) ? nil : "is larger than any memory"
    }

    public mutating func append(_ size: Int) {
        guard count < Shape.maximumRank else {
            fail("shape", "a tensor has at most \(Shape.maximumRank) axes")
            return
        }
        count += 1
        self[count - 1] = size
    }

    public mutating func insert(_ size: Int, at axis: Int) {
        append(size)
        for position in stride(from: count - 1, to: axis, by: -1) { self[position] = self[position - 1] }
        self[axis] = size
    }

    @discardableResult
    public mutating func remove(at axis: Int) -> Int {
        let removed = self[axis]
        for position in axis..<(count - 1) { self[position] = self[position + 1] }
        self[count - 1] = 0  // unused places are zero, so that equality can look at all of them
        count -= 1
        return removed
    }

    /// The sizes in another order: axis i is axis `order[i]` of this shape.
    func reordered(by order: Shape) -> Shape {
        var result = order
        for axis in 0..<order.count { result[axis] = self[order[axis]] }
        return result
    }

    /// The strides, in elements, of a row-major tensor of this shape.
    var contiguousStrides: Shape {
        var strides = self
        if count <= 1 {
            if count == 1 { strides.sizes.0 = 1 }
            return strides
        }
        var step = 1
        for axis in stride(from: count - 1, through: 0, by: -1) {
            strides[axis] = step
            step &*= Swift.max(self[axis], 1)
        }
        return strides
    }

    /// The shape two operands broadcast to, or nil when an axis differs and neither size is 1.
    static func broadcast(_ a: Shape, _ b: Shape) -> Shape? {
        if a == b { return a }
        var result = a.count >= b.count ? a : b
        let shorter = a.count >= b.count ? b : a
        let lead = result.count - shorter.count
        for axis in 0..<shorter.count {
            let (long, short) = (result[lead + axis], shorter[axis])
            if long == short || short == 1 { continue }
            guard long == 1 else { return nil }
            result[lead + axis] = short
        }
        return result
    }
}

extension Shape: RandomAccessCollection, MutableCollection, Hashable, ExpressibleByArrayLiteral {
    public var startIndex: Int { 0 }
    public var endIndex: Int { count }

    // By cases, for a pointer into the tuple would make the compiler copy all of it first, each time.
    @inline(__always)
    public subscript(axis: Int) -> Int {
        get {
            guard axis >= 0 && axis < count else { return Self.reportAxis() }
            switch axis {
            case 0: return sizes.0
            case 1: return sizes.1
            case 2: return sizes.2
            case 3: return sizes.3
            case 4: return sizes.4
            case 5: return sizes.5
            case 6: return sizes.6
            default: return sizes.7
            }
        }
        set {
            guard axis >= 0 && axis < count else {
                _ = Self.reportAxis()
                return
            }
            switch axis {
            case 0: sizes.0 = newValue
            case 1: sizes.1 = newValue
            case 2: sizes.2 = newValue
            case 3: sizes.3 = newValue
            case 4: sizes.4 = newValue
            case 5: sizes.5 = newValue
            case 6: sizes.6 = newValue
            default: sizes.7 = newValue
            }
        }
    }

    /// Stops the program, unless a mistake is on its way to `catchingErrors`: the empty tensor that stands in for a result since then has
    /// not the axes that the operations in between count on.
    @inline(never)
    private static func reportAxis() -> Int {
        precondition(isErrorPending, "axis out of range of the shape")
        return 0
    }

    // Inline, and one by one, so that the array of a literal lies on the stack.
    @inline(__always)
    public init(arrayLiteral sizes: Int...) {
        for axis in 0..<sizes.count { append(sizes[axis]) }
    }

    // Unused places are zero.
    @inline(__always)
    public static func == (a: Shape, b: Shape) -> Bool {
        let (x, y) = (a.sizes, b.sizes)
        let first = (x.0 ^ y.0) | (x.1 ^ y.1) | (x.2 ^ y.2) | (x.3 ^ y.3)
        let second = (x.4 ^ y.4) | (x.5 ^ y.5) | (x.6 ^ y.6) | (x.7 ^ y.7)
        return first | second | (a.count ^ b.count) == 0
    }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(count)
        for size in self { hasher.combine(size) }
    }
}

extension Shape: CustomStringConvertible {
    /// `[2, 3]`, as PyTorch writes a size.
    public var description: String { "[" + map(String.init).joined(separator: ", ") + "]" }
}
