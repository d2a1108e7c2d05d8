#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

// Tensors print as PyTorch prints them with its default options, so that a ported program's output can be compared as text.

extension Tensor: CustomStringConvertible {
    /// `tensor([[1., 2.], [3., 4.]])`: four digits, from 1000 elements on only the first and last three of each axis.
    public var description: String {
        let prefix = "tensor("
        let body = count == 0 ? "[]" : TensorText(self, indent: prefix.count).text
        return prefix + body + suffixes(after: prefix + body, indent: prefix.count) + ")"
    }

    /// What follows the elements: the size of an empty tensor, a dtype that the elements don't show, and where the tensor comes from.
    private func suffixes(after text: String, indent: Int) -> String {
        var parts: [String] = []
        if count == 0 && rank != 1 { parts.append("size=(" + shape.map(String.init).joined(separator: ", ") + ")") }
        let isEvident = count == 0 ? dtype == .float32 : dtype == .float32 || dtype == .int64 || dtype == .bool
        if !isEvident { parts.append("dtype=torch.\(dtype)") }
        if let node { parts.append(node.isLeaf ? "requires_grad=True" : "grad_fn=<\(node.printedName)>") }

        var result = ""
        // PyTorch counts one character more than the last line has, and breaks accordingly.
        var lineLength = (text.split(separator: "\n").last?.count ?? 0) + 2
        for part in parts {
            if lineLength + part.count + 2 > TensorText.lineWidth {
                result += ",\n" + String(repeating: " ", count: indent) + part
                lineLength = indent + part.count
            } else {
                result += ", " + part
                lineLength += part.count + 2
            }
        }
        return result
    }
}

extension Node {
    /// PyTorch's name for the node of an operation: "leaky_relu" is LeakyReluBackward0.
    fileprivate var printedName: String {
        name.split(separator: "_").map { $0.prefix(1).uppercased() + $0.dropFirst() }.joined() + "Backward0"
    }
}

/// The elements of a tensor as brackets, commas and lines.
private struct TensorText {
    static let lineWidth = 80
    private static let threshold = 1000
    private static let edgeItems = 3

    private let shape: Shape
    private let isSummarized: Bool
    private let width: Int
    /// The shown elements in row-major order.
    private let elements: [String]
    private let indent: Int

    init(_ tensor: Tensor, indent: Int) {
        shape = tensor.shape
        isSummarized = tensor.count > Self.threshold
        self.indent = indent
        let shown = tensor.detach().elements(along: shape.map { [isSummarized] in Self.shownIndices($0, isSummarized) })
        switch tensor.dtype {
        case .bool: elements = shown.toArray(of: Bool.self).map { $0 ? "True" : "False" }
        case .uint8, .int8, .int16, .int32, .int64: elements = shown.toArray(of: Int64.self).map(String.init)
        case .float16, .bfloat16, .float32, .float64:
            let values = shown.toArray(of: Double.self)
            let style = FloatStyle(values)
            width = style.width
            elements = values.map { style.text($0) }
            return
        }
        width = elements.map(\.count).max() ?? 1
    }

    private static func shownIndices(_ size: Int, _ isSummarized: Bool) -> [Int] {
        guard isSummarized && size > 2 * edgeItems else { return Array(0..<size) }
        return Array(0..<edgeItems) + Array(size - edgeItems..<size)
    }

    var text: String {
        var next = 0
        return text(axis: 0, indent: indent, &next)
    }

    private func padded(_ element: String) -> String {
        String(repeating: " ", count: max(0, width - element.count)) + element
    }

    /// The part from `axis` inward; `next` is the first element that has not been written.
    private func text(axis: Int, indent: Int, _ next: inout Int) -> String {
        guard axis < shape.count else {
            next += 1
            return padded(elements[next - 1])
        }
        let isRow = axis == shape.count - 1
        let isCut = isSummarized && shape[axis] > 2 * Self.edgeItems
        var parts: [String] = []
        for position in 0..<(isCut ? 2 * Self.edgeItems : shape[axis]) {
            if isCut && position == Self.edgeItems { parts.append(isRow ? " ..." : "...") }
            parts.append(text(axis: axis + 1, indent: indent + 1, &next))
        }
        let lineStart = String(repeating: " ", count: indent + 1)
        guard isRow else {
            let lines = String(repeating: "\n", count: shape.count - 1 - axis)
            return "[" + parts.joined(separator: "," + lines + lineStart) + "]"
        }
        let perLine = max(1, (Self.lineWidth - indent) / (width + 2))
        let rows = stride(from: 0, to: parts.count, by: perLine).map { start in
            parts[start..<min(start + perLine, parts.count)].joined(separator: ", ")
        }
        return "[" + rows.joined(separator: ",\n" + lineStart) + "]"
    }
}

/// How the floats of one tensor are written: all in the same way, chosen by the finite ones that are not zero.
private struct FloatStyle {
    private(set) var width = 1
    private var isScientific = false
    private var isWhole = true
    private static let precision: Int32 = 4

    init(_ values: [Double]) {
        let telling = values.filter { $0.isFinite && $0 != 0 }
        guard let largest = telling.map(\.magnitude).max(), let smallest = telling.map(\.magnitude).min() else {
            return
        }
        isScientific = largest / smallest > 1000 || largest > 1e8 || smallest < 1e-4
        isWhole = telling.allSatisfy { $0 == $0.rounded() }
        for value in telling { width = max(width, text(value).count) }
    }

    func text(_ value: Double) -> String {
        if value.isNaN { return "nan" }
        if value.isInfinite { return value < 0 ? "-inf" : "inf" }
        if isScientific { return Self.format("%.*e", value, Self.precision) }
        // A whole number keeps its point, to show that it is a float.
        return isWhole ? Self.format("%.*f", value, 0) + "." : Self.format("%.*f", value, Self.precision)
    }

    private static func format(_ format: String, _ value: Double, _ precision: Int32) -> String {
        // A double has at most 309 digits before its point.
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: 384) { buffer in
            guard let start = buffer.baseAddress else { return "" }
            _ = withVaList([precision, value]) { vsnprintf(start, buffer.count, format, $0) }
            return String(cString: start)
        }
    }
}

extension Tensor {
    /// The elements at the combinations of these indices, one list for each axis, as a row of its own.
    fileprivate func elements(along indices: [[Int]]) -> Tensor {
        var offsets = [0]
        for (axis, list) in indices.enumerated() {
            offsets = offsets.flatMap { offset in list.map { offset + $0 * strides[axis] } }
        }
        let row = Tensor(uninitialized: [offsets.count], dtype: dtype)
        let width = dtype.byteCount
        for (place, offset) in offsets.enumerated() {
            (row.rawPointer + place * width).copyMemory(from: rawPointer + offset * width, byteCount: width)
        }
        return row
    }
}
