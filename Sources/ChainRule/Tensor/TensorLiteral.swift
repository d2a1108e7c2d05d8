/// What may stand in an array literal that makes a tensor: numbers, booleans, and such literals again.
///
/// ```swift
/// let a: Tensor = [[1, 2], [3, 4]]      // int64 [2, 2]
/// let b: Tensor = [1, 2.5]              // float32: one float makes all of them floats
/// let mask: Tensor = [true, false]      // bool
/// ```
public struct TensorLiteral: Sendable {
    fileprivate enum Kind {
        case boolean(Bool)
        case integer(Int)
        case floating(Double)
        case array([TensorLiteral])
    }

    fileprivate let kind: Kind
}

extension TensorLiteral: ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral, ExpressibleByBooleanLiteral,
    ExpressibleByArrayLiteral
{
    public init(integerLiteral value: Int) { kind = .integer(value) }
    public init(floatLiteral value: Double) { kind = .floating(value) }
    public init(booleanLiteral value: Bool) { kind = .boolean(value) }
    public init(arrayLiteral elements: TensorLiteral...) { kind = .array(elements) }
}

extension Tensor: ExpressibleByArrayLiteral {
    /// The numbers of a literal, to any depth: int64, float32 when one of them is a float, bool when all are booleans.
    public init(arrayLiteral elements: TensorLiteral...) {
        var reader = LiteralReader(elements)
        self = reader.read(elements, at: Shape()) ? reader.tensor : .placeholderAfterError
    }
}

/// Collects the numbers of a literal in row-major order, and sees to it that it is a box.
private struct LiteralReader {
    private let shape: Shape
    private var integers: [Int] = []
    private var floats: [Double] = []
    /// The highest category met so far: as in promotion, booleans before integers before floats.
    private var dtype: DType?

    /// The first element at each depth tells the shape.
    init(_ elements: [TensorLiteral]) {
        var shape: Shape = [elements.count]
        var first = elements.first
        while case .array(let inner)? = first?.kind, shape.count < Shape.maximumRank {
            shape.append(inner.count)
            first = inner.first
        }
        self.shape = shape
    }

    var tensor: Tensor {
        switch dtype {
        case nil, .float32: Tensor(floats.map { Float($0) }, shape: shape)
        case .bool: Tensor(integers.map { $0 != 0 }, shape: shape)
        default: Tensor(integers, shape: shape)
        }
    }

    /// False after an error.
    mutating func read(_ elements: [TensorLiteral], at place: Shape) -> Bool {
        guard elements.count == shape[place.count] else {
            fail(
                "Tensor literal",
                "the literal is ragged: \(elements.count) elements at \(place), where the first ones have \(shape[place.count])"
            )
            return false
        }
        for (index, element) in elements.enumerated() {
            let isInnermost = place.count == shape.count - 1
            switch element.kind {
            case .array(let inner):
                guard !isInnermost else { return mixed(place.appending([index]), "an array", "numbers") }
                guard read(inner, at: place.appending([index])) else { return false }
            case .integer, .floating, .boolean:
                guard isInnermost else { return mixed(place.appending([index]), "a number", "arrays") }
                add(element.kind)
            }
        }
        return true
    }

    private mutating func add(_ kind: TensorLiteral.Kind) {
        let (integer, float, own): (Int, Double, DType) =
            switch kind {
            case .boolean(let value): (value ? 1 : 0, value ? 1 : 0, .bool)
            case .integer(let value): (value, Double(value), .int64)
            case .floating(let value): (0, value, .float32)
            case .array: (0, 0, .bool)
            }
        integers.append(integer)
        floats.append(float)
        dtype = dtype.map { DType.promote($0, own) } ?? own
    }

    private func mixed(_ place: Shape, _ found: String, _ expected: String) -> Bool {
        fail("Tensor literal", "there is \(found) at \(place), where the first elements are \(expected)")
        return false
    }
}

// MARK: - Nested arrays

/// What an array that makes a tensor may hold: a number, or such an array again.
public protocol TensorElement {
    associatedtype Number: TensorScalar
    /// The sizes of a nested array, as its first elements have them.
    static func sizes(of first: Self?) -> [Int]
    /// Adds the numbers in row-major order; false when the sizes are not those given.
    func append(to numbers: inout [Number], sizes: ArraySlice<Int>) -> Bool
}

extension TensorElement where Self: TensorScalar {
    public static func sizes(of first: Self?) -> [Int] { [] }
    public func append(to numbers: inout [Self], sizes: ArraySlice<Int>) -> Bool {
        numbers.append(self)
        return true
    }
}

extension Array: TensorElement where Element: TensorElement {
    public static func sizes(of first: [Element]?) -> [Int] {
        [first?.count ?? 0] + Element.sizes(of: first?.first)
    }
    public func append(to numbers: inout [Element.Number], sizes: ArraySlice<Int>) -> Bool {
        guard count == sizes.first else { return false }
        for element in self {
            guard element.append(to: &numbers, sizes: sizes.dropFirst()) else { return false }
        }
        return true
    }
}

extension Bool: TensorElement { public typealias Number = Bool }
extension UInt8: TensorElement { public typealias Number = UInt8 }
extension Int8: TensorElement { public typealias Number = Int8 }
extension Int16: TensorElement { public typealias Number = Int16 }
extension Int32: TensorElement { public typealias Number = Int32 }
extension Int64: TensorElement { public typealias Number = Int64 }
extension Int: TensorElement { public typealias Number = Int }
extension Float: TensorElement { public typealias Number = Float }
extension Double: TensorElement { public typealias Number = Double }

extension Tensor {
    /// The numbers of a nested array, to any depth: one axis for each. The dtype is that of the Swift type; `Double` gives float64.
    public init<Element: TensorElement>(_ rows: [[Element]], requiresGrad: Bool = false) {
        let sizes = [rows.count] + [Element].sizes(of: rows.first)
        guard sizes.count <= Shape.maximumRank else {
            self = fail("Tensor", "a tensor has at most \(Shape.maximumRank) axes, the array has \(sizes.count)")
            return
        }
        var numbers: [Element.Number] = []
        numbers.reserveCapacity(sizes.reduce(1, *))
        guard rows.append(to: &numbers, sizes: sizes[...]) else {
            self = fail(
                "Tensor", "the nested array is ragged: its parts do not all have the sizes \(sizes) of the first ones")
            return
        }
        self.init(numbers, shape: Shape(sizes), requiresGrad: requiresGrad)
    }
}
