import CKernels

let binaryCrossEntropyOperations: [any Operation.Type] = [BinaryCrossEntropy.self]

/// y = −(t log p + (1 − t) log(1 − p)), the logarithms bounded below by −100: no probability can be told from 0 beyond that, and
/// without the bound a certain and right prediction would give 0 · ∞.
///
/// As in PyTorch the gradient's denominator is bounded too, p (1 − p) ≥ 1e-12.
struct BinaryCrossEntropy: BinaryOperation, ElementwiseOperation {
    static let name = "binary_cross_entropy"
    static let formula = Formula(
        "−(t log p + (1 − t) log(1 − p))",
        gradient: "∂L/∂p = ∂L/∂y · (p − t) / (p (1 − p)), ∂L/∂t = ∂L/∂y · (log(1 − p) − log p)")
    static let keeps: Keeps = .inputs

    func forward(_ p: Tensor, _ t: Tensor) -> Tensor { CPU.rounded(p, t, value) }

    private func value(_ p: Tensor, _ t: Tensor) -> Tensor {
        let hit = boundedLog(p)
        let miss = boundedLog(complement(p))
        let weightedHit = CPU.binary(CK_MUL, t, hit, name: Self.name)
        let weightedMiss = CPU.binary(CK_MUL, complement(t), miss, name: Self.name)
        return CPU.unary(CK_NEG, CPU.binary(CK_ADD, weightedHit, weightedMiss, name: Self.name))
    }

    private func boundedLog(_ x: Tensor) -> Tensor {
        CPU.binary(CK_MAXIMUM, CPU.unary(CK_LOG, x), .floating(-100), name: Self.name)
    }

    private func complement(_ x: Tensor) -> Tensor {
        CPU.binary(CK_SUB, x, .integer(1), scalarFirst: true, name: Self.name)
    }

    func gradientLeft(_ dy: Tensor, _ kept: Kept) -> Tensor {
        let (p, t) = (kept.leftInput, kept.rightInput)
        return dy * (p - t) / (p * (1 - p)).clamp(min: 1e-12)
    }

    func gradientRight(_ dy: Tensor, _ kept: Kept) -> Tensor {
        let p = kept.leftInput
        return dy * ((1 - p).log().clamp(min: -100) - p.log().clamp(min: -100))
    }

    static let samples = [Sample(BinaryCrossEntropy(), 0.1...0.9, 0...1)]
}

extension Tensor {
    /// −(t log p + (1 − t) log(1 − p)) for probabilities p and targets t from 0 to 1. The logarithms stop at −100, as in PyTorch.
    ///
    /// - Parameter weight: A factor for each element; broadcasts.
    public func binaryCrossEntropy(_ target: Tensor, weight: Tensor? = nil, reduction: Reduction = .mean) -> Tensor {
        guard matches(target, "binaryCrossEntropy") else { return .placeholderAfterError }
        let losses = Tensor.binaryPromoted(BinaryCrossEntropy(), self, target, floating: true)
        return (weight.map { losses * $0 } ?? losses).reduced(reduction)
    }

    /// `binaryCrossEntropy` of σ(x), without overflow: (1 − t) x + (1 + (w − 1) t) log(1 + e⁻ˣ).
    ///
    /// - Parameters:
    ///   - weight: A factor for each element; broadcasts.
    ///   - positiveWeight: A factor w for the positive class; broadcasts.
    public func binaryCrossEntropyWithLogits(
        _ target: Tensor, weight: Tensor? = nil, positiveWeight: Tensor? = nil, reduction: Reduction = .mean
    ) -> Tensor {
        guard matches(target, "binaryCrossEntropyWithLogits") else { return .placeholderAfterError }
        let (x, target) = (wide, target.wide)
        let logarithm = -x.logSigmoid()
        let scaled = positiveWeight.map { (($0.wide - 1) * target + 1) * logarithm } ?? logarithm
        let losses = (1 - target) * x + scaled
        return (weight.map { losses * $0.wide } ?? losses).reduced(reduction).rounded(to: dtype)
    }
}
