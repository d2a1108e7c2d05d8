/// The input of a recurrent operation: what it gives to the gates of all time steps, and what is made of all their gradients at once.
///
/// With `places`, int64 (T · N), x is a table, and the input at time and sequence i is its row places[i]. What concerns the input is then
/// computed by rows of the table: once for all places where one occurs.
struct SequenceInput {
    let x, weight: Tensor
    let places: Tensor?

    /// x Wxᵀ, and the places when they are rows of x; nil after an error.
    func product(in operation: String) -> (given: Tensor, places: Tensor?)? {
        let given = CPU.matrixProduct(x, weight.mT)
        guard let places else { return (given, nil) }
        let checked = CPU.indices(places, below: x.shape[0], in: operation) { "the rows of shape \(x.shape)" }
        return checked.map { (given, $0) }
    }

    /// x Wxᵀ + b at all times, recorded.
    func given(bias: Tensor?) -> Tensor {
        let rows = x.linear(weight: weight, bias: bias)
        return places.map { rows.indexSelect(dim: 0, $0) } ?? rows
    }

    /// The gradients of what the input gave, added up by rows of x.
    func collected(_ da: Tensor) -> Tensor {
        guard let places else { return da }
        return apply(IndexAdd(axis: 0, shape: [x.shape[0], da.shape[1]]), to: da, places)
    }

    /// ∂L/∂x, of collected gradients.
    func gradient(_ da: Tensor) -> Tensor { apply(MatrixProduct(), to: da, weight) }

    /// ∂L/∂Wx, of collected gradients.
    func weightGradient(_ da: Tensor) -> Tensor { apply(MatrixProduct(), to: da.mT, x) }
}

/// ∂L/∂Wh = (∂L/∂s)ᵀ h₋ of the states before each time step: those before the first do not lie with the others.
func stateWeightGradient(_ ds: Tensor, _ outputs: Tensor, before: Tensor, reversed: Bool) -> Tensor {
    let (rows, batch) = (outputs.shape[0], before.shape[0])
    let first = ds.narrow(dim: 0, start: reversed ? rows - batch : 0, length: batch)
    let fromBefore = apply(MatrixProduct(), to: first.mT, before)
    guard rows > batch else { return fromBefore }
    let others = ds.narrow(dim: 0, start: reversed ? 0 : batch, length: rows - batch)
    let states = outputs.narrow(dim: 0, start: reversed ? batch : 0, length: rows - batch)
    return apply(MatrixProduct(), to: others.mT, states) + fromBefore
}

/// The state after the last time step.
func lastState(_ states: Tensor, batch: Int, reversed: Bool) -> Tensor {
    states.narrow(dim: 0, start: reversed ? 0 : states.shape[0] - batch, length: batch)
}

// MARK: Samples

func sequenceSamples(_ shapes: [Shape]) -> [Sample.Input] {
    shapes.map { Sample.Input(.uniform(-1...1), shape: $0) }
}

/// Of two sequences and three times, in a table of six rows.
let samplePlaces = Sample.Input(.integers(0..<4), shape: [6])
