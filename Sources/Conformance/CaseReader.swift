import ChainRule
import Foundation

/// Reads the tensors and arguments of a case, and remembers the tensors that want a gradient in the order met.
struct CaseReader {
    private(set) var leaves: [Tensor] = []

    /// What an argument in a case stands for.
    mutating func argument(_ json: JSON) throws -> ArgumentValue {
        switch json {
        case .null: return .none
        case .bool(let flag): return .bool(flag)
        case .integer(let number): return .integer(number)
        case .floating(let number): return .floating(number)
        case .string(let text): return .string(text)
        case .array(let elements): return .list(try elements.map { try argument($0) })
        case .object(let members):
            guard let member = members.first else { throw MalformedCase("an empty object is no argument") }
            return try special(member.key, member.value)
        }
    }

    private mutating func special(_ kind: String, _ json: JSON) throws -> ArgumentValue {
        switch kind {
        case "tensor": return .tensor(try leaf(json))
        case "float":
            guard let number = json.double else { break }
            return .floating(number)
        case "dtype":
            guard let name = json.string else { break }
            guard let dtype = DType(named: name) else { throw Unsupported("the dtype \(name)") }
            return .dtype(dtype)
        case "slice":
            guard let bounds = json.elements, bounds.count == 3 else { break }
            return .slice(start: bounds[0].integer, stop: bounds[1].integer, step: bounds[2].integer)
        default: break
        }
        throw MalformedCase("'\(kind)' is no kind of argument")
    }

    /// A tensor; one that wants a gradient becomes a leaf.
    private mutating func leaf(_ json: JSON) throws -> Tensor {
        let tensor = try Self.tensor(json)
        guard json["grad"]?.isTrue ?? false else { return tensor }
        let leaf = tensor.requiringGrad()
        leaves.append(leaf)
        return leaf
    }

    /// Positional and keyword arguments.
    mutating func arguments(
        _ json: JSON
    ) throws -> (positional: [ArgumentValue], named: [(key: String, value: ArgumentValue)]) {
        let positional = try (json["args"]?.elements ?? []).map { try argument($0) }
        let named = try (json["kwargs"]?.members ?? []).map { (key: $0.key, value: try argument($0.value)) }
        return (positional, named)
    }

    /// A tensor without a gradient: an output, a gradient, an entry of a state.
    static func tensor(_ json: JSON) throws -> Tensor {
        guard let name = json["dtype"]?.string, let sizes = json["shape"]?.elements, let data = json["data"]?.elements
        else { throw MalformedCase("a tensor needs dtype, shape and data") }
        guard let dtype = DType(named: name) else { throw Unsupported("the dtype \(name)") }
        let shape = Shape(sizes.compactMap(\.integer))
        guard shape.count == sizes.count, shape.elementCount == data.count else {
            throw MalformedCase("a tensor of shape \(shape) with \(data.count) numbers")
        }
        if dtype.isFloatingPoint { return Tensor(try numbers(data, \.double), shape: shape).to(dtype) }
        return Tensor(try numbers(data, \.integer), shape: shape).to(dtype)
    }

    private static func numbers<Number>(_ data: [JSON], _ number: (JSON) -> Number?) throws -> [Number] {
        try data.map { json in
            guard let value = number(json) else { throw MalformedCase("a tensor holds something that is no number") }
            return value
        }
    }
}
