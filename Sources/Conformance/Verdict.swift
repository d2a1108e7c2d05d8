import ChainRule

/// What a comparison of outputs found.
enum Verdict: Sendable {
    case equal
    /// Another answer that is right too; its gradient is not PyTorch's then, and is not compared.
    case equallyValid
    case wrong(String)
}

/// The outputs are as expected, or the integers among them name other places of the input that hold the same values: the order of equal
/// elements is free.
func samePicks(_ arguments: CaseArguments, _ found: [Tensor], _ expected: [Tensor]) throws -> Verdict {
    let verdict = sameOutputs(arguments, found, expected)
    guard case .wrong = verdict, let places = found.last, let expectedPlaces = expected.last,
        places.dtype == .int64, places.shape == expectedPlaces.shape,
        case .equal = sameOutputs(arguments, found.dropLast(), expected.dropLast())
    else { return verdict }
    let x = try arguments.input.tensor.detach()
    let dim =
        try arguments.dim.optionalInt ?? (arguments.declares("descending") || arguments.declares("k") ? -1 : nil)
    let keepsAxis = !arguments.declares("keepdim") || places.rank == x.rank
    func values(_ places: Tensor) -> Tensor {
        guard let dim else { return x.reshape([x.count]).indexSelect(dim: 0, places.reshape([places.count])) }
        return x.gather(dim: dim, keepsAxis ? places : places.unsqueeze(dim: dim))
    }
    // A permutation must name each place once, otherwise a place could stand for an equal neighbour twice.
    let isPermutation =
        !arguments.declares("descending")
        || places.sort(dim: dim ?? -1).values.equal(
            expectedPlaces.sort(dim: dim ?? -1).values)
    guard isPermutation, difference(values(places), from: values(expectedPlaces)) == nil else { return verdict }
    return .equallyValid
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
