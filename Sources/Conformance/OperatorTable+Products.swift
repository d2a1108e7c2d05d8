import ChainRule

// Matrix products and contractions.

extension OperatorTable {
    mutating func defineProducts() {
        binary("matmul") { $0.matmul($1) }
        define("mm", "input mat2") { try $0.input.tensor.mm($0.mat2.tensor) }
        define("bmm", "input mat2") { try $0.input.tensor.bmm($0.mat2.tensor) }
        define("mv", "input vec") { try $0.input.tensor.mv($0.vec.tensor) }
        define("dot", "input tensor") { try $0.input.tensor.dot($0.tensor.tensor) }
        define("outer", "input vec2") { try $0.input.tensor.outer($0.vec2.tensor) }
        binary("inner") { $0.inner($1) }
        define("addmm", "input mat1 mat2 beta alpha") {
            try $0.input.tensor.addmm($0.mat1.tensor, $0.mat2.tensor, beta: $0.beta.factor, alpha: $0.alpha.factor)
        }
        define("addmv", "input mat vec beta alpha") {
            try $0.input.tensor.addmv($0.mat.tensor, $0.vec.tensor, beta: $0.beta.factor, alpha: $0.alpha.factor)
        }
        define("baddbmm", "input batch1 batch2 beta alpha") {
            try $0.input.tensor.baddbmm(
                $0.batch1.tensor, $0.batch2.tensor, beta: $0.beta.factor, alpha: $0.alpha.factor)
        }
        define("einsum", "*operands") {
            // `(equation, operands...)`, or as the cases have it the operands first.
            let flat = $0.operands.values.flatMap { $0.isList ? $0.values : [$0] }
            guard let equation = try flat.first(where: { !$0.isTensor })?.string else {
                throw Unsupported("no equation")
            }
            return einsum(equation, try flat.filter(\.isTensor).map { try $0.tensor })
        }
        define("cross", "input other dim") { try $0.input.tensor.cross($0.other.tensor, dim: $0.dim.optionalInt) }
        define("nn.functional.linear", "input weight bias") {
            try $0.input.tensor.linear(weight: $0.weight.tensor, bias: $0.bias.optionalTensor)
        }
        define("nn.functional.bilinear", "input1 input2 weight bias") {
            try $0.input1.tensor.bilinear($0.input2.tensor, weight: $0.weight.tensor, bias: $0.bias.optionalTensor)
        }
        define(
            "nn.functional.scaled_dot_product_attention",
            "query key value attn_mask dropout_p is_causal scale enable_gqa"
        ) {
            try $0.query.tensor.scaledDotProductAttention(
                key: $0.key.tensor, value: $0.value.tensor, mask: $0.attn_mask.optionalTensor,
                dropout: $0.dropout_p.double(or: 0), isCausal: $0.is_causal.bool(or: false),
                scale: $0.scale.optionalDouble, groupedHeads: $0.enable_gqa.bool(or: false),
                // PyTorch's database draws with this seed.
                generator: Generator(seed: 42))
        }
    }
}

extension CaseArgument {
    /// A factor, 1 unless given.
    fileprivate var factor: Scalar { get throws { try scalar(or: .integer(1)) } }
}
