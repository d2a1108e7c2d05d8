import CKernels

/// A recorded step that can run tile by tile, in a group with others.
struct TiledStep {
    enum Kernel {
        case elementwise(ElementwiseKernel)
        case rows(RowKernel)
    }

    let step: RecordedStep
    let kernel: Kernel
    var isElementwise: Bool { if case .elementwise = kernel { true } else { false } }
    /// What it runs over: the result of an elementwise operation, the input of one on rows.
    let shape: Shape
    let dtype: DType
    /// Whether it can run on numbers of which there is one for each row of others in the group.
    let fitsRowNumbers: Bool

    init?(_ step: RecordedStep, _ forms: [ValueForm]) {
        self.step = step
        let inputs = step.inputs.map { forms[$0] }
        let floats =
            switch step.kernel {
            case .select: inputs.dropFirst()
            case .fill: inputs.dropLast()
            case .convert where !DTypes.fullPrecision.contains(inputs[0].dtype): [forms[step.outputs[0]]][...]
            default: inputs[...]
            }
        // No kernel reads or writes halves, which only conversions have beside floats.
        guard let dtype = floats.first?.dtype, DTypes.fullPrecision.contains(dtype),
            floats.allSatisfy({ $0.dtype == dtype }),
            !inputs.contains(where: { $0.dtype.isHalf }), !step.outputs.contains(where: { forms[$0].dtype.isHalf })
        else { return nil }
        self.dtype = dtype
        if let kernel = step.kernel {
            self.kernel = .elementwise(kernel)
            shape = forms[step.outputs[0]].shape
            let result = shape
            fitsRowNumbers =
                result.last == 1
                && inputs.enumerated().allSatisfy { position, form in
                    form.shape == result || (form.shape.elementCount == 1 && kernel.takesNumber(at: position))
                }
        } else if let operation = step.rows {
            shape = inputs[0].shape
            guard !shape.isEmpty, shape.elementCount > 0,
                operation.rowAxes(rank: shape.count) == AxisSet(last: shape.count)
            else {
                return nil
            }
            kernel = .rows(operation.rowKernel)
            fitsRowNumbers = false
            guard hasRowsForTiles else { return nil }
        } else {
            return nil
        }
    }

    /// Whether some rows fit a tile, and a reduction of one is as when it runs alone.
    private var hasRowsForTiles: Bool {
        guard let columns = shape.last, columns * dtype.byteCount <= TiledStep.mostRowBytes else { return false }
        if case .rows(.reduction) = kernel { return columns <= (dtype == .float64 ? 512 : 2048) }
        return true
    }

    /// With more than these a group would find no room for its values near by.
    static let mostRowBytes = Int(CK_FUSED_SCRATCH) / 8
}

extension ElementwiseKernel {
    /// Whether the kernel reads this input as one number for all elements.
    func takesNumber(at position: Int) -> Bool {
        switch self {
        case .unary, .withSlope, .clamp, .convert: false
        case .select: position > 0
        case .fill: position == 0
        case .binary, .withNumber, .compare, .compareWithNumber, .multiplyAdd, .clampGradient: true
        }
    }

    /// The operands in the order of the kernels, when its number is operand `number`.
    func operands(inputs: [Int], number: Int) -> [Int] {
        switch self {
        case .withNumber(_, _, numberFirst: true): [number] + inputs
        case .withNumber, .compareWithNumber: inputs + [number]
        case .fill: [inputs[1], number, inputs[0]]
        case .unary, .withSlope, .binary, .compare, .multiplyAdd, .select, .clamp, .clampGradient, .convert: inputs
        }
    }

    var number: Scalar? {
        switch self {
        case .withNumber(_, let number, _), .compareWithNumber(_, let number), .fill(let number): number
        case .unary, .withSlope, .binary, .compare, .multiplyAdd, .select, .clamp, .clampGradient, .convert: nil
        }
    }
}
