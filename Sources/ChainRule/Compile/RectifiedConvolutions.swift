/// A ReLU of nothing but a convolution's result becomes part of the convolution, which writes the same bits in one pass.
///
/// - Parameter kept: The values that stay after a run.
func rectifyingConvolutions(_ steps: [RecordedStep], kept: Set<Int>) -> [RecordedStep] {
    var users: [Int: [Int]] = [:]
    for (index, step) in steps.enumerated() {
        for number in Set(step.inputs) { users[number, default: []].append(index) }
    }
    var joined: Set<Int> = []
    let rectified = steps.map { step in
        guard let convolution = step.identity.base as? Convolution, !kept.contains(step.outputs[0]),
            let user = users[step.outputs[0]], user.count == 1, steps[user[0]].identity.base is Relu
        else { return step }
        joined.insert(user[0])
        let operation = RectifiedConvolution(geometry: convolution.geometry)
        return VariadicStep(operation, step.inputs, steps[user[0]].outputs)
    }
    return rectified.enumerated().filter { !joined.contains($0.offset) }.map(\.element)
}
