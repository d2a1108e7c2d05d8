import ChainRule

// Convolutions and pooling: operations on windows.

extension OperatorTable {
    mutating func defineWindows() {
        defineConvolutions()
        defineTransposedConvolutions()
        defineMaxPooling()
        defineAveragePooling()
    }

    private mutating func defineConvolutions() {
        convolution("conv1d") {
            $0.conv1d(weight: $1, bias: $2, stride: $3, padding: $4, dilation: $5, groups: $6)
        }
        convolution("conv2d") {
            $0.conv2d(weight: $1, bias: $2, stride: $3, padding: $4, dilation: $5, groups: $6)
        }
        convolution("conv3d") {
            $0.conv3d(weight: $1, bias: $2, stride: $3, padding: $4, dilation: $5, groups: $6)
        }
    }

    private mutating func convolution(
        _ name: String,
        _ call:
            @escaping @Sendable (
                Tensor, Tensor, Tensor?, SpatialSize, ConvolutionPadding, SpatialSize, Int
            ) -> Tensor
    ) {
        define("nn.functional.\(name)", "input weight bias stride padding dilation groups") {
            call(
                try $0.input.tensor, try $0.weight.tensor, try $0.bias.optionalTensor, try $0.stride.spatial(or: 1),
                try $0.padding.convolutionPadding, try $0.dilation.spatial(or: 1), try $0.groups.int(or: 1))
        }
    }

    private mutating func defineTransposedConvolutions() {
        transposed("conv_transpose1d") {
            $0.convTranspose1d(
                weight: $1, bias: $2, stride: $3, padding: $4, outputPadding: $5, groups: $6, dilation: $7)
        }
        transposed("conv_transpose2d") {
            $0.convTranspose2d(
                weight: $1, bias: $2, stride: $3, padding: $4, outputPadding: $5, groups: $6, dilation: $7)
        }
        transposed("conv_transpose3d") {
            $0.convTranspose3d(
                weight: $1, bias: $2, stride: $3, padding: $4, outputPadding: $5, groups: $6, dilation: $7)
        }
    }

    private mutating func transposed(
        _ name: String,
        _ call:
            @escaping @Sendable (
                Tensor, Tensor, Tensor?, SpatialSize, SpatialSize, SpatialSize, Int, SpatialSize
            ) -> Tensor
    ) {
        define("nn.functional.\(name)", "input weight bias stride padding output_padding groups dilation") {
            call(
                try $0.input.tensor, try $0.weight.tensor, try $0.bias.optionalTensor, try $0.stride.spatial(or: 1),
                try $0.padding.spatial(or: 0), try $0.output_padding.spatial(or: 0), try $0.groups.int(or: 1),
                try $0.dilation.spatial(or: 1))
        }
    }

    private mutating func defineMaxPooling() {
        maxPooling("max_pool1d") {
            $0.maxPool1dWithIndices(kernelSize: $1, stride: $2, padding: $3, dilation: $4, ceilMode: $5)
        }
        maxPooling("max_pool2d") {
            $0.maxPool2dWithIndices(kernelSize: $1, stride: $2, padding: $3, dilation: $4, ceilMode: $5)
        }
        maxPooling("max_pool3d") {
            $0.maxPool3dWithIndices(kernelSize: $1, stride: $2, padding: $3, dilation: $4, ceilMode: $5)
        }
        adaptiveMaxPooling("adaptive_max_pool1d") { $0.adaptiveMaxPool1dWithIndices($1) }
        adaptiveMaxPooling("adaptive_max_pool2d") { $0.adaptiveMaxPool2dWithIndices($1) }
        adaptiveMaxPooling("adaptive_max_pool3d") { $0.adaptiveMaxPool3dWithIndices($1) }
    }

    private mutating func maxPooling(
        _ name: String,
        _ call:
            @escaping @Sendable (Tensor, SpatialSize, SpatialSize?, SpatialSize, SpatialSize, Bool) -> (
                values: Tensor, indices: Tensor
            )
    ) {
        define(
            "nn.functional.\(name)", "input kernel_size stride padding dilation ceil_mode return_indices"
        ) {
            let result = call(
                try $0.input.tensor, try $0.kernel_size.spatial, try $0.stride.optionalSpatial,
                try $0.padding.spatial(or: 0), try $0.dilation.spatial(or: 1), try $0.ceil_mode.bool(or: false))
            return try $0.return_indices.bool(or: false) ? both(result) : [result.values]
        }
    }

    private mutating func adaptiveMaxPooling(
        _ name: String, _ call: @escaping @Sendable (Tensor, SpatialSize) -> (values: Tensor, indices: Tensor)
    ) {
        define("nn.functional.\(name)", "input output_size return_indices") {
            let result = call(try $0.input.tensor, try $0.output_size.spatial)
            return try $0.return_indices.bool(or: false) ? both(result) : [result.values]
        }
    }

    private mutating func defineAveragePooling() {
        averagePooling("avg_pool1d") { x, kernel, stride, padding, ceil, include, _ in
            x.avgPool1d(kernelSize: kernel, stride: stride, padding: padding, ceilMode: ceil, countIncludePad: include)
        }
        averagePooling("avg_pool2d") {
            $0.avgPool2d(
                kernelSize: $1, stride: $2, padding: $3, ceilMode: $4, countIncludePad: $5, divisorOverride: $6)
        }
        averagePooling("avg_pool3d") {
            $0.avgPool3d(
                kernelSize: $1, stride: $2, padding: $3, ceilMode: $4, countIncludePad: $5, divisorOverride: $6)
        }
        define("nn.functional.adaptive_avg_pool1d", "input output_size") {
            try $0.input.tensor.adaptiveAvgPool1d($0.output_size.spatial)
        }
        define("nn.functional.adaptive_avg_pool2d", "input output_size") {
            try $0.input.tensor.adaptiveAvgPool2d($0.output_size.spatial)
        }
        define("nn.functional.adaptive_avg_pool3d", "input output_size") {
            try $0.input.tensor.adaptiveAvgPool3d($0.output_size.spatial)
        }
    }

    private mutating func averagePooling(
        _ name: String,
        _ call: @escaping @Sendable (Tensor, SpatialSize, SpatialSize?, SpatialSize, Bool, Bool, Int?) -> Tensor
    ) {
        define(
            "nn.functional.\(name)", "input kernel_size stride padding ceil_mode count_include_pad divisor_override"
        ) {
            call(
                try $0.input.tensor, try $0.kernel_size.spatial, try $0.stride.optionalSpatial,
                try $0.padding.spatial(or: 0), try $0.ceil_mode.bool(or: false),
                try $0.count_include_pad.bool(or: true), try $0.divisor_override.optionalInt)
        }
    }
}

extension CaseArgument {
    /// A size of a window; `None` inside a list means -1, the input's own size. An empty list is as good as none.
    var spatial: SpatialSize {
        get throws {
            guard let size = try optionalSpatial else { throw Unsupported("'\(name)' is missing, it should be a size") }
            return size
        }
    }
    func spatial(or standard: SpatialSize) throws -> SpatialSize { try optionalSpatial ?? standard }
    var convolutionPadding: ConvolutionPadding {
        get throws {
            if case .string(let name) = value { return name == "same" ? .same : .valid }
            return .size(try spatial(or: 0))
        }
    }
    var optionalSpatial: SpatialSize? {
        get throws {
            guard isList else { return try optionalInt.map { SpatialSize($0) } }
            return values.isEmpty ? nil : SpatialSize(try values.map { try $0.int(or: -1) })
        }
    }
}
