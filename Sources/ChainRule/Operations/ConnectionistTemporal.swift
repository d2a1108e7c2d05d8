let connectionistTemporalOperations: [any Operation.Type] = [ConnectionistTemporal.self]

/// The loss of each sequence under connectionist temporal classification: −log of the sum, over all ways to spell its labels with blanks and
/// repetitions, of the product of the probabilities. Input: log-probabilities (T, N, C).
///
/// The gradient is PyTorch's, that of log-probabilities which a log-softmax has made: it contains eˣ, which the log-softmax takes out again.
struct ConnectionistTemporal: VariadicOperation {
    let sequences: [LabelSequence]
    let blank: Int
    /// Whether an impossible sequence has loss and gradient 0 instead of ∞ and NaN.
    let zeroInfinity: Bool

    static let name = "ctc_loss"
    static let formula = Formula(
        "−log Σ over paths Π eˣ", gradient: "∂L/∂x[t, n, c] = ∂L/∂y[n] (eˣ − p(c at t | labels))")
    static let dtypes: DTypes = .fullPrecision
    static let keeps: Keeps = [.input, .otherOutputs]
    func forward(_ inputs: [Tensor]) -> [Tensor] { CPU.connectionistTemporal(self, inputs[0]) }

    func gradients(_ dy: [Tensor?], _ kept: KeptList, needs: [Bool]) -> [Tensor?] {
        guard let dy = dy[0] else { return [nil] }
        let x = kept.inputs[0]
        guard isRecording, x.requiresGrad else { return [dy.reshape(1, -1, 1) * kept.outputs[1]] }
        // Higher orders go through the composition, which is slow and has gradients of any order.
        return gradient(of: composed(x), wrt: [x], gradient: dy, createGraph: true)
    }

    static let samples = [
        Sample([Sample.Input(.uniform(-2...2), shape: [4, 2, 3])]) {
            [
                $0[0].logSoftmax(dim: -1).ctcLoss(
                    Tensor([1, 1, 2, 1], shape: [2, 2]), inputLengths: [4, 3], targetLengths: [2, 1], reduction: .none)
            ]
        }
    ]
}

/// The labels that one element of a batch spells in its first `length` time steps.
struct LabelSequence: Hashable, Sendable {
    var length: Int
    var labels: [Int]

    /// The labels with blanks before, between and behind.
    func extended(blank: Int) -> [Int] { labels.flatMap { [blank, $0] } + [blank] }

    /// Whether the place of the extended labels can be reached over a blank: another label stands two places before.
    static func canSkip(_ extended: [Int], to place: Int) -> Bool {
        place % 2 == 1 && place > 1 && extended[place] != extended[place - 2]
    }
}

extension ConnectionistTemporal {
    /// The same loss in Tensor operations, with the same gradient: the forward recursion over the time steps.
    private func composed(_ x: Tensor) -> Tensor {
        // Stands for log 0 where −∞ would make the gradients NaN.
        let nothing = -1e30
        let losses = sequences.enumerated().map { index, sequence -> Tensor in
            let steps = x.narrow(dim: 0, start: 0, length: sequence.length).select(dim: 1, index: index)
            let extended = sequence.extended(blank: blank)
            let scores = steps.indexSelect(dim: 1, Tensor(extended))
            let places = extended.indices
            let first = Tensor(places.map { $0 < 2 }, shape: [extended.count])
            let skips = Tensor(places.map { LabelSequence.canSkip(extended, to: $0) }, shape: [extended.count])
            var paths = scores[0].maskedFill(first.logicalNot(), nothing)
            for time in 1..<Swift.max(sequence.length, 1) {
                let padded = paths.pad([2, 0], value: nothing)
                let one = padded.slice(dim: 0, from: 1, to: extended.count + 1)
                let two = padded.slice(dim: 0, from: 0, to: extended.count).maskedFill(skips.logicalNot(), nothing)
                paths = stack([paths, one, two]).logsumexp(dim: 0) + scores[time]
            }
            let ends = paths.slice(dim: 0, from: Swift.max(extended.count - 2, 0))
            // Adds nothing to the loss, and eˣ to its gradient.
            let ones = steps.exp().sum()
            return -ends.logsumexp(dim: 0) + (ones - ones.detach())
        }
        return stack(losses)
    }
}

extension Tensor {
    /// The loss of connectionist temporal classification (Graves et al. 2006): −log of the probability that the log-probabilities of T time
    /// steps, (T, N, C) or (T, C), spell the targets when repetitions are joined and blanks left out.
    ///
    /// - Parameters:
    ///   - targets: Labels (N, S) padded to one length, or one after the other in one axis.
    ///   - inputLengths: The time steps that count, for each of the N.
    ///   - targetLengths: The labels of each.
    ///   - blank: The class that stands for no label.
    ///   - reduction: The mean is that of the losses divided by the lengths of their targets.
    ///   - zeroInfinity: Whether sequences too short for their targets have loss and gradient 0 instead of ∞ and NaN.
    public func ctcLoss(
        _ targets: Tensor, inputLengths: [Int], targetLengths: [Int], blank: Int = 0, reduction: Reduction = .mean,
        zeroInfinity: Bool = false
    ) -> Tensor {
        guard requireFloating("ctcLoss") else { return .placeholderAfterError }
        guard rank == 2 || rank == 3, shape.last ?? 0 > blank, blank >= 0 else {
            return fail("ctcLoss", "needs (T, N, C) or (T, C) with the blank \(blank) among the classes, got \(shape)")
        }
        let batch = rank == 3 ? wide : wide.unsqueeze(dim: 1)
        guard let sequences = batch.labelSequences(targets, inputLengths, targetLengths, blank) else {
            return .placeholderAfterError
        }
        let operation = ConnectionistTemporal(sequences: sequences, blank: blank, zeroInfinity: zeroInfinity)
        var losses = apply(operation, to: [batch])[0]
        if reduction == .mean {
            losses = losses / Tensor(targetLengths.map { Double(Swift.max($0, 1)) }).to(batch.dtype)
        }
        if rank == 2 { losses = losses.squeeze(dim: 0) }
        return losses.reduced(reduction).rounded(to: dtype)
    }

    /// The labels of each element of a batch (T, N, C). Nil after an error.
    private func labelSequences(
        _ targets: Tensor, _ inputLengths: [Int], _ targetLengths: [Int], _ blank: Int
    ) -> [LabelSequence]? {
        let (steps, count, classes) = (shape[0], shape[1], shape[2])
        let labels = targets.toArray(of: Int.self)
        // Padded targets lie a row apart, others end to end.
        let isPadded = targets.rank == 2
        let width = targets.shape.last ?? 0
        guard targets.rank == 1 || (isPadded && targets.shape[0] == count), !targets.dtype.isFloatingPoint,
            inputLengths.count == count, targetLengths.count == count,
            targetLengths.allSatisfy({ $0 >= 0 && $0 <= (isPadded ? width : labels.count) }),
            isPadded || count == 1 || targetLengths.reduce(0, +) == labels.count,
            inputLengths.allSatisfy({ $0 >= 0 && $0 <= steps })
        else {
            fail(
                "ctcLoss",
                "targets of shape \(targets.shape) with lengths \(targetLengths), and input lengths \(inputLengths), do not fit log-probabilities of shape \(shape)"
            )
            return nil
        }
        var start = 0
        let sequences = (0..<count).map { index in
            let first = isPadded ? index * width : start
            start += targetLengths[index]
            return LabelSequence(
                length: inputLengths[index], labels: Array(labels[first..<(first + targetLengths[index])]))
        }
        guard sequences.allSatisfy({ $0.labels.allSatisfy { $0 >= 0 && $0 < classes } }) else {
            fail("ctcLoss", "a target is none of the \(classes) classes")
            return nil
        }
        return sequences
    }
}
