#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// Functions of one number that the system's library lacks.
enum SpecialFunction {
    /// ψ⁽ⁿ⁾(x) = (−1)ⁿ⁺¹ n! ζ(n + 1, x) for n ≥ 1
    static func polygamma(_ order: Int, _ x: Double) -> Double {
        var factorial = 1.0
        for factor in 1...order { factorial *= Double(factor) }
        return (order % 2 == 0 ? -factorial : factorial) * hurwitzZeta(order + 1, x)
    }

    /// ζ(s, x) = Σ 1 / (x + k)ˢ for integers s ≥ 2: the first terms, then the Euler–Maclaurin formula from a ≥ 12 on.
    static func hurwitzZeta(_ s: Int, _ x: Double) -> Double {
        if x <= 0 && x == x.rounded(.down) { return .infinity }
        if x == -.infinity || x.isNaN { return .nan }
        // Below this the sum has no digit left that depends on x, and a loop over its terms would take for ever.
        if x < -1e6 { return .nan }
        var (sum, a) = (0.0, x)
        while a < 12 {
            sum += inversePower(a, s)
            a += 1
        }
        let last = inversePower(a, s)
        let tail = last * a / Double(s - 1) + last / 2
        // Σ B₂ⱼ / (2j)! · s (s + 1) ... (s + 2j − 2) / a^(s + 2j − 1)
        var term = Double(s) / 2 * last / a
        var series = 0.0
        for (index, number) in bernoulli.enumerated() {
            series += number * term
            let j = Double(2 * index + 2)
            term *= (Double(s) + j - 1) * (Double(s) + j) / ((j + 1) * (j + 2)) / (a * a)
        }
        return sum + tail + series
    }

    private static let bernoulli: [Double] = [
        1.0 / 6, -1.0 / 30, 1.0 / 42, -1.0 / 30, 5.0 / 66, -691.0 / 2730, 7.0 / 6,
    ]

    /// x⁻ⁿ for n ≥ 1
    private static func inversePower(_ x: Double, _ n: Int) -> Double {
        var (result, base, n) = (1.0, 1 / x, n)
        while true {
            if n & 1 == 1 { result *= base }
            n >>= 1
            if n == 0 { return result }
            base *= base
        }
    }
}

/// ln x of one number, for code where a tensor's `log` hides the library's.
func naturalLogarithm(_ x: Double) -> Double { log(x) }
