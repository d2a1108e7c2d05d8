import CKernels

/// Where the values of a fused step lie: found by going through its operations once, a register being free again after the last
/// reading of what is in it.
struct FusedLayout {
    private(set) var inputs: [Int] = []
    private(set) var outputs: [Int] = []
    private let shape: Shape
    private let hasRows: Bool
    private let forms: [ValueForm]
    private let needed: (Int) -> Bool
    private let isLastUse: (Int) -> Bool
    private var operands: [(operand: FusedProgram.Operand, dtype: DType)] = []
    private var steps: [FusedProgram.Step] = []
    private var results: [FusedProgram.Output] = []
    /// The operand that a value is.
    private var place: [Use: Int] = [:]
    /// What a tile has of the values that are made here.
    private var extents: [Int: TileExtent] = [:]
    /// The operation that reads a value last.
    private var lastRead: [Int: Int] = [:]
    private var registersOf: [Int: [Int]] = [:]
    private var freeRegisters: [Int] = []
    private var registerCount = 0
    private var reused: Set<Int> = []

    private struct Use: Hashable {
        let number: Int
        let extent: TileExtent
    }

    /// - Returns: nil when the members need more registers or operands than there are, or what one makes is not there yet when another needs it.
    init?(
        _ members: [RecordedStep], _ forms: [ValueForm], needed: @escaping (Int) -> Bool,
        isLastUse: @escaping (Int) -> Bool
    ) {
        let tiled = members.compactMap { TiledStep($0, forms) }
        guard tiled.count == members.count,
            let largest = tiled.max(by: { $0.shape.elementCount < $1.shape.elementCount })
        else { return nil }
        shape = largest.shape
        self.forms = forms
        self.needed = needed
        self.isLastUse = isLastUse
        hasRows = tiled.contains {
            if case .rows = $0.kernel { true } else { $0.shape != largest.shape }
        }
        for (index, step) in members.enumerated() {
            for number in step.inputs { lastRead[number] = index }
        }
        for step in tiled {
            for (number, extent) in zip(step.step.outputs, outputExtents(of: step)) { extents[number] = extent }
        }
        for step in tiled { placeInputs(of: step) }
        for (index, step) in tiled.enumerated() {
            guard add(step, index) else { return nil }
        }
        guard registerCount <= FusedProgram.mostRegisters, operands.count <= FusedProgram.mostOperands else {
            return nil
        }
        if hasRows, registerCount * ((shape.last ?? 1) * 8 + 64) > FusedProgram.scratchByteCount { return nil }
    }

    var program: FusedProgram {
        FusedProgram(
            shape: shape, hasRows: hasRows, registers: registerCount, operands: operands, outputs: results, steps: steps
        )
    }

    /// Whether a result may take the memory of an input.
    func takes(_ input: Int) -> Bool { reused.contains(input) }

    // MARK: Extents

    private func outputExtents(of step: TiledStep) -> [TileExtent] {
        switch step.kernel {
        case .elementwise: step.step.outputs.map { _ in step.shape == shape ? .elements : .rowNumbers }
        case .rows(let kernel): kernel.outputExtents
        }
    }

    private func extent(ofInput position: Int, of step: TiledStep) -> TileExtent {
        switch step.kernel {
        case .elementwise(let kernel):
            let number = step.step.inputs[position]
            let isNumber = forms[number].shape.elementCount == 1 && kernel.takesNumber(at: position)
            if isNumber, extents[number] == nil { return .whole }
            return step.shape == shape ? .elements : .rowNumbers
        case .rows(let kernel): return kernel.inputExtents[position]
        }
    }

    // MARK: Inputs

    /// What comes from outside; what must be gathered holds a register from the beginning.
    private mutating func placeInputs(of step: TiledStep) {
        for (position, number) in step.step.inputs.enumerated() where extents[number] == nil {
            let use = Use(number: number, extent: extent(ofInput: position, of: step))
            guard place[use] == nil else { continue }
            let form = forms[number]
            let input = inputs.firstIndex(of: number) ?? inputs.count
            if input == inputs.count { inputs.append(number) }
            switch use.extent {
            case .rowNumbers: append(.rowInput(input), use)
            case .whole: append(.wholeInput(input), use)
            case .elements where form.shape == shape && form.isContiguous: append(.input(input), use)
            case .elements: append(.gathered(input, register: takeRegister(for: number)), use)
            }
        }
    }

    /// The operand that an input is; what is one number for each row is spread over the rows where all elements are asked for.
    private mutating func operand(ofInput position: Int, of step: TiledStep) -> Int? {
        let use = Use(number: step.step.inputs[position], extent: extent(ofInput: position, of: step))
        if let operand = place[use] { return operand }
        guard use.extent == .elements, forms[use.number].dtype == step.dtype,
            let numbers = place[Use(number: use.number, extent: .rowNumbers)]
        else {
            return nil
        }
        append(.register(takeRegister(for: use.number)), use)
        steps.append(
            FusedProgram.Step(work: .spread, isDouble: step.dtype == .float64, operands: [operands.count - 1, numbers]))
        return operands.count - 1
    }

    private mutating func append(_ operand: FusedProgram.Operand, _ use: Use) {
        place[use] = operands.count
        operands.append((operand, forms[use.number].dtype))
    }

    // MARK: Steps

    /// Adds operation number `index`. Answers false when it can't be.
    private mutating func add(_ step: TiledStep, _ index: Int) -> Bool {
        var numbers: [Int] = []
        for position in step.step.inputs.indices {
            guard let operand = operand(ofInput: position, of: step) else { return false }
            numbers.append(operand)
        }
        let read = Set(step.step.inputs).filter { lastRead[$0] == index }
        for number in read where mayBeOverwritten(number, by: step) { release(number) }
        let places = step.step.outputs.map { placeOutput($0, index) }
        for number in read { release(number) }
        let isDouble = step.dtype == .float64
        switch step.kernel {
        case .elementwise(let kernel):
            if let number = kernel.number {
                numbers = kernel.operands(inputs: numbers, number: operands.count)
                operands.append((.number(number.double), step.dtype))
            }
            steps.append(
                FusedProgram.Step(
                    work: .elementwise(kernel, onRowNumbers: step.shape != shape), isDouble: isDouble,
                    operands: places + numbers))
        case .rows(let kernel):
            if case .layerNormGradient(isAffine: true) = kernel {
                numbers.append(operands.count)
                operands.append((.normWorkspace, step.dtype))
            }
            steps.append(
                FusedProgram.Step(
                    work: .rows(kernel), isDouble: isDouble, operands: kernel.operands(inputs: numbers, outputs: places)
                ))
        }
        return true
    }

    /// A kernel may write where it reads, if it reads the same elements and they are of one width.
    private func mayBeOverwritten(_ number: Int, by step: TiledStep) -> Bool {
        let written = Set(outputExtents(of: step)).subtracting([.whole])
        let extent = extents[number] ?? .elements
        return written == [extent] && registersOf[number]?.count == 1
            && step.step.outputs.allSatisfy { forms[$0].dtype == forms[number].dtype }
    }

    private mutating func placeOutput(_ number: Int, _ index: Int) -> Int {
        let form = forms[number]
        let use = Use(number: number, extent: extents[number] ?? .elements)
        guard needed(number) || use.extent == .whole else {
            append(.register(takeRegister(for: number)), use)
            return operands.count - 1
        }
        var reusable: Int?
        switch use.extent {
        case .elements:
            let input = inputs.first { isReusable($0, form.dtype, index) && isLastUse($0) }
            if let input { reused.insert(input) }
            reusable = input.flatMap { inputs.firstIndex(of: $0) }
            append(.output(outputs.count), use)
        case .rowNumbers: append(.rowOutput(outputs.count), use)
        case .whole: append(.wholeOutput(outputs.count), use)
        }
        outputs.append(number)
        results.append(FusedProgram.Output(dtype: form.dtype, shape: form.shape, reusable: reusable))
        return operands.count - 1
    }

    /// Whether the memory of an input may take the result of operation `index`.
    private func isReusable(_ input: Int, _ dtype: DType, _ index: Int) -> Bool {
        guard !reused.contains(input), forms[input].dtype == dtype, forms[input].shape == shape,
            let last = lastRead[input], last <= index,
            let operand = place[Use(number: input, extent: .elements)]
        else { return false }
        if case .input = operands[operand].operand { return true }
        return false
    }

    // MARK: Registers

    private mutating func takeRegister(for number: Int) -> Int {
        let register = freeRegisters.popLast() ?? registerCount
        registerCount = max(registerCount, register + 1)
        registersOf[number, default: []].append(register)
        return register
    }

    private mutating func release(_ number: Int) {
        freeRegisters += registersOf.removeValue(forKey: number) ?? []
    }
}

/// What a tile has of a value.
enum TileExtent {
    case elements
    /// One number for each row.
    case rowNumbers
    /// The same for every tile: a number, or what belongs to the columns.
    case whole
}

extension RowKernel {
    fileprivate var inputExtents: [TileExtent] {
        switch self {
        case .softmax, .reduction: [.elements]
        case .softmaxGradient: [.elements, .elements]
        case .layerNorm: [.elements, .whole, .whole]
        case .layerNormGradient: [.elements, .elements, .rowNumbers, .rowNumbers, .whole]
        }
    }

    fileprivate var outputExtents: [TileExtent] {
        switch self {
        case .softmax, .softmaxGradient: [.elements]
        case .layerNorm: [.elements, .rowNumbers, .rowNumbers]
        case .layerNormGradient: [.elements, .whole, .whole]
        case .reduction: [.rowNumbers]
        }
    }

    /// The operands in the order of the kernels.
    fileprivate func operands(inputs: [Int], outputs: [Int]) -> [Int?] {
        switch self {
        case .softmax, .softmaxGradient, .reduction: return outputs + inputs
        case .layerNorm:
            let parameters = inputs.dropFirst().map { Optional($0) }
            return [outputs[0], inputs[0], nil, outputs[1], outputs[2]] + parameters
        case .layerNormGradient(let isAffine):
            let given: [Int?] = [outputs[0], inputs[0], inputs[1], inputs[2], inputs[3]]
            return isAffine ? given + [inputs[4], nil, outputs[1], outputs[2], inputs[5]] : given
        }
    }
}
