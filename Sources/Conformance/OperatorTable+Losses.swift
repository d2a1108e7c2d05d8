import ChainRule

// Losses and distances.

extension OperatorTable {
    mutating func defineLosses() {
        defineRegressionLosses()
        defineClassificationLosses()
        defineMarginLosses()
        defineDistances()
    }

    /// A loss with PyTorch's three parameters of reduction after its own.
    private mutating func loss(
        _ name: String, _ parameters: String, _ call: @escaping @Sendable (CaseArguments) throws -> Tensor
    ) {
        define("nn.functional.\(name)", parameters, call)
    }

    private mutating func defineRegressionLosses() {
        loss("mse_loss", "input target size_average reduce reduction weight") {
            try $0.input.tensor.mseLoss($0.target.tensor, weight: $0.weight.optionalTensor, reduction: $0.reduced)
        }
        loss("l1_loss", "input target size_average reduce reduction weight") {
            try $0.input.tensor.l1Loss($0.target.tensor, weight: $0.weight.optionalTensor, reduction: $0.reduced)
        }
        loss("smooth_l1_loss", "input target size_average reduce reduction beta") {
            try $0.input.tensor.smoothL1Loss($0.target.tensor, beta: $0.beta.double(or: 1), reduction: $0.reduced)
        }
        loss("huber_loss", "input target reduction delta weight") {
            try $0.input.tensor.huberLoss(
                $0.target.tensor, delta: $0.delta.double(or: 1), weight: $0.weight.optionalTensor,
                reduction: $0.reduced)
        }
        loss("gaussian_nll_loss", "input target var full eps reduction") {
            let x = try $0.input.tensor
            let variance = $0.var.isTensor ? try $0.var.tensor : Tensor.full(like: x, try $0.var.double)
            return x.gaussianNLLLoss(
                try $0.target.tensor, variance: variance, full: try $0.full.bool(or: false),
                eps: try $0.eps.double(or: 1e-6), reduction: try $0.reduced)
        }
        loss("poisson_nll_loss", "input target log_input full size_average eps reduce reduction") {
            try $0.input.tensor.poissonNLLLoss(
                $0.target.tensor, logInput: $0.log_input.bool(or: true), full: $0.full.bool(or: false),
                eps: $0.eps.double(or: 1e-8), reduction: $0.reduced)
        }
    }

    private mutating func defineClassificationLosses() {
        loss("nll_loss", "input target weight size_average ignore_index reduce reduction") {
            try $0.input.tensor.nllLoss(
                $0.target.tensor, weight: $0.weight.optionalTensor, ignoreIndex: $0.ignore_index.int(or: -100),
                reduction: $0.reduced)
        }
        loss("cross_entropy", "input target weight size_average ignore_index reduce reduction label_smoothing") {
            try $0.input.tensor.crossEntropy(
                $0.target.tensor, weight: $0.weight.optionalTensor, ignoreIndex: $0.ignore_index.int(or: -100),
                reduction: $0.reduced, labelSmoothing: $0.label_smoothing.double(or: 0))
        }
        loss("binary_cross_entropy", "input target weight size_average reduce reduction") {
            try $0.input.tensor.binaryCrossEntropy(
                $0.target.tensor, weight: $0.weight.optionalTensor, reduction: $0.reduced)
        }
        loss("binary_cross_entropy_with_logits", "input target weight size_average reduce reduction pos_weight") {
            try $0.input.tensor.binaryCrossEntropyWithLogits(
                $0.target.tensor, weight: $0.weight.optionalTensor, positiveWeight: $0.pos_weight.optionalTensor,
                reduction: $0.reduced)
        }
        loss("kl_div", "input target size_average reduce reduction log_target") {
            try $0.input.tensor.klDiv(
                $0.target.tensor, logTarget: $0.log_target.bool(or: false), reduction: $0.reduced,
                perBatch: $0.reduction.string(or: "mean") == "batchmean")
        }
    }

    private mutating func defineMarginLosses() {
        loss("hinge_embedding_loss", "input target margin size_average reduce reduction") {
            try $0.input.tensor.hingeEmbeddingLoss(
                $0.target.tensor, margin: $0.margin.double(or: 1), reduction: $0.reduced)
        }
        loss("margin_ranking_loss", "input1 input2 target margin size_average reduce reduction") {
            try $0.input1.tensor.marginRankingLoss(
                $0.input2.tensor, $0.target.tensor, margin: $0.margin.double(or: 0), reduction: $0.reduced)
        }
        loss("soft_margin_loss", "input target size_average reduce reduction") {
            try $0.input.tensor.softMarginLoss($0.target.tensor, reduction: $0.reduced)
        }
        loss("cosine_embedding_loss", "input1 input2 target margin size_average reduce reduction") {
            try $0.input1.tensor.cosineEmbeddingLoss(
                $0.input2.tensor, $0.target.tensor, margin: $0.margin.double(or: 0), reduction: $0.reduced)
        }
        loss("triplet_margin_loss", "anchor positive negative margin p eps swap size_average reduce reduction") {
            try $0.anchor.tensor.tripletMarginLoss(
                positive: $0.positive.tensor, negative: $0.negative.tensor, margin: $0.margin.double(or: 1),
                p: $0.p.double(or: 2), eps: $0.eps.double(or: 1e-6), swap: $0.swap.bool(or: false),
                reduction: $0.reduced)
        }
        loss("multi_margin_loss", "input target p margin weight size_average reduce reduction") {
            try $0.input.tensor.multiMarginLoss(
                $0.target.tensor, p: $0.p.int(or: 1), margin: $0.margin.double(or: 1),
                weight: $0.weight.optionalTensor, reduction: $0.reduced)
        }
        loss("multilabel_margin_loss", "input target size_average reduce reduction") {
            try $0.input.tensor.multilabelMarginLoss($0.target.tensor, reduction: $0.reduced)
        }
        loss("multilabel_soft_margin_loss", "input target weight size_average reduce reduction") {
            try $0.input.tensor.multilabelSoftMarginLoss(
                $0.target.tensor, weight: $0.weight.optionalTensor, reduction: $0.reduced)
        }
    }

    private mutating func defineDistances() {
        define("nn.functional.pairwise_distance", "x1 x2 p eps keepdim") {
            try $0.x1.tensor.pairwiseDistance(
                $0.x2.tensor, p: $0.p.double(or: 2), eps: $0.eps.double(or: 1e-6), keepDim: $0.keepdim.bool(or: false))
        }
        define("nn.functional.cosine_similarity", "x1 x2 dim eps") {
            try $0.x1.tensor.cosineSimilarity($0.x2.tensor, dim: $0.dim.int(or: 1), eps: $0.eps.double(or: 1e-8))
        }
        define("nn.functional.normalize", "input p dim eps out") {
            try $0.input.tensor.normalize(
                p: $0.p.double(or: 2), dim: $0.dim.int(or: 1), eps: $0.eps.double(or: 1e-12))
        }
        define("nn.functional.local_response_norm", "input size alpha beta k") {
            try $0.input.tensor.localResponseNorm(
                size: $0.size.int, alpha: $0.alpha.double(or: 1e-4), beta: $0.beta.double(or: 0.75),
                k: $0.k.double(or: 1))
        }
    }
}

extension CaseArguments {
    /// What `reduction` says, or the older `size_average` and `reduce` where the case gives those.
    var reduced: Reduction {
        get throws {
            if declares("reduce"), self.reduce.isGiven || self.size_average.isGiven {
                guard try self.reduce.bool(or: true) else { return .none }
                return try self.size_average.bool(or: true) ? .mean : .sum
            }
            switch try self.reduction.string(or: "mean") {
            case "none": return .none
            case "mean": return .mean
            case "sum", "batchmean": return .sum
            case let other: throw Unsupported("the reduction \(other)")
            }
        }
    }
}
