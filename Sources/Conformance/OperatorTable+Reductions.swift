import ChainRule

// Sums, averages, extrema and the like over axes, sorting, and running sums.

extension OperatorTable {
    mutating func defineReductions() {
        defineSums()
        defineSpreads()
        defineExtrema()
        defineSorting()
    }

    private mutating func defineSums() {
        accumulation("sum") { $0.sum(dim: try $1.dim.axes, keepDim: try $1.keepdim.bool(or: false)) }
        accumulation("nansum") { $0.nansum(dim: try $1.dim.axes, keepDim: try $1.keepdim.bool(or: false)) }
        accumulation("mean") { $0.mean(dim: try $1.dim.axes, keepDim: try $1.keepdim.bool(or: false)) }
        accumulation("nanmean") { $0.nanmean(dim: try $1.dim.axes, keepDim: try $1.keepdim.bool(or: false)) }
        accumulation("prod") { x, arguments in
            guard let dim = try arguments.dim.optionalInt else { return x.prod() }
            return x.prod(dim: dim, keepDim: try arguments.keepdim.bool(or: false))
        }
        accumulation("cumsum") { $0.cumsum(dim: try $1.dim.int) }
        accumulation("cumprod") { $0.cumprod(dim: try $1.dim.int) }
        define("logsumexp", "input dim keepdim") {
            try $0.input.tensor.logsumexp(dim: $0.dim.axes, keepDim: $0.keepdim.bool(or: false))
        }
        define("all", "input dim keepdim") {
            try $0.input.tensor.all(dim: $0.dim.axes, keepDim: $0.keepdim.bool(or: false))
        }
        define("any", "input dim keepdim") {
            try $0.input.tensor.any(dim: $0.dim.axes, keepDim: $0.keepdim.bool(or: false))
        }
        define("count_nonzero", "input dim") { try $0.input.tensor.countNonzero(dim: $0.dim.axes) }
    }

    /// A sum or the like, which takes the dtype to add up in and to give.
    private mutating func accumulation(
        _ name: String, _ call: @escaping @Sendable (Tensor, CaseArguments) throws -> Tensor
    ) {
        define(name, name.hasPrefix("cum") ? "input dim dtype" : "input dim keepdim dtype") {
            let y = try call($0.input.tensor(as: $0.dtype), $0)
            return try $0.dtype.optionalDType.map { y.to($0) } ?? y
        }
    }

    private mutating func defineSpreads() {
        spread("var") { [$0.variance(dim: $1, correction: $2, keepDim: $3)] }
        spread("std") { [$0.std(dim: $1, correction: $2, keepDim: $3)] }
        spread("var_mean") { [$0.variance(dim: $1, correction: $2, keepDim: $3), $0.mean(dim: $1, keepDim: $3)] }
        spread("std_mean") { [$0.std(dim: $1, correction: $2, keepDim: $3), $0.mean(dim: $1, keepDim: $3)] }
    }

    /// A variance or its root: `(input, unbiased)`, `(input, dim, unbiased, keepdim)` or `(input, dim, *, correction, keepdim)`.
    private mutating func spread(
        _ name: String, _ call: @escaping @Sendable (Tensor, [Int], Double, Bool) -> [Tensor]
    ) {
        define(name, "input dim unbiased keepdim correction") {
            let unbiased = $0.dim.isBool ? try $0.dim.bool(or: true) : try $0.unbiased.bool(or: true)
            let correction = try $0.correction.double(or: unbiased ? 1 : 0)
            return call(try $0.input.tensor, try $0.dim.axes, correction, try $0.keepdim.bool(or: false))
        }
    }

    private mutating func defineExtrema() {
        extremum(
            "max", all: { $0.max() }, axis: { both($0.max(dim: $1, keepDim: $2)) }, pair: { $0.maximum($1) })
        extremum(
            "min", all: { $0.min() }, axis: { both($0.min(dim: $1, keepDim: $2)) }, pair: { $0.minimum($1) })
        define("amax", "input dim keepdim") {
            try $0.input.tensor.amax(dim: $0.dim.axes, keepDim: $0.keepdim.bool(or: false))
        }
        define("amin", "input dim keepdim") {
            try $0.input.tensor.amin(dim: $0.dim.axes, keepDim: $0.keepdim.bool(or: false))
        }
        define("argmax", "input dim keepdim", check: samePicks()) {
            try $0.input.tensor.argmax(dim: $0.dim.optionalInt, keepDim: $0.keepdim.bool(or: false))
        }
        define("argmin", "input dim keepdim", check: samePicks()) {
            try $0.input.tensor.argmin(dim: $0.dim.optionalInt, keepDim: $0.keepdim.bool(or: false))
        }
    }

    /// `(input)`, `(input, dim, keepdim)` or `(input, other)`.
    private mutating func extremum(
        _ name: String, all: @escaping @Sendable (Tensor) -> Tensor,
        axis: @escaping @Sendable (Tensor, Int, Bool) -> [Tensor], pair: @escaping @Sendable (Tensor, Tensor) -> Tensor
    ) {
        define(name, "input dim keepdim other", check: samePicks()) {
            let x = try $0.input.tensor
            if $0.dim.isTensor { return [pair(x, try $0.dim.tensor)] }
            if $0.other.isGiven { return [pair(x, try $0.other.tensor)] }
            guard let dim = try $0.dim.optionalInt else { return [all(x)] }
            return axis(x, dim, try $0.keepdim.bool(or: false))
        }
    }

    private mutating func defineSorting() {
        define("sort", "input dim descending stable", check: samePicks(dim: -1, isPermutation: true)) {
            both(try $0.input.tensor.sort(dim: $0.dim.int(or: -1), descending: $0.descending.bool(or: false)))
        }
        define("argsort", "input dim descending stable", check: samePicks(dim: -1, isPermutation: true)) {
            try $0.input.tensor.argsort(dim: $0.dim.int(or: -1), descending: $0.descending.bool(or: false))
        }
        define("topk", "input k dim largest sorted", check: samePicks(dim: -1)) {
            both(
                try $0.input.tensor.topk($0.k.int, dim: $0.dim.int(or: -1), largest: $0.largest.bool(or: true)))
        }
        define("nonzero", "input as_tuple") {
            let places = try ($0.as_tuple.bool(or: false) ? $0.input.tensor.atLeast1D() : $0.input.tensor).nonzero()
            return try $0.as_tuple.bool(or: false) ? places.unbind(dim: 1) : [places]
        }
    }
}
