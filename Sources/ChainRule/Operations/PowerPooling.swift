extension Tensor {
    /// (Σ xᵖ)^(1/p) over each window, p = `normType`; where p is infinite the largest |x|, or the smallest. (N, C, L) or (C, L), windows
    /// and sizes as for `maxPool1d`.
    public func lpPool1d(
        normType: Double, kernelSize: SpatialSize, stride: SpatialSize? = nil, ceilMode: Bool = false
    ) -> Tensor {
        if normType.isInfinite {
            let sign = normType > 0 ? 1 : -1
            return (abs() * sign).maxPool1d(kernelSize: kernelSize, stride: stride, ceilMode: ceilMode) * sign
        }
        let means = pow(normType).avgPool1d(kernelSize: kernelSize, stride: stride, ceilMode: ceilMode)
        return (means * kernelSize.sizes(1).reduce(1, *)).pow(1 / normType)
    }

    /// (Σ xᵖ)^(1/p) over each window, p = `normType`; where p is infinite the largest |x|, or the smallest. (N, C, H, W) or (C, H, W), windows
    /// and sizes as for `maxPool2d`.
    public func lpPool2d(
        normType: Double, kernelSize: SpatialSize, stride: SpatialSize? = nil, ceilMode: Bool = false
    ) -> Tensor {
        if normType.isInfinite {
            let sign = normType > 0 ? 1 : -1
            return (abs() * sign).maxPool2d(kernelSize: kernelSize, stride: stride, ceilMode: ceilMode) * sign
        }
        let means = pow(normType).avgPool2d(kernelSize: kernelSize, stride: stride, ceilMode: ceilMode)
        return (means * kernelSize.sizes(2).reduce(1, *)).pow(1 / normType)
    }

    /// (Σ xᵖ)^(1/p) over each window, p = `normType`; where p is infinite the largest |x|, or the smallest. (N, C, D, H, W) or (C, D, H, W), windows
    /// and sizes as for `maxPool3d`.
    public func lpPool3d(
        normType: Double, kernelSize: SpatialSize, stride: SpatialSize? = nil, ceilMode: Bool = false
    ) -> Tensor {
        if normType.isInfinite {
            let sign = normType > 0 ? 1 : -1
            return (abs() * sign).maxPool3d(kernelSize: kernelSize, stride: stride, ceilMode: ceilMode) * sign
        }
        let means = pow(normType).avgPool3d(kernelSize: kernelSize, stride: stride, ceilMode: ceilMode)
        return (means * kernelSize.sizes(3).reduce(1, *)).pow(1 / normType)
    }
}
