import CKernels

/// A loop nest for kernels written in Swift: rows of `inner` elements, and where each row begins in up to four operands. Axes
/// that can be merged are merged, so that the rows are as long as they can be.
struct Nest: Sendable {
    /// The number of rows.
    let rows: Int
    /// The elements of a row.
    let inner: Int
    /// How far apart the elements of a row lie in each operand.
    let steps: (Int, Int, Int, Int)
    private let outer: Shape
    private let outerSteps: (Shape, Shape, Shape, Shape)

    /// A nest over `shape`; each operand is given by its strides for the axes of `shape`.
    init(_ shape: Shape, _ first: Shape, _ second: Shape? = nil, _ third: Shape? = nil) {
        let loop = ck_loop(shape, output: first, second ?? first, third)
        let rank = Int(loop.rank)
        let sizes = Shape(loop.shape, count: rank)
        let operands = (
            Shape(loop.strides.0, count: rank), Shape(loop.strides.1, count: rank),
            Shape(loop.strides.2, count: rank), Shape(loop.strides.3, count: rank)
        )
        guard rank > 0 else {
            (rows, inner, steps) = (1, 1, (0, 0, 0, 0))
            (outer, outerSteps) = (sizes, operands)
            return
        }
        let last = rank - 1
        inner = sizes[last]
        steps = (operands.0[last], operands.1[last], operands.2[last], operands.3[last])
        outer = Shape(sizes.dropLast())
        rows = outer.elementCount
        outerSteps = operands
    }

    /// Where row number `row` begins in each operand.
    @inline(__always)
    func begin(_ row: Int) -> (Int, Int, Int, Int) {
        var rest = row
        var offsets = (0, 0, 0, 0)
        var axis = outer.count - 1
        while axis >= 0 {
            let size = outer[axis]
            let place = axis == 0 ? rest : rest % size
            rest = axis == 0 ? 0 : rest / size
            offsets.0 += place * outerSteps.0[axis]
            offsets.1 += place * outerSteps.1[axis]
            offsets.2 += place * outerSteps.2[axis]
            offsets.3 += place * outerSteps.3[axis]
            axis -= 1
        }
        return offsets
    }
}

extension Shape {
    /// The first `count` numbers of a C array.
    init(_ numbers: EightNumbers, count: Int) {
        self.init()
        withUnsafeBytes(of: numbers) { bytes in
            let source = bytes.assumingMemoryBound(to: Int64.self)
            for axis in 0..<count { append(Int(source[axis])) }
        }
    }
}

// MARK: - Kernels for every element type

/// A kernel that moves elements without reading them: `Word` is the unsigned integer of the elements' width.
protocol WordKernel {
    func run<Word: FixedWidthInteger & Sendable>(_ word: Word.Type)
}

/// A kernel that adds elements up.
protocol SumKernel {
    func run<Element: Summable>(_ element: Element.Type)
}

extension DType {
    @inline(__always)
    func run(_ kernel: some WordKernel) {
        switch byteCount {
        case 1: kernel.run(UInt8.self)
        case 2: kernel.run(UInt16.self)
        case 4: kernel.run(UInt32.self)
        default: kernel.run(UInt64.self)
        }
    }

    /// Not for the 16-bit floats, whose sums are made in float32.
    @inline(__always)
    func run(_ kernel: some SumKernel) {
        switch self {
        case .bool: kernel.run(BooleanByte.self)
        case .uint8: kernel.run(UInt8.self)
        case .int8: kernel.run(Int8.self)
        case .int16: kernel.run(Int16.self)
        case .int32: kernel.run(Int32.self)
        case .int64: kernel.run(Int64.self)
        case .float32: kernel.run(Float.self)
        case .float64: kernel.run(Double.self)
        case .float16, .bfloat16: fail("sum", "\(self) is added up in float32")
        }
    }
}

/// An element that a kernel can add up and compare: integers wrap around, booleans are joined by or and and.
protocol Summable: Sendable, BitwiseCopyable, Comparable {
    static func add(_ value: Self, to sum: inout Self)
    static func multiply(_ value: Self, into product: inout Self)
}

extension Summable where Self: FixedWidthInteger {
    @inline(__always) static func add(_ value: Self, to sum: inout Self) { sum &+= value }
    @inline(__always) static func multiply(_ value: Self, into product: inout Self) { product &*= value }
}
extension Summable where Self: FloatingPoint {
    @inline(__always) static func add(_ value: Self, to sum: inout Self) { sum += value }
    @inline(__always) static func multiply(_ value: Self, into product: inout Self) { product *= value }
}

extension UInt8: Summable {}
extension Int8: Summable {}
extension Int16: Summable {}
extension Int32: Summable {}
extension Int64: Summable {}
extension Float: Summable {}
extension Double: Summable {}

/// A boolean element.
struct BooleanByte: Summable {
    var byte: UInt8
    @inline(__always) static func add(_ value: Self, to sum: inout Self) { sum.byte |= value.byte }
    @inline(__always) static func multiply(_ value: Self, into product: inout Self) { product.byte &= value.byte }
    @inline(__always) static func < (a: Self, b: Self) -> Bool { a.byte < b.byte }
}

extension CPU {
    /// How many pieces of work that touch `bytesEach` bytes make a block worth handing to another thread: about 256 KB.
    static func blockSize(bytesEach: Int) -> Int { Swift.max(1, (256 << 10) / Swift.max(bytesEach, 1)) }
}
