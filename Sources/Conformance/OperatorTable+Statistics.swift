import ChainRule

// Order, counts, distances and how things vary together.

extension OperatorTable {
    mutating func defineOrderAndStatistics() {
        defineOrder()
        defineStatistics()
    }

    private mutating func defineOrder() {
        unary("argwhere") { $0.nonzero() }
        unary("msort") { $0.sort(dim: 0).values }
        define("cummax", "input dim", check: samePicks()) { both(try $0.input.tensor.cummax(dim: $0.dim.int)) }
        define("cummin", "input dim", check: samePicks()) { both(try $0.input.tensor.cummin(dim: $0.dim.int)) }
        define("logcumsumexp", "input dim") { try $0.input.tensor.logcumsumexp(dim: $0.dim.int) }
        define("aminmax", "input dim keepdim") {
            both(try $0.input.tensor.aminmax(dim: $0.dim.optionalInt, keepDim: $0.keepdim.bool(or: false)))
        }
        define("kthvalue", "input k dim keepdim", check: samePicks(dim: -1)) {
            both(
                try $0.input.tensor.kthvalue($0.k.int, dim: $0.dim.int(or: -1), keepDim: $0.keepdim.bool(or: false)))
        }
        define("mode", "input dim keepdim", check: samePicks(dim: -1)) {
            both(try $0.input.tensor.mode(dim: $0.dim.int(or: -1), keepDim: $0.keepdim.bool(or: false)))
        }
        define("median", "input dim keepdim", check: samePicks()) {
            let (x, keepDim) = (try $0.input.tensor, try $0.keepdim.bool(or: false))
            return try $0.dim.optionalInt.map { both(x.median(dim: $0, keepDim: keepDim)) } ?? [x.median()]
        }
        define("nanmedian", "input dim keepdim", check: samePicks()) {
            let (x, keepDim) = (try $0.input.tensor, try $0.keepdim.bool(or: false))
            return try $0.dim.optionalInt.map { both(x.nanmedian(dim: $0, keepDim: keepDim)) } ?? [x.nanmedian()]
        }
        define("bucketize", "input boundaries out_int32 right") {
            try $0.input.operand(beside: $0.boundaries).bucketize($0.boundaries.tensor, right: $0.right.bool(or: false))
                .to($0.out_int32.bool(or: false) ? .int32 : .int64)
        }
        define("searchsorted", "sorted_sequence input out_int32 right side sorter") {
            let sequence = try $0.sorted_sequence.tensor
            let sorted = try $0.sorter.optionalTensor.map { sequence.gather(dim: -1, $0) } ?? sequence
            let right = try $0.side.optionalString.map { $0 == "right" } ?? $0.right.bool(or: false)
            return sorted.searchsorted(try $0.input.operand(beside: $0.sorted_sequence), right: right)
                .to(try $0.out_int32.bool(or: false) ? .int32 : .int64)
        }
        define("unique", "input sorted return_inverse return_counts dim") {
            try $0.chosen(from: $0.input.tensor.unique(dim: $0.dim.optionalInt))
        }
        define("unique_consecutive", "input return_inverse return_counts dim") {
            try $0.chosen(from: $0.input.tensor.uniqueConsecutive(dim: $0.dim.optionalInt))
        }
    }

    private mutating func defineStatistics() {
        define("bincount", "input weights minlength") {
            try $0.input.tensor.bincount(weights: $0.weights.optionalTensor, minLength: $0.minlength.int(or: 0))
        }
        define("cov", "input correction fweights aweights") {
            try $0.input.tensor.cov(
                correction: $0.correction.int(or: 1), frequencies: $0.fweights.optionalTensor,
                weights: $0.aweights.optionalTensor)
        }
        unary("corrcoef") { $0.corrcoef() }
        define("cdist", "x1 x2 p compute_mode") {
            try $0.x1.tensor.cdist($0.x2.tensor, p: $0.p.double(or: 2))
        }
        define("nn.functional.pdist", "input p") { try $0.input.tensor.pdist(p: $0.p.double(or: 2)) }
        define("dist", "input other p") { try $0.input.tensor.dist($0.other.tensor, p: $0.p.double(or: 2)) }
        define("renorm", "input p dim maxnorm") {
            try $0.input.tensor.renorm(p: $0.p.double, dim: $0.dim.int, maxNorm: $0.maxnorm.double)
        }
    }
}

extension CaseArguments {
    /// The values, and the inverse and the counts where the case asks for them.
    fileprivate func chosen(from found: (values: Tensor, inverse: Tensor, counts: Tensor)) throws -> [Tensor] {
        var result = [found.values]
        if try self.return_inverse.bool(or: false) { result.append(found.inverse) }
        if try self.return_counts.bool(or: false) { result.append(found.counts) }
        return result
    }
}
