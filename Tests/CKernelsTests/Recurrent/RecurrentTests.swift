import CKernels
import Testing

/// Sequences for an LSTM or a GRU, and how the kernels run them. All numbers are floats, so that both element types get the same.
struct RecurrentCase {
    let isLSTM: Bool
    let steps, batch, hidden: Int
    let reversed: Bool
    /// The bias of the state is the GRU's; the cell before and the cells' gradients are the LSTM's.
    let weight, bias, stateBias, outputBefore, cellBefore, outputGrads, cellGrads: [Double]
    /// What the input gives to the gates, the bias apart: of each row, or with `places` of each row of a table.
    var given: [Double]
    var places: [Int64]?

    init(isLSTM: Bool, _ shape: (steps: Int, batch: Int, hidden: Int), reversed: Bool = false) {
        var random = TestRandom(seed: 77)
        let draw = { (count: Int) in (0..<count).map { _ in Double(Float(random.uniform())) } }
        self.isLSTM = isLSTM
        (steps, batch, hidden) = shape
        self.reversed = reversed
        let (width, rows) = ((isLSTM ? 4 : 3) * hidden, steps * batch)
        (weight, bias, stateBias) = (draw(width * hidden), draw(width), draw(width))
        (outputBefore, cellBefore) = (draw(batch * hidden), draw(batch * hidden))
        (outputGrads, cellGrads) = (draw(rows * hidden), draw(rows * hidden))
        given = draw(rows * width)
    }

    /// The gates of a row.
    var width: Int { (isLSTM ? 4 : 3) * hidden }
    /// The bias apart no more.
    var givenWithBias: [Double] { given.enumerated().map { $1 + bias[$0 % width] } }

    /// With extreme inputs of the first four sequences at the first time.
    var extreme: RecurrentCase {
        var result = self
        for (sequence, value) in [Double.infinity, -.infinity, .nan, 1e30].enumerated() {
            for unit in 0..<width where unit % 3 == sequence % 3 { result.given[sequence * width + unit] = value }
        }
        return result
    }

    func run(isDouble: Bool) -> RecurrentResult {
        let rows = steps * batch
        let memory = { (values: [Double]) in KernelMemory(values, isDouble: isDouble) }
        let zeros = { (count: Int) in memory(Array(repeating: 0, count: count)) }
        let inputs = [weight, bias, stateBias, outputBefore, cellBefore, outputGrads, cellGrads].map(memory)
        let table = memory(given), gates = places == nil ? table : zeros(rows * width)
        let (cells, outputs, before) = (zeros(rows * hidden), zeros(rows * hidden), zeros(batch * hidden))
        let (gateGrads, inputGrads) = (zeros(rows * width), zeros(rows * width))
        var call = ck_recurrence()
        (call.steps, call.batch, call.hidden) = (Int64(steps), Int64(batch), Int64(hidden))
        (call.reversed, call.is_double) = (reversed ? 1 : 0, isDouble ? 1 : 0)
        (call.weight, call.bias, call.state_bias) = (
            inputs[0].constant, inputs[1].constant, isLSTM ? nil : inputs[2].constant
        )
        (call.output_before, call.cell_before) = (inputs[3].constant, isLSTM ? inputs[4].constant : nil)
        (call.output_grads, call.cells_grads) = (inputs[5].constant, isLSTM ? inputs[6].constant : nil)
        (call.gates, call.cells, call.outputs) = (gates.start, cells.start, outputs.start)
        (call.gate_grads, call.input_grads, call.before_grad) = (
            gateGrads.start, isLSTM ? nil : inputGrads.start, before.start
        )
        let byteCount = isLSTM ? ck_lstm_workspace(&call) : ck_gru_workspace(&call)
        call.workspace = .allocate(byteCount: byteCount, alignment: 64)
        defer { call.workspace.deallocate() }
        withExtendedLifetime((inputs, table)) {
            (places ?? []).withUnsafeBufferPointer {
                if places != nil { (call.table, call.places) = (table.constant, $0.baseAddress) }
                if isLSTM { ck_lstm(&call) } else { ck_gru(&call) }
                if isLSTM { ck_lstm_grad(&call) } else { ck_gru_grad(&call) }
            }
        }
        return RecurrentResult(
            gates: gates.values, cells: cells.values, outputs: outputs.values, gateGrads: gateGrads.values,
            inputGrads: inputGrads.values, beforeGrad: before.values)
    }
}

struct RecurrentResult {
    let gates, cells, outputs, gateGrads, inputGrads, beforeGrad: [Double]

    private var all: [Double] { gates + cells + outputs + gateGrads + inputGrads + beforeGrad }

    /// Bit by bit, NaN being as good as any other.
    func isSame(as other: RecurrentResult) -> Bool {
        zip(all, other.all).allSatisfy { $0.bitPattern == $1.bitPattern || $0.isNaN && $1.isNaN }
    }
}

/// Elements for a kernel to read and write.
final class KernelMemory {
    private let floats: UnsafeMutableBufferPointer<Float>
    private let doubles: UnsafeMutableBufferPointer<Double>

    init(_ values: [Double], isDouble: Bool) {
        floats = .allocate(capacity: isDouble ? 0 : values.count)
        doubles = .allocate(capacity: isDouble ? values.count : 0)
        _ = isDouble ? doubles.initialize(from: values).1 : floats.initialize(from: values.map(Float.init)).1
    }

    deinit {
        floats.deallocate()
        doubles.deallocate()
    }

    var start: UnsafeMutableRawPointer? {
        doubles.isEmpty ? UnsafeMutableRawPointer(floats.baseAddress) : UnsafeMutableRawPointer(doubles.baseAddress)
    }
    var constant: UnsafeRawPointer? { UnsafeRawPointer(start) }
    var values: [Double] { floats.map(Double.init) + doubles }
}

func isClose(_ got: [Double], _ want: [Double], _ tolerance: Double) -> Bool {
    got.count == want.count
        && zip(got, want).allSatisfy {
            $0 == $1 || $0.isNaN && $1.isNaN || abs($0 - $1) <= tolerance * max(1, abs($1))
        }
}

/// Below, around and above the rows and the units that go together in any instruction set.
let recurrentShapes = [(1, 1, 1), (3, 2, 3), (2, 7, 5), (2, 1, 17), (3, 13, 4), (1, 1, 33)]

@Suite struct RecurrentTests {
    private static let shape = (steps: 4, batch: 26, hidden: 70)

    @Test(arguments: [false, true]) func threadsDoNotMatter(isLSTM: Bool) {
        let sequences = RecurrentCase(isLSTM: isLSTM, Self.shape).extreme
        withEachInstructionSet { isa in
            for isDouble in [false, true] {
                let results = withEachThreadCount([1, 2, 4]) { sequences.run(isDouble: isDouble) }
                #expect(results[1].isSame(as: results[0]), "\(isa), 2 threads")
                #expect(results[2].isSame(as: results[0]), "\(isa), 4 threads")
            }
        }
    }

    @Test(arguments: [false, true]) func sequencesDoNotMix(isLSTM: Bool) {
        let finite = RecurrentCase(isLSTM: isLSTM, Self.shape), extreme = finite.extreme
        withEachInstructionSet { isa in
            let (plain, got) = (finite.run(isDouble: false), extreme.run(isDouble: false))
            for row in 0..<Self.shape.steps * Self.shape.batch {
                let units = row * Self.shape.hidden..<(row + 1) * Self.shape.hidden
                let sequence = row % Self.shape.batch
                #expect((got.outputs[units] == plain.outputs[units]) == (sequence > 3), "\(isa), row \(row)")
                #expect(got.outputs[units].contains(where: \.isNaN) == (sequence == 2), "\(isa), row \(row)")
                let gates = row * finite.width..<(row + 1) * finite.width
                #expect((got.gateGrads[gates] == plain.gateGrads[gates]) == (sequence > 3), "\(isa), row \(row)")
            }
        }
    }

    @Test(arguments: [false, true], [false, true]) func placesNameRowsOfATable(isLSTM: Bool, reversed: Bool) {
        var table = RecurrentCase(isLSTM: isLSTM, (5, 14, 19), reversed: reversed)
        var gathered = table
        let places = (0..<5 * 14).map { $0 * $0 % 6 }
        table.given = Array(table.given[..<(6 * table.width)])
        table.places = places.map { Int64($0) }
        gathered.given = places.flatMap { table.given[$0 * table.width..<($0 + 1) * table.width] }
        withEachInstructionSet { isa in
            #expect(table.run(isDouble: false).isSame(as: gathered.run(isDouble: false)), "\(isa)")
            #expect(table.run(isDouble: true).isSame(as: gathered.run(isDouble: true)), "\(isa)")
        }
    }
}
