import ChainRule

/// What a comparison of outputs found.
enum Verdict: Sendable {
    case equal
    /// Another answer that is right too; its gradient is not PyTorch's then, and is not compared.
    case equallyValid
    case wrong(String)
}

/// A check of outputs of which the last names places of the input along `dim` (by default `standard`, without one those of the flat
/// input): it may name others that hold the same values, for the order of equal elements is free. A permutation must still name each once.
func samePicks(
    dim standard: Int? = nil, isPermutation: Bool = false
) -> @Sendable (CaseArguments, [Tensor], [Tensor]) throws -> Verdict {
    { arguments, found, expected in
        let verdict = sameOutputs(arguments, found, expected)
        guard case .wrong = verdict, let places = found.last, let expectedPlaces = expected.last,
            places.dtype == .int64, places.shape == expectedPlaces.shape,
            case .equal = sameOutputs(arguments, found.dropLast(), expected.dropLast())
        else { return verdict }
        let x = try arguments.input.tensor.detach()
        let dim = try arguments.dim.optionalInt ?? standard
        func values(_ places: Tensor) -> Tensor {
            guard let dim else { return x.reshape([x.count]).gather(dim: 0, places.reshape([places.count])) }
            return x.gather(dim: dim, places.rank == x.rank ? places : places.unsqueeze(dim: dim))
        }
        func sorted(_ places: Tensor) -> Tensor { places.sort(dim: dim ?? -1).values }
        let isValid = !isPermutation || sorted(places).equal(sorted(expectedPlaces))
        return isValid && difference(values(places), from: values(expectedPlaces)) == nil ? .equallyValid : verdict
    }
}

/// Every output has the expected shape, dtype and values.
func sameOutputs(_: CaseArguments, _ found: some Collection<Tensor>, _ expected: some Collection<Tensor>)
    -> Verdict
{
    for (index, (found, expected)) in zip(found, expected).enumerated() {
        if let problem = difference(found, from: expected) { return .wrong("output \(index + 1) \(problem)") }
    }
    return .equal
}
