import ChainRule

/// −log of the probability that a network's outputs over time spell a sequence of labels, summed over all alignments: connectionist temporal
/// classification (Graves et al. 2006). The mean is that of the losses divided by the lengths of their targets.
public struct CTCLoss: Sendable, CustomStringConvertible {
    public let blank: Int
    public let reduction: Reduction
    public let zeroInfinity: Bool

    /// - Parameters:
    ///   - blank: The class that stands for no label.
    ///   - zeroInfinity: Whether inputs too short for their targets have loss and gradient 0.
    public init(blank: Int = 0, reduction: Reduction = .mean, zeroInfinity: Bool = false) {
        self.blank = blank
        self.reduction = reduction
        self.zeroInfinity = zeroInfinity
    }

    public var description: String {
        described(
            "CTCLoss", (blank == 0 ? [] : ["blank: \(blank)"]) + (zeroInfinity ? ["zeroInfinity: true"] : []), reduction
        )
    }

    /// - Parameters:
    ///   - logProbabilities: (T, N, C) or (T, C), out of a log-softmax.
    ///   - targets: Integers (N, S) padded to one length, or one target after the other.
    ///   - inputLengths: The time steps of each input that count.
    ///   - targetLengths: The labels of each target.
    public func callAsFunction(
        _ logProbabilities: Tensor, _ targets: Tensor, inputLengths: [Int], targetLengths: [Int]
    ) -> Tensor {
        logProbabilities.ctcLoss(
            targets, inputLengths: inputLengths, targetLengths: targetLengths, blank: blank, reduction: reduction,
            zeroInfinity: zeroInfinity)
    }

    /// The loss, not recorded.
    public func forward(
        _ logProbabilities: Tensor, _ targets: Tensor, inputLengths: [Int], targetLengths: [Int]
    ) -> Tensor {
        withoutGradient {
            self(logProbabilities.detach(), targets, inputLengths: inputLengths, targetLengths: targetLengths)
        }
    }

    /// ∂loss/∂logProbabilities.
    public func backward(
        _ logProbabilities: Tensor, _ targets: Tensor, inputLengths: [Int], targetLengths: [Int]
    ) -> Tensor {
        gradients(ofLossOf: [logProbabilities]) {
            self($0[0], targets, inputLengths: inputLengths, targetLengths: targetLengths)
        }[0]
    }
}
