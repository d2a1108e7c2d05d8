import ChainRule

// Pictures in other sizes, and read at other places.

extension OperatorTable {
    mutating func defineResampling() {
        define(
            "nn.functional.interpolate", "input size scale_factor mode align_corners recompute_scale_factor antialias"
        ) {
            try $0.input.tensor.interpolate(
                size: $0.size.optionalSpatial, scaleFactor: $0.scale_factor.optionalDoubles,
                mode: $0.mode.interpolation, alignCorners: $0.align_corners.bool(or: false),
                recomputeScaleFactor: $0.recompute_scale_factor.bool(or: false), antialias: $0.antialias.bool(or: false)
            )
        }
        define("nn.functional.upsample_nearest", "input size scale_factor") {
            try $0.input.tensor.interpolate(
                size: $0.size.optionalSpatial, scaleFactor: $0.scale_factor.optionalDoubles)
        }
        define("nn.functional.upsample_bilinear", "input size scale_factor") {
            try $0.input.tensor.interpolate(
                size: $0.size.optionalSpatial, scaleFactor: $0.scale_factor.optionalDoubles, mode: .linear,
                alignCorners: true)
        }
        define("nn.functional.grid_sample", "input grid mode padding_mode align_corners") {
            try $0.input.tensor.gridSample(
                $0.grid.tensor, mode: $0.mode.gridSampleMode, padding: $0.padding_mode.gridSamplePadding,
                alignCorners: $0.align_corners.bool(or: false))
        }
        for name in ["grid_sampler_2d", "grid_sampler_3d"] {
            // The modes as the numbers of PyTorch's enumerations.
            define(name, "input grid interpolation_mode padding_mode align_corners") {
                let modes: [GridSampleMode] = [.bilinear, .nearest, .bicubic]
                let paddings: [GridSamplePadding] = [.zeros, .border, .reflection]
                return try $0.input.tensor.gridSample(
                    $0.grid.tensor, mode: modes[$0.interpolation_mode.int], padding: paddings[$0.padding_mode.int],
                    alignCorners: $0.align_corners.bool(or: false))
            }
        }
    }
}

extension CaseArgument {
    fileprivate var gridSampleMode: GridSampleMode {
        get throws {
            switch try string(or: "bilinear") {
            case "nearest": .nearest
            case "bilinear": .bilinear
            case "bicubic": .bicubic
            case let other: throw Unsupported("the mode \(other)")
            }
        }
    }

    fileprivate var gridSamplePadding: GridSamplePadding {
        get throws {
            switch try string(or: "zeros") {
            case "zeros": .zeros
            case "border": .border
            case "reflection": .reflection
            case let other: throw Unsupported("the padding mode \(other)")
            }
        }
    }
}
