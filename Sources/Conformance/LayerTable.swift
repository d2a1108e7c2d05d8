import ChainRule
import ChainRuleNN

/// What PyTorch's layers and losses are called here: from the names and arguments of their constructors to the library's, by family in the
/// files `LayerTable+....swift`. The cases are in float64, hence so are the layers.
struct LayerTable: Sendable {
    /// How to make one layer.
    struct Entry: Sendable {
        /// The parameters of PyTorch's constructor, in its order, and those of its call.
        let parameters, inputs: String
        let make: @Sendable (CaseArguments) throws -> Subject
    }

    /// A layer or loss that was made.
    struct Subject {
        /// What holds parameters and buffers; nil for losses.
        let module: Module?
        let call: (CaseArguments) throws -> [Tensor]

        init(_ module: Module?, _ call: @escaping (CaseArguments) throws -> [Tensor]) {
            self.module = module
            self.call = call
        }

        /// One tensor in, one out.
        init(_ layer: any Layer) { self.init(layer) { [layer(try $0.input.tensor)] } }
    }

    private var entries: [String: Entry] = [:]

    init() {
        defineActivations()
        defineLinears()
        defineWindows()
        defineNormalizations()
        defineShaping()
        defineLosses()
        defineSequences()
    }

    subscript(name: String) -> Entry? { entries[name] }

    /// Defines the constructor of a module.
    ///
    /// - Parameters:
    ///   - parameters: PyTorch's names in PyTorch's order, "num_features eps".
    ///   - inputs: those of its call.
    mutating func define(
        _ name: String, _ parameters: String, _ inputs: String = "input",
        _ make: @escaping @Sendable (CaseArguments) throws -> Subject
    ) {
        precondition(entries[name] == nil, "'\(name)' is defined twice")
        entries[name] = Entry(parameters: parameters + " device dtype", inputs: inputs, make: make)
    }

    /// A layer: one tensor in, one out.
    mutating func layer(
        _ name: String, _ parameters: String = "", _ make: @escaping @Sendable (CaseArguments) throws -> any Layer
    ) {
        define(name, parameters) { Subject(try make($0)) }
    }

    /// A loss of a prediction and a target.
    mutating func loss(
        _ name: String, _ parameters: String, _ make: @escaping @Sendable (CaseArguments) throws -> any Loss
    ) {
        define(name, parameters, "input target") {
            let loss = try make($0)
            return Subject(nil) { [loss(try $0.input.tensor, try $0.target.tensor)] }
        }
    }
}
