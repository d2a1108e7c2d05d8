#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

extension CPU {
    /// The losses (N) of log-probabilities (T, N, C), and what the gradient is per loss: eˣ − p(c at t | labels).
    static func connectionistTemporal(_ operation: ConnectionistTemporal, _ x: Tensor) -> [Tensor] {
        x.dtype == .float64
            ? connectionistTemporal(operation, x, Double.self) : connectionistTemporal(operation, x, Float.self)
    }

    private static func connectionistTemporal<Element: BinaryFloatingPoint & TensorScalar>(
        _ operation: ConnectionistTemporal, _ x: Tensor, _: Element.Type
    ) -> [Tensor] {
        let (count, classes) = (x.shape[1], x.shape[2])
        let source = contiguous(x)
        let losses = Tensor(uninitialized: [count], dtype: x.dtype)
        let gradient = Tensor.zeros(x.shape, dtype: x.dtype)
        withExtendedLifetime(source) {
            let input = source.pointer(to: Element.self)
            let output = gradient.freshPointer(to: Element.self)
            let values = losses.freshPointer(to: Element.self)
            for (index, sequence) in operation.sequences.enumerated() {
                let lattice = PathLattice(sequence, blank: operation.blank) { time, label in
                    Double(input[(time * count + index) * classes + label])
                }
                let isLost = lattice.loss == .infinity && operation.zeroInfinity
                values[index] = isLost ? 0 : Element(lattice.loss)
                if isLost { continue }
                for time in 0..<sequence.length {
                    let row = (time * count + index) * classes
                    let shares = lattice.shares(time, classes: classes)
                    for label in 0..<classes {
                        output[row + label] = Element(exp(Double(input[row + label])) - shares[label])
                    }
                }
            }
        }
        return [losses, gradient]
    }
}

/// All paths that spell a sequence: the logarithm of the probability of getting to each place of the extended labels at each time, and of
/// going on from there to the end.
private struct PathLattice {
    private let labels: [Int]
    private let score: (Int, Int) -> Double
    /// At time t the place p stands at t · places + p. The score of the place itself is in both.
    private var arriving, leaving: [Double]
    let loss: Double

    init(_ sequence: LabelSequence, blank: Int, score: @escaping (Int, Int) -> Double) {
        labels = sequence.extended(blank: blank)
        self.score = score
        let (places, times) = (labels.count, sequence.length)
        arriving = [Double](repeating: -.infinity, count: places * times)
        leaving = arriving
        guard times > 0 else {
            // No time spells nothing, with certainty.
            loss = sequence.labels.isEmpty ? 0 : .infinity
            return
        }
        for time in 0..<times {
            for place in 0..<places {
                let last = (time - 1) * places + place
                var sum = time == 0 && place < 2 ? 0 : -Double.infinity
                if time > 0 {
                    sum = arriving[last]
                    if place > 0 { sum = CPU.logAddExp(sum, arriving[last - 1]) }
                    if LabelSequence.canSkip(labels, to: place) { sum = CPU.logAddExp(sum, arriving[last - 2]) }
                }
                arriving[time * places + place] = sum + score(time, labels[place])
            }
        }
        for time in (0..<times).reversed() {
            for place in 0..<places {
                let next = (time + 1) * places + place
                var sum = time == times - 1 && place >= places - 2 ? 0 : -Double.infinity
                if time < times - 1 {
                    sum = leaving[next]
                    if place + 1 < places { sum = CPU.logAddExp(sum, leaving[next + 1]) }
                    if place + 2 < places, LabelSequence.canSkip(labels, to: place + 2) {
                        sum = CPU.logAddExp(sum, leaving[next + 2])
                    }
                }
                leaving[time * places + place] = sum + score(time, labels[place])
            }
        }
        let end = times * places
        loss = -(places > 1 ? CPU.logAddExp(arriving[end - 1], arriving[end - 2]) : arriving[end - 1])
    }

    /// The probability of each label at a time, given that the sequence is spelled. NaN when it can't be.
    func shares(_ time: Int, classes: Int) -> [Double] {
        guard loss < .infinity else { return [Double](repeating: .nan, count: classes) }
        var shares = [Double](repeating: 0, count: classes)
        for (place, label) in labels.enumerated() {
            let index = time * labels.count + place
            let path = arriving[index] + leaving[index]
            if path > -.infinity { shares[label] += exp(path - score(time, label) + loss) }
        }
        return shares
    }
}
