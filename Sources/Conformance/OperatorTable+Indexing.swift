import ChainRule

// Reading and writing at places that tensors name.

extension OperatorTable {
    mutating func defineIndexing() {
        define("gather", "input dim index sparse_grad") { try $0.input.tensor.gather(dim: $0.dim.int, $0.index.tensor) }
        define("scatter", "input dim index src value reduce") {
            let (x, dim, index) = (try $0.input.tensor, try $0.dim.int, try $0.index.tensor)
            let source = $0.src.isGiven ? $0.src : $0.value
            let values =
                source.isTensor ? try source.tensor : Tensor.full(index.shape, try source.scalar, dtype: x.dtype)
            switch try $0.reduce.optionalString {
            case "add": return x.scatterAdd(dim: dim, index, values)
            case "multiply": return x.scatterReduce(dim: dim, index, values, reduce: .prod)
            default:
                return source.isTensor
                    ? x.scatter(dim: dim, index, values) : x.scatter(dim: dim, index, try source.scalar)
            }
        }
        define("scatter_add", "input dim index src") {
            try $0.input.tensor.scatterAdd(dim: $0.dim.int, $0.index.tensor, $0.src.tensor)
        }
        define("scatter_reduce", "input dim index src reduce include_self") {
            try $0.input.tensor.scatterReduce(
                dim: $0.dim.int, $0.index.tensor, $0.src.tensor, reduce: $0.reduce.scatterReduction,
                includeSelf: $0.include_self.bool(or: true))
        }
        define("index_select", "input dim index") {
            try $0.input.tensor.indexSelect(dim: $0.dim.int, $0.index.tensor)
        }
        define("index_add", "input dim index source alpha") {
            try $0.input.tensor.indexAdd(
                dim: $0.dim.int, $0.index.tensor, $0.source.tensor, alpha: $0.alpha.scalar(or: .integer(1)))
        }
        define("index_fill", "input dim index value") {
            let (x, dim, index) = (try $0.input.tensor, try $0.dim.int, try $0.index.tensor)
            return $0.value.isTensor
                ? x.indexFill(dim: dim, index, try $0.value.tensor) : x.indexFill(dim: dim, index, try $0.value.scalar)
        }
        define("index_put", "input indices values accumulate") {
            let indices = try $0.indices.values.map { $0.isGiven ? try $0.tensor as any TensorIndex : IndexTerm.all }
            return try $0.input.tensor.indexPut(indices, $0.values.tensor, accumulate: $0.accumulate.bool(or: false))
        }
    }
}

extension CaseArgument {
    fileprivate var scatterReduction: ScatterReduction {
        get throws {
            switch try string {
            case "sum": .sum
            case "prod": .prod
            case "mean": .mean
            case "amax": .amax
            case "amin": .amin
            case let other: throw Unsupported("the reduction \(other)")
            }
        }
    }
}
