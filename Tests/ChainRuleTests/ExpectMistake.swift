import ChainRule
import Testing

/// Whether `body` makes a mistake: in the operation of this name, where one is given, and in a sentence that holds every one of `parts`.
func expectMistake<Result>(
    in operation: String? = nil, _ parts: String..., sourceLocation: SourceLocation = #_sourceLocation,
    _ body: () -> Result
) {
    let error = #expect(throws: TensorError.self, sourceLocation: sourceLocation) { try catchingErrors(body) }
    guard let error else { return }
    if let operation { #expect(error.operation == operation, sourceLocation: sourceLocation) }
    for part in parts { #expect("\(error)".contains(part), sourceLocation: sourceLocation) }
}
