import ChainRule

/// Ready models for small classification problems. Each ends in one score for each class; the loss turns scores into
/// probabilities.
public enum Classifiers {
    /// One linear layer on the flattened input.
    public static func linear(inputs: Int, classes: Int) -> Sequential {
        Sequential {
            Flatten()
            Linear(inputs, classes)
        }
    }

    /// Two hidden layers of 256 and 128 with ReLU.
    public static func mlp(inputs: Int, classes: Int) -> Sequential {
        Sequential {
            Flatten()
            Linear(inputs, 256)
            ReLU()
            Linear(256, 128)
            ReLU()
            Linear(128, classes)
        }
    }

    /// Two 5×5 convolutions (16 and 32 channels), each with ReLU and 2×2 maximum pooling, then a hidden layer of 128.
    /// Nil when an image is smaller than 16×16: nothing would be left after the second pooling.
    public static func convnet(channels: Int, height: Int, width: Int, classes: Int) -> Sequential? {
        let rows = sizeAfterPooling(sizeAfterPooling(height))
        let columns = sizeAfterPooling(sizeAfterPooling(width))
        guard rows > 0 && columns > 0 else { return nil }
        return Sequential {
            Conv2d(channels, 16, kernelSize: 5)
            ReLU()
            MaxPool2d(2)
            Conv2d(16, 32, kernelSize: 5)
            ReLU()
            MaxPool2d(2)
            Flatten()
            Linear(32 * rows * columns, 128)
            ReLU()
            Linear(128, classes)
        }
    }

    private static func sizeAfterPooling(_ size: Int) -> Int { max(size - 4, 0) / 2 }
}
