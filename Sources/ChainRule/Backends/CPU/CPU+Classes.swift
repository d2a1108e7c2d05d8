import CKernels

/// The constants of a loss on classes: int64 targets, row-major and checked, and class weights.
struct ClassTargets {
    let target: Tensor
    let weight: Tensor?

    /// From the inputs of an operation, beginning at `index`.
    init(_ inputs: [Tensor], _ index: Int) {
        target = inputs[index]
        weight = inputs.count > index + 1 ? inputs[index + 1] : nil
    }
}

// Losses on classes touch one score of each row: plain loops. Sums are made in double.

extension CPU {
    /// Whether every target is a class or to be ignored; reports the first that isn't.
    static func areClasses(_ rows: ClassRows, _ target: Tensor, _ name: String) -> Bool {
        let classes = target.pointer(to: Int64.self)
        for row in 0..<target.count {
            let value = Int(classes[row])
            if (value < 0 || value >= rows.classes) && value != rows.ignoreIndex {
                fail(name, "target \(value) in row \(row) is none of the \(rows.classes) classes")
                return false
            }
        }
        return true
    }

    /// −w[t] x[t] of each row, reduced.
    static func pickClasses(_ rows: ClassRows, _ x: Tensor, _ targets: ClassTargets) -> Tensor {
        rounded(x) { x in
            let x = contiguous(x)
            let factors = rowFactors(rows, targets, dtype: x.dtype)
            let losses = Tensor(uninitialized: rows.lossShape, dtype: x.dtype)
            let y = rows.reduction == .none ? losses : Tensor(uninitialized: [], dtype: x.dtype)
            if x.dtype == .float32 {
                pick(rows, x, targets.target, factors, y, Float.self)
            } else {
                pick(rows, x, targets.target, factors, y, Double.self)
            }
            return y
        }
    }

    @inline(__always)
    private static func pick<T: BinaryFloatingPoint>(
        _ rows: ClassRows, _ x: Tensor, _ target: Tensor, _ factors: Tensor, _ y: Tensor, _: T.Type
    ) {
        let (scores, weights, output) = (x.pointer(to: T.self), factors.pointer(to: T.self), y.freshPointer(to: T.self))
        var sum = 0.0
        forEachRow(rows, target) { row, score in
            let loss = score.map { -(scores[$0] * weights[row]) } ?? 0
            if rows.reduction == .none { output[row] = loss } else { sum += Double(loss) }
        }
        if rows.reduction == .none { return }
        // The mean over no rows is 0 / 0, as in PyTorch.
        let counts = (0..<factors.count).contains { weights[$0] != 0 }
        output[0] = rows.reduction == .mean && !counts ? T.nan : T(sum)
    }

    /// −k dy at the class of each row, 0 elsewhere; k is the factor of the row.
    static func spreadClasses(_ rows: ClassRows, _ dy: Tensor, _ targets: ClassTargets) -> Tensor {
        rounded(dy) { dy in
            let dx = Tensor.zeros(rows.shape, dtype: dy.dtype)
            let scales = rowScales(rows, dy, targets)
            if dx.dtype == .float32 {
                spread(rows, into: dx, targets.target, scales, Float.self)
            } else {
                spread(rows, into: dx, targets.target, scales, Double.self)
            }
            return dx
        }
    }

    @inline(__always)
    private static func spread<T: BinaryFloatingPoint>(
        _ rows: ClassRows, into x: Tensor, _ target: Tensor, _ scales: Tensor, _: T.Type
    ) {
        let (scores, scales) = (x.freshPointer(to: T.self), scales.pointer(to: T.self))
        forEachRow(rows, target) { row, score in
            if let score { scores[score] = -scales[row] }
        }
    }

    /// x = k dy (x − [t]) in place; k is the factor of the row.
    static func subtractClasses(_ rows: ClassRows, from x: Tensor, _ dy: Tensor, _ targets: ClassTargets) {
        let scales = rowScales(rows, dy, targets)
        if x.dtype == .float32 {
            subtract(rows, from: x, targets.target, scales, Float.self)
        } else {
            subtract(rows, from: x, targets.target, scales, Double.self)
        }
    }

    @inline(__always)
    private static func subtract<T: BinaryFloatingPoint>(
        _ rows: ClassRows, from x: Tensor, _ target: Tensor, _ scales: Tensor, _: T.Type
    ) {
        let (scores, scales) = (x.freshPointer(to: T.self), scales.pointer(to: T.self))
        let (classes, places) = (rows.classes, rows.places)
        forEachRow(rows, target) { row, score in
            if let score { scores[score] -= 1 }
        }
        for batch in 0..<rows.shape[0] {
            if places == 1 {
                let (line, scale) = (scores + batch * classes, scales[batch])
                for index in 0..<classes { line[index] *= scale }
                continue
            }
            for index in 0..<classes {
                let (line, scale) = (scores + (batch * classes + index) * places, scales + batch * places)
                for place in 0..<places { line[place] *= scale[place] }
            }
        }
    }

    /// k dy for each row, row-major.
    private static func rowScales(_ rows: ClassRows, _ dy: Tensor, _ targets: ClassTargets) -> Tensor {
        let factors = rowFactors(rows, targets, dtype: dy.dtype).contiguousView(rows.lossShape)
        return contiguous(binary(CK_MUL, factors, dy, name: "nll_loss"))
    }

    /// What the loss of each row is multiplied with: 0 for ignored ones, else its class's weight, over the sum of all for the mean
    /// (0 when that is 0). Shaped to multiply scores: (N, 1, places...).
    static func rowFactors(_ rows: ClassRows, _ targets: ClassTargets, dtype: DType) -> Tensor {
        var shape = rows.shape
        shape[1] = 1
        let weight = targets.weight.map { contiguous(convert($0, to: .float64)) }
        let result = Tensor(uninitialized: shape, dtype: .float64)
        let factors = result.freshPointer(to: Double.self)
        let (classes, weights) = (targets.target.pointer(to: Int64.self), weight?.pointer(to: Double.self))
        var sum = 0.0
        for row in 0..<result.count {
            factors[row] = Int(classes[row]) == rows.ignoreIndex ? 0 : weights?[Int(classes[row])] ?? 1
            sum += factors[row]
        }
        withExtendedLifetime((targets, weight)) {}
        // Without a row that counts all factors stay 0, and so does the gradient.
        if rows.reduction == .mean, sum != 0 {
            for row in 0..<result.count { factors[row] /= sum }
        }
        return convert(result, to: dtype)
    }

    /// Calls `body` with each row and where its class's score lies; nil for ignored rows.
    @inline(__always)
    private static func forEachRow(_ rows: ClassRows, _ target: Tensor, _ body: (Int, Int?) -> Void) {
        let classes = target.pointer(to: Int64.self)
        let places = rows.places
        for batch in 0..<rows.shape[0] {
            for place in 0..<places {
                let row = batch * places + place
                let index = Int(classes[row])
                body(row, index == rows.ignoreIndex ? nil : (batch * rows.classes + index) * places + place)
            }
        }
    }
}
