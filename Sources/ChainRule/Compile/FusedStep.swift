/// Elementwise operations of one shape that run together.
final class FusedStep: RecordedStep {
    private let program: FusedProgram
    /// The inputs that nobody needs after this step: their memory may be taken.
    private let lastUses: [Bool]

    /// - Parameters:
    ///   - members: the operations in order.
    ///   - needed: whether a value is used by others.
    ///   - isLastUse: whether a value is used by nobody afterwards, and its memory belongs to this run.
    /// - Returns: nil when they need more registers or operands than there are.
    init?(_ members: [RecordedStep], forms: [ValueForm], needed: (Int) -> Bool, isLastUse: (Int) -> Bool) {
        guard let layout = FusedLayout(members, forms, needed: needed, isLastUse: isLastUse) else { return nil }
        program = layout.program
        lastUses = layout.inputs.map(isLastUse)
        super.init(
            "fused", AnyHashable(members.map(\.identity)), .computation, inputs: layout.inputs, outputs: layout.outputs)
        parts = members.map(\.name)
    }

    override func run(_ values: inout ValueTable) {
        var tensors: [Tensor] = []
        tensors.reserveCapacity(inputs.count)
        for (index, number) in inputs.enumerated() {
            tensors.append(values[number])
            if lastUses[index] { values.release(number) }
        }
        let results = program.run(&tensors)
        for (number, result) in zip(outputs, results) { values[number] = result }
    }
}

/// Where the values of a fused step lie: found by going through its operations once, a register being free again after the last
/// reading of what is in it.
private struct FusedLayout {
    private(set) var inputs: [Int] = []
    private(set) var outputs: [Int] = []
    private let shape: Shape
    private let forms: [ValueForm]
    private var operands: [(operand: FusedProgram.Operand, dtype: DType)] = []
    private var steps: [FusedProgram.Step] = []
    private var results: [FusedProgram.Output] = []
    /// The operand that a value is.
    private var place: [Int: Int] = [:]
    /// The operation that reads a value last.
    private var lastRead: [Int: Int] = [:]
    private var registerOf: [Int: Int] = [:]
    private var freeRegisters: [Int] = []
    private var registerCount = 0
    private var reused: Set<Int> = []

    init?(
        _ members: [RecordedStep], _ forms: [ValueForm], needed: (Int) -> Bool, isLastUse: (Int) -> Bool
    ) {
        shape = forms[members[0].outputs[0]].shape
        self.forms = forms
        for (index, step) in members.enumerated() {
            for number in step.inputs { lastRead[number] = index }
        }
        placeInputs(members)
        for (index, step) in members.enumerated() {
            guard let kernel = step.kernel else { return nil }
            var numbers = step.inputs.map { place[$0] ?? 0 }
            let output = step.outputs[0]
            let dtype = forms[output].dtype
            if case .withNumber(_, let number, let isFirst) = kernel {
                numbers.insert(operands.count, at: isFirst ? 0 : 1)
                operands.append((.number(number.double), dtype))
            }
            let read = Set(step.inputs).filter { lastRead[$0] == index }
            // A kernel may write where it reads, if the elements are of one width.
            for number in read where forms[number].dtype == dtype { release(number) }
            if needed(output) {
                placeOutput(output, dtype, reusing: inputs.first { isReusable($0, dtype, index) && isLastUse($0) })
            } else {
                placeInRegister(output, dtype)
            }
            for number in read { release(number) }
            let isDouble = forms[step.inputs[step.inputs.count - 1]].dtype == .float64
            steps.append(
                FusedProgram.Step(kernel: kernel, isDouble: isDouble, operands: [place[output] ?? 0] + numbers))
        }
        guard registerCount <= FusedProgram.mostRegisters, operands.count <= FusedProgram.mostOperands else {
            return nil
        }
    }

    var program: FusedProgram {
        FusedProgram(shape: shape, registers: registerCount, operands: operands, outputs: results, steps: steps)
    }

    /// Inputs first: those that must be gathered hold a register from the beginning.
    private mutating func placeInputs(_ members: [RecordedStep]) {
        let made = Set(members.flatMap(\.outputs))
        var spread: Set<Int> = []
        for step in members {
            for (position, number) in step.inputs.enumerated()
            where !(step.kernel?.takesNumber(at: position) ?? false) {
                spread.insert(number)
            }
        }
        for number in members.flatMap(\.inputs) where !made.contains(number) && place[number] == nil {
            let form = forms[number]
            let isRun = form.shape == shape && form.isContiguous
            let isNumber = form.shape.elementCount == 1 && !spread.contains(number)
            place[number] = operands.count
            if isRun || isNumber {
                operands.append((.input(inputs.count), form.dtype))
            } else {
                let register = takeRegister()
                registerOf[number] = register
                operands.append((.gathered(inputs.count, register: register), form.dtype))
            }
            inputs.append(number)
        }
    }

    private mutating func placeOutput(_ number: Int, _ dtype: DType, reusing input: Int?) {
        if let input { reused.insert(input) }
        place[number] = operands.count
        operands.append((.output(outputs.count), dtype))
        outputs.append(number)
        let reusable = input.flatMap { inputs.firstIndex(of: $0) }
        results.append(FusedProgram.Output(dtype: dtype, reusable: reusable))
    }

    private mutating func placeInRegister(_ number: Int, _ dtype: DType) {
        let register = takeRegister()
        registerOf[number] = register
        place[number] = operands.count
        operands.append((.register(register), dtype))
    }

    /// Whether the memory of an input may take the result of operation `index`.
    private func isReusable(_ input: Int, _ dtype: DType, _ index: Int) -> Bool {
        guard !reused.contains(input), forms[input].dtype == dtype, forms[input].shape == shape,
            let last = lastRead[input], last <= index, let operand = place[input]
        else { return false }
        if case .input = operands[operand].operand { return true }
        return false
    }

    private mutating func takeRegister() -> Int {
        if let number = freeRegisters.popLast() { return number }
        registerCount += 1
        return registerCount - 1
    }

    private mutating func release(_ number: Int) {
        if let register = registerOf.removeValue(forKey: number) { freeRegisters.append(register) }
    }
}

extension ElementwiseKernel {
    /// Whether the kernel reads this input as one number for all elements.
    fileprivate func takesNumber(at position: Int) -> Bool {
        switch self {
        case .unary: false
        case .select: position > 0
        case .binary, .withNumber, .compare, .multiplyAdd: true
        }
    }
}
