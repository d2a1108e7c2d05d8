import ChainRule

// Padding, rearranging, embeddings.

extension OperatorTable {
    mutating func defineVision() {
        definePadding()
        defineShuffling()
        defineEmbeddings()
    }

    private mutating func definePadding() {
        define("nn.functional.pad", "input pad mode value") {
            try $0.input.tensor.pad($0.pad.ints, mode: $0.mode.paddingMode, value: $0.value.scalar(or: .integer(0)))
        }
        define("constant_pad_nd", "input pad value") {
            try $0.input.tensor.pad($0.pad.ints, value: $0.value.scalar(or: .integer(0)))
        }
    }

    private mutating func defineShuffling() {
        define("nn.functional.pixel_shuffle", "input upscale_factor") {
            try $0.input.tensor.pixelShuffle($0.upscale_factor.int)
        }
        define("nn.functional.pixel_unshuffle", "input downscale_factor") {
            try $0.input.tensor.pixelUnshuffle($0.downscale_factor.int)
        }
        define("nn.functional.channel_shuffle", "input groups") { try $0.input.tensor.channelShuffle($0.groups.int) }
        define("nn.functional.unfold", "input kernel_size dilation padding stride") {
            try $0.input.tensor.unfold(
                kernelSize: $0.kernel_size.spatial, dilation: $0.dilation.spatial(or: 1),
                padding: $0.padding.spatial(or: 0), stride: $0.stride.spatial(or: 1))
        }
        define("nn.functional.fold", "input output_size kernel_size dilation padding stride") {
            try $0.input.tensor.fold(
                outputSize: $0.output_size.spatial, kernelSize: $0.kernel_size.spatial,
                dilation: $0.dilation.spatial(or: 1), padding: $0.padding.spatial(or: 0),
                stride: $0.stride.spatial(or: 1))
        }
    }

    private mutating func defineEmbeddings() {
        define("nn.functional.one_hot", "tensor num_classes") {
            let classes = try $0.num_classes.int(or: -1)
            return try $0.tensor.tensor.oneHot(numClasses: classes < 0 ? nil : classes)
        }
        // The cases pass the weight first.
        define("nn.functional.embedding", "weight input padding_idx max_norm norm_type scale_grad_by_freq sparse") {
            embedding(
                try $0.input.tensor, weight: try $0.weight.tensor, paddingIndex: try $0.padding_idx.optionalInt,
                maxNorm: try $0.max_norm.optionalDouble, normOrder: try $0.norm_type.double(or: 2),
                scalesGradientByFrequency: try $0.scale_grad_by_freq.bool(or: false))
        }
        define(
            "nn.functional.embedding_bag",
            "weight input offsets max_norm norm_type scale_grad_by_freq mode sparse per_sample_weights include_last_offset padding_idx"
        ) {
            embeddingBag(
                try $0.input.tensor, weight: try $0.weight.tensor, offsets: try $0.offsets.optionalTensor,
                reduction: try $0.mode.bagReduction, perSampleWeights: try $0.per_sample_weights.optionalTensor,
                includesLastOffset: try $0.include_last_offset.bool(or: false),
                paddingIndex: try $0.padding_idx.optionalInt, maxNorm: try $0.max_norm.optionalDouble,
                normOrder: try $0.norm_type.double(or: 2),
                scalesGradientByFrequency: try $0.scale_grad_by_freq.bool(or: false))
        }
    }
}

extension CaseArgument {
    fileprivate var paddingMode: PaddingMode {
        get throws {
            switch try string(or: "constant") {
            case "constant": .constant
            case "reflect": .reflect
            case "replicate": .replicate
            case "circular": .circular
            case let other: throw Unsupported("the padding mode \(other)")
            }
        }
    }
}
