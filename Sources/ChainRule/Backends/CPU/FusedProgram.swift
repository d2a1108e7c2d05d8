import CKernels

/// Several operations as one pass of the kernels over tiles.
final class FusedProgram {
    static let mostRegisters = Int(CK_FUSED_MAX_REGISTERS)
    static let mostOperands = Int(CK_FUSED_MAX_OPERANDS)
    static let scratchByteCount = Int(CK_FUSED_SCRATCH)

    /// An operand of the program.
    enum Operand {
        /// Lives for a tile only.
        case register(Int)
        /// An input that has the shape of the pass, by its place among the inputs.
        case input(Int)
        /// An input that has one number for each row.
        case rowInput(Int)
        /// An input that is the same for every tile: one number, or what belongs to the columns.
        case wholeInput(Int)
        /// An input that is broadcast or lies in memory with gaps, gathered into a register.
        case gathered(Int, register: Int)
        /// A result, by its place among the outputs.
        case output(Int)
        case rowOutput(Int)
        case wholeOutput(Int)
        case number(Double)
        /// Room for the sums over rows that the gradients of a layer norm are.
        case normWorkspace
    }

    enum Work {
        case elementwise(ElementwiseKernel, onRowNumbers: Bool)
        case rows(RowKernel)
        /// One number for each row, for all elements of the row.
        case spread
    }

    /// One operation and the places of its operands, the outputs first.
    struct Step {
        let work: Work
        let isDouble: Bool
        let operands: [Int?]
    }

    /// A result, and the input whose memory it may take when nobody needs that any more.
    struct Output {
        let dtype: DType
        let shape: Shape
        let reusable: Int?
    }

    private let shape: Shape
    private let hasRows: Bool
    private let registers: Int
    private let outputs: [Output]
    private let operands: [Operand]
    private let steps: [ck_fused_step]
    @exclusivity(unchecked) private var places: [ck_fused_operand]
    private let sizes: [Int64]
    /// During a run.
    @exclusivity(unchecked) private var workspaces: [Workspace] = []
    /// The numbers, kept where the kernels read them.
    private let numbers: [Int: Tensor]

    init(
        shape: Shape, hasRows: Bool, registers: Int, operands: [(operand: Operand, dtype: DType)], outputs: [Output],
        steps: [Step]
    ) {
        self.shape = shape
        self.hasRows = hasRows
        self.registers = registers
        self.outputs = outputs
        self.operands = operands.map(\.operand)
        self.steps = steps.map { ck_fused_step($0) }
        sizes = shape.isEmpty ? [1] : shape.map(Int64.init)
        var numbers: [Int: Tensor] = [:]
        places = operands.enumerated().map { index, entry in
            var place = ck_fused_operand()
            place.width = UInt8(entry.dtype.byteCount)
            switch entry.operand {
            case .register(let number):
                place.place = UInt8(CK_FUSED_REGISTER.rawValue)
                place.number = UInt8(number)
            case .gathered(_, let register):
                place.place = UInt8(CK_FUSED_STRIDED.rawValue)
                place.number = UInt8(register)
            case .number(let value):
                let number = Tensor.full([], .floating(value), dtype: entry.dtype)
                numbers[index] = number
                place.place = UInt8(CK_FUSED_NUMBER.rawValue)
                place.memory = number.rawPointer
            case .input, .output: place.place = UInt8(CK_FUSED_RUN.rawValue)
            case .rowInput, .rowOutput: place.place = UInt8(CK_FUSED_ROW_RUN.rawValue)
            case .wholeInput, .wholeOutput, .normWorkspace: place.place = UInt8(CK_FUSED_NUMBER.rawValue)
            }
            return place
        }
        self.numbers = numbers
    }

    /// Writes the results for `inputs` into `results`; takes the memory of an input, or of the result that is there, where nobody else uses it.
    func run(_ inputs: inout [Tensor], _ results: inout [Tensor?]) {
        run(&inputs, &results) { program, _ in ck_fused_run(&program) }
    }

    /// The same where `product` is to compute input number `number` first, which is uninitialized memory until then: the program, which has no
    /// operations on rows, runs on the pieces that are done.
    func run(
        _ inputs: inout [Tensor], _ results: inout [Tensor?], finishing number: Int,
        _ product: (ProductTarget) -> Void
    ) {
        run(&inputs, &results) { program, inputs in
            let target = inputs[number]
            withUnsafePointer(to: program) { program in
                var finish = ck_fused_finish(
                    program: program, result: target.rawPointer, width: Int64(target.dtype.byteCount))
                withUnsafeMutablePointer(to: &finish) { product(ProductTarget(result: target, finish: $0)) }
            }
        }
    }

    private func run(
        _ inputs: inout [Tensor], _ results: inout [Tensor?], _ body: (inout ck_fused_program, [Tensor]) -> Void
    ) {
        for operand in operands {
            switch operand {
            case .input(let number), .rowInput(let number), .wholeInput(let number):
                if !inputs[number].isContiguous { inputs[number] = CPU.contiguousCopy(inputs[number]) }
            default: break
            }
        }
        for (index, operand) in operands.enumerated() {
            guard case .gathered(let number, _) = operand else { continue }
            places[index].memory = inputs[number].rawPointer
            inputs[number].layout.broadcastStrides(to: shape).write(to: &places[index].strides)
        }
        for (index, output) in outputs.enumerated() {
            if let number = output.reusable, inputs[number].mayBecome(output) {
                results[index] = inputs[number]
            } else if !(results[index]?.mayBecome(output) ?? false) {
                results[index] = Tensor(uninitialized: output.shape, dtype: output.dtype)
            }
        }
        for (index, operand) in operands.enumerated() {
            switch operand {
            case .input(let number), .rowInput(let number), .wholeInput(let number):
                places[index].memory = inputs[number].rawPointer
            case .output(let number), .rowOutput(let number), .wholeOutput(let number):
                places[index].memory = results[number]?.rawPointer
            case .normWorkspace:
                let columns = shape.last ?? 1
                let size = ck_layer_norm_grad_workspace(Int64(shape.elementCount / columns), Int64(columns))
                workspaces.append(Workspace(byteCount: size))
                places[index].memory = workspaces[workspaces.count - 1].pointer
            case .register, .gathered, .number: break
            }
        }
        defer { workspaces.removeAll(keepingCapacity: true) }
        // The caller holds inputs and results meanwhile.
        steps.withUnsafeBufferPointer { steps in
            places.withUnsafeBufferPointer { places in
                sizes.withUnsafeBufferPointer { sizes in
                    guard let step = steps.baseAddress, let place = places.baseAddress, let size = sizes.baseAddress
                    else { return }
                    var program = ck_fused_program(
                        steps: Int32(steps.count), operands: Int32(places.count), registers: Int32(registers),
                        has_rows: hasRows ? 1 : 0, rank: Int32(shape.count), step: step, operand: place,
                        shape: size)
                    body(&program, inputs)
                }
            }
        }
    }
}

/// Where a product goes, and what is done to each piece of it that is finished.
struct ProductTarget {
    /// Contiguous, in any shape with as many elements; its old values do not matter.
    let result: Tensor
    fileprivate let finish: UnsafeMutablePointer<ck_fused_finish>

    func describe(to product: inout ck_matmul) {
        product.finish = ck_fused_finish_piece
        product.finish_context = UnsafeMutableRawPointer(finish)
    }
}

extension Tensor {
    /// Whether a result may be written here: it is whole and of that form, and nobody else has it.
    fileprivate mutating func mayBecome(_ output: FusedProgram.Output) -> Bool {
        shape == output.shape && dtype == output.dtype && isContiguous && layout.offset == 0 && body.node == nil
            && body.storage.byteCount == count * dtype.byteCount && hasOwnBody()
            && isKnownUniquelyReferenced(&body.storage)
    }
}

extension Shape {
    fileprivate func write(to numbers: inout EightNumbers) {
        withUnsafeMutableBytes(of: &numbers) { bytes in
            let target = bytes.assumingMemoryBound(to: Int64.self)
            for axis in 0..<count { target[axis] = Int64(self[axis]) }
        }
    }
}

extension ck_fused_step {
    fileprivate init(_ step: FusedProgram.Step) {
        self.init()
        is_double = step.isDouble ? 1 : 0
        let kind: ck_fused_kind
        // Unused places of elementwise kernels name an operand that is there, so that nothing else is looked at.
        var unused = UInt8(CK_FUSED_NONE)
        switch step.work {
        case .spread: kind = CK_FUSED_SPREAD
        case .elementwise(let kernel, let onRowNumbers):
            kind = set(kernel)
            on_row_numbers = onRowNumbers ? 1 : 0
            unused = UInt8(step.operands[0] ?? 0)
        case .rows(let kernel): kind = set(kernel)
        }
        self.kind = UInt8(kind.rawValue)
        withUnsafeMutableBytes(of: &operands) { places in
            for index in places.indices {
                places[index] = index < step.operands.count ? step.operands[index].map(UInt8.init) ?? unused : unused
            }
        }
    }

    private mutating func set(_ kernel: ElementwiseKernel) -> ck_fused_kind {
        switch kernel {
        case .unary(let function):
            operation = UInt8(function.rawValue)
            return CK_FUSED_UNARY
        case .withSlope(let function):
            operation = UInt8(function.rawValue)
            return CK_FUSED_WITH_SLOPE
        case .binary(let function), .withNumber(let function, _, _):
            operation = UInt8(function.rawValue)
            return CK_FUSED_BINARY
        case .compare(let comparison), .compareWithNumber(let comparison, _):
            operation = UInt8(comparison.rawValue)
            return CK_FUSED_COMPARE
        case .multiplyAdd(let factor):
            parameter.0 = factor
            return CK_FUSED_MULADD
        case .select, .fill: return CK_FUSED_SELECT
        case .clamp(let lower, let upper):
            parameter = (lower, upper)
            return CK_FUSED_CLAMP
        case .clampGradient(let lower, let upper):
            parameter = (lower, upper)
            return CK_FUSED_CLAMP_GRAD
        case .convert(let source, let target):
            operation = UInt8(source.rawValue * CK_NUMBER_COUNT.rawValue + target.rawValue)
            return CK_FUSED_CONVERT
        }
    }

    private mutating func set(_ kernel: RowKernel) -> ck_fused_kind {
        switch kernel {
        case .softmax(let logarithm):
            operation = logarithm ? 1 : 0
            return CK_FUSED_SOFTMAX
        case .softmaxGradient(let logarithm):
            operation = logarithm ? 1 : 0
            return CK_FUSED_SOFTMAX_GRAD
        case .layerNorm(let eps, _):
            parameter.0 = is_double != 0 ? eps : Double(Float(eps))
            return CK_FUSED_LAYER_NORM
        case .layerNormGradient: return CK_FUSED_LAYER_NORM_GRAD
        case .reduction(let reduction):
            operation = UInt8(reduction.rawValue)
            return CK_FUSED_REDUCE
        }
    }
}
