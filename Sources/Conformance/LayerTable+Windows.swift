import ChainRule
import ChainRuleNN

// Layers on windows: convolutions and poolings.

extension LayerTable {
    mutating func defineWindows() {
        defineConvolutions()
        defineTransposedConvolutions()
        defineMaxPooling()
        defineUnpooling()
        defineAveragePooling()
    }

    private mutating func defineConvolutions() {
        convolution("Conv1d") {
            Conv1d(
                $0.channels.0, $0.channels.1, kernelSize: $0.kernel, stride: $0.stride, padding: $0.padding,
                dilation: $0.dilation, groups: $0.groups, bias: $0.bias, paddingMode: $0.mode, dtype: .float64)
        }
        convolution("Conv2d") {
            Conv2d(
                $0.channels.0, $0.channels.1, kernelSize: $0.kernel, stride: $0.stride, padding: $0.padding,
                dilation: $0.dilation, groups: $0.groups, bias: $0.bias, paddingMode: $0.mode, dtype: .float64)
        }
        convolution("Conv3d") {
            Conv3d(
                $0.channels.0, $0.channels.1, kernelSize: $0.kernel, stride: $0.stride, padding: $0.padding,
                dilation: $0.dilation, groups: $0.groups, bias: $0.bias, paddingMode: $0.mode, dtype: .float64)
        }
    }

    private mutating func convolution(_ name: String, _ make: @escaping @Sendable (ConvolutionArguments) -> any Layer) {
        layer(name, "in_channels out_channels kernel_size stride padding dilation groups bias padding_mode") {
            make(
                try ConvolutionArguments(
                    $0, padding: try $0.padding.convolutionPadding, mode: try $0.padding_mode.paddingMode))
        }
    }

    private mutating func defineTransposedConvolutions() {
        transposed("ConvTranspose1d") {
            let layer = ConvTranspose1d(
                $0.channels.0, $0.channels.1, kernelSize: $0.kernel, stride: $0.stride, padding: $1,
                outputPadding: $2, groups: $0.groups, bias: $0.bias, dilation: $0.dilation, dtype: .float64)
            return (layer, { layer($0, outputSize: $1) })
        }
        transposed("ConvTranspose2d") {
            let layer = ConvTranspose2d(
                $0.channels.0, $0.channels.1, kernelSize: $0.kernel, stride: $0.stride, padding: $1,
                outputPadding: $2, groups: $0.groups, bias: $0.bias, dilation: $0.dilation, dtype: .float64)
            return (layer, { layer($0, outputSize: $1) })
        }
        transposed("ConvTranspose3d") {
            let layer = ConvTranspose3d(
                $0.channels.0, $0.channels.1, kernelSize: $0.kernel, stride: $0.stride, padding: $1,
                outputPadding: $2, groups: $0.groups, bias: $0.bias, dilation: $0.dilation, dtype: .float64)
            return (layer, { layer($0, outputSize: $1) })
        }
    }

    private typealias Transposed = (layer: Module, call: (Tensor, [Int]?) -> Tensor)

    private mutating func transposed(
        _ name: String, _ make: @escaping @Sendable (ConvolutionArguments, SpatialSize, SpatialSize) -> Transposed
    ) {
        define(
            name,
            "in_channels out_channels kernel_size stride padding output_padding groups bias dilation padding_mode",
            "input output_size"
        ) {
            let arguments = try ConvolutionArguments($0, padding: 0, mode: .constant)
            let subject = make(arguments, try $0.padding.spatial(or: 0), try $0.output_padding.spatial(or: 0))
            return Subject(subject.layer) { [subject.call(try $0.input.tensor, try $0.output_size.optionalInts)] }
        }
    }

    private mutating func defineMaxPooling() {
        maxPooling("MaxPool1d") {
            let layer = MaxPool1d(
                $0.kernel, stride: $0.stride, padding: $0.padding, dilation: $0.dilation, ceilMode: $0.ceil)
            return (layer, layer.withIndices)
        }
        maxPooling("MaxPool2d") {
            let layer = MaxPool2d(
                $0.kernel, stride: $0.stride, padding: $0.padding, dilation: $0.dilation, ceilMode: $0.ceil)
            return (layer, layer.withIndices)
        }
        maxPooling("MaxPool3d") {
            let layer = MaxPool3d(
                $0.kernel, stride: $0.stride, padding: $0.padding, dilation: $0.dilation, ceilMode: $0.ceil)
            return (layer, layer.withIndices)
        }
        adaptiveMaxPooling("AdaptiveMaxPool1d") {
            let layer = AdaptiveMaxPool1d($0)
            return (layer, layer.withIndices)
        }
        adaptiveMaxPooling("AdaptiveMaxPool2d") {
            let layer = AdaptiveMaxPool2d($0)
            return (layer, layer.withIndices)
        }
        adaptiveMaxPooling("AdaptiveMaxPool3d") {
            let layer = AdaptiveMaxPool3d($0)
            return (layer, layer.withIndices)
        }
    }

    private mutating func defineUnpooling() {
        unpooling("MaxUnpool1d") {
            let layer = MaxUnpool1d($0, stride: $1, padding: $2)
            return (layer, { layer($0, indices: $1, outputSize: $2) })
        }
        unpooling("MaxUnpool2d") {
            let layer = MaxUnpool2d($0, stride: $1, padding: $2)
            return (layer, { layer($0, indices: $1, outputSize: $2) })
        }
        unpooling("MaxUnpool3d") {
            let layer = MaxUnpool3d($0, stride: $1, padding: $2)
            return (layer, { layer($0, indices: $1, outputSize: $2) })
        }
    }

    private typealias Unpooling = (layer: Module, call: (Tensor, Tensor, SpatialSize?) -> Tensor)

    private mutating func unpooling(
        _ name: String, _ make: @escaping @Sendable (SpatialSize, SpatialSize?, SpatialSize) -> Unpooling
    ) {
        define(name, "kernel_size stride padding", "input indices output_size") {
            let unpooling = make(
                try $0.kernel_size.spatial, try $0.stride.optionalSpatial, try $0.padding.spatial(or: 0))
            return Subject(unpooling.layer) {
                [unpooling.call(try $0.input.tensor, try $0.indices.tensor, try $0.output_size.optionalSpatial)]
            }
        }
    }

    private typealias Pooling = (layer: Module, call: (Tensor) -> (values: Tensor, indices: Tensor))
    private typealias PoolingArguments = (
        kernel: SpatialSize, stride: SpatialSize?, padding: SpatialSize, dilation: SpatialSize, ceil: Bool
    )

    private mutating func maxPooling(_ name: String, _ make: @escaping @Sendable (PoolingArguments) -> Pooling) {
        define(name, "kernel_size stride padding dilation return_indices ceil_mode") {
            let pooling = make(
                (
                    kernel: try $0.kernel_size.spatial, stride: try $0.stride.optionalSpatial,
                    padding: try $0.padding.spatial(or: 0), dilation: try $0.dilation.spatial(or: 1),
                    ceil: try $0.ceil_mode.bool(or: false)
                ))
            return Self.subject(pooling, returnsIndices: try $0.return_indices.bool(or: false))
        }
    }

    private mutating func adaptiveMaxPooling(_ name: String, _ make: @escaping @Sendable (SpatialSize) -> Pooling) {
        define(name, "output_size return_indices") {
            Self.subject(make(try $0.output_size.spatial), returnsIndices: try $0.return_indices.bool(or: false))
        }
    }

    private static func subject(_ pooling: Pooling, returnsIndices: Bool) -> Subject {
        Subject(pooling.layer) {
            let found = pooling.call(try $0.input.tensor)
            return returnsIndices ? [found.values, found.indices] : [found.values]
        }
    }

    private mutating func defineAveragePooling() {
        layer("AvgPool1d", "kernel_size stride padding ceil_mode count_include_pad") {
            AvgPool1d(
                try $0.kernel_size.spatial, stride: try $0.stride.optionalSpatial,
                padding: try $0.padding.spatial(or: 0), ceilMode: try $0.ceil_mode.bool(or: false),
                countIncludePad: try $0.count_include_pad.bool(or: true))
        }
        layer("AvgPool2d", "kernel_size stride padding ceil_mode count_include_pad divisor_override") {
            AvgPool2d(
                try $0.kernel_size.spatial, stride: try $0.stride.optionalSpatial,
                padding: try $0.padding.spatial(or: 0), ceilMode: try $0.ceil_mode.bool(or: false),
                countIncludePad: try $0.count_include_pad.bool(or: true),
                divisorOverride: try $0.divisor_override.optionalInt)
        }
        layer("AvgPool3d", "kernel_size stride padding ceil_mode count_include_pad divisor_override") {
            AvgPool3d(
                try $0.kernel_size.spatial, stride: try $0.stride.optionalSpatial,
                padding: try $0.padding.spatial(or: 0), ceilMode: try $0.ceil_mode.bool(or: false),
                countIncludePad: try $0.count_include_pad.bool(or: true),
                divisorOverride: try $0.divisor_override.optionalInt)
        }
        layer("AdaptiveAvgPool1d", "output_size") { AdaptiveAvgPool1d(try $0.output_size.spatial) }
        layer("AdaptiveAvgPool2d", "output_size") { AdaptiveAvgPool2d(try $0.output_size.spatial) }
        layer("AdaptiveAvgPool3d", "output_size") { AdaptiveAvgPool3d(try $0.output_size.spatial) }
        powerPooling("LPPool1d") { LPPool1d($0, $1, stride: $2, ceilMode: $3) }
        powerPooling("LPPool2d") { LPPool2d($0, $1, stride: $2, ceilMode: $3) }
        powerPooling("LPPool3d") { LPPool3d($0, $1, stride: $2, ceilMode: $3) }
    }

    private mutating func powerPooling(
        _ name: String, _ make: @escaping @Sendable (Double, SpatialSize, SpatialSize?, Bool) -> any Layer
    ) {
        layer(name, "norm_type kernel_size stride ceil_mode") {
            make(
                try $0.norm_type.double, try $0.kernel_size.spatial, try $0.stride.optionalSpatial,
                try $0.ceil_mode.bool(or: false))
        }
    }
}

/// What the constructors of convolutions and transposed ones share.
private struct ConvolutionArguments {
    let channels: (Int, Int)
    let kernel, stride, dilation: SpatialSize
    let groups: Int
    let bias: Bool
    let padding: ConvolutionPadding
    let mode: PaddingMode

    init(_ arguments: CaseArguments, padding: ConvolutionPadding, mode: PaddingMode) throws {
        channels = (try arguments.in_channels.int, try arguments.out_channels.int)
        kernel = try arguments.kernel_size.spatial
        stride = try arguments.stride.spatial(or: 1)
        dilation = try arguments.dilation.spatial(or: 1)
        groups = try arguments.groups.int(or: 1)
        bias = try arguments.bias.bool(or: true)
        self.padding = padding
        self.mode = mode
    }
}

extension CaseArgument {
    fileprivate var paddingMode: PaddingMode {
        get throws {
            switch try string(or: "zeros") {
            case "zeros": .constant
            case "reflect": .reflect
            case "replicate": .replicate
            case "circular": .circular
            case let other: throw Unsupported("the padding mode \(other)")
            }
        }
    }
}
