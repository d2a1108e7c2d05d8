import ChainRule

/// Layers applied one after the other.
///
/// ```swift
/// let model = Sequential { Linear(784, 50); ReLU(); Linear(50, 10); LogSoftmax(dim: -1) }
/// ```
public final class Sequential: Module, Layer {
    public let layers: [any Layer]

    public init(_ layers: [any Layer]) {
        self.layers = layers
        super.init()
    }

    public convenience init(@LayerBuilder _ layers: () -> [any Layer]) { self.init(layers()) }

    /// "0", "1", ...: PyTorch's keys.
    public override var children: [(name: String, module: Module)] {
        layers.enumerated().map { ("\($0.offset)", $0.element) }
    }

    public func callAsFunction(_ input: Tensor) -> Tensor {
        var (output, index) = (input, 0)
        while index < layers.count {
            if let norm = layers[index] as? BatchNormalization, index + 1 < layers.count, layers[index + 1] is ReLU {
                output = norm(output, activation: .relu)
                index += 2
            } else if let linear = layers[index] as? Linear, index + 1 < layers.count,
                let activation = activation(of: layers[index + 1])
            {
                output = linear(output, activation: activation)
                index += 2
            } else {
                output = layers[index](output)
                index += 1
            }
        }
        return output
    }

    public subscript(index: Int) -> any Layer { layers[index] }
}

/// The function of an activation layer, when the layer before can compute it on its way.
private func activation(of layer: any Layer) -> Activation? {
    switch layer {
    case is ReLU: .relu
    case is Tanh: .tanh
    case is Sigmoid: .sigmoid
    case is SiLU: .silu
    case let gelu as GELU: .gelu(approximate: gelu.approximate)
    default: nil
    }
}

/// Collects the layers written in the braces of a `Sequential`; `if` and `for` work.
@resultBuilder
public enum LayerBuilder {
    public static func buildExpression(_ layer: any Layer) -> [any Layer] { [layer] }
    public static func buildExpression(_ layers: [any Layer]) -> [any Layer] { layers }
    public static func buildBlock(_ parts: [any Layer]...) -> [any Layer] { parts.flatMap { $0 } }
    public static func buildOptional(_ part: [any Layer]?) -> [any Layer] { part ?? [] }
    public static func buildEither(first part: [any Layer]) -> [any Layer] { part }
    public static func buildEither(second part: [any Layer]) -> [any Layer] { part }
    public static func buildArray(_ parts: [[any Layer]]) -> [any Layer] { parts.flatMap { $0 } }
}
