#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// Functions of one number that the system's library lacks, or gives under a name that a tensor's method hides.
enum SpecialFunction {
    /// ln |Γ(x)|
    static func logGamma(_ x: Double) -> Double { libraryLogGamma(x) }

    /// ψ(x) = d/dx ln Γ(x): reflected to x > 0, raised by ψ(x) = ψ(x + 1) − 1/x to x ≥ 10, then Stirling's series.
    static func digamma(_ x: Double) -> Double {
        if x == 0 { return x.sign == .minus ? .infinity : -.infinity }
        if x < 0 {
            if x == x.rounded(.down) { return .nan }
            // π cot(πx) depends on the fraction alone; taking it first keeps the digits of a large x.
            return digamma(1 - x) - Double.pi / tan(Double.pi * (x - x.rounded(.towardZero)))
        }
        var (x, result) = (x, 0.0)
        while x < 10 {
            result -= 1 / x
            x += 1
        }
        let inverse = 1 / (x * x)
        // Σ B₂ₖ / (2k x²ᵏ)
        let series =
            inverse
            * (1.0 / 12 - inverse
                * (1.0 / 120 - inverse
                    * (1.0 / 252 - inverse
                        * (1.0 / 240 - inverse * (1.0 / 132 - inverse * (691.0 / 32760 - inverse / 12))))))
        return result + log(x) - 0.5 / x - series
    }

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

// A function of the same name inside the enum would hide the library's.
private func libraryLogGamma(_ x: Double) -> Double { lgamma(x).0 }

/// ln x of one number, for code where a tensor's `log` hides the library's.
func naturalLogarithm(_ x: Double) -> Double { log(x) }
