let linearAlgebraOperations: [any Operation.Type] = [
    Cholesky.self, LinearSolve.self, TriangularSolve.self, Inverse.self, Determinant.self, LogDeterminant.self,
    OrthogonalFactors.self, CompleteOrthogonalFactors.self, SymmetricEigen.self, SingularValues.self,
    PseudoInverse.self,
]

/// Factorisations, systems of equations, norms and functions of matrices, as PyTorch's `torch.linalg`.
///
/// Matrices lie in the last two axes; all axes in front of them are a batch. Matrices may be empty. The dtype is float32 or
/// float64; factorisations compute in float64 and round once. Everything is differentiable to any order unless it says otherwise.
public enum LinearAlgebra {
    /// Whether a tensor holds matrices that can be factored; reports what can't.
    static func isFactorable(_ a: Tensor, square: Bool = false, in name: String) -> Bool {
        guard a.dtype == .float32 || a.dtype == .float64 else {
            fail(name, "takes float32 or float64, the dtype is \(a.dtype); convert with .to(.float32) first")
            return false
        }
        return areMatrices(a, square: square, in: name)
    }

    /// Whether the last two axes hold matrices, square ones if asked; reports it when not.
    static func areMatrices(_ a: Tensor, square: Bool, in name: String) -> Bool {
        guard a.rank >= 2 else {
            fail(name, "takes matrices in the last two axes, the shape is \(a.shape)")
            return false
        }
        guard !square || a.shape[a.rank - 1] == a.shape[a.rank - 2] else {
            fail(name, "takes square matrices, the shape is \(a.shape)")
            return false
        }
        return true
    }

    /// The position in the batch of the first matrix with a flag that is not 0, and the flag; nil when there is none.
    static func firstFlag(_ info: Tensor) -> (matrix: String, flag: Int)? {
        let flags = info.toArray(of: Int.self)
        guard let place = flags.firstIndex(where: { $0 != 0 }) else { return nil }
        let matrix = info.rank == 0 ? "the matrix" : "matrix \(info.shape.position(of: place)) of the batch"
        return (matrix, flags[place])
    }
}

extension Tensor {
    /// With a new last axis of size 1, so that it scales the rows of matrices; twice for whole matrices.
    func asColumn() -> Tensor { unsqueeze(dim: -1) }
}
