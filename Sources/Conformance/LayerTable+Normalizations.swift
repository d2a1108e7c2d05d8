import ChainRule
import ChainRuleNN

extension LayerTable {
    mutating func defineNormalizations() {
        batchNorm("BatchNorm1d") {
            BatchNorm1d($0, eps: $1, momentum: $2, affine: $3, bias: $4, trackRunningStatistics: $5, dtype: .float64)
        }
        batchNorm("BatchNorm2d") {
            BatchNorm2d($0, eps: $1, momentum: $2, affine: $3, bias: $4, trackRunningStatistics: $5, dtype: .float64)
        }
        batchNorm("BatchNorm3d") {
            BatchNorm3d($0, eps: $1, momentum: $2, affine: $3, bias: $4, trackRunningStatistics: $5, dtype: .float64)
        }
        instanceNorm("InstanceNorm1d") {
            InstanceNorm1d($0, eps: $1, momentum: $2, affine: $3, bias: $4, trackRunningStatistics: $5, dtype: .float64)
        }
        instanceNorm("InstanceNorm2d") {
            InstanceNorm2d($0, eps: $1, momentum: $2, affine: $3, bias: $4, trackRunningStatistics: $5, dtype: .float64)
        }
        instanceNorm("InstanceNorm3d") {
            InstanceNorm3d($0, eps: $1, momentum: $2, affine: $3, bias: $4, trackRunningStatistics: $5, dtype: .float64)
        }
        layer("LayerNorm", "normalized_shape eps elementwise_affine bias") {
            LayerNorm(
                try $0.normalized_shape.shape, eps: try $0.eps.double(or: 1e-5),
                affine: try $0.elementwise_affine.bool(or: true), bias: try $0.bias.bool(or: true), dtype: .float64)
        }
        layer("RMSNorm", "normalized_shape eps elementwise_affine") {
            RMSNorm(
                try $0.normalized_shape.shape, eps: try $0.eps.optionalDouble,
                affine: try $0.elementwise_affine.bool(or: true), dtype: .float64)
        }
        layer("GroupNorm", "num_groups num_channels eps affine bias") {
            GroupNorm(
                try $0.num_groups.int, try $0.num_channels.int, eps: try $0.eps.double(or: 1e-5),
                affine: try $0.affine.bool(or: true), bias: try $0.bias.bool(or: true), dtype: .float64)
        }
        layer("LocalResponseNorm", "size alpha beta k") {
            LocalResponseNorm(
                try $0.size.int, alpha: try $0.alpha.double(or: 1e-4), beta: try $0.beta.double(or: 0.75),
                k: try $0.k.double(or: 1))
        }
    }

    private typealias Normalization = @Sendable (Int, Double, Double?, Bool, Bool, Bool) -> any Layer

    private mutating func batchNorm(_ name: String, _ make: @escaping Normalization) {
        normalization(name, affine: true, tracks: true, make)
    }

    private mutating func instanceNorm(_ name: String, _ make: @escaping Normalization) {
        normalization(name, affine: false, tracks: false, make)
    }

    /// - Parameters:
    ///   - affine: Whether there are weights unless the case says otherwise.
    ///   - tracks: Whether running statistics are kept unless the case says otherwise.
    private mutating func normalization(
        _ name: String, affine: Bool, tracks: Bool, _ make: @escaping Normalization
    ) {
        // Here None is not the same as nothing given: it is the plain average.
        layer(name, "num_features eps momentum affine track_running_stats bias") {
            let momentum = $0.passesNone("momentum") ? nil : try $0.momentum.double(or: 0.1)
            return make(
                try $0.num_features.int, try $0.eps.double(or: 1e-5), momentum, try $0.affine.bool(or: affine),
                try $0.bias.bool(or: true), try $0.track_running_stats.bool(or: tracks))
        }
    }
}
