import ChainRule

/// Layers applied one after the other.
///
/// ```swift
/// let model = Sequential { Linear(784, 50); ReLU(); Linear(50, 10); LogSoftmax(dim: -1) }
/// ```
public final class Sequential: Module, Layer {
    public let layers: [any Layer]
    private let order: [any Layer]

    public init(_ layers: [any Layer]) {
        self.layers = layers
        order = Sequential.rectifyingLate(layers)
        super.init()
    }

    public convenience init(@LayerBuilder _ layers: () -> [any Layer]) { self.init(layers()) }

    /// "0", "1", ...: PyTorch's keys.
    public override var children: [(name: String, module: Module)] {
        layers.enumerated().map { ("\($0.offset)", $0.element) }
    }

    public func callAsFunction(_ input: Tensor) -> Tensor {
        var (output, rest) = (input, order[...])
        while let layer = rest.popFirst() {
            if let layer = layer as? any ActivatedLayer, let next = rest.first as? any ActivationLayer {
                output = layer(output, activation: next.activation)
                rest.removeFirst()
            } else {
                output = layer(output)
            }
        }
        return output
    }

    /// The order in which the layers run: a ReLU behind the maximum poolings that follow it, where there is less to rectify, for the largest of
    /// rectified elements is the largest, rectified. (A window of nothing but padding, which gives −∞, takes a dilation.)
    private static func rectifyingLate(_ layers: [any Layer]) -> [any Layer] {
        var order = layers
        for index in order.indices.dropLast()
        where order[index] is ReLU && (order[index + 1] as? MaxPooling)?.dilation == 1 {
            order.swapAt(index, index + 1)
        }
        return order
    }

    public subscript(index: Int) -> any Layer { layers[index] }
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
