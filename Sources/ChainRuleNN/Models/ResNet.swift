import ChainRule

/// relu(f(x) + x), f two 3×3 convolutions with batch normalisation; where the size or the number of channels changes, x goes through a
/// 1×1 convolution (He et al. 2015, arXiv 1512.03385).
public final class ResidualBlock: Module, Layer {
    public let conv1: Conv2d
    public let bn1: BatchNorm2d
    public let conv2: Conv2d
    public let bn2: BatchNorm2d
    public let shortcut: Sequential?

    public init(_ inChannels: Int, _ outChannels: Int, stride: SpatialSize = 1, dtype: DType = .float32) {
        conv1 = Conv2d(
            inChannels, outChannels, kernelSize: 3, stride: stride, padding: 1, bias: false, dtype: dtype)
        bn1 = BatchNorm2d(outChannels, dtype: dtype)
        conv2 = Conv2d(outChannels, outChannels, kernelSize: 3, padding: 1, bias: false, dtype: dtype)
        bn2 = BatchNorm2d(outChannels, dtype: dtype)
        let keepsShape = stride == 1 && inChannels == outChannels
        shortcut =
            keepsShape
            ? nil
            : Sequential {
                Conv2d(inChannels, outChannels, kernelSize: 1, stride: stride, bias: false, dtype: dtype)
                BatchNorm2d(outChannels, dtype: dtype)
            }
        super.init()
    }

    public func callAsFunction(_ input: Tensor) -> Tensor {
        scope {
            let inner = bn1(conv1(input), activation: .relu)
            return bn2(conv2(inner), adding: shortcut.map { $0(input) } ?? input, activation: .relu)
        }
    }
}

extension Classifiers {
    /// ResNet-18 for small images, 32×32 as in CIFAR: a 3×3 convolution at the front and no pooling behind it, then four times two residual
    /// blocks of 64, 128, 256 and 512 channels, the mean over all places, and a linear layer.
    public static func resNet18(channels: Int = 3, classes: Int = 10) -> Sequential {
        Sequential {
            Conv2d(channels, 64, kernelSize: 3, padding: 1, bias: false)
            BatchNorm2d(64)
            ReLU()
            for (input, output) in [(64, 64), (64, 128), (128, 256), (256, 512)] {
                ResidualBlock(input, output, stride: input == output ? 1 : 2)
                ResidualBlock(output, output)
            }
            AdaptiveAvgPool2d(1)
            Flatten()
            Linear(512, classes)
        }
    }
}
