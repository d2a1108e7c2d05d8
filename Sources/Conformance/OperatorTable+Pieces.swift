import ChainRule

// Tensors put together from others or cut into pieces; sums over pairs; finite differences.

extension OperatorTable {
    mutating func definePiecesAndPairs() {
        defineCombinations()
        defineDifferences()
        definePieces()
    }

    private mutating func defineCombinations() {
        define("block_diag", "*tensors") { blockDiagonal(try $0.tensors.tensors) }
        define("cartesian_prod", "*tensors") { cartesianProduct(try $0.tensors.tensors) }
        define("combinations", "input r with_replacement") {
            try $0.input.tensor.combinations($0.r.int(or: 2), replacement: $0.with_replacement.bool(or: false))
        }
        define("kron", "input other") { try $0.input.tensor.kron($0.other.tensor) }
        define("tensordot", "a b dims") {
            let (x, y, dims) = (try $0.a.tensor, try $0.b.tensor, $0.dims)
            if dims.isList, dims.values.count == 2 {
                return x.tensordot(y, dims: try dims.values[0].ints, try dims.values[1].ints)
            }
            return x.tensordot(y, dims: try dims.int(or: 2))
        }
        define("addbmm", "input batch1 batch2 beta alpha") {
            try $0.input.tensor.addbmm(
                $0.batch1.tensor, $0.batch2.tensor, beta: $0.beta.scalar(or: .integer(1)),
                alpha: $0.alpha.scalar(or: .integer(1)))
        }
        define("addr", "input vec1 vec2 beta alpha") {
            try $0.input.tensor.addr(
                $0.vec1.tensor, $0.vec2.tensor, beta: $0.beta.scalar(or: .integer(1)),
                alpha: $0.alpha.scalar(or: .integer(1)))
        }
    }

    private mutating func defineDifferences() {
        define("diff", "input n dim prepend append") {
            try $0.input.tensor.diff(
                n: $0.n.int(or: 1), dim: $0.dim.int(or: -1), prepend: $0.prepend.optionalTensor,
                append: $0.append.optionalTensor)
        }
        define("gradient", "input spacing dim edge_order") {
            let (x, dims, order) = (try $0.input.tensor, try $0.dim.optionalInts, try $0.edge_order.int(or: 1))
            if $0.spacing.isList, $0.spacing.values.first?.isTensor ?? false {
                return x.gradient(coordinates: try $0.spacing.tensors, dims: dims, edgeOrder: order)
            }
            return x.gradient(spacing: try $0.spacing.optionalDoubles ?? [1], dims: dims, edgeOrder: order)
        }
        for name in ["trapezoid", "trapz"] {
            define(name, "y x dx dim") {
                let (y, dim) = (try $0.y.tensor, try $0.dim.int(or: -1))
                return try $0.x.optionalTensor.map { y.trapezoid(x: $0, dim: dim) }
                    ?? y.trapezoid(dx: $0.dx.double(or: 1), dim: dim)
            }
        }
        define("cumulative_trapezoid", "y x dx dim") {
            let (y, dim) = (try $0.y.tensor, try $0.dim.int(or: -1))
            return try $0.x.optionalTensor.map { y.cumulativeTrapezoid(x: $0, dim: dim) }
                ?? y.cumulativeTrapezoid(dx: $0.dx.double(or: 1), dim: dim)
        }
    }

    private mutating func definePieces() {
        define("atleast_1d", "*tensors") { try $0.tensors.tensors.map { $0.atLeast1D() } }
        define("atleast_2d", "*tensors") { try $0.tensors.tensors.map { $0.atLeast2D() } }
        define("atleast_3d", "*tensors") { try $0.tensors.tensors.map { $0.atLeast3D() } }
        define("column_stack", "tensors") { columnStack(try $0.tensors.tensors) }
        define("dstack", "tensors") { dstack(try $0.tensors.tensors) }
        define("hstack", "tensors") { hstack(try $0.tensors.tensors) }
        define("vstack", "tensors") { vstack(try $0.tensors.tensors) }
        pieces("dsplit", { $0.dsplit($1) }, at: { $0.dsplit(at: $1) })
        pieces("hsplit", { $0.hsplit($1) }, at: { $0.hsplit(at: $1) })
        pieces("vsplit", { $0.vsplit($1) }, at: { $0.vsplit(at: $1) })
        define("tensor_split", "input indices_or_sections dim") {
            let (x, places, dim) = (try $0.input.tensor, $0.indices_or_sections, try $0.dim.int(or: 0))
            if let sections = try? places.int, !places.isList, (try? places.tensor)?.rank ?? 0 == 0 {
                return x.tensorSplit(sections, dim: dim)
            }
            return x.tensorSplit(at: try places.ints, dim: dim)
        }
        define("expand_as", "input other") { try $0.input.tensor.expand(as: $0.other.tensor) }
        define("reshape_as", "input other") { try $0.input.tensor.reshape(as: $0.other.tensor) }
        define("view_as", "input other") { try $0.input.tensor.reshape(as: $0.other.tensor) }
        define("sum_to_size", "input *size") { try $0.input.tensor.sum(toShape: $0.size.shape) }
        define("unflatten", "input dim sizes") { try $0.input.tensor.unflatten(dim: $0.dim.int, $0.sizes.shape) }
        define("rot90", "input k dims") {
            let dims = try $0.dims.optionalInts ?? [0, 1]
            return try $0.input.tensor.rot90($0.k.int(or: 1), dims: (dims[0], dims[1]))
        }
        define("select_scatter", "input src dim index") {
            try $0.input.tensor.selectScatter($0.src.tensor, dim: $0.dim.int, index: $0.index.int)
        }
        define("diagonal_scatter", "input src offset dim1 dim2") {
            try $0.input.tensor.diagonalScatter(
                $0.src.tensor, offset: $0.offset.int(or: 0), dim1: $0.dim1.int(or: 0), dim2: $0.dim2.int(or: 1))
        }
        define("take", "input index") { try $0.input.tensor.take($0.index.tensor) }
        define("take_along_dim", "input indices dim") {
            try $0.input.tensor.takeAlongDim($0.indices.tensor, dim: $0.dim.optionalInt)
        }
        define("put", "input index source accumulate") {
            try $0.input.tensor.put($0.index.tensor, $0.source.tensor, accumulate: $0.accumulate.bool(or: false))
        }
    }

    /// A cut into equal pieces or at places.
    private mutating func pieces(
        _ name: String, _ sections: @escaping @Sendable (Tensor, Int) -> [Tensor],
        at places: @escaping @Sendable (Tensor, [Int]) -> [Tensor]
    ) {
        define(name, "input indices_or_sections") {
            let cut = $0.indices_or_sections
            return cut.isList ? places(try $0.input.tensor, try cut.ints) : sections(try $0.input.tensor, try cut.int)
        }
    }
}
