import CKernels

/// Several elementwise operations as one pass of the kernels over tiles.
final class FusedProgram {
    static let mostRegisters = Int(CK_FUSED_MAX_REGISTERS)
    static let mostOperands = Int(CK_FUSED_MAX_OPERANDS)

    /// An operand of the program.
    enum Operand {
        /// Lives for a tile only.
        case register(Int)
        /// An input that has the shape of the pass, or is one number; by its place among the inputs.
        case input(Int)
        /// An input that is broadcast or lies in memory with gaps, gathered into a register.
        case gathered(Int, register: Int)
        /// A result, by its place among the outputs.
        case output(Int)
        case number(Double)
    }

    /// One operation: its kernel and the places of its operands, the output first.
    struct Step {
        let kernel: ElementwiseKernel
        let isDouble: Bool
        let operands: [Int]
    }

    /// A result: its dtype, and the input whose memory it may take when nobody needs that any more.
    struct Output {
        let dtype: DType
        let reusable: Int?
    }

    private let shape: Shape
    private let registers: Int
    private let outputs: [Output]
    private let operands: [Operand]
    private let steps: [ck_fused_step]
    private var places: [ck_fused_operand]
    private let sizes: [Int64]
    /// The numbers, kept where the kernels read them.
    private let numbers: [Int: Tensor]

    init(shape: Shape, registers: Int, operands: [(operand: Operand, dtype: DType)], outputs: [Output], steps: [Step]) {
        self.shape = shape
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
            }
            return place
        }
        self.numbers = numbers
    }

    /// The results for `inputs`; takes the memory of an input that nobody else uses where it may.
    func run(_ inputs: inout [Tensor]) -> [Tensor] {
        for (index, operand) in operands.enumerated() {
            if case .input(let number) = operand, inputs[number].shape == shape, !inputs[number].isContiguous {
                inputs[number] = CPU.contiguousCopy(inputs[number])
            }
            if case .gathered(let number, _) = operand {
                places[index].memory = inputs[number].rawPointer
                inputs[number].layout.broadcastStrides(to: shape).write(to: &places[index].strides)
            }
        }
        let results = outputs.map { output in
            if let number = output.reusable, let memory = inputs[number].memoryForReuse(shape) { return memory }
            return Tensor(uninitialized: shape, dtype: output.dtype)
        }
        for (index, operand) in operands.enumerated() {
            switch operand {
            case .input(let number):
                let isNumber = inputs[number].count == 1
                places[index].place = UInt8((isNumber ? CK_FUSED_NUMBER : CK_FUSED_RUN).rawValue)
                places[index].memory = inputs[number].rawPointer
            case .output(let number): places[index].memory = results[number].rawPointer
            case .register, .gathered, .number: break
            }
        }
        withExtendedLifetime((inputs, numbers)) {
            ck_fused_run(
                Int32(steps.count), steps, Int32(places.count), places, Int32(registers), Int32(shape.count), sizes)
        }
        return results
    }
}

extension Tensor {
    /// A tensor in the same memory, when it is whole and nobody else uses it.
    fileprivate mutating func memoryForReuse(_ shape: Shape) -> Tensor? {
        guard isContiguous, self.shape == shape, layout.offset == 0, isKnownUniquelyReferenced(&body),
            body.node == nil, isKnownUniquelyReferenced(&body.storage),
            body.storage.byteCount == count * dtype.byteCount
        else { return nil }
        return withoutNode
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
        let kind: ck_fused_kind
        switch step.kernel {
        case .unary(let kernel): (kind, operation) = (CK_FUSED_UNARY, UInt8(kernel.rawValue))
        case .binary(let kernel), .withNumber(let kernel, _, _):
            (kind, operation) = (CK_FUSED_BINARY, UInt8(kernel.rawValue))
        case .compare(let kernel): (kind, operation) = (CK_FUSED_COMPARE, UInt8(kernel.rawValue))
        case .multiplyAdd(let factor):
            kind = CK_FUSED_MULADD
            scale = factor
        case .select: kind = CK_FUSED_SELECT
        }
        self.kind = UInt8(kind.rawValue)
        is_double = step.isDouble ? 1 : 0
        // Unused places name an operand that is there, so that nothing else is looked at.
        let numbers = step.operands.map(UInt8.init)
        operands.0 = numbers[0]
        operands.1 = numbers[1]
        operands.2 = numbers.count > 2 ? numbers[2] : numbers[1]
        operands.3 = numbers.count > 3 ? numbers[3] : numbers[1]
    }
}
