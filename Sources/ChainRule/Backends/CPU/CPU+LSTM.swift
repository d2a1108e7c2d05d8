import CKernels

extension CPU {
    /// An LSTM over rows of `batch` sequences, time step after time step. `gates` comes with what the inputs give, the bias apart, and leaves as the gates
    /// i, f, g, o; it must be row-major and nobody else's. float32 and float64.
    static func lstm(
        gates: Tensor, weight: Tensor, bias: Tensor?, outputBefore: Tensor, cellBefore: Tensor, reversed: Bool
    ) -> (outputs: Tensor, cells: Tensor) {
        let (weight, outputBefore, cellBefore) = (contiguous(weight), contiguous(outputBefore), contiguous(cellBefore))
        let bias = bias.map(contiguous)
        var sizes = lstmSizes(rows: gates.shape[0], cellBefore, reversed)
        let shape: Shape = [gates.shape[0], cellBefore.shape[1]]
        let outputs = Tensor(uninitialized: shape, dtype: gates.dtype)
        let cells = Tensor(uninitialized: shape, dtype: gates.dtype)
        if gates.dtype == .float32 {
            let workspace = Workspace(byteCount: ck_lstm_workspace_f32(&sizes))
            ck_lstm_f32(
                &sizes, gates.freshPointer(to: Float.self), cells.freshPointer(to: Float.self),
                outputs.freshPointer(to: Float.self), weight.pointer(to: Float.self),
                bias?.pointer(to: Float.self), outputBefore.pointer(to: Float.self), cellBefore.pointer(to: Float.self),
                workspace.pointer)
        } else {
            let workspace = Workspace(byteCount: ck_lstm_workspace_f64(&sizes))
            ck_lstm_f64(
                &sizes, gates.freshPointer(to: Double.self), cells.freshPointer(to: Double.self),
                outputs.freshPointer(to: Double.self), weight.pointer(to: Double.self),
                bias?.pointer(to: Double.self), outputBefore.pointer(to: Double.self),
                cellBefore.pointer(to: Double.self), workspace.pointer)
        }
        withExtendedLifetime((weight, bias, outputBefore, cellBefore)) {}
        return (outputs, cells)
    }

    /// The gradients of what entered the gates and of the cells before, from those of the outputs and of all cells.
    static func lstmGradient(
        outputs dOutputs: Tensor, cells dCells: Tensor?, gates: Tensor, cells: Tensor, cellBefore: Tensor,
        weight: Tensor, reversed: Bool
    ) -> (gates: Tensor, cellBefore: Tensor) {
        let (dOutputs, dCells) = (contiguous(dOutputs), dCells.map(contiguous))
        let (gates, cells) = (contiguous(gates), contiguous(cells))
        let (weight, cellBefore) = (contiguous(weight), contiguous(cellBefore))
        var sizes = lstmSizes(rows: gates.shape[0], cellBefore, reversed)
        let dGates = Tensor(uninitialized: gates.shape, dtype: gates.dtype)
        let dBefore = Tensor.zeros(cellBefore.shape, dtype: gates.dtype)
        if gates.dtype == .float32 {
            let workspace = Workspace(byteCount: ck_lstm_workspace_f32(&sizes))
            ck_lstm_grad_f32(
                &sizes, dGates.freshPointer(to: Float.self), dBefore.freshPointer(to: Float.self),
                gates.pointer(to: Float.self), cells.pointer(to: Float.self), cellBefore.pointer(to: Float.self),
                weight.pointer(to: Float.self), dOutputs.pointer(to: Float.self), dCells?.pointer(to: Float.self),
                workspace.pointer)
        } else {
            let workspace = Workspace(byteCount: ck_lstm_workspace_f64(&sizes))
            ck_lstm_grad_f64(
                &sizes, dGates.freshPointer(to: Double.self), dBefore.freshPointer(to: Double.self),
                gates.pointer(to: Double.self), cells.pointer(to: Double.self), cellBefore.pointer(to: Double.self),
                weight.pointer(to: Double.self), dOutputs.pointer(to: Double.self),
                dCells?.pointer(to: Double.self), workspace.pointer)
        }
        withExtendedLifetime((dOutputs, dCells, gates, cells, weight, cellBefore)) {}
        return (dGates, dBefore)
    }

    private static func lstmSizes(rows: Int, _ cellBefore: Tensor, _ reversed: Bool) -> ck_lstm {
        let batch = cellBefore.shape[0]
        return ck_lstm(
            steps: Int64(rows / batch), batch: Int64(batch), hidden: Int64(cellBefore.shape[1]),
            reversed: reversed ? 1 : 0)
    }
}
