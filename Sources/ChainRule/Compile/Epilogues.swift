/// Brings products together with the elementwise operations behind them, which then run on each piece of the result while it is in the cache of
/// the thread that made it. Between them there may be a reshape: the elements stay in their order.
///
/// - Parameters:
///   - units: what runs as one, in order.
///   - kept: the values that stay after a run.
/// - Returns: The units with products moved to the front of those that finish them.
func foldingEpilogues(_ units: [[RecordedStep]], _ forms: [ValueForm], kept: Set<Int>) -> [[RecordedStep]] {
    var search = EpilogueSearch(units, forms, kept: kept)
    for index in units.indices { search.fold(into: index) }
    return search.units.filter { !$0.isEmpty }
}

private struct EpilogueSearch {
    private(set) var units: [[RecordedStep]]
    private let forms: [ValueForm]
    private let kept: Set<Int>
    private var makers: [Int: Int] = [:]
    private var users: [Int: Set<Int>] = [:]
    /// For each unit how many before it change something outside.
    private var effects = [0]

    init(_ units: [[RecordedStep]], _ forms: [ValueForm], kept: Set<Int>) {
        self.units = units
        self.forms = forms
        self.kept = kept
        for (index, unit) in units.enumerated() {
            for step in unit {
                for number in step.inputs { users[number, default: []].insert(index) }
                for number in step.outputs { makers[number] = index }
            }
            effects.append(effects[index] + (unit.contains { $0.role == .effect } ? 1 : 0))
        }
    }

    /// Moves the product that a group of elementwise operations works on to its front.
    mutating func fold(into index: Int) {
        let tiled = units[index].compactMap { TiledStep($0, forms) }
        guard let shape = tiled.first?.shape, tiled.count == units[index].count, shape.elementCount > 1,
            tiled.allSatisfy({ $0.isElementwise && $0.shape == shape })
        else { return }
        for number in Set(units[index].flatMap(\.inputs)).sorted() where forms[number].shape == shape {
            guard let head = head(making: number, for: index, at: index) else { continue }
            units[index] = head.flatMap { units[$0] } + units[index]
            for unit in head { units[unit] = [] }
            return
        }
    }

    /// The units of a product, and of the reshape behind it, that make a value for `user` alone and can run at `place` instead.
    private func head(making number: Int, for user: Int, at place: Int) -> [Int]? {
        guard let maker = makers[number], maker != user, users[number] == [user], !kept.contains(number),
            units[maker].count == 1, forms[number].isContiguous,
            DTypes.fullPrecision.contains(forms[number].dtype)
        else { return nil }
        let step = units[maker][0]
        if step.identity.base is Reshape {
            return head(making: step.inputs[0], for: maker, at: place).map { $0 + [maker] }
        }
        // What the product reads must not be changed before it runs.
        guard step.finishable != nil, effects[maker] == effects[place] else { return nil }
        return [maker]
    }
}

/// A product, and the elementwise operations that finish its pieces.
final class EpilogueStep: RecordedStep {
    private let product: any FinishableOperation
    private let productInputs: [Int]
    private let form: ValueForm
    private let program: FusedProgram
    /// Which input of the program the product is.
    private let result: Int
    private let programInputs: [Int]
    /// The inputs of the program whose memory results may take.
    private let takes: [Bool]
    /// The inputs of the product, and the results, during a run.
    @exclusivity(unchecked) private var operands: [Tensor] = []
    @exclusivity(unchecked) private var results: [Tensor?]

    /// The step for a product, reshapes, and the operations that finish it; nil when these need more registers or operands than there are.
    static func make(
        _ unit: [RecordedStep], forms: [ValueForm], needed: @escaping (Int) -> Bool,
        isLastUse: @escaping (Int) -> Bool
    ) -> EpilogueStep? {
        let head = unit.prefix { $0.finishable != nil || $0.identity.base is Reshape }
        guard let first = head.first, let product = first.finishable, let last = head.last,
            let layout = FusedLayout(Array(unit[head.count...]), forms, needed: needed, isLastUse: isLastUse),
            let result = layout.inputs.firstIndex(of: last.outputs[0])
        else { return nil }
        return EpilogueStep(
            first, product, form: forms[last.outputs[0]], result: result, layout, layout.inputs.map(layout.takes),
            AnyHashable(unit.map(\.identity)), parts: unit[head.count...].map(\.name))
    }

    // The compiler crashes on closures in front of `super.init`: they are in `make`.
    private init(
        _ step: RecordedStep, _ product: any FinishableOperation, form: ValueForm, result: Int, _ layout: FusedLayout,
        _ takes: [Bool], _ identity: AnyHashable, parts: [String]
    ) {
        self.product = product
        self.form = form
        self.result = result
        self.takes = takes
        results = layout.outputs.map { _ in nil }
        productInputs = step.inputs
        program = layout.program
        programInputs = layout.inputs
        var inputs = step.inputs + layout.inputs
        inputs.remove(at: step.inputs.count + result)
        super.init("\(step.name) finished by", identity, .computation, inputs: inputs, outputs: layout.outputs)
        self.parts = parts
    }

    override func run(_ values: inout ValueTable) {
        for number in productInputs { operands.append(values[number]) }
        for (index, number) in programInputs.enumerated() {
            if index == result {
                arguments.append(Tensor(uninitialized: form.shape, dtype: form.dtype))
            } else {
                arguments.append(takes[index] ? values.take(number) : values[number])
            }
        }
        program.run(&arguments, &results, finishing: result) { product.compute(operands, into: $0) }
        operands.removeAll(keepingCapacity: true)
        arguments.removeAll(keepingCapacity: true)
        for (index, number) in outputs.enumerated() { values.set(number, to: results[index].take()) }
    }
}
