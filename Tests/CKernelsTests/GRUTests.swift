import CKernels
import Testing

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// A GRU written out, in double.
private struct PlainGRU {
    let steps, batch, hidden: Int
    let reversed: Bool
    let weight, stateBias, h0: [Double]

    /// `a` is what the inputs give, `more` is added to what the states give.
    func forward(_ a: [Double], _ more: [Double]) -> (gates: [Double], candidates: [Double], outputs: [Double]) {
        var (gates, candidates) = (a, [Double](repeating: 0, count: steps * batch * hidden))
        var (outputs, h) = (candidates, h0)
        for step in reversed ? (0..<steps).reversed() : Array(0..<steps) {
            for sequence in 0..<batch {
                let row = step * batch + sequence
                let fromState = (0..<3 * hidden).map { unit in
                    (0..<hidden).reduce(stateBias[unit] + more[row * 3 * hidden + unit]) {
                        $0 + h[sequence * hidden + $1] * weight[unit * hidden + $1]
                    }
                }
                for unit in 0..<hidden {
                    let place = { row * 3 * hidden + $0 * hidden + unit }
                    let q = fromState[2 * hidden + unit], before = h[sequence * hidden + unit]
                    let r = 1 / (1 + exp(-a[place(0)] - fromState[unit]))
                    let z = 1 / (1 + exp(-a[place(1)] - fromState[hidden + unit]))
                    let n = tanh(a[place(2)] + r * q)
                    (gates[place(0)], gates[place(1)], gates[place(2)]) = (r, z, n)
                    candidates[row * hidden + unit] = q
                    outputs[row * hidden + unit] = (1 - z) * n + z * before
                }
            }
            h = Array(outputs[step * batch * hidden..<(step + 1) * batch * hidden])
        }
        return (gates, candidates, outputs)
    }

    /// The derivatives of Σ outputs · dh with respect to what inputs and states give, by central differences.
    func gradients(_ a: [Double], _ dh: [Double]) -> (inputs: [Double], states: [Double]) {
        let zeros = a.map { _ in 0.0 }
        let loss = { (a: [Double], more: [Double]) in zip(forward(a, more).outputs, dh).reduce(0) { $0 + $1.0 * $1.1 } }
        let slope = { (x: [Double], index: Int, loss: ([Double]) -> Double) in
            var (up, down) = (x, x)
            up[index] += 1e-5
            down[index] -= 1e-5
            return (loss(up) - loss(down)) / 2e-5
        }
        return (
            a.indices.map { slope(a, $0) { loss($0, zeros) } }, a.indices.map { slope(zeros, $0) { loss(a, $0) } }
        )
    }
}

@Suite struct GRUTests {
    private static let shapes = [(1, 1, 1), (3, 2, 3), (2, 7, 5), (2, 1, 17), (3, 13, 4), (1, 1, 33)]

    @Test(arguments: shapes, [false, true])
    func agreesWithPlainLoops(_ shape: (steps: Int, batch: Int, hidden: Int), reversed: Bool) {
        var random = TestRandom(seed: 78)
        let draw = { (count: Int) in (0..<count).map { _ in Double(Float(random.uniform())) } }
        let (steps, batch, hidden) = shape
        let plain = PlainGRU(
            steps: steps, batch: batch, hidden: hidden, reversed: reversed, weight: draw(3 * hidden * hidden),
            stateBias: draw(3 * hidden), h0: draw(batch * hidden))
        let (a, dh, bias) = (draw(steps * batch * 3 * hidden), draw(steps * batch * hidden), draw(3 * hidden))
        let (want, wantGrads) = (plain.forward(a, a.map { _ in 0 }), plain.gradients(a, dh))
        var sizes = ck_gru(
            steps: Int64(steps), batch: Int64(batch), hidden: Int64(hidden), reversed: reversed ? 1 : 0)
        let rest = a.enumerated().map { $1 - bias[$0 % bias.count] }
        let zeros = [Double](repeating: 0, count: batch * hidden)
        withEachInstructionSet { isa in
            var (gates, candidates, outputs) = (rest, dh, dh)
            var (inputGrads, stateGrads, before) = (a, a, zeros)
            withWorkspace(ck_gru_workspace_f64(&sizes)) { workspace in
                ck_gru_f64(
                    &sizes, &gates, &candidates, &outputs, plain.weight, bias, plain.stateBias, plain.h0, workspace)
                ck_gru_grad_f64(
                    &sizes, &inputGrads, &stateGrads, &before, gates, candidates, outputs, plain.h0, plain.weight, dh,
                    workspace)
            }
            #expect(isClose(gates, want.gates, 1e-13), "\(isa)")
            #expect(isClose(candidates, want.candidates, 1e-13), "\(isa)")
            #expect(isClose(outputs, want.outputs, 1e-13), "\(isa)")
            #expect(isClose(inputGrads, wantGrads.inputs, 1e-8), "\(isa)")
            #expect(isClose(stateGrads, wantGrads.states, 1e-8), "\(isa)")

            let narrow = { (x: [Double]) in x.map(Float.init) }
            var (gates32, candidates32, outputs32) = (narrow(rest), narrow(dh), narrow(dh))
            var (inputGrads32, stateGrads32, before32) = (narrow(a), narrow(a), narrow(zeros))
            withWorkspace(ck_gru_workspace_f32(&sizes)) { workspace in
                ck_gru_f32(
                    &sizes, &gates32, &candidates32, &outputs32, narrow(plain.weight), narrow(bias),
                    narrow(plain.stateBias), narrow(plain.h0), workspace)
                ck_gru_grad_f32(
                    &sizes, &inputGrads32, &stateGrads32, &before32, gates32, candidates32, outputs32, narrow(plain.h0),
                    narrow(plain.weight), narrow(dh), workspace)
            }
            #expect(isClose(outputs32.map(Double.init), want.outputs, 3e-6), "\(isa)")
            #expect(isClose(inputGrads32.map(Double.init), wantGrads.inputs, 2e-5), "\(isa)")
            #expect(isClose(stateGrads32.map(Double.init), wantGrads.states, 2e-5), "\(isa)")
            #expect(isClose(before32.map(Double.init), before, 2e-5), "\(isa)")
        }
    }
}
