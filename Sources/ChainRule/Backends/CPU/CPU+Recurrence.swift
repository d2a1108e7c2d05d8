import CKernels

/// What an LSTM or a GRU reads at each time step besides what the input gives.
struct RecurrentState {
    let unit: RecurrentUnit
    let weight: Tensor
    let outputBefore: Tensor
    /// Of the LSTM.
    var cellBefore: Tensor?
    let reversed: Bool
}

extension CPU {
    /// Sequences, time step after time step. The gates begin as what the input gives, the biases apart: `given`, which must be row-major and
    /// nobody else's, or with `places` (checked, row-major int64) its rows that they name. Of the GRU the cells are what its state gives to n, and only
    /// it has a bias of the state. float32 and float64.
    static func recurrence(
        _ state: RecurrentState, given: Tensor, places: Tensor?, bias: Tensor?, stateBias: Tensor? = nil
    ) -> (outputs: Tensor, cells: Tensor, gates: Tensor) {
        let (rows, dtype) = (places?.count ?? given.shape[0], given.dtype)
        let gates = places == nil ? given : Tensor(uninitialized: Shape(rows, given.shape[1]), dtype: dtype)
        let outputs = Tensor(uninitialized: Shape(rows, state.outputBefore.shape[1]), dtype: dtype)
        let cells = Tensor(uninitialized: outputs.shape, dtype: dtype)
        let (bias, stateBias) = (bias.map(contiguous), stateBias.map(contiguous))
        run(state, gates: gates, cells: cells, outputs: outputs, isForward: true) { call in
            call.table = places == nil ? nil : UnsafeRawPointer(given.rawPointer)
            call.places = places?.pointer(to: Int64.self)
            call.bias = bias.map { UnsafeRawPointer($0.rawPointer) }
            call.state_bias = stateBias.map { UnsafeRawPointer($0.rawPointer) }
        }
        withExtendedLifetime((given, places, bias, stateBias)) {}
        return (outputs, cells, gates)
    }

    /// The gradients of what entered the gates from the inputs and from the states, which are one of the LSTM, and that of the cells before;
    /// of the GRU that of the output before as far as it does not go through the weights.
    static func recurrenceGradient(
        _ state: RecurrentState, outputs dOutputs: Tensor, cells dCells: Tensor? = nil,
        of results: (outputs: Tensor, cells: Tensor, gates: Tensor)
    ) -> (inputs: Tensor, states: Tensor, before: Tensor) {
        let (outputs, cells, gates) = (
            contiguous(results.outputs), contiguous(results.cells), contiguous(results.gates)
        )
        let (dOutputs, dCells) = (contiguous(dOutputs), dCells.map(contiguous))
        let dStates = Tensor(uninitialized: gates.shape, dtype: gates.dtype)
        let dInputs = state.unit == .lstm ? dStates : Tensor(uninitialized: gates.shape, dtype: gates.dtype)
        let dBefore = Tensor.zeros(state.outputBefore.shape, dtype: gates.dtype)
        run(state, gates: gates, cells: cells, outputs: outputs, isForward: false) { call in
            call.output_grads = UnsafeRawPointer(dOutputs.rawPointer)
            call.cells_grads = dCells.map { UnsafeRawPointer($0.rawPointer) }
            call.gate_grads = dStates.rawPointer
            call.input_grads = state.unit == .lstm ? nil : dInputs.rawPointer
            call.before_grad = dBefore.rawPointer
        }
        withExtendedLifetime((dOutputs, dCells)) {}
        return (dInputs, dStates, dBefore)
    }

    private static func run(
        _ state: RecurrentState, gates: Tensor, cells: Tensor, outputs: Tensor, isForward: Bool,
        _ complete: (inout ck_recurrence) -> Void
    ) {
        let (weight, outputBefore) = (contiguous(state.weight), contiguous(state.outputBefore))
        let cellBefore = state.cellBefore.map(contiguous)
        var call = ck_recurrence()
        let batch = outputBefore.shape[0]
        call.steps = Int64(gates.shape[0] / batch)
        call.batch = Int64(batch)
        call.hidden = Int64(outputBefore.shape[1])
        call.reversed = state.reversed ? 1 : 0
        call.is_double = gates.dtype == .float64 ? 1 : 0
        call.weight = UnsafeRawPointer(weight.rawPointer)
        call.output_before = UnsafeRawPointer(outputBefore.rawPointer)
        call.cell_before = cellBefore.map { UnsafeRawPointer($0.rawPointer) }
        call.gates = gates.rawPointer
        call.cells = cells.rawPointer
        call.outputs = outputs.rawPointer
        complete(&call)
        let isLSTM = state.unit == .lstm
        let workspace = Workspace(byteCount: isLSTM ? ck_lstm_workspace(&call) : ck_gru_workspace(&call))
        call.workspace = workspace.pointer
        switch (isLSTM, isForward) {
        case (true, true): ck_lstm(&call)
        case (true, false): ck_lstm_grad(&call)
        case (false, true): ck_gru(&call)
        case (false, false): ck_gru_grad(&call)
        }
        withExtendedLifetime((weight, outputBefore, cellBefore, workspace)) {}
    }
}
