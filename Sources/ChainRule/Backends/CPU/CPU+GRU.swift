import CKernels

extension CPU {
    /// A GRU over rows of sequences, time step after time step. `gates` comes with what the inputs give, the bias apart, and leaves as the gates
    /// r, z, n; it must be row-major and nobody else's. float32 and float64.
    static func gru(
        gates: Tensor, weight: Tensor, bias: Tensor?, stateBias: Tensor?, before: Tensor, reversed: Bool
    ) -> (outputs: Tensor, candidates: Tensor) {
        let (weight, before) = (contiguous(weight), contiguous(before))
        let (bias, stateBias) = (bias.map(contiguous), stateBias.map(contiguous))
        var sizes = gruSizes(rows: gates.shape[0], before, reversed)
        let shape: Shape = [gates.shape[0], before.shape[1]]
        let outputs = Tensor(uninitialized: shape, dtype: gates.dtype)
        let candidates = Tensor(uninitialized: shape, dtype: gates.dtype)
        if gates.dtype == .float32 {
            let workspace = Workspace(byteCount: ck_gru_workspace_f32(&sizes))
            ck_gru_f32(
                &sizes, gates.freshPointer(to: Float.self), candidates.freshPointer(to: Float.self),
                outputs.freshPointer(to: Float.self), weight.pointer(to: Float.self), bias?.pointer(to: Float.self),
                stateBias?.pointer(to: Float.self), before.pointer(to: Float.self), workspace.pointer)
        } else {
            let workspace = Workspace(byteCount: ck_gru_workspace_f64(&sizes))
            ck_gru_f64(
                &sizes, gates.freshPointer(to: Double.self), candidates.freshPointer(to: Double.self),
                outputs.freshPointer(to: Double.self), weight.pointer(to: Double.self), bias?.pointer(to: Double.self),
                stateBias?.pointer(to: Double.self), before.pointer(to: Double.self), workspace.pointer)
        }
        withExtendedLifetime((weight, bias, stateBias, before)) {}
        return (outputs, candidates)
    }

    /// The gradients of what entered the gates from the inputs and from the states, and that of the output before as far as it does not go
    /// through the weights, from those of the outputs.
    static func gruGradient(
        outputs dOutputs: Tensor, gates: Tensor, candidates: Tensor, outputs: Tensor, before: Tensor, weight: Tensor,
        reversed: Bool
    ) -> (inputs: Tensor, states: Tensor, before: Tensor) {
        let (dOutputs, outputs, before) = (contiguous(dOutputs), contiguous(outputs), contiguous(before))
        let (gates, candidates, weight) = (contiguous(gates), contiguous(candidates), contiguous(weight))
        var sizes = gruSizes(rows: gates.shape[0], before, reversed)
        let dInputs = Tensor(uninitialized: gates.shape, dtype: gates.dtype)
        let dStates = Tensor(uninitialized: gates.shape, dtype: gates.dtype)
        let dBefore = Tensor.zeros(before.shape, dtype: gates.dtype)
        if gates.dtype == .float32 {
            let workspace = Workspace(byteCount: ck_gru_workspace_f32(&sizes))
            ck_gru_grad_f32(
                &sizes, dInputs.freshPointer(to: Float.self), dStates.freshPointer(to: Float.self),
                dBefore.freshPointer(to: Float.self), gates.pointer(to: Float.self), candidates.pointer(to: Float.self),
                outputs.pointer(to: Float.self), before.pointer(to: Float.self), weight.pointer(to: Float.self),
                dOutputs.pointer(to: Float.self), workspace.pointer)
        } else {
            let workspace = Workspace(byteCount: ck_gru_workspace_f64(&sizes))
            ck_gru_grad_f64(
                &sizes, dInputs.freshPointer(to: Double.self), dStates.freshPointer(to: Double.self),
                dBefore.freshPointer(to: Double.self), gates.pointer(to: Double.self),
                candidates.pointer(to: Double.self), outputs.pointer(to: Double.self), before.pointer(to: Double.self),
                weight.pointer(to: Double.self), dOutputs.pointer(to: Double.self), workspace.pointer)
        }
        withExtendedLifetime((dOutputs, gates, candidates, outputs, before, weight)) {}
        return (dInputs, dStates, dBefore)
    }

    private static func gruSizes(rows: Int, _ before: Tensor, _ reversed: Bool) -> ck_gru {
        let batch = before.shape[0]
        return ck_gru(
            steps: Int64(rows / batch), batch: Int64(batch), hidden: Int64(before.shape[1]), reversed: reversed ? 1 : 0)
    }
}
