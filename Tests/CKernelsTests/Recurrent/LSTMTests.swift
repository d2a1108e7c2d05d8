import CKernels
import Testing

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// An LSTM written out, in double.
private struct PlainLSTM {
    let steps, batch, hidden: Int
    let reversed: Bool
    let weight, h0, c0: [Double]

    private func rows(_ step: Int) -> Range<Int> { step * batch..<(step + 1) * batch }
    private var order: [Int] { reversed ? (0..<steps).reversed() : Array(0..<steps) }

    func forward(_ z: [Double]) -> (gates: [Double], cells: [Double], outputs: [Double]) {
        var (gates, cells) = (z, [Double](repeating: 0, count: steps * batch * hidden))
        var outputs = cells
        var (h, c) = (h0, c0)
        for step in order {
            for (sequence, row) in rows(step).enumerated() {
                for unit in 0..<4 * hidden {
                    let sum = (0..<hidden).reduce(z[row * 4 * hidden + unit]) {
                        $0 + h[sequence * hidden + $1] * weight[unit * hidden + $1]
                    }
                    gates[row * 4 * hidden + unit] = unit / hidden == 2 ? tanh(sum) : 1 / (1 + exp(-sum))
                }
                for unit in 0..<hidden {
                    let gate = { gates[row * 4 * hidden + $0 * hidden + unit] }
                    let cell = gate(1) * c[sequence * hidden + unit] + gate(0) * gate(2)
                    cells[row * hidden + unit] = cell
                    outputs[row * hidden + unit] = gate(3) * tanh(cell)
                }
            }
            h = Array(outputs[rows(step).lowerBound * hidden..<rows(step).upperBound * hidden])
            c = Array(cells[rows(step).lowerBound * hidden..<rows(step).upperBound * hidden])
        }
        return (gates, cells, outputs)
    }

    /// The derivative of Σ outputs · dh + Σ cells · dc with respect to z, by central differences.
    func gradient(_ z: [Double], _ dh: [Double], _ dc: [Double]) -> [Double] {
        let loss = { (z: [Double]) -> Double in
            let result = forward(z)
            return zip(result.outputs, dh).reduce(0) { $0 + $1.0 * $1.1 }
                + zip(result.cells, dc).reduce(0) { $0 + $1.0 * $1.1 }
        }
        return z.indices.map { index in
            var (up, down) = (z, z)
            up[index] += 1e-5
            down[index] -= 1e-5
            return (loss(up) - loss(down)) / 2e-5
        }
    }
}

@Suite struct LSTMTests {
    @Test(arguments: recurrentShapes, [false, true])
    func agreesWithPlainLoops(_ shape: (steps: Int, batch: Int, hidden: Int), reversed: Bool) {
        let sequences = RecurrentCase(isLSTM: true, shape, reversed: reversed)
        let plain = PlainLSTM(
            steps: shape.steps, batch: shape.batch, hidden: shape.hidden, reversed: reversed, weight: sequences.weight,
            h0: sequences.outputBefore, c0: sequences.cellBefore)
        let z = sequences.givenWithBias
        let want = plain.forward(z), grads = plain.gradient(z, sequences.outputGrads, sequences.cellGrads)
        withEachInstructionSet { isa in
            let got = sequences.run(isDouble: true)
            #expect(isClose(got.gates, want.gates, 1e-13), "\(isa)")
            #expect(isClose(got.cells, want.cells, 1e-13), "\(isa)")
            #expect(isClose(got.outputs, want.outputs, 1e-13), "\(isa)")
            #expect(isClose(got.gateGrads, grads, 1e-8), "\(isa)")
            let narrow = sequences.run(isDouble: false)
            #expect(isClose(narrow.outputs, want.outputs, 3e-6), "\(isa)")
            #expect(isClose(narrow.gateGrads, grads, 2e-5), "\(isa)")
            #expect(isClose(narrow.beforeGrad, got.beforeGrad, 2e-5), "\(isa)")
        }
    }

    @Test func takesInfinitiesAndNaN() {
        let sequences = RecurrentCase(isLSTM: true, (2, 5, 19)).extreme
        let plain = PlainLSTM(
            steps: 2, batch: 5, hidden: 19, reversed: false, weight: sequences.weight, h0: sequences.outputBefore,
            c0: sequences.cellBefore)
        let want = plain.forward(sequences.givenWithBias)
        withEachInstructionSet { isa in
            let (got, narrow) = (sequences.run(isDouble: true), sequences.run(isDouble: false))
            #expect(isClose(got.gates, want.gates, 1e-13) && isClose(narrow.gates, want.gates, 3e-6), "\(isa)")
            #expect(isClose(got.outputs, want.outputs, 1e-13) && isClose(narrow.outputs, want.outputs, 3e-6), "\(isa)")
        }
    }
}
