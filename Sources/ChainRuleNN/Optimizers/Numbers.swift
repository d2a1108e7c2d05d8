#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// xʸ
func power(_ x: Double, _ y: Double) -> Double { pow(x, y) }

/// cos x
func cosine(_ x: Double) -> Double { cos(x) }
