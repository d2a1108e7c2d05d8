import ChainRule
import Foundation

/// The safetensors format: a JSON table of contents, then the bytes of the tensors, little-endian and row-major.
/// https://github.com/huggingface/safetensors
public struct Safetensors: Sendable {
    public var tensors: [String: Tensor]
    /// Text that travels with the tensors.
    public var metadata: [String: String]

    public init(tensors: [String: Tensor], metadata: [String: String] = [:]) {
        self.tensors = tensors
        self.metadata = metadata
    }

    private static let dtypeNames: [(DType, String)] = [
        (.bool, "BOOL"), (.uint8, "U8"), (.int8, "I8"), (.int16, "I16"), (.int32, "I32"), (.int64, "I64"),
        (.float16, "F16"), (.bfloat16, "BF16"), (.float32, "F32"), (.float64, "F64"),
    ]

    // MARK: Writing

    /// The whole file. Tensors lie in the order of their names, so equal contents give equal bytes.
    public func encoded() throws -> Data {
        var header: [String: Any] = [:]
        if !metadata.isEmpty { header["__metadata__"] = metadata }
        var body = Data()
        for (name, tensor) in tensors.sorted(by: { $0.key < $1.key }) {
            let begin = body.count
            tensor.contiguous().withUnsafeBytes { body.append(contentsOf: $0) }
            header[name] = [
                "dtype": Self.dtypeNames.first { $0.0 == tensor.dtype }?.1 ?? "",
                "shape": Array(tensor.shape), "data_offsets": [begin, body.count],
            ]
        }
        var table = try JSONSerialization.data(withJSONObject: header, options: [.sortedKeys, .withoutEscapingSlashes])
        // Padded with spaces so that the tensors begin on a multiple of 8.
        table.append(contentsOf: repeatElement(UInt8(ascii: " "), count: (8 - table.count % 8) % 8))
        var file = Data()
        withUnsafeBytes(of: UInt64(table.count).littleEndian) { file.append(contentsOf: $0) }
        return file + table + body
    }

    // MARK: Reading

    /// - Parameter name: what errors call the file.
    public init(decoding file: Data, name: String) throws {
        let file = Data(file)  // indices from 0
        guard file.count >= 8 else {
            throw DataError("\(name) is no safetensors file: it has only \(file.count) bytes")
        }
        let length = file.prefix(8).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        guard length <= UInt64(file.count - 8) else {
            throw DataError(
                "\(name) is truncated or no safetensors file: its table of contents would take \(length) bytes of \(file.count)"
            )
        }
        let bodyStart = 8 + Int(length)
        let parsed = try? JSONSerialization.jsonObject(with: file[8..<bodyStart])
        guard let header = parsed as? [String: Any] else {
            throw DataError("\(name) is no safetensors file: its table of contents is not a JSON object")
        }
        metadata = header["__metadata__"] as? [String: String] ?? [:]
        tensors = [:]
        for (key, value) in header where key != "__metadata__" {
            tensors[key] = try Self.tensor(key, value, in: file[bodyStart...], fileName: name)
        }
    }

    private static func tensor(_ key: String, _ entry: Any, in body: Data, fileName: String) throws -> Tensor {
        guard let entry = entry as? [String: Any], let dtypeName = entry["dtype"] as? String,
            let sizes = entry["shape"] as? [Int], let offsets = entry["data_offsets"] as? [Int], offsets.count == 2
        else { throw DataError("\(fileName): the entry of '\(key)' lacks dtype, shape or data_offsets") }
        guard let dtype = dtypeNames.first(where: { $0.1 == dtypeName })?.0 else {
            throw DataError("\(fileName): '\(key)' has the dtype \(dtypeName), which is not supported")
        }
        guard sizes.count <= Shape.maximumRank, Shape(sizes).flaw == nil else {
            throw DataError("\(fileName): '\(key)' has the impossible shape \(sizes)")
        }
        let byteCount = Shape(sizes).elementCount * dtype.byteCount
        guard offsets[0] >= 0, offsets[1] >= offsets[0], offsets[1] - offsets[0] == byteCount else {
            throw DataError(
                "\(fileName): '\(key)' of shape \(sizes) needs \(byteCount) bytes, its offsets are \(offsets)")
        }
        guard offsets[1] <= body.count else {
            throw DataError("\(fileName) is truncated: '\(key)' ends at byte \(offsets[1]) of \(body.count)")
        }
        let bytes = body[(body.startIndex + offsets[0])..<(body.startIndex + offsets[1])]
        return bytes.withUnsafeBytes { Tensor(copying: $0, shape: Shape(sizes), dtype: dtype) }
    }
}
