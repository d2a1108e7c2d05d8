import ChainRule
import ChainRuleNN

// Layers on rows of numbers: linear maps and look-up tables.

extension LayerTable {
    mutating func defineLinears() {
        layer("Identity", "*args") { _ in Identity() }
        layer("Linear", "in_features out_features bias") {
            Linear(try $0.in_features.int, try $0.out_features.int, bias: try $0.bias.bool(or: true), dtype: .float64)
        }
        define("Bilinear", "in1_features in2_features out_features bias", "input1 input2") {
            let layer = Bilinear(
                try $0.in1_features.int, try $0.in2_features.int, try $0.out_features.int,
                bias: try $0.bias.bool(or: true), dtype: .float64)
            return Subject(layer) { [layer(try $0.input1.tensor, try $0.input2.tensor)] }
        }
        layer(
            "Embedding",
            "num_embeddings embedding_dim padding_idx max_norm norm_type scale_grad_by_freq sparse _weight _freeze"
        ) {
            Embedding(
                try $0.num_embeddings.int, try $0.embedding_dim.int, paddingIndex: try $0.padding_idx.optionalInt,
                maxNorm: try $0.max_norm.optionalDouble, normOrder: try $0.norm_type.double(or: 2),
                scalesGradientByFrequency: try $0.scale_grad_by_freq.bool(or: false), dtype: .float64)
        }
        define(
            "EmbeddingBag",
            """
            num_embeddings embedding_dim max_norm norm_type scale_grad_by_freq mode sparse _weight include_last_offset \
            padding_idx
            """, "input offsets per_sample_weights"
        ) {
            let layer = EmbeddingBag(
                try $0.num_embeddings.int, try $0.embedding_dim.int, reduction: try $0.mode.bagReduction,
                paddingIndex: try $0.padding_idx.optionalInt, maxNorm: try $0.max_norm.optionalDouble,
                normOrder: try $0.norm_type.double(or: 2),
                scalesGradientByFrequency: try $0.scale_grad_by_freq.bool(or: false),
                includesLastOffset: try $0.include_last_offset.bool(or: false), dtype: .float64)
            return Subject(layer) {
                [
                    layer(
                        try $0.input.tensor, offsets: try $0.offsets.optionalTensor,
                        perSampleWeights: try $0.per_sample_weights.optionalTensor)
                ]
            }
        }
        define("CosineSimilarity", "dim eps", "x1 x2") {
            let layer = CosineSimilarity(dim: try $0.dim.int(or: 1), eps: try $0.eps.double(or: 1e-8))
            return Subject(layer) { [layer(try $0.x1.tensor, try $0.x2.tensor)] }
        }
        define("PairwiseDistance", "p eps keepdim", "x1 x2") {
            let layer = PairwiseDistance(
                p: try $0.p.double(or: 2), eps: try $0.eps.double(or: 1e-6), keepDim: try $0.keepdim.bool(or: false))
            return Subject(layer) { [layer(try $0.x1.tensor, try $0.x2.tensor)] }
        }
    }
}
