import ChainRule

/// What PyTorch's operations are called here: from its names and arguments to the library's calls, by family in the files
/// `OperatorTable+....swift`.
struct OperatorTable: Sendable {
    /// How to call one operation.
    struct Entry: Sendable {
        /// PyTorch's parameters in its order.
        let parameters: String
        let call: @Sendable (CaseArguments) throws -> [Tensor]
        /// Compares outputs with the expected ones.
        let check: @Sendable (CaseArguments, [Tensor], [Tensor]) throws -> Verdict
    }

    private var entries: [String: Entry] = [:]

    init() {
        defineElementwise()
        defineReductions()
        defineShapes()
        defineIndexing()
        defineProducts()
        defineActivations()
        defineWindows()
        defineLosses()
        defineVision()
        defineResampling()
        defineLinearAlgebra()
        defineCreations()
        defineOrderAndStatistics()
        definePiecesAndPairs()
        defineUnpoolingAndStatedNorms()
    }

    subscript(name: String) -> Entry? { entries[name] }

    /// Defines the call of an operation.
    ///
    /// - Parameters:
    ///   - parameters: PyTorch's names in PyTorch's order, "input dim keepdim"; one with a star takes the rest.
    ///   - check: for results that are not the only right ones; `sameOutputs` unless given.
    mutating func define<Outputs: OperatorOutputs>(
        _ name: String, _ parameters: String,
        check: @escaping @Sendable (CaseArguments, [Tensor], [Tensor]) throws -> Verdict = sameOutputs,
        _ call: @escaping @Sendable (CaseArguments) throws -> Outputs
    ) {
        precondition(entries[name] == nil, "'\(name)' is defined twice")
        entries[name] = Entry(parameters: parameters, call: { try call($0).tensors }, check: check)
    }

    /// An operation of one tensor.
    mutating func unary(_ name: String, _ call: @escaping @Sendable (Tensor) -> Tensor) {
        define(name, "input") { call(try $0.input.tensor) }
    }

    /// An operation of two operands that broadcast, either of which may be a number.
    mutating func binary(_ name: String, _ call: @escaping @Sendable (Tensor, Tensor) -> Tensor) {
        define(name, "input other") {
            call(try $0.input.operand(beside: $0.other), try $0.other.operand(beside: $0.input))
        }
    }
}

/// What a call may give: a tensor, or several.
protocol OperatorOutputs: SendableMetatype {
    var tensors: [Tensor] { get }
}

extension Tensor: OperatorOutputs { var tensors: [Tensor] { [self] } }
extension [Tensor]: OperatorOutputs { var tensors: [Tensor] { self } }

/// A pair of results, named or not, as two outputs.
func both(_ pair: (Tensor, Tensor)) -> [Tensor] { [pair.0, pair.1] }
