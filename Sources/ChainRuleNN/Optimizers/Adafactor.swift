import ChainRule

/// Adafactor (Shazeer and Stern 2018, arXiv 1804.04235), in PyTorch's form. For a matrix it remembers the mean squares of the rows and of
/// the columns, r and c, in place of the mean square of each element:
///
///     ρ = min(learningRate, 1 / √t),   α = max(eps.1, rms(p)) · ρ,   1 − β₂ = t^beta2Decay
///     p ← p (1 − learningRate · weightDecay)
///     r ← β₂ r + (1 − β₂) mean(g², dim: −1),   c ← β₂ c + (1 − β₂) mean(g², dim: −2),   v = r c / mean(r)
///     u = g / √max(v, eps.0²)
///     p ← p − α u / max(1, rms(u) / d)
///
/// A vector has its plain mean square v. Of more than two axes the last two are the matrix. An `eps.0` of nil is the distance from 1 to the next
/// number of the dtype.
public final class Adafactor: GroupedOptimizer<Adafactor.Options, NamedMemory> {
    public struct Options: OptimizerOptions {
        public var learningRate, beta2Decay: Double
        public var eps: (Double?, Double)
        public var d, weightDecay: Double
        public var maximize: Bool

        public func check(_ optimizer: String) {
            checkNotNegative(
                optimizer,
                [
                    "learningRate": learningRate, "the first eps": eps.0 ?? 0, "the second eps": eps.1,
                    "weightDecay": weightDecay,
                ])
            if beta2Decay > 0 { fail(optimizer, "beta2Decay must not be positive, it is \(beta2Decay)") }
            if d < 1 { fail(optimizer, "d must be at least 1, it is \(d)") }
        }
    }

    public init(
        _ parameters: [Tensor], learningRate: Double = 1e-2, beta2Decay: Double = -0.8,
        eps: (Double?, Double) = (nil, 1e-3), d: Double = 1, weightDecay: Double = 0, maximize: Bool = false
    ) {
        super.init(
            parameters,
            Options(
                learningRate: learningRate, beta2Decay: beta2Decay, eps: eps, d: d, weightDecay: weightDecay,
                maximize: maximize))
    }

    override func maximizes(_ options: Options) -> Bool { options.maximize }

    override func fits(_ saved: Tensor, _ name: String, _ parameter: Tensor) -> Bool {
        switch name {
        case "row_var": saved.shape == parameter.shape.withOne(at: -1)
        case "col_var": saved.shape == parameter.shape.withOne(at: -2)
        default: super.fits(saved, name, parameter)
        }
    }

    override func update(_ parameter: Tensor, _ gradient: Tensor, _ memory: inout NamedMemory?, _ options: Options) {
        var kept = memory.take() ?? NamedMemory()
        let step = kept.countStep()
        let share = power(step, options.beta2Decay)
        let floor = options.eps.0 ?? parameter.dtype.relativeRounding
        let scale = max(options.eps.1, rootMeanSquare(parameter.detach()))
        let rate = scale * min(options.learningRate, 1 / step.squareRoot())
        if options.weightDecay != 0 { parameter.data *= 1 - options.learningRate * options.weightDecay }

        let variance = meanSquare(gradient, &kept, share, floor).clamp(min: floor * floor)
        let direction = gradient * variance.rsqrt()
        parameter.data -= direction * (rate / max(1, rootMeanSquare(direction) / options.d))
        memory = kept
    }

    private func meanSquare(_ g: Tensor, _ kept: inout NamedMemory, _ share: Double, _ floor: Double) -> Tensor {
        let square = g.squared()
        let zeros = { Tensor.zeros(like: $0) }
        guard g.rank > 1 else {
            kept["variance", zeros(g)] = kept["variance", zeros(g)].lerp(square, share)
            return kept["variance", zeros(g)]
        }
        let (rowMean, columnMean) = (square.mean(dim: -1, keepDim: true), square.mean(dim: -2, keepDim: true))
        let row = kept["row_var", zeros(rowMean)].lerp(rowMean, share)
        let column = kept["col_var", zeros(columnMean)].lerp(columnMean, share)
        kept["row_var", row] = row
        kept["col_var", column] = column
        return row * column / row.mean(dim: -2, keepDim: true).clamp(min: floor)
    }

    private func rootMeanSquare(_ x: Tensor) -> Double { x.squared().mean().item().squareRoot() }
}

extension Shape {
    /// The shape with one axis, counted from the end, made 1.
    fileprivate func withOne(at axis: Int) -> Shape {
        guard count + axis >= 0 else { return self }
        var sizes = Array(self)
        sizes[count + axis] = 1
        return Shape(sizes)
    }
}

extension DType {
    /// The distance from 1 to the next number.
    fileprivate var relativeRounding: Double {
        switch self {
        case .float16: 0x1p-10
        case .bfloat16: 0x1p-7
        case .float32: 0x1p-23
        default: 0x1p-52
        }
    }
}
