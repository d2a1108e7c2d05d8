import ChainRule

// Tensors made from numbers; bits; functions beyond the everyday ones.

extension OperatorTable {
    mutating func defineCreations() {
        defineCreation()
        defineBits()
        defineSpecialFunctions()
    }

    private mutating func defineCreation() {
        define("arange", "start end step dtype") {
            let (start, end) =
                $0.end.isGiven ? (try $0.start.scalar, try $0.end.scalar) : (.integer(0), try $0.start.scalar)
            return Tensor.arange(
                start, end, step: try $0.step.scalar(or: .integer(1)), dtype: try $0.dtype.optionalDType)
        }
        define("linspace", "start end steps dtype") {
            Tensor.linspace(
                try $0.start.scalar, try $0.end.scalar, steps: try $0.steps.int,
                dtype: try $0.dtype.optionalDType ?? .float32)
        }
        define("logspace", "start end steps base dtype") {
            Tensor.logspace(
                try $0.start.scalar, try $0.end.scalar, steps: try $0.steps.int, base: try $0.base.double(or: 10),
                dtype: try $0.dtype.optionalDType ?? .float32)
        }
        define("eye", "n m dtype requires_grad") {
            Tensor.eye(try $0.n.int, try $0.m.optionalInt, dtype: try $0.dtype.optionalDType ?? .float32)
        }
        define("full", "size fill_value dtype") {
            Tensor.full(try $0.size.shape, try $0.fill_value.scalar, dtype: try $0.dtype.optionalDType)
        }
        define("full_like", "input fill_value dtype") {
            Tensor.full(like: try $0.input.tensor, try $0.fill_value.scalar, dtype: try $0.dtype.optionalDType)
        }
        for (name, number) in [("zeros", 0), ("ones", 1)] {
            define(name, "*size dtype") {
                Tensor.full(try $0.size.shape, number, dtype: try $0.dtype.optionalDType ?? .float32)
            }
            define("\(name)_like", "input dtype") {
                Tensor.full(like: try $0.input.tensor, number, dtype: try $0.dtype.optionalDType)
            }
        }
        define("tril_indices", "row col offset dtype") {
            Tensor.trilIndices(try $0.row.int, try $0.col.int, offset: try $0.offset.int(or: 0))
                .to(try $0.dtype.optionalDType ?? .int64)
        }
        define("triu_indices", "row col offset dtype") {
            Tensor.triuIndices(try $0.row.int, try $0.col.int, offset: try $0.offset.int(or: 0))
                .to(try $0.dtype.optionalDType ?? .int64)
        }
        // Another tensor stands for its dtype, a device for nothing.
        define("to", "input *rest") {
            let x = try $0.input.tensor
            for argument in $0.rest.values {
                if let dtype = try? argument.dtype { return x.to(dtype) }
                if let other = try? argument.tensor { return x.to(other.dtype) }
            }
            return x
        }
        // A number of Python's comes back as a tensor of the default dtype.
        unary("item") { $0.to($0.dtype.isFloatingPoint ? .float32 : $0.dtype.isInteger ? .int64 : .bool).reshape([]) }
    }

    private mutating func defineBits() {
        binary("bitwise_and") { $0 & $1 }
        binary("bitwise_or") { $0 | $1 }
        binary("bitwise_xor") { $0 ^ $1 }
        binary("bitwise_left_shift") { $0 << $1 }
        binary("bitwise_right_shift") { $0 >> $1 }
        unary("bitwise_not") { ~$0 }
        binary("gcd") { $0.gcd($1) }
        binary("lcm") { $0.lcm($1) }
        binary("heaviside") { $0.heaviside($1) }
        unary("signbit") { $0.signbit() }
        define("isin", "elements test_elements assume_unique invert") {
            try $0.elements.operand(beside: $0.test_elements).isin(
                $0.test_elements.operand(beside: $0.elements), invert: $0.invert.bool(or: false))
        }
    }

    private mutating func defineSpecialFunctions() {
        unary("deg2rad") { $0.deg2rad() }
        unary("rad2deg") { $0.rad2deg() }
        unary("digamma") { $0.digamma() }
        unary("lgamma") { $0.lgamma() }
        unary("erfinv") { $0.erfinv() }
        unary("frac") { $0.frac() }
        unary("sgn") { $0.sign() }
        unary("sinc") { $0.sinc() }
        binary("copysign") { $0.copysign($1) }
        binary("hypot") { $0.hypot($1) }
        binary("ldexp") { $0.ldexp($1) }
        binary("logaddexp2") { $0.logaddexp2($1) }
        define("float_power", "input exponent") {
            try $0.input.operand(beside: $0.exponent).floatPower($0.exponent.operand(beside: $0.input))
        }
        define("nan_to_num", "input nan posinf neginf") {
            try $0.input.tensor.nanToNum(
                nan: $0.nan.double(or: 0), posinf: $0.posinf.optionalDouble, neginf: $0.neginf.optionalDouble)
        }
    }
}
