import ChainRule

// Functions of each element, and of pairs of elements.

extension OperatorTable {
    mutating func defineElementwise() {
        defineFunctions()
        defineArithmetic()
        definePairs()
        defineComparisons()
        defineSelections()
    }

    private mutating func defineFunctions() {
        unary("abs") { $0.abs() }
        unary("acos") { $0.acos() }
        unary("acosh") { $0.acosh() }
        unary("asin") { $0.asin() }
        unary("asinh") { $0.asinh() }
        unary("atan") { $0.atan() }
        unary("atanh") { $0.atanh() }
        unary("ceil") { $0.ceil() }
        unary("cos") { $0.cos() }
        unary("cosh") { $0.cosh() }
        unary("erf") { $0.erf() }
        unary("erfc") { $0.erfc() }
        unary("exp") { $0.exp() }
        unary("exp2") { $0.exp2() }
        unary("expm1") { $0.expm1() }
        unary("floor") { $0.floor() }
        unary("log") { $0.log() }
        unary("log10") { $0.log10() }
        unary("log1p") { $0.log1p() }
        unary("log2") { $0.log2() }
        define("logit", "input eps") { try $0.input.tensor.logit(eps: $0.eps.optionalDouble) }
        unary("neg") { -$0 }
        unary("positive") { $0 }
        unary("reciprocal") { $0.reciprocal() }
        define("round", "input decimals") { try $0.input.tensor.round(decimals: $0.decimals.int(or: 0)) }
        unary("rsqrt") { $0.rsqrt() }
        unary("sigmoid") { $0.sigmoid() }
        unary("sign") { $0.sign() }
        unary("sin") { $0.sin() }
        unary("sinh") { $0.sinh() }
        unary("sqrt") { $0.sqrt() }
        unary("square") { $0.squared() }
        unary("tan") { $0.tan() }
        unary("tanh") { $0.tanh() }
        unary("trunc") { $0.trunc() }
    }

    private mutating func defineArithmetic() {
        scaled("add") { $0 + $1 }
        scaled("sub") { $0 - $1 }
        scaled("rsub") { $1 - $0 }
        binary("mul") { $0 * $1 }
        binary("true_divide") { $0 / $1 }
        binary("floor_divide") { $0.floorDivide($1) }
        define("div", "input other rounding_mode") {
            let (x, y) = (try $0.input.operand(beside: $0.other), try $0.other.operand(beside: $0.input))
            switch try $0.rounding_mode.optionalString {
            case "floor": return x.floorDivide(y)
            case "trunc": return x.truncDivide(y)
            default: return x / y
            }
        }
        define("addcmul", "input tensor1 tensor2 value") {
            try $0.input.tensor.addcmul($0.tensor1.tensor, $0.tensor2.tensor, value: $0.value.scalar(or: .integer(1)))
        }
        define("addcdiv", "input tensor1 tensor2 value") {
            try $0.input.tensor.addcdiv($0.tensor1.tensor, $0.tensor2.tensor, value: $0.value.scalar(or: .integer(1)))
        }
    }

    /// A sum or difference whose second operand is first multiplied by `alpha`.
    private mutating func scaled(_ name: String, _ call: @escaping @Sendable (Tensor, Tensor) -> Tensor) {
        define(name, "input other alpha") {
            let (x, y) = (try $0.input.operand(beside: $0.other), try $0.other.operand(beside: $0.input))
            guard $0.alpha.isGiven else { return call(x, y) }
            let alpha = try $0.alpha.operand(beside: $0.other)
            // `alpha` multiplies the operand in the dtype of the result: for `rsub` that is the first one.
            return name == "rsub" ? call(x * alpha, y) : call(x, y * alpha)
        }
    }

    private mutating func definePairs() {
        binary("atan2") { $0.atan2($1) }
        binary("fmax") { $0.fmax($1) }
        binary("fmin") { $0.fmin($1) }
        binary("fmod") { $0.fmod($1) }
        binary("logaddexp") { $0.logaddexp($1) }
        binary("maximum") { $0.maximum($1) }
        binary("minimum") { $0.minimum($1) }
        define("pow", "input exponent") {
            try $0.input.operand(beside: $0.exponent).pow($0.exponent.operand(beside: $0.input))
        }
        binary("remainder") { $0.remainder($1) }
        binary("xlogy") { $0.xlogy($1) }
    }

    private mutating func defineComparisons() {
        binary("eq") { $0 .== $1 }
        binary("ne") { $0 .!= $1 }
        binary("lt") { $0 .< $1 }
        binary("le") { $0 .<= $1 }
        binary("gt") { $0 .> $1 }
        binary("ge") { $0 .>= $1 }
        unary("isfinite") { $0.isfinite() }
        unary("isinf") { $0.isinf() }
        unary("isnan") { $0.isnan() }
        unary("isneginf") { $0.isneginf() }
        unary("isposinf") { $0.isposinf() }
        define("isclose", "input other rtol atol equal_nan") {
            try $0.input.tensor.isClose(
                $0.other.tensor, rtol: $0.rtol.double(or: 1e-5), atol: $0.atol.double(or: 1e-8),
                equalNaN: $0.equal_nan.bool(or: false))
        }
        binary("logical_and") { $0.logicalAnd($1) }
        binary("logical_or") { $0.logicalOr($1) }
        binary("logical_xor") { $0.logicalXor($1) }
        unary("logical_not") { $0.logicalNot() }
    }

    private mutating func defineSelections() {
        define("clamp", "input min max") {
            let x = try $0.input.tensor
            let low = try $0.min.isGiven ? $0.min.operand(beside: $0.input) : nil
            let high = try $0.max.isGiven ? $0.max.operand(beside: $0.input) : nil
            return x.clamp(min: low, max: high)
        }
        define("clamp_min", "input min") { try $0.input.tensor.clamp(min: $0.min.operand(beside: $0.input)) }
        define("clamp_max", "input max") { try $0.input.tensor.clamp(max: $0.max.operand(beside: $0.input)) }
        define("lerp", "input end weight") {
            $0.weight.isTensor
                ? try $0.input.tensor.lerp($0.end.tensor, $0.weight.tensor)
                : try $0.input.tensor.lerp($0.end.tensor, $0.weight.scalar)
        }
        define("where", "input condition other") {
            // The cases call the method: `input.where(condition, other)`.
            try Tensor.where(
                $0.condition.tensor, $0.input.operand(beside: $0.other), $0.other.operand(beside: $0.input))
        }
    }
}
