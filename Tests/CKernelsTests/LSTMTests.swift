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
    private static let shapes = [(1, 1, 1), (3, 2, 3), (2, 7, 5), (2, 1, 17), (3, 13, 4), (1, 1, 33)]

    @Test(arguments: shapes, [false, true])
    func agreesWithPlainLoops(_ shape: (steps: Int, batch: Int, hidden: Int), reversed: Bool) {
        var random = TestRandom(seed: 77)
        let draw = { (count: Int) in (0..<count).map { _ in Double(Float(random.uniform())) } }
        let (steps, batch, hidden) = shape
        let plain = PlainLSTM(
            steps: steps, batch: batch, hidden: hidden, reversed: reversed, weight: draw(4 * hidden * hidden),
            h0: draw(batch * hidden), c0: draw(batch * hidden))
        let z = draw(steps * batch * 4 * hidden)
        let (dh, dc) = (draw(steps * batch * hidden), draw(steps * batch * hidden))
        let bias = draw(4 * hidden)
        let (want, wantGrad) = (plain.forward(z), plain.gradient(z, dh, dc))
        var sizes = ck_lstm(
            steps: Int64(steps), batch: Int64(batch), hidden: Int64(hidden), reversed: reversed ? 1 : 0)
        let rest = z.enumerated().map { $1 - bias[$0 % bias.count] }
        withEachInstructionSet { isa in
            var (gates, cells, outputs) = (rest, dh, dh)
            var (grads, before) = (z, [Double](repeating: 0, count: batch * hidden))
            withWorkspace(ck_lstm_workspace_f64(&sizes)) { workspace in
                ck_lstm_f64(&sizes, &gates, &cells, &outputs, plain.weight, bias, plain.h0, plain.c0, workspace)
                ck_lstm_grad_f64(&sizes, &grads, &before, gates, cells, plain.c0, plain.weight, dh, dc, workspace)
            }
            #expect(isClose(gates, want.gates, 1e-13), "\(isa)")
            #expect(isClose(cells, want.cells, 1e-13), "\(isa)")
            #expect(isClose(outputs, want.outputs, 1e-13), "\(isa)")
            #expect(isClose(grads, wantGrad, 1e-8), "\(isa)")

            let narrow = { (x: [Double]) in x.map(Float.init) }
            var (gates32, cells32, outputs32) = (narrow(rest), narrow(dh), narrow(dh))
            var (grads32, before32) = (narrow(z), narrow(before.map { _ in 0 }))
            withWorkspace(ck_lstm_workspace_f32(&sizes)) { workspace in
                ck_lstm_f32(
                    &sizes, &gates32, &cells32, &outputs32, narrow(plain.weight), narrow(bias), narrow(plain.h0),
                    narrow(plain.c0), workspace)
                ck_lstm_grad_f32(
                    &sizes, &grads32, &before32, gates32, cells32, narrow(plain.c0), narrow(plain.weight), narrow(dh),
                    narrow(dc), workspace)
            }
            #expect(isClose(outputs32.map(Double.init), want.outputs, 3e-6), "\(isa)")
            #expect(isClose(grads32.map(Double.init), wantGrad, 2e-5), "\(isa)")
            #expect(isClose(before32.map(Double.init), before, 2e-5), "\(isa)")
        }
    }
}

/// Of recurrent networks.
func isClose(_ got: [Double], _ want: [Double], _ tolerance: Double) -> Bool {
    zip(got, want).allSatisfy { abs($0 - $1) <= tolerance * max(1, abs($1)) }
}

func withWorkspace(_ byteCount: Int, _ body: (UnsafeMutableRawPointer?) -> Void) {
    let workspace = UnsafeMutableRawPointer.allocate(byteCount: max(byteCount, 64), alignment: 64)
    defer { workspace.deallocate() }
    body(workspace)
}
