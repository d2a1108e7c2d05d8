import ChainRule
import ChainRuleNN

extension LayerTable {
    mutating func defineLosses() {
        defineRegressionLosses()
        defineClassificationLosses()
        defineMarginLosses()
    }

    private mutating func defineRegressionLosses() {
        loss("MSELoss", "size_average reduce reduction") { MSELoss(reduction: try $0.reduced) }
        loss("L1Loss", "size_average reduce reduction") { L1Loss(reduction: try $0.reduced) }
        loss("SmoothL1Loss", "size_average reduce reduction beta") {
            SmoothL1Loss(beta: try $0.beta.double(or: 1), reduction: try $0.reduced)
        }
        loss("HuberLoss", "reduction delta") {
            HuberLoss(delta: try $0.delta.double(or: 1), reduction: try $0.reduced)
        }
        loss("PoissonNLLLoss", "log_input full size_average eps reduce reduction") {
            PoissonNLLLoss(
                logInput: try $0.log_input.bool(or: true), full: try $0.full.bool(or: false),
                eps: try $0.eps.double(or: 1e-8), reduction: try $0.reduced)
        }
        define("GaussianNLLLoss", "full eps reduction", "input target var") {
            let loss = GaussianNLLLoss(
                full: try $0.full.bool(or: false), eps: try $0.eps.double(or: 1e-6),
                reduction: try $0.reduced)
            return Subject(nil) {
                let (mean, target) = (try $0.input.tensor, try $0.target.tensor)
                // A variance may be one number.
                let variance =
                    $0.`var`.isTensor
                    ? try $0.`var`.tensor : Tensor.full(mean.shape, try $0.`var`.double, dtype: mean.dtype)
                return [loss(mean, target, variance: variance)]
            }
        }
        loss("KLDivLoss", "size_average reduce reduction log_target") {
            let isPerBatch = try $0.reduction.string(or: "mean") == "batchmean"
            return KLDivLoss(
                logTarget: try $0.log_target.bool(or: false), perBatch: isPerBatch,
                reduction: isPerBatch ? .sum : try $0.reduced)
        }
    }

    private mutating func defineClassificationLosses() {
        loss("NLLLoss", "weight size_average ignore_index reduce reduction") {
            NLLLoss(
                weight: try $0.weight.optionalTensor, ignoreIndex: try $0.ignore_index.int(or: -100),
                reduction: try $0.reduced)
        }
        loss("CrossEntropyLoss", "weight size_average ignore_index reduce reduction label_smoothing") {
            CrossEntropyLoss(
                weight: try $0.weight.optionalTensor, ignoreIndex: try $0.ignore_index.int(or: -100),
                labelSmoothing: try $0.label_smoothing.double(or: 0), reduction: try $0.reduced)
        }
        loss("BCELoss", "weight size_average reduce reduction") {
            BCELoss(weight: try $0.weight.optionalTensor, reduction: try $0.reduced)
        }
        loss("BCEWithLogitsLoss", "weight size_average reduce reduction pos_weight") {
            BCEWithLogitsLoss(
                weight: try $0.weight.optionalTensor, positiveWeight: try $0.pos_weight.optionalTensor,
                reduction: try $0.reduced)
        }
        define("CTCLoss", "blank reduction zero_infinity", "log_probs targets input_lengths target_lengths") {
            let loss = CTCLoss(
                blank: try $0.blank.int(or: 0), reduction: try $0.reduced,
                zeroInfinity: try $0.zero_infinity.bool(or: false))
            return Subject(nil) {
                [
                    loss(
                        try $0.log_probs.tensor, try $0.targets.tensor, inputLengths: try $0.input_lengths.ints,
                        targetLengths: try $0.target_lengths.ints)
                ]
            }
        }
    }

    private mutating func defineMarginLosses() {
        loss("MultiMarginLoss", "p margin weight size_average reduce reduction") {
            MultiMarginLoss(
                p: try $0.p.int(or: 1), margin: try $0.margin.double(or: 1), weight: try $0.weight.optionalTensor,
                reduction: try $0.reduced)
        }
        loss("MultiLabelMarginLoss", "size_average reduce reduction") {
            MultiLabelMarginLoss(reduction: try $0.reduced)
        }
        loss("MultiLabelSoftMarginLoss", "weight size_average reduce reduction") {
            MultiLabelSoftMarginLoss(weight: try $0.weight.optionalTensor, reduction: try $0.reduced)
        }
        loss("SoftMarginLoss", "size_average reduce reduction") {
            SoftMarginLoss(reduction: try $0.reduced)
        }
        loss("HingeEmbeddingLoss", "margin size_average reduce reduction") {
            HingeEmbeddingLoss(margin: try $0.margin.double(or: 1), reduction: try $0.reduced)
        }
        pairLoss("MarginRankingLoss") { MarginRankingLoss(margin: $0, reduction: $1) }
        pairLoss("CosineEmbeddingLoss") { CosineEmbeddingLoss(margin: $0, reduction: $1) }
        define("TripletMarginLoss", "margin p eps swap size_average reduce reduction", "anchor positive negative") {
            let loss = TripletMarginLoss(
                margin: try $0.margin.double(or: 1), p: try $0.p.double(or: 2), eps: try $0.eps.double(or: 1e-6),
                swap: try $0.swap.bool(or: false), reduction: try $0.reduced)
            return Subject(nil) { [loss(try $0.anchor.tensor, try $0.positive.tensor, try $0.negative.tensor)] }
        }
    }

    private mutating func pairLoss(_ name: String, _ make: @escaping @Sendable (Double, Reduction) -> any PairLoss) {
        define(name, "margin size_average reduce reduction", "input1 input2 target") {
            let loss = make(try $0.margin.double(or: 0), try $0.reduced)
            return Subject(nil) { [loss(try $0.input1.tensor, try $0.input2.tensor, try $0.target.tensor)] }
        }
    }
}
