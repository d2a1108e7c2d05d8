import ChainRule

// `torch.linalg`, and what lies outside it for reasons of age.

extension OperatorTable {
    mutating func defineLinearAlgebra() {
        defineFactorizations()
        defineSystems()
        defineMatrixFunctions()
        defineNorms()
    }

    private mutating func defineFactorizations() {
        define("linalg.cholesky", "input upper") {
            LinearAlgebra.cholesky(try $0.input.tensor, upper: try $0.upper.bool(or: false))
        }
        define("linalg.cholesky_ex", "input upper check_errors") {
            both(LinearAlgebra.choleskyEx(try $0.input.tensor, upper: try $0.upper.bool(or: false)))
        }
        define("linalg.qr", "A mode") {
            let modes: [String: LinearAlgebra.QRMode] = ["reduced": .reduced, "complete": .complete, "r": .r]
            return both(LinearAlgebra.qr(try $0.A.tensor, mode: modes[try $0.mode.string(or: "reduced")] ?? .reduced))
        }
        define("linalg.eigvalsh", "input UPLO") {
            LinearAlgebra.eigvalsh(try $0.input.tensor, upper: try $0.UPLO.string(or: "L") == "U")
        }
        define("linalg.svdvals", "A driver") { LinearAlgebra.svdvals(try $0.A.tensor) }
        define("linalg.pinv", "input rcond hermitian atol rtol") {
            let relative = $0.rtol.isGiven ? $0.rtol : $0.rcond
            return LinearAlgebra.pinv(
                try $0.input.tensor, atol: try $0.atol.tolerance, rtol: try relative.tolerance,
                hermitian: try $0.hermitian.bool(or: false))
        }
    }

    private mutating func defineSystems() {
        define("linalg.solve", "A B left") {
            LinearAlgebra.solve(try $0.A.tensor, try $0.B.tensor, left: try $0.left.bool(or: true))
        }
        define("linalg.solve_ex", "A B left check_errors") {
            both(LinearAlgebra.solveEx(try $0.A.tensor, try $0.B.tensor, left: try $0.left.bool(or: true)))
        }
        define("linalg.solve_triangular", "input B upper left unitriangular") {
            LinearAlgebra.solveTriangular(
                try $0.input.tensor, try $0.B.tensor, upper: try $0.upper.bool(or: false),
                left: try $0.left.bool(or: true),
                unitriangular: try $0.unitriangular.bool(or: false))
        }
        unary("linalg.inv", LinearAlgebra.inv)
        define("linalg.inv_ex", "input check_errors") { both(LinearAlgebra.invEx(try $0.input.tensor)) }
        unary("linalg.det", LinearAlgebra.det)
        unary("logdet", LinearAlgebra.logdet)
        define("linalg.slogdet", "input") { both(LinearAlgebra.slogdet(try $0.input.tensor)) }
    }

    private mutating func defineMatrixFunctions() {
        unary("matrix_exp", LinearAlgebra.matrixExp)
        define("linalg.matrix_power", "input n") { LinearAlgebra.matrixPower(try $0.input.tensor, try $0.n.int) }
        define("linalg.cross", "input other dim") {
            try $0.input.tensor.cross($0.other.tensor, dim: $0.dim.int(or: -1))
        }
        define("linalg.diagonal", "A offset dim1 dim2") {
            try $0.A.tensor.diagonal(
                offset: $0.offset.int(or: 0), dim1: $0.dim1.int(or: -2), dim2: $0.dim2.int(or: -1))
        }
        define("linalg.vander", "x N") { LinearAlgebra.vander(try $0.x.tensor, columns: try $0.N.optionalInt) }
        define("linalg.vecdot", "x y dim") {
            LinearAlgebra.vecdot(try $0.x.tensor, try $0.y.tensor, dim: try $0.dim.int(or: -1))
        }
        unary("mH") { $0.mT }
    }

    private mutating func defineNorms() {
        define("linalg.vector_norm", "x ord dim keepdim dtype") {
            try $0.x.tensor(as: $0.dtype).norm(
                $0.ord.double(or: 2), dim: $0.dim.optionalInts ?? [], keepDim: $0.keepdim.bool(or: false))
        }
        define("linalg.matrix_norm", "A ord dim keepdim dtype") {
            let dims = try $0.dim.optionalInts ?? [-2, -1]
            return LinearAlgebra.matrixNorm(
                try $0.A.tensor(as: $0.dtype), try $0.ord.matrixNorm ?? .frobenius, dims: (dims[0], dims[1]),
                keepDim: try $0.keepdim.bool(or: false))
        }
        // Without `ord` and `dim` every element counts; one dim means vectors, two mean matrices.
        define("linalg.norm", "A ord dim keepdim dtype") {
            let x = try $0.A.tensor(as: $0.dtype)
            let keepDim = try $0.keepdim.bool(or: false)
            let dims = try $0.dim.optionalInts
            guard $0.ord.isGiven, dims?.count ?? x.rank == 2 else {
                return x.norm(try $0.ord.double(or: 2), dim: dims ?? [], keepDim: keepDim)
            }
            let axes = dims ?? [-2, -1]
            return LinearAlgebra.matrixNorm(
                x, try $0.ord.matrixNorm ?? .frobenius, dims: (axes[0], axes[1]), keepDim: keepDim)
        }
        // Here a number is a norm of vectors, also over two dims.
        define("norm", "input p dim keepdim dtype") {
            let x = try $0.input.tensor(as: $0.dtype)
            let keepDim = try $0.keepdim.bool(or: false)
            let dims = try $0.dim.optionalInts ?? []
            guard case .string(let name) = $0.p.value else {
                return x.norm(try $0.p.double(or: 2), dim: dims, keepDim: keepDim)
            }
            guard name == "nuc" else { return x.norm(2, dim: dims, keepDim: keepDim) }
            let axes = dims.isEmpty ? [-2, -1] : dims
            return LinearAlgebra.matrixNorm(x, .nuclear, dims: (axes[0], axes[1]), keepDim: keepDim)
        }
    }
}

extension CaseArgument {
    /// A tolerance: a tensor, or a number as one.
    fileprivate var tolerance: Tensor? {
        get throws { isTensor ? try tensor : try optionalDouble.map { Tensor($0, dtype: .float64) } }
    }

    /// The norm that PyTorch's name or number means.
    fileprivate var matrixNorm: LinearAlgebra.MatrixNorm? {
        get throws {
            if case .string(let name) = value { return name == "nuc" ? .nuclear : .frobenius }
            switch try optionalDouble {
            case nil: return nil
            case 1: return .one
            case -1: return .minusOne
            case 2: return .spectral
            case -2: return .smallestSingularValue
            case .some(let order): return order > 0 ? .infinity : .minusInfinity
            }
        }
    }
}
