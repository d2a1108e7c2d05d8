import ChainRule
import ChainRuleNN

// Layers on sequences: recurrent networks and transformers.

extension LayerTable {
    mutating func defineSequences() {
        defineRecurrentNetworks()
        defineRecurrentCells()
        defineTransformers()
    }

    private mutating func defineRecurrentNetworks() {
        let parameters = "bias batch_first dropout bidirectional"
        define("RNN", "input_size hidden_size num_layers nonlinearity \(parameters)", "input hx") {
            let layer = RNN(
                try $0.input_size.int, try $0.hidden_size.int, layers: try $0.num_layers.int(or: 1),
                nonlinearity: try $0.nonlinearity.nonlinearity, bias: try $0.bias.bool(or: true),
                batchFirst: try $0.batch_first.bool(or: false), dropout: try $0.dropout.double(or: 0),
                bidirectional: try $0.bidirectional.bool(or: false), dtype: .float64)
            return Subject(layer) {
                let result = layer(try $0.input.tensor, try $0.hx.optionalTensor)
                return [result.output, result.state]
            }
        }
        define("GRU", "input_size hidden_size num_layers \(parameters)", "input hx") {
            let layer = GRU(
                try $0.input_size.int, try $0.hidden_size.int, layers: try $0.num_layers.int(or: 1),
                bias: try $0.bias.bool(or: true), batchFirst: try $0.batch_first.bool(or: false),
                dropout: try $0.dropout.double(or: 0), bidirectional: try $0.bidirectional.bool(or: false),
                dtype: .float64)
            return Subject(layer) {
                let result = layer(try $0.input.tensor, try $0.hx.optionalTensor)
                return [result.output, result.state]
            }
        }
        define("LSTM", "input_size hidden_size num_layers \(parameters) proj_size", "input hx") {
            let layer = LSTM(
                try $0.input_size.int, try $0.hidden_size.int, layers: try $0.num_layers.int(or: 1),
                bias: try $0.bias.bool(or: true), batchFirst: try $0.batch_first.bool(or: false),
                dropout: try $0.dropout.double(or: 0), bidirectional: try $0.bidirectional.bool(or: false),
                projectionSize: try $0.proj_size.int(or: 0), dtype: .float64)
            return Subject(layer) {
                let result = layer(try $0.input.tensor, try $0.hx.optionalState)
                return [result.output, result.state.hidden, result.state.cell]
            }
        }
    }

    private mutating func defineRecurrentCells() {
        define("RNNCell", "input_size hidden_size bias nonlinearity", "input hx") {
            let cell = RNNCell(
                try $0.input_size.int, try $0.hidden_size.int, bias: try $0.bias.bool(or: true),
                nonlinearity: try $0.nonlinearity.nonlinearity, dtype: .float64)
            return Subject(cell) { [cell(try $0.input.tensor, try $0.hx.optionalTensor)] }
        }
        define("GRUCell", "input_size hidden_size bias", "input hx") {
            let cell = GRUCell(
                try $0.input_size.int, try $0.hidden_size.int, bias: try $0.bias.bool(or: true), dtype: .float64)
            return Subject(cell) { [cell(try $0.input.tensor, try $0.hx.optionalTensor)] }
        }
        define("LSTMCell", "input_size hidden_size bias", "input hx") {
            let cell = LSTMCell(
                try $0.input_size.int, try $0.hidden_size.int, bias: try $0.bias.bool(or: true), dtype: .float64)
            return Subject(cell) {
                let state = cell(try $0.input.tensor, try $0.hx.optionalState)
                return [state.hidden, state.cell]
            }
        }
    }

    private mutating func defineTransformers() {
        define(
            "MultiheadAttention",
            "embed_dim num_heads dropout bias add_bias_kv add_zero_attn kdim vdim batch_first",
            "query key value key_padding_mask need_weights attn_mask average_attn_weights is_causal"
        ) {
            let layer = MultiheadAttention(
                try $0.embed_dim.int, heads: try $0.num_heads.int, dropout: try $0.dropout.double(or: 0),
                bias: try $0.bias.bool(or: true), addBiasKV: try $0.add_bias_kv.bool(or: false),
                addZeroAttention: try $0.add_zero_attn.bool(or: false), keySize: try $0.kdim.optionalInt,
                valueSize: try $0.vdim.optionalInt, batchFirst: try $0.batch_first.bool(or: false), dtype: .float64)
            return Subject(layer) {
                let result = layer(
                    try $0.query.tensor, try $0.key.tensor, try $0.value.tensor,
                    keyPaddingMask: try $0.key_padding_mask.optionalTensor,
                    needWeights: try $0.need_weights.bool(or: true),
                    attentionMask: try $0.attn_mask.optionalTensor,
                    averageWeights: try $0.average_attn_weights.bool(or: true),
                    // PyTorch takes is_causal as a hint about the mask, which has to be given too.
                    isCausal: false)
                return [result.output] + (result.weights.map { [$0] } ?? [])
            }
        }
        let options = "dim_feedforward dropout activation layer_norm_eps batch_first norm_first bias"
        define(
            "TransformerEncoderLayer", "d_model nhead \(options)", "src src_mask src_key_padding_mask is_causal"
        ) {
            let layer = TransformerEncoderLayer(
                try $0.d_model.int, heads: try $0.nhead.int,
                feedforwardSize: try $0.dim_feedforward.int(or: 2048), dropout: try $0.dropout.double(or: 0.1),
                activation: try $0.activation.transformerActivation,
                normEps: try $0.layer_norm_eps.double(or: 1e-5), batchFirst: try $0.batch_first.bool(or: false),
                normFirst: try $0.norm_first.bool(or: false), bias: try $0.bias.bool(or: true), dtype: .float64)
            return Subject(layer) {
                [
                    layer(
                        try $0.src.tensor, mask: try $0.src_mask.optionalTensor,
                        keyPaddingMask: try $0.src_key_padding_mask.optionalTensor)
                ]
            }
        }
        define(
            "TransformerDecoderLayer", "d_model nhead \(options)",
            "tgt memory tgt_mask memory_mask tgt_key_padding_mask memory_key_padding_mask tgt_is_causal memory_is_causal"
        ) {
            let layer = TransformerDecoderLayer(
                try $0.d_model.int, heads: try $0.nhead.int,
                feedforwardSize: try $0.dim_feedforward.int(or: 2048), dropout: try $0.dropout.double(or: 0.1),
                activation: try $0.activation.transformerActivation,
                normEps: try $0.layer_norm_eps.double(or: 1e-5), batchFirst: try $0.batch_first.bool(or: false),
                normFirst: try $0.norm_first.bool(or: false), bias: try $0.bias.bool(or: true), dtype: .float64)
            return Subject(layer) {
                [
                    layer(
                        try $0.tgt.tensor, try $0.memory.tensor, mask: try $0.tgt_mask.optionalTensor,
                        memoryMask: try $0.memory_mask.optionalTensor,
                        keyPaddingMask: try $0.tgt_key_padding_mask.optionalTensor,
                        memoryKeyPaddingMask: try $0.memory_key_padding_mask.optionalTensor)
                ]
            }
        }
        define(
            "Transformer",
            """
            d_model nhead num_encoder_layers num_decoder_layers dim_feedforward dropout activation custom_encoder \
            custom_decoder layer_norm_eps batch_first norm_first bias
            """,
            """
            src tgt src_mask tgt_mask memory_mask src_key_padding_mask tgt_key_padding_mask memory_key_padding_mask \
            src_is_causal tgt_is_causal memory_is_causal
            """
        ) {
            let model = Transformer(
                try $0.d_model.int(or: 512), heads: try $0.nhead.int(or: 8),
                encoderLayers: try $0.num_encoder_layers.int(or: 6),
                decoderLayers: try $0.num_decoder_layers.int(or: 6),
                feedforwardSize: try $0.dim_feedforward.int(or: 2048), dropout: try $0.dropout.double(or: 0.1),
                activation: try $0.activation.transformerActivation,
                normEps: try $0.layer_norm_eps.double(or: 1e-5), batchFirst: try $0.batch_first.bool(or: false),
                normFirst: try $0.norm_first.bool(or: false), bias: try $0.bias.bool(or: true), dtype: .float64)
            return Subject(model) {
                [
                    model(
                        try $0.src.tensor, try $0.tgt.tensor, sourceMask: try $0.src_mask.optionalTensor,
                        targetMask: try $0.tgt_mask.optionalTensor, memoryMask: try $0.memory_mask.optionalTensor,
                        sourceKeyPaddingMask: try $0.src_key_padding_mask.optionalTensor,
                        targetKeyPaddingMask: try $0.tgt_key_padding_mask.optionalTensor,
                        memoryKeyPaddingMask: try $0.memory_key_padding_mask.optionalTensor)
                ]
            }
        }
    }
}

extension CaseArgument {
    fileprivate var nonlinearity: RecurrentNonlinearity {
        get throws { try string(or: "tanh") == "relu" ? .relu : .tanh }
    }

    fileprivate var transformerActivation: TransformerActivation {
        get throws { try string(or: "relu") == "gelu" ? .gelu : .relu }
    }

    /// The pair (h, c) of an LSTM.
    fileprivate var optionalState: LSTM.State? {
        get throws {
            guard isGiven else { return nil }
            let pair = try tensors
            guard pair.count == 2 else { throw Unsupported("\(name) of \(pair.count) tensors") }
            return LSTM.State(hidden: pair[0], cell: pair[1])
        }
    }
}
