import ChainRule
import ChainRuleNN
import Testing

/// The numbers are PyTorch's, after `manual_seed(0)`, for inputs sin(0.37 i).
struct RecurrentTests {
    @Test func statesMustFitCells() {
        for (hidden, cell) in [(3, 2), (2, 3), (1, 1)] {
            let state = LSTM.State(hidden: .zeros([hidden, 4]), cell: .zeros([cell, 4]))
            let error = #expect(throws: TensorError.self) {
                try catchingErrors { LSTMCell(3, 4)(.zeros([2, 3]), state) }
            }
            #expect(error?.message.contains("do not fit a batch of shape [2, 3]") == true)
        }
    }

    private func seeded<Result>(_ body: () -> Result) -> Result { Generator(seed: 0).asDefault(body) }

    @Test func lstmInTwoDirections() throws {
        let lstm = seeded { LSTM(3, 4, layers: 2, batchFirst: true, bidirectional: true) }
        let (output, state) = lstm(wave([2, 5, 3]))
        #expect(output.shape == [2, 5, 8] && state.hidden.shape == [4, 2, 4])
        expect(output, [0.064368, -0.094018, 0.007137, 0.140725, 0.00449, -0.248016], sum: 9.89515)
        expect(state.hidden, [-0.057912, 0.196408, -0.076733, 0.18145, -0.049689, 0.103663], sum: 4.2989)
        expect(state.cell, [-0.142566, 0.419958, -0.104054, 0.546274, -0.125279, 0.20149], sum: 9.06922)
        output.squared().sum().backward()
        let weight = try #require(lstm.namedParameters.first { $0.path == "weight_hh_l0_reverse" })
        expect(
            try #require(weight.tensor.grad), [-0.000183, 0.00093, 0.000417, -0.004095, 0.001031, -0.008594],
            sum: 0.71455)
    }

    @Test func lstmWithProjection() {
        let (output, state) = seeded { LSTM(3, 4, projectionSize: 2) }(wave([5, 2, 3]))
        expect(output, [-0.047446, -0.017121, -0.070342, -0.027618, -0.084932, -0.015787], sum: 0.6217)
        expect(state.hidden, [-0.075035, 0.001303, 0.003324, 0.024059], sum: 0.10372)
        expect(state.cell, [-0.262038, -0.480038, -0.156419, -0.116612, -0.386656, 0.003518], sum: 1.71174)
    }

    @Test func gruAndPlain() {
        let gru = seeded { GRU(3, 4, layers: 2) }(wave([5, 2, 3]))
        expect(gru.output, [-0.063246, -0.058649, 0.017845, 0.018682, -0.082529, -0.066614], sum: 3.90583)
        expect(gru.state, [0.298756, -0.06226, -0.520577, -0.36084, 0.301491, 0.249069], sum: 3.42227)
        let plain = seeded { RNN(3, 4, nonlinearity: .relu, bias: false) }(wave([5, 3]))
        #expect(plain.output.shape == [5, 4] && plain.state.shape == [1, 4])
        expect(plain.output, [0, 0.020769, 0.113441, 0, 0, 0], sum: 1.58004)
    }

    @Test func gruInTwoDirections() throws {
        let gru = seeded { GRU(3, 4, layers: 2, bidirectional: true) }
        let x = wave([5, 2, 3]).requiringGrad()
        gru(x).output.squared().sum().backward()
        func grad(_ path: String) throws -> Tensor {
            try #require(gru.namedParameters.first { $0.path == path }?.tensor.grad)
        }
        expect(try #require(x.grad), [-0.065964, -0.278899, -0.013341, -0.09122, -0.307604, 0.045146], sum: 6.95875)
        expect(
            try grad("weight_hh_l0_reverse"), [0.000244, 0.000795, 0.000604, -0.000136, -0.001296, 0.008325],
            sum: 2.65529)
        expect(try grad("bias_hh_l0"), [0.057685, -0.030597, 0.148521, -0.159033, 0.074337, 0.018185], sum: 2.93689)
        expect(try grad("bias_ih_l0"), [0.057685, -0.030597, 0.148521, -0.159033, 0.074337, 0.018185], sum: 5.90386)
    }

    /// The sequence at once and step by step, also with one bias of the two.
    @Test func gruStepByStep() {
        let draw = { (shape: Shape) in Tensor.randn(shape, generator: Generator(seed: 5)) }
        for (inputBias, stateBias) in [(draw([12]), draw([12]) * 2), (draw([12]), nil), (nil, draw([12])), (nil, nil)] {
            let weights = RecurrentWeights(
                input: draw([12, 3]), state: draw([12, 4]), inputBias: inputBias, stateBias: stateBias)
            let (x, h) = (draw([6, 3]), draw([2, 4]))
            var (state, outputs) = ([h], [Tensor]())
            for step in x.split(2) {
                state = step.recurrentStep(.gru, weights: weights, state: state)
                outputs.append(state[0])
            }
            let whole = x.recurrent(.gru, weights: weights, state: [h], batchSizes: [2, 2, 2])
            #expect(whole.output.allClose(cat(outputs), rtol: 1e-5, atol: 1e-6))
            #expect(whole.state[0].allClose(state[0], rtol: 1e-5, atol: 1e-6))
        }
    }

    @Test func packedSequences() {
        let packed = PackedSequence([wave([2, 3]), wave([4, 3]), wave([1, 3])])
        #expect(packed.batchSizes == [3, 2, 1, 1])
        let (output, state) = seeded { GRU(3, 4, bidirectional: true) }(packed)
        expect(output.data, [0.160554, -0.007093, -0.304593, -0.297435, 0.152649, 0.203903], sum: 12.23827)
        expect(state, [0.39173, -0.213456, -0.463645, -0.488089, 0.232261, -0.073734], sum: 4.86979)
        let padded = output.padded(batchFirst: true)
        #expect(padded.lengths == [2, 4, 1] && padded.sequences.shape == [3, 4, 8])
        expect(padded.sequences, [0.160554, -0.007093, -0.304593, -0.297435, 0.181757, 0.208125], sum: 12.23827)
    }

    @Test func lstmCell() {
        let state = seeded { LSTMCell(3, 4) }(wave([2, 3]))
        expect(state.hidden, [0.09482, -0.049971, -0.057185, 0.022327, 0.114315, -0.141809], sum: 0.61627)
        expect(state.cell, [0.166598, -0.107994, -0.118635, 0.043978, 0.195324, -0.288862], sum: 1.21213)
    }

    @Test func aStateGoesOnWhereASequenceStopped() {
        let lstm = seeded { LSTM(3, 4, layers: 2) }
        let x = wave([6, 2, 3])
        let whole = lstm(x)
        let first = lstm(x.narrow(dim: 0, start: 0, length: 4))
        let second = lstm(x.narrow(dim: 0, start: 4, length: 2), first.state)
        #expect(second.state.cell.allClose(whole.state.cell))
        #expect(cat([first.output, second.output]).allClose(whole.output))
    }

    /// What is computed by rows of an embedding is what is looked up and then computed, gradients too.
    @Test(arguments: [true, false]) func readsAnEmbedding(batchFirst: Bool) throws {
        let places = Tensor([2, 0, 1, 2, 2, 1, 0, 0, 2, 1], shape: batchFirst ? [2, 5] : [5, 2])
        let networks: [RecurrentNetwork] = seeded {
            [
                LSTM(3, 4, layers: 2, batchFirst: batchFirst, bidirectional: true),
                LSTM(3, 4, batchFirst: batchFirst, projectionSize: 2), GRU(3, 4, layers: 2, batchFirst: batchFirst),
                GRU(3, 4, bias: false, batchFirst: batchFirst, bidirectional: true),
                RNN(3, 4, batchFirst: batchFirst),
            ]
        }
        for network in networks {
            let embedding = seeded { Embedding(3, 3) }
            let run = { (fromTable: Bool) in
                switch (network, fromTable) {
                case (let lstm as LSTM, true): lstm(places, of: embedding).output
                case (let lstm as LSTM, false): lstm(embedding(places)).output
                case (let other as any SingleStateNetwork, true): other(places, of: embedding).output
                case (let other as any SingleStateNetwork, false): other(embedding(places)).output
                default: Tensor(0)
                }
            }
            let leaves = network.parameters + embedding.parameters
            let results = [true, false].map { fromTable in
                let output = run(fromTable)
                return [output] + gradient(of: (output * wave(output.shape)).sum(), wrt: leaves)
            }
            for (table, rows) in zip(results[0], results[1]) {
                #expect(table.allClose(rows, rtol: 1e-4, atol: 1e-6), "\(network.summary)")
            }
        }
        // An embedding with rules of its own, or with more rows than are looked up.
        let lstm = LSTM(3, 4, batchFirst: batchFirst)
        for embedding in [Embedding(3, 3, paddingIndex: 1), Embedding(3, 3, maxNorm: 0.5), Embedding(20, 3)] {
            #expect(lstm(places, of: embedding).output.allClose(lstm(embedding(places)).output))
        }
        let vector = places.flatten()
        let embedding = Embedding(3, 3)
        #expect(lstm(vector, of: embedding).output.allClose(lstm(embedding(vector)).output))
    }

    @Test func embeddingsAreChecked() throws {
        let lstm = LSTM(3, 4)
        let outside = #expect(throws: TensorError.self) {
            try catchingErrors { lstm(Tensor([0, 1, 2, 5, 1]), of: Embedding(4, 3)).output }
        }
        #expect(outside?.description.contains("5") == true)
        let narrow = #expect(throws: TensorError.self) {
            try catchingErrors { lstm(Tensor([0, 1, 2, 2, 1]), of: Embedding(4, 2)).output }
        }
        #expect(narrow?.description.contains("[4, 2]") == true)
        let wide = #expect(throws: TensorError.self) {
            try catchingErrors { lstm(Tensor([0, 1, 2, 2, 1]), of: Embedding(4, 3, dtype: .float64)).output }
        }
        #expect(wide?.description.contains("float64") == true)
    }

    @Test func errorsNameShapes() throws {
        let error = #expect(throws: TensorError.self) { try catchingErrors { LSTM(3, 4)(wave([5, 2, 7])).output } }
        #expect(error?.description.contains("[5, 2, 7]") == true)
    }
}
