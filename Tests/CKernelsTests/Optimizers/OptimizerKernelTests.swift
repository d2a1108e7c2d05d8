import CKernels
import Testing

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

private let counts = [1, 3, 4, 7, 8, 9, 16, 31, 100, 40_000]

private func close(_ got: [Float], _ want: [Double]) -> Bool {
    zip(got, want).allSatisfy { abs(Double($0) - $1) <= 1e-5 * max(abs($1), 0.1) }
}
private func close(_ got: [Double], _ want: [Double]) -> Bool {
    zip(got, want).allSatisfy { abs($0 - $1) <= 1e-13 * max(abs($1), 0.1) }
}

@Suite struct OptimizerKernelTests {
    @Test func stochasticGradientDescent() {
        var random = TestRandom(seed: 40)
        let settings: [(momentum: Double, dampening: Double, decay: Double, nesterov: Bool)] = [
            (0, 0, 0, false), (0, 0, 0.1, false), (0.9, 0, 0, false), (0.9, 0.3, 0.01, false), (0.8, 0, 0.02, true),
        ]
        for count in counts {
            for setting in settings {
                let start = (0..<count).map { _ in random.uniform() }
                let gradients = (0..<3).map { _ in (0..<count).map { _ in random.uniform() } }
                var p = start, buffer = [Double](repeating: 0, count: count)
                for step in 0..<3 {
                    for i in 0..<count {
                        var g = gradients[step][i] + setting.decay * p[i]
                        if setting.momentum != 0 {
                            buffer[i] = step == 0 ? g : setting.momentum * buffer[i] + (1 - setting.dampening) * g
                            g = setting.nesterov ? g + setting.momentum * buffer[i] : buffer[i]
                        }
                        p[i] -= 0.05 * g
                    }
                }
                withEachInstructionSet { isa in
                    var gotDouble = start, memoryDouble = [Double](repeating: .nan, count: count)
                    var got = start.map(Float.init), memory = [Float](repeating: .nan, count: count)
                    for step in 0..<3 {
                        var config = ck_sgd(
                            learning_rate: 0.05, momentum: setting.momentum, dampening: setting.dampening,
                            weight_decay: setting.decay, nesterov: setting.nesterov ? 1 : 0, first: step == 0 ? 1 : 0)
                        let gradient = gradients[step]
                        if setting.momentum == 0 {
                            ck_sgd_f64(&config, Int64(count), &gotDouble, gradient, nil)
                            ck_sgd_f32(&config, Int64(count), &got, gradient.map(Float.init), nil)
                        } else {
                            ck_sgd_f64(&config, Int64(count), &gotDouble, gradient, &memoryDouble)
                            ck_sgd_f32(&config, Int64(count), &got, gradient.map(Float.init), &memory)
                        }
                    }
                    #expect(close(gotDouble, p) && close(got, p), "\(count) \(setting) on \(isa)")
                    if setting.momentum != 0 { #expect(close(memoryDouble, buffer) && close(memory, buffer)) }
                }
            }
        }
    }

    @Test func adam() {
        var random = TestRandom(seed: 41)
        let settings: [(beta1: Double, decay: Double, decoupled: Bool, amsgrad: Bool)] = [
            (0.9, 0, false, false), (0.9, 0.1, false, false), (0.9, 0.1, true, false), (0.9, 0, false, true),
            (0.3, 0.05, true, true),
        ]
        for count in counts {
            for setting in settings {
                let start = (0..<count).map { _ in random.uniform() }
                let gradients = (0..<3).map { step in (0..<count).map { _ in random.uniform() / Double(1 + step) } }
                var p = start, m = [Double](repeating: 0, count: count), v = m, largest = m
                for step in 1...3 {
                    let first = 1 - pow(setting.beta1, Double(step)), second = 1 - pow(0.99, Double(step))
                    for i in 0..<count {
                        var g = gradients[step - 1][i]
                        if setting.decoupled { p[i] *= 1 - 0.01 * setting.decay } else { g += setting.decay * p[i] }
                        m[i] += (1 - setting.beta1) * (g - m[i])
                        v[i] = 0.99 * v[i] + (1 - 0.99) * g * g
                        largest[i] = max(largest[i], v[i])
                        let spread = setting.amsgrad ? largest[i] : v[i]
                        p[i] -= 0.01 / first * m[i] / (spread.squareRoot() / second.squareRoot() + 1e-8)
                    }
                }
                withEachInstructionSet { isa in
                    var got = start.map(Float.init), gotDouble = start
                    var state = [[Float]](repeating: [Float](repeating: 0, count: count), count: 3)
                    var stateDouble = [[Double]](repeating: [Double](repeating: 0, count: count), count: 3)
                    for step in 1...3 {
                        var config = ck_adam(
                            learning_rate: 0.01, beta1: setting.beta1, beta2: 0.99, eps: 1e-8,
                            weight_decay: setting.decay,
                            decoupled: setting.decoupled ? 1 : 0, amsgrad: setting.amsgrad ? 1 : 0, step: Int64(step))
                        let n = Int64(count), gradient = gradients[step - 1], floats = gradient.map(Float.init)
                        var m = state[0], v = state[1], top = state[2]
                        var mDouble = stateDouble[0], vDouble = stateDouble[1], topDouble = stateDouble[2]
                        if setting.amsgrad {
                            ck_adam_f32(&config, n, &got, floats, &m, &v, &top)
                            ck_adam_f64(&config, n, &gotDouble, gradient, &mDouble, &vDouble, &topDouble)
                        } else {
                            ck_adam_f32(&config, n, &got, floats, &m, &v, nil)
                            ck_adam_f64(&config, n, &gotDouble, gradient, &mDouble, &vDouble, nil)
                        }
                        (state, stateDouble) = ([m, v, top], [mDouble, vDouble, topDouble])
                    }
                    #expect(close(gotDouble, p) && close(got, p), "\(count) \(setting) on \(isa)")
                    #expect(
                        close(stateDouble[0], m) && close(stateDouble[1], v) && close(state[0], m) && close(state[1], v)
                    )
                    if setting.amsgrad { #expect(close(stateDouble[2], largest) && close(state[2], largest)) }
                }
            }
        }
    }

    @Test func threadsChangeNothing() {
        var random = TestRandom(seed: 42)
        let x = (0..<200_001).map { _ in Float(random.uniform()) }
        withEachInstructionSet { isa in
            let results = withEachThreadCount([1, 2, 4]) {
                var p = x, m = x, v = x.map { $0 * $0 }, q = x, buffer = x
                var adam = ck_adam(
                    learning_rate: 0.01, beta1: 0.9, beta2: 0.99, eps: 1e-8, weight_decay: 0.1, decoupled: 1,
                    amsgrad: 0, step: 5)
                ck_adam_f32(&adam, Int64(x.count), &p, x, &m, &v, nil)
                var sgd = ck_sgd(
                    learning_rate: 0.1, momentum: 0.9, dampening: 0, weight_decay: 0, nesterov: 1, first: 0)
                ck_sgd_f32(&sgd, Int64(x.count), &q, x, &buffer)
                return p + m + v + q + buffer
            }
            #expect(results[0] == results[1] && results[0] == results[2], "\(isa)")
        }
    }
}
