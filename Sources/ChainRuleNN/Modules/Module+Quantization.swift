import ChainRule

extension Module {
    /// Keeps the weights of the linear layers here and below in fewer bits from now on: a model that reads each weight once a step, as `GPT`
    /// does when it decodes, is nearly as many times faster as the weights are smaller. They must be float32.
    ///
    /// Load the trained weights first: afterwards they are no parameters but buffers (`quantized_weight`, and `quantized_scale` for int8),
    /// saved and loaded with the state of a model that is quantized the same way. Call the model inside `withoutGradient`.
    public final func quantize(_ format: QuantizedWeight.Format) {
        for (_, module) in namedModules() { (module as? Linear)?.quantizeWeight(format) }
    }
}
