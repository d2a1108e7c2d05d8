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
    @Test(arguments: recurrentShapes, [false, true])
    func agreesWithPlainLoops(_ shape: (steps: Int, batch: Int, hidden: Int), reversed: Bool) {
        let sequences = RecurrentCase(isLSTM: false, shape, reversed: reversed)
        let plain = PlainGRU(
            steps: shape.steps, batch: shape.batch, hidden: shape.hidden, reversed: reversed, weight: sequences.weight,
            stateBias: sequences.stateBias, h0: sequences.outputBefore)
        let a = sequences.givenWithBias
        let want = plain.forward(a, a.map { _ in 0 }), grads = plain.gradients(a, sequences.outputGrads)
        withEachInstructionSet { isa in
            let got = sequences.run(isDouble: true)
            #expect(isClose(got.gates, want.gates, 1e-13), "\(isa)")
            #expect(isClose(got.cells, want.candidates, 1e-13), "\(isa)")
            #expect(isClose(got.outputs, want.outputs, 1e-13), "\(isa)")
            #expect(isClose(got.inputGrads, grads.inputs, 1e-8), "\(isa)")
            #expect(isClose(got.gateGrads, grads.states, 1e-8), "\(isa)")
            let narrow = sequences.run(isDouble: false)
            #expect(isClose(narrow.outputs, want.outputs, 3e-6), "\(isa)")
            #expect(isClose(narrow.inputGrads, grads.inputs, 2e-5), "\(isa)")
            #expect(isClose(narrow.gateGrads, grads.states, 2e-5), "\(isa)")
            #expect(isClose(narrow.beforeGrad, got.beforeGrad, 2e-5), "\(isa)")
        }
    }

    @Test func takesInfinitiesAndNaN() {
        let sequences = RecurrentCase(isLSTM: false, (2, 5, 19)).extreme
        let plain = PlainGRU(
            steps: 2, batch: 5, hidden: 19, reversed: false, weight: sequences.weight, stateBias: sequences.stateBias,
            h0: sequences.outputBefore)
        let a = sequences.givenWithBias
        let want = plain.forward(a, a.map { _ in 0 })
        withEachInstructionSet { isa in
            let (got, narrow) = (sequences.run(isDouble: true), sequences.run(isDouble: false))
            #expect(isClose(got.gates, want.gates, 1e-13) && isClose(narrow.gates, want.gates, 3e-6), "\(isa)")
            #expect(isClose(got.outputs, want.outputs, 1e-13) && isClose(narrow.outputs, want.outputs, 3e-6), "\(isa)")
        }
    }
}
