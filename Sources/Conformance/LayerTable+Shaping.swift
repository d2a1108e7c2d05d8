import ChainRule
import ChainRuleNN

// Layers that add, take away, or move places about.

extension LayerTable {
    mutating func defineShaping() {
        layer("Flatten", "start_dim end_dim") {
            Flatten(startDim: try $0.start_dim.int(or: 1), endDim: try $0.end_dim.int(or: -1))
        }
        layer("Unflatten", "dim unflattened_size") { Unflatten(dim: try $0.dim.int, try $0.unflattened_size.shape) }
        layer("PixelShuffle", "upscale_factor") { PixelShuffle(try $0.upscale_factor.int) }
        layer("PixelUnshuffle", "downscale_factor") { PixelUnshuffle(try $0.downscale_factor.int) }
        layer("ChannelShuffle", "groups") { ChannelShuffle(try $0.groups.int) }
        layer("Unfold", "kernel_size dilation padding stride") {
            Unfold(
                try $0.kernel_size.spatial, dilation: try $0.dilation.spatial(or: 1),
                padding: try $0.padding.spatial(or: 0), stride: try $0.stride.spatial(or: 1))
        }
        layer("Fold", "output_size kernel_size dilation padding stride") {
            Fold(
                try $0.output_size.spatial, try $0.kernel_size.spatial, dilation: try $0.dilation.spatial(or: 1),
                padding: try $0.padding.spatial(or: 0), stride: try $0.stride.spatial(or: 1))
        }
        layer("Dropout", "p inplace") { Dropout(try $0.p.double(or: 0.5)) }
        layer("Dropout1d", "p inplace") { Dropout1d(try $0.p.double(or: 0.5)) }
        layer("Dropout2d", "p inplace") { Dropout2d(try $0.p.double(or: 0.5)) }
        layer("Dropout3d", "p inplace") { Dropout3d(try $0.p.double(or: 0.5)) }
        layer("AlphaDropout", "p inplace") { AlphaDropout(try $0.p.double(or: 0.5)) }
        layer("FeatureAlphaDropout", "p inplace") { FeatureAlphaDropout(try $0.p.double(or: 0.5)) }
        layer("Upsample", "size scale_factor mode align_corners recompute_scale_factor") {
            try upsampling($0, mode: $0.mode.interpolation, alignCorners: $0.align_corners.bool(or: false))
        }
        layer("UpsamplingNearest2d", "size scale_factor") { try upsampling($0, mode: .nearest, alignCorners: false) }
        layer("UpsamplingBilinear2d", "size scale_factor") { try upsampling($0, mode: .linear, alignCorners: true) }
        definePadding()
    }

    private mutating func definePadding() {
        layer("ZeroPad1d", "padding") { ZeroPad1d(try $0.padding.spatial) }
        layer("ZeroPad2d", "padding") { ZeroPad2d(try $0.padding.spatial) }
        layer("ZeroPad3d", "padding") { ZeroPad3d(try $0.padding.spatial) }
        layer("ReflectionPad1d", "padding") { ReflectionPad1d(try $0.padding.spatial) }
        layer("ReflectionPad2d", "padding") { ReflectionPad2d(try $0.padding.spatial) }
        layer("ReflectionPad3d", "padding") { ReflectionPad3d(try $0.padding.spatial) }
        layer("ReplicationPad1d", "padding") { ReplicationPad1d(try $0.padding.spatial) }
        layer("ReplicationPad2d", "padding") { ReplicationPad2d(try $0.padding.spatial) }
        layer("ReplicationPad3d", "padding") { ReplicationPad3d(try $0.padding.spatial) }
        layer("CircularPad1d", "padding") { CircularPad1d(try $0.padding.spatial) }
        layer("CircularPad2d", "padding") { CircularPad2d(try $0.padding.spatial) }
        layer("CircularPad3d", "padding") { CircularPad3d(try $0.padding.spatial) }
        layer("ConstantPad1d", "padding value") { ConstantPad1d(try $0.padding.spatial, try $0.value.double) }
        layer("ConstantPad2d", "padding value") { ConstantPad2d(try $0.padding.spatial, try $0.value.double) }
        layer("ConstantPad3d", "padding value") { ConstantPad3d(try $0.padding.spatial, try $0.value.double) }
    }
}

private func upsampling(_ arguments: CaseArguments, mode: InterpolationMode, alignCorners: Bool) throws -> Upsample {
    if let size = try arguments.size.optionalSpatial {
        return Upsample(size: size, mode: mode, alignCorners: alignCorners)
    }
    var recomputes = false
    if arguments.declares("recompute_scale_factor") {
        recomputes = try arguments.recompute_scale_factor.bool(or: false)
    }
    return Upsample(
        scaleFactor: try arguments.scale_factor.doubles, mode: mode, alignCorners: alignCorners,
        recomputeScaleFactor: recomputes)
}
