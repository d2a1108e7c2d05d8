import ChainRule

/// Looks along a direction d, from a point with value f₀ and slope g₀ = ∇fᵀd < 0, for a length t at which the strong Wolfe conditions hold:
///
///     f(t) ≤ f₀ + 10⁻⁴ t g₀   and   |f′(t)| ≤ 0.9 |g₀|
///
/// First lengths grow until two of them must have such a point between them; then the bracket narrows (Nocedal and Wright 2006, algorithms
/// 3.5 and 3.6, with the choices of Torch's `lswolfe`).
struct LineSearchAlong {
    /// What is known at one length.
    private struct Trial {
        var length: Double
        var point: Point
        var slope: Double
    }

    private let direction: Tensor
    private let origin: Trial
    private let tolerance: Double
    private let evaluate: (Double) -> Point

    /// - Parameters:
    ///   - tolerance: A bracket in which no parameter moves by more is not narrowed further.
    ///   - evaluate: The loss and its gradient at a length.
    init(
        _ direction: Tensor, slope: Double, start: Point, _ tolerance: Double, evaluate: @escaping (Double) -> Point
    ) {
        self.direction = direction
        self.tolerance = tolerance
        self.evaluate = evaluate
        origin = Trial(length: 0, point: start, slope: slope)
    }

    /// The point found, its length, and how often the loss was computed: once, and `most` times more at most.
    func run(from length: Double, most: Int) -> (point: Point, length: Double, evaluations: Int) {
        var rounds = 0
        var bracket = bracketing(from: trial(length), &rounds, most: most)
        if bracket.count == 2 { narrow(&bracket, &rounds, most: most) }
        let best = bracket.min { $0.point.value < $1.point.value } ?? origin
        return (best.point, best.length, rounds + 1)
    }

    /// One trial where it fulfils the conditions, else two with such a point between them.
    private func bracketing(from first: Trial, _ rounds: inout Int, most: Int) -> [Trial] {
        var last = origin
        var new = first
        while rounds < most {
            if !decreases(new) || (rounds > 1 && new.point.value >= last.point.value) { return [last, new] }
            if isFlat(new) { return [new] }
            if new.slope >= 0 { return [last, new] }
            let bounds = (new.length + 0.01 * (new.length - last.length), new.length * 10)
            let length = cubicMinimum(last, new, bounds)
            last = new
            new = trial(length)
            rounds += 1
        }
        return [origin, new]
    }

    /// Replaces an end of the bracket by a point between, until that fulfils the conditions.
    private func narrow(_ bracket: inout [Trial], _ rounds: inout Int, most: Int) {
        let longest = direction.abs().max().item()
        var low = bracket[0].point.value <= bracket[1].point.value ? 0 : 1
        var stalled = false
        while rounds < most && (bracket[1].length - bracket[0].length).magnitude * longest >= tolerance {
            let new = trial(lengthInside(bracket, &stalled))
            rounds += 1
            if !decreases(new) || new.point.value >= bracket[low].point.value {
                bracket[1 - low] = new
                low = bracket[0].point.value <= bracket[1].point.value ? 0 : 1
                continue
            }
            let isDone = isFlat(new)
            if !isDone && new.slope * (bracket[1 - low].length - bracket[low].length) >= 0 {
                bracket[1 - low] = bracket[low]
            }
            bracket[low] = new
            if isDone { return }
        }
    }

    /// The minimum of the cubic through both ends, kept a tenth away from them when it comes near for the second time.
    private func lengthInside(_ bracket: [Trial], _ stalled: inout Bool) -> Double {
        let lower = min(bracket[0].length, bracket[1].length)
        let upper = max(bracket[0].length, bracket[1].length)
        let length = cubicMinimum(bracket[0], bracket[1], (lower, upper))
        let margin = 0.1 * (upper - lower)
        guard min(upper - length, length - lower) < margin else {
            stalled = false
            return length
        }
        guard stalled || length >= upper || length <= lower else {
            stalled = true
            return length
        }
        stalled = false
        return upper - length < length - lower ? upper - margin : lower + margin
    }

    private func trial(_ length: Double) -> Trial {
        let point = evaluate(length)
        return Trial(length: length, point: point, slope: point.gradient.dot(direction).item())
    }

    private func decreases(_ trial: Trial) -> Bool {
        trial.point.value <= origin.point.value + 1e-4 * trial.length * origin.slope
    }

    private func isFlat(_ trial: Trial) -> Bool { trial.slope.magnitude <= -0.9 * origin.slope }

    /// The minimum of the cubic with the values and slopes of two trials, within bounds; the middle of these where it has none.
    private func cubicMinimum(_ a: Trial, _ b: Trial, _ bounds: (Double, Double)) -> Double {
        let (left, right) = a.length <= b.length ? (a, b) : (b, a)
        let secant = (left.point.value - right.point.value) / (left.length - right.length)
        let d1 = left.slope + right.slope - 3 * secant
        let square = d1 * d1 - left.slope * right.slope
        guard square >= 0 else { return (bounds.0 + bounds.1) / 2 }
        let d2 = square.squareRoot()
        let share = (right.slope + d2 - d1) / (right.slope - left.slope + 2 * d2)
        return min(max(right.length - (right.length - left.length) * share, bounds.0), bounds.1)
    }
}
