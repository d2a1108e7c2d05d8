import ChainRule

/// What a case passes for one parameter.
enum ArgumentValue: Sendable {
    case none
    case bool(Bool)
    case integer(Int)
    case floating(Double)
    case string(String)
    case dtype(DType)
    case tensor(Tensor)
    case list([ArgumentValue])
    case slice(start: Int?, stop: Int?, step: Int?)
}

/// A form of an operation that the tool has no call for.
struct Unsupported: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

/// One argument under its parameter's name, read as what the operation wants. `None` and an argument left out are the same here.
struct CaseArgument {
    let name: String
    let value: ArgumentValue

    var isGiven: Bool { if case .none = value { false } else { true } }
    var isTensor: Bool { if case .tensor = value { true } else { false } }
    var isList: Bool { if case .list = value { true } else { false } }
    var isBool: Bool { if case .bool = value { true } else { false } }

    var tensor: Tensor { get throws { try required(optionalTensor, "a tensor") } }
    var optionalTensor: Tensor? {
        get throws {
            if case .tensor(let tensor) = value { return tensor }
            return try nothing("a tensor")
        }
    }

    /// The tensor, in another dtype where the case asks for one.
    func tensor(as dtype: CaseArgument) throws -> Tensor {
        let tensor = try tensor
        return try dtype.optionalDType.map { tensor.to($0) } ?? tensor
    }

    /// The tensors of a list; a single one counts as a list of one.
    var tensors: [Tensor] {
        get throws {
            guard case .list(let values) = value else { return [try tensor] }
            return try values.map { try CaseArgument(name: name, value: $0).tensor }
        }
    }

    var int: Int { get throws { try required(optionalInt, "an integer") } }
    func int(or standard: Int) throws -> Int { try optionalInt ?? standard }
    /// An integer, also where it stands in a tensor of one element.
    var optionalInt: Int? {
        get throws {
            switch value {
            case .integer(let number): return number
            case .bool(let flag): return flag ? 1 : 0
            case .tensor(let tensor) where tensor.count == 1 && !tensor.dtype.isFloatingPoint:
                return tensor.item(Int.self)
            default: return try nothing("an integer")
            }
        }
    }

    var double: Double { get throws { try required(optionalDouble, "a number") } }
    func double(or standard: Double) throws -> Double { try optionalDouble ?? standard }
    var optionalDouble: Double? { get throws { try optionalScalar?.double } }

    var scalar: Scalar { get throws { try required(optionalScalar, "a number") } }
    func scalar(or standard: Scalar) throws -> Scalar { try optionalScalar ?? standard }
    var optionalScalar: Scalar? {
        get throws {
            switch value {
            case .integer(let number): return .integer(number)
            case .floating(let number): return .floating(number)
            case .bool(let flag): return .integer(flag ? 1 : 0)
            case .tensor(let tensor) where tensor.count == 1:
                return tensor.dtype.isFloatingPoint ? .floating(tensor.item()) : .integer(tensor.item(Int.self))
            default: return try nothing("a number")
            }
        }
    }

    func bool(or standard: Bool) throws -> Bool { try optionalBool ?? standard }
    var optionalBool: Bool? {
        get throws {
            switch value {
            case .bool(let flag): return flag
            case .integer(let number): return number != 0
            default: return try nothing("a boolean")
            }
        }
    }

    var string: String { get throws { try required(optionalString, "a string") } }
    func string(or standard: String) throws -> String { try optionalString ?? standard }
    var optionalString: String? {
        get throws {
            if case .string(let text) = value { return text }
            return try nothing("a string")
        }
    }

    /// Integers in a list; a single one counts as a list of one.
    var ints: [Int] { get throws { try required(optionalInts, "integers") } }
    var optionalInts: [Int]? {
        get throws {
            switch value {
            case .list(let values): return try values.map { try CaseArgument(name: name, value: $0).int }
            case .tensor(let tensor) where tensor.rank == 1: return tensor.toArray(of: Int.self)
            default: return try optionalInt.map { [$0] }
            }
        }
    }

    /// The axes of a reduction: none stand for all.
    var axes: [Int] { get throws { isBool ? [] : try optionalInts ?? [] } }

    var shape: Shape { get throws { Shape(try ints) } }

    var doubles: [Double] { get throws { try required(optionalDoubles, "numbers") } }
    var optionalDoubles: [Double]? {
        get throws {
            guard case .list(let values) = value else { return try optionalDouble.map { [$0] } }
            return try values.map { try CaseArgument(name: name, value: $0).double }
        }
    }

    /// A list as it stands, single values as a list of one.
    var values: [CaseArgument] {
        guard case .list(let values) = value else { return isGiven ? [self] : [] }
        return values.map { CaseArgument(name: name, value: $0) }
    }

    var dtype: DType { get throws { try required(optionalDType, "a dtype") } }
    var optionalDType: DType? {
        get throws {
            if case .dtype(let dtype) = value { return dtype }
            return try nothing("a dtype")
        }
    }

    /// The tensor, or a number as PyTorch takes it beside `other`: it gives way to the dtype of a tensor.
    func operand(beside other: CaseArgument) throws -> Tensor {
        if let tensor = try? tensor { return tensor }
        let number = try scalar
        guard let dtype = try? other.tensor.dtype else { return Tensor(number) }
        if isBool { return Tensor.full([], number, dtype: dtype) }
        if case .integer = number { return Tensor.full([], number, dtype: dtype == .bool ? .int64 : dtype) }
        return Tensor.full([], number, dtype: dtype.asFloatingPoint)
    }

    private func nothing<Value>(_ kind: String) throws -> Value? {
        if isGiven { throw Unsupported("'\(name)' is not \(kind)") }
        return nil
    }

    private func required<Value>(_ value: Value?, _ kind: String) throws -> Value {
        guard let value else { throw Unsupported("'\(name)' is missing, it should be \(kind)") }
        return value
    }
}

/// Positional and keyword arguments together, by the names of PyTorch's parameters: `$0.input.tensor`, `$0.dim.int(or: -1)`.
@dynamicMemberLookup
struct CaseArguments {
    private var values: [String: ArgumentValue] = [:]
    private let parameters: [Substring]

    /// - Parameter parameters: the names in PyTorch's order, "input dim keepdim"; one with a star takes all positional arguments that are left.
    init(_ parameters: String, positional: [ArgumentValue], named: [(key: String, value: ArgumentValue)]) throws {
        self.parameters = parameters.split(separator: " ").map { $0.hasPrefix("*") ? $0.dropFirst() : $0 }
        for (index, parameter) in parameters.split(separator: " ").enumerated() where index < positional.count {
            if parameter.hasPrefix("*") {
                let rest = Array(positional[index...])
                if rest.count == 1, case .list = rest[0] {
                    values[String(parameter.dropFirst())] = rest[0]
                } else {
                    values[String(parameter.dropFirst())] = .list(rest)
                }
                break
            }
            guard index < self.parameters.count else { break }
            values[String(parameter)] = positional[index]
        }
        if positional.count > self.parameters.count && !parameters.contains("*") {
            throw Unsupported("takes \(self.parameters.count) arguments, the case passes \(positional.count)")
        }
        for (key, value) in named {
            guard self.parameters.contains(where: { $0 == key }) else { throw Unsupported("has no parameter '\(key)'") }
            values[key] = value
        }
    }

    /// Whether the operation has a parameter of this name.
    func declares(_ name: String) -> Bool { parameters.contains { $0 == name } }

    /// Whether the case passes `None`, which for a few parameters means another thing than to pass nothing.
    func passesNone(_ name: String) -> Bool { if case .some(.none) = values[name] { true } else { false } }

    subscript(dynamicMember name: String) -> CaseArgument {
        precondition(parameters.contains { $0 == name }, "the table reads '\(name)', which its parameters lack")
        return CaseArgument(name: name, value: values[name] ?? .none)
    }
}
