import ChainRule

// Views, joining and cutting, repeating, diagonals.

extension OperatorTable {
    mutating func defineShapes() {
        defineViews()
        defineAxes()
        defineJoining()
        defineRepeating()
        defineDiagonals()
    }

    private mutating func defineViews() {
        define("reshape", "input *shape") { try $0.input.tensor.reshape($0.shape.shape) }
        define("view", "input *size") { try $0.input.tensor.reshape($0.size.shape) }
        define("flatten", "input start_dim end_dim") {
            try $0.input.tensor.flatten(startDim: $0.start_dim.int(or: 0), endDim: $0.end_dim.int(or: -1))
        }
        define("squeeze", "input dim") {
            let x = try $0.input.tensor
            return try $0.dim.optionalInts.map { x.squeeze(dim: $0) } ?? x.squeeze()
        }
        define("unsqueeze", "input dim") { try $0.input.tensor.unsqueeze(dim: $0.dim.int) }
        define("expand", "input *size") { try $0.input.tensor.expand($0.size.shape) }
        define("broadcast_to", "input *size") { try $0.input.tensor.expand($0.size.shape) }
        define("broadcast_tensors", "*tensors") { broadcast(try $0.tensors.tensors) }
        define("narrow", "input dim start length") {
            try $0.input.tensor.narrow(dim: $0.dim.int, start: $0.start.int, length: $0.length.int)
        }
        define("select", "input dim index") { try $0.input.tensor.select(dim: $0.dim.int, index: $0.index.int) }
        define("slice", "input dim start end step") {
            try $0.input.tensor.slice(
                dim: $0.dim.int(or: 0), from: $0.start.optionalInt, to: $0.end.optionalInt, by: $0.step.int(or: 1))
        }
        define("unfold", "input dimension size step") {
            try $0.input.tensor.unfold(dim: $0.dimension.int, size: $0.size.int, step: $0.step.int)
        }
    }

    private mutating func defineAxes() {
        unary("t") { $0.t() }
        unary("T") { $0.T }
        unary("mT") { $0.mT }
        unary("H") { $0.T }
        define("transpose", "input dim0 dim1") { try $0.input.tensor.transpose($0.dim0.int, $0.dim1.int) }
        define("permute", "input *dims") { try $0.input.tensor.permute($0.dims.shape) }
        define("movedim", "input source destination") {
            try $0.input.tensor.movedim($0.source.ints, $0.destination.ints)
        }
        define("flip", "input *dims") { try $0.input.tensor.flip($0.dims.ints) }
        unary("fliplr") { $0.fliplr() }
        unary("flipud") { $0.flipud() }
        define("roll", "input shifts dims") {
            let (x, shifts, dims) = (try $0.input.tensor, try $0.shifts.ints, try $0.dims.axes)
            return dims.isEmpty && shifts.count == 1 ? x.roll(shifts[0]) : x.roll(shifts, dim: dims)
        }
    }

    private mutating func defineJoining() {
        define("cat", "tensors dim") { cat(try $0.tensors.tensors, dim: try $0.dim.int(or: 0)) }
        define("stack", "tensors dim") { stack(try $0.tensors.tensors, dim: try $0.dim.int(or: 0)) }
        define("split", "tensor split_size_or_sections dim") {
            let (x, sizes, dim) = (try $0.tensor.tensor, $0.split_size_or_sections, try $0.dim.int(or: 0))
            return sizes.isList ? x.split(try sizes.ints, dim: dim) : x.split(try sizes.int, dim: dim)
        }
        define("split_with_sizes", "input split_sizes dim") {
            try $0.input.tensor.split($0.split_sizes.ints, dim: $0.dim.int(or: 0))
        }
        define("chunk", "input chunks dim") { try $0.input.tensor.chunk($0.chunks.int, dim: $0.dim.int(or: 0)) }
        define("unbind", "input dim") { try $0.input.tensor.unbind(dim: $0.dim.int(or: 0)) }
    }

    private mutating func defineRepeating() {
        define("repeat", "input *repeats") { try $0.input.tensor.repeat($0.repeats.ints) }
        define("tile", "input *dims") { try $0.input.tensor.tile($0.dims.ints) }
        define("repeat_interleave", "input repeats dim output_size") {
            let (x, dim) = (try $0.input.tensor, try $0.dim.optionalInt)
            return $0.repeats.isTensor
                ? x.repeatInterleave(try $0.repeats.tensor, dim: dim) : x.repeatInterleave(try $0.repeats.int, dim: dim)
        }
        define("meshgrid", "*tensors indexing") {
            let isXY = try $0.indexing.string(or: "ij") == "xy"
            return meshgrid(try $0.tensors.tensors, indexing: isXY ? .xy : .ij)
        }
    }

    private mutating func defineDiagonals() {
        define("diag", "input diagonal") { try $0.input.tensor.diag($0.diagonal.int(or: 0)) }
        define("diagflat", "input offset") { try $0.input.tensor.diagflat($0.offset.int(or: 0)) }
        define("diagonal", "input offset dim1 dim2") {
            try $0.input.tensor.diagonal(
                offset: $0.offset.int(or: 0), dim1: $0.dim1.int(or: 0), dim2: $0.dim2.int(or: 1))
        }
        define("diag_embed", "input offset dim1 dim2") {
            try $0.input.tensor.diagEmbed(
                offset: $0.offset.int(or: 0), dim1: $0.dim1.int(or: -2), dim2: $0.dim2.int(or: -1))
        }
        define("tril", "input diagonal") { try $0.input.tensor.tril($0.diagonal.int(or: 0)) }
        define("triu", "input diagonal") { try $0.input.tensor.triu($0.diagonal.int(or: 0)) }
        unary("trace") { $0.trace() }
    }
}
