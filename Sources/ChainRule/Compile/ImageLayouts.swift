/// Chooses how images lie in memory: (batch, channels, rows, columns) as operations are written, or with the channels last, as the
/// convolutions of many channels want what they read and write. A value between two of them lies as they want it where that saves more
/// turning than it costs before and behind the steps that know one layout only.
///
/// - Parameters:
///   - forms: They get the shapes of the values that lie otherwise, and the values that are turned.
///   - kept: The values that stay after a run: they lie as written.
func choosingImageLayouts(_ steps: [RecordedStep], _ forms: inout [ValueForm], kept: Set<Int>) -> [RecordedStep] {
    let choice = ImageLayoutChoice(steps, forms, kept: kept)
    if choice.chosen.isEmpty { return steps }
    var rewriting = ImageLayoutRewriting(choice.chosen, forms)
    for (step, images) in zip(steps, choice.imageSteps) { rewriting.append(step, images) }
    forms = rewriting.forms
    return rewriting.steps
}

/// What a step can do with images whose channels come last.
private enum ImageStep {
    /// A convolution: x and y may each lie as they like.
    case convolution(any ConvolutionOperation, x: Int, y: Int)
    /// All the images that it reads and makes lie alike; none when it knows one layout only.
    case alike(Set<Int>, (any ImageOperation)?)

    var numbers: Set<Int> {
        switch self {
        case .convolution(_, let x, let y): [x, y]
        case .alike(let numbers, _): numbers
        }
    }

    /// The inputs of a step that lie as written.
    func positionsAsWritten(_ step: RecordedStep) -> [Int] {
        switch self {
        case .convolution(let operation, _, _): step.inputs.indices.filter { !operation.imagePositions.contains($0) }
        case .alike(let numbers, _): step.inputs.indices.filter { !numbers.contains(step.inputs[$0]) }
        }
    }

    init(_ step: RecordedStep, _ forms: [ValueForm], kept: Set<Int>) {
        let isImage = { (number: Int) in forms[number].shape.count == 4 && forms[number].shape.elementCount > 1 }
        if let operation = step.identity.base as? any ConvolutionOperation {
            let (x, y) = operation.sides(step)
            let isConvolution = isImage(x) && isImage(y) && forms[x].dtype == .float32
            self = isConvolution ? .convolution(operation, x: x, y: y) : .alike([], nil)
        } else if !kept.isDisjoint(with: step.outputs) {
            self = .alike([], nil)
        } else if let operation = step.identity.base as? any ImageOperation {
            let images = operation.images(step)
            self = .alike(images.allSatisfy(isImage) ? images : [], operation)
        } else if step.kernel != nil {
            let values = (step.inputs + step.outputs).filter { forms[$0].shape.elementCount > 1 }
            self = .alike(values.allSatisfy(isImage) ? Set(values) : [], nil)
        } else {
            self = .alike([], nil)
        }
    }
}

/// Which values lie with their channels last.
private struct ImageLayoutChoice {
    /// What each step can do.
    let imageSteps: [ImageStep]
    private(set) var chosen: Set<Int> = []
    /// The values that could, and for each another of those that must lie alike; itself at last.
    private var next: [Int: Int] = [:]

    init(_ steps: [RecordedStep], _ forms: [ValueForm], kept: Set<Int>) {
        imageSteps = steps.map { ImageStep($0, forms, kept: kept) }
        for (step, images) in zip(steps, imageSteps) {
            let made = images.numbers.intersection(step.outputs).subtracting(kept)
            for number in made { next[number] = number }
            if case .alike(let numbers, _) = images { join(numbers.filter { next[$0] != nil }) }
        }
        // What it saves, in elements that are not turned: turning is reading and writing.
        var gains: [Int: Int] = [:]
        func count(_ number: Int, _ times: Int, for value: Int?) {
            guard let value, next[value] != nil else { return }
            gains[first(value), default: 0] += times * forms[number].shape.elementCount
        }
        for (step, images) in zip(steps, imageSteps) {
            for number in Set(images.positionsAsWritten(step).map { step.inputs[$0] }) {
                count(number, -2, for: number)
            }
            switch images {
            case .convolution(let operation, let x, let y):
                let batch = forms[x].shape[0]
                count(x, operation.works(ChannelsLast(x: true), batch: batch) ? 1 : -2, for: x)
                count(y, operation.works(ChannelsLast(y: true), batch: batch) ? 1 : -2, for: y)
            case .alike(let images, _):
                let value = images.first { next[$0] != nil }
                for number in images where next[number] == nil { count(number, -2, for: value) }
            }
        }
        for number in next.keys where gains[first(number), default: 0] > 0 { chosen.insert(number) }
    }

    private func first(_ number: Int) -> Int {
        var number = number
        while let before = next[number], before != number { number = before }
        return number
    }

    private mutating func join(_ numbers: Set<Int>) {
        let ends = Set(numbers.map(first))
        for end in ends { next[end] = ends.min() }
    }
}

/// The steps on images that lie as chosen.
private struct ImageLayoutRewriting {
    private let chosen: Set<Int>
    private(set) var forms: [ValueForm]
    private(set) var steps: [RecordedStep] = []
    /// The number of the same value in the other layout.
    private var turned: [Int: Int] = [:]

    init(_ chosen: Set<Int>, _ forms: [ValueForm]) {
        self.chosen = chosen
        self.forms = forms
        for number in chosen {
            self.forms[number] = ValueForm(forms[number].shape.withChannelsLast, forms[number].dtype)
        }
    }

    mutating func append(_ step: RecordedStep, _ images: ImageStep) {
        for position in images.positionsAsWritten(step) where chosen.contains(step.inputs[position]) {
            step.inputs[position] = turn(step.inputs[position])
        }
        switch images {
        case .convolution(let operation, let x, let y):
            let last = ChannelsLast(x: chosen.contains(x), y: chosen.contains(y))
            guard last != ChannelsLast() else { return steps.append(step) }
            steps.append(ChannelsLastStep(step) { operation.forward($0, last) })
        case .alike(let images, let operation) where !images.isDisjoint(with: chosen):
            for (position, number) in step.inputs.enumerated() where images.contains(number) && !chosen.contains(number)
            {
                step.inputs[position] = turn(number)
            }
            steps.append(
                operation.map { operation in ChannelsLastStep(step) { operation.forwardChannelsLast($0) } } ?? step)
        default: steps.append(step)
        }
    }

    /// The value in the other layout.
    private mutating func turn(_ number: Int) -> Int {
        if let other = turned[number] { return other }
        let (form, other, isLast) = (forms[number], forms.count, chosen.contains(number))
        forms.append(ValueForm(isLast ? form.shape.withChannelsFirst : form.shape.withChannelsLast, form.dtype))
        let name = isLast ? "channels first" : "channels last"
        steps.append(
            ClosureStep(name, AnyHashable(name), .computation, inputs: [number], outputs: [other]) {
                Tensor.list(isLast ? CPU.withChannelsFirst($0[0]) : CPU.withChannelsLast($0[0]))
            })
        turned[number] = other
        return other
    }
}

/// A step on images whose channels come last.
private final class ChannelsLastStep: RecordedStep {
    private let body: ([Tensor]) -> [Tensor]

    init(_ step: RecordedStep, _ body: @escaping ([Tensor]) -> [Tensor]) {
        self.body = body
        // Not that of the operation, whose axes have other places: nothing is to join it by what it says of them.
        let identity = AnyHashable([step.identity, AnyHashable("channels last")])
        super.init(step.name + ", channels last", identity, step.role, inputs: step.inputs, outputs: step.outputs)
    }

    override func run(_ values: inout ValueTable) { run(&values, body) }
}
